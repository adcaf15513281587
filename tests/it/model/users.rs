//! Users: created, changed, deleted, restored.

use serde_json::{Value, json};

use super::Model;
use super::coming::Coming;
use super::shapes::Person;
use crate::support::Answer;

impl Model {
    pub(super) fn name(&mut self) -> String {
        let number = self.dice.below(34);
        let name =
            if number < 17 { format!("p{number}@example.com") } else { format!("p{number}") };
        self.dice.spelled(&name)
    }

    fn external_id(&mut self) -> Option<String> {
        let number = self.dice.below(24);
        (number < 12).then(|| format!("e{number}"))
    }

    fn title(&mut self) -> Option<String> {
        self.dice.pick(&[None, Some("Dr"), Some("Prof")]).flatten().map(str::to_owned)
    }

    /// Addresses that other users may have too, or that are the name of another user.
    fn emails(&mut self) -> Vec<String> {
        let pool = (0..12).map(|number| {
            format!("{}{number}@example.com", if number % 3 == 0 { "p" } else { "m" })
        });
        let emails = self.dice.some(pool.collect(), 2);
        emails.iter().map(|email| self.dice.spelled(email)).collect()
    }

    pub(super) fn person(&mut self) -> Person {
        let active = self.dice.pick(&[None, Some(true), Some(false)]).flatten();
        Person {
            name: self.name(),
            external_id: self.external_id(),
            title: self.title(),
            active,
            emails: self.emails(),
        }
    }

    fn user(&mut self, who: usize) -> Option<usize> {
        self.dice.pick(&self.parties[who].oracle.live())
    }

    fn user_path(&self, who: usize, index: usize) -> String {
        format!("/Users/{}", self.parties[who].oracle.users[index].id)
    }

    pub(super) async fn create_user(&mut self, who: usize) {
        let person = self.person();
        self.post_user(who, &person).await;
    }

    /// A POST that may bring a deleted user back, and one that must not.
    pub(super) async fn return_user(&mut self, who: usize) {
        let Some(index) = self.dice.pick(&self.parties[who].oracle.restorable()) else { return };
        let was = self.parties[who].oracle.users[index].is.clone();
        let mut person = self.person();
        match self.dice.below(5) {
            0 => person.external_id = was.external_id,
            1 => person = Person { name: was.name, external_id: None, ..person },
            2 => person.name = was.name,
            _ => {
                person = Person {
                    name: self.dice.spelled(&was.form()),
                    external_id: was.external_id,
                    ..person
                }
            }
        }
        self.post_user(who, &person).await;
    }

    pub(super) async fn post_user(&mut self, who: usize, person: &Person) {
        let coming = self.parties[who].oracle.comes(person);
        let answer = self.send(who, "POST", "/Users", person.json()).await;
        self.count(&format!("{coming:?}").split('(').next().unwrap_or_default().to_lowercase());
        let oracle = &mut self.parties[who].oracle;
        let seated = oracle.seated(person).unwrap_or_else(|| person.clone());
        let index = match coming {
            Coming::Refused => return answer.is_error(409, Some("uniqueness")),
            Coming::Full => return answer.is_error(403, None),
            Coming::Back(index) | Coming::Returned(index) | Coming::Adopted(index) => {
                oracle.restore(index, &seated);
                index
            }
            Coming::New => {
                let id = answer.body["id"].as_str().unwrap_or_default();
                assert!(
                    oracle.users.iter().all(|user| user.id != id),
                    "a new user has an id of its own: {id}"
                );
                oracle.add_user(id, &seated)
            }
        };
        self.expect_user(who, index, 201, &answer);
    }

    fn expect_user(&self, who: usize, index: usize, status: u16, answer: &Answer) {
        let user = self.parties[who].oracle.user_json(index);
        assert_eq!((answer.status.as_u16(), &answer.body), (status, &user));
        assert_eq!(answer.header("etag"), user["meta"]["version"]);
    }

    pub(super) async fn patch_user(&mut self, who: usize) {
        let Some(index) = self.user(who) else { return };
        let mut person = self.parties[who].oracle.users[index].is.clone();
        let mut operations = Vec::new();
        for _ in 0..=self.dice.below(2) {
            operations.push(self.user_operation(&mut person));
        }
        self.change_user(who, index, "PATCH", json!({ "Operations": operations }), person).await;
    }

    /// One operation on a user, which is also applied to `person`.
    fn user_operation(&mut self, person: &mut Person) -> Value {
        let set = |path: &str, value: Option<Value>| match value {
            Some(value) => json!({ "op": "replace", "path": path, "value": value }),
            None => json!({ "op": "remove", "path": path }),
        };
        match self.dice.below(6) {
            0 => {
                person.title = self.title();
                set("title", person.title.clone().map(Value::from))
            }
            1 => {
                person.active = Some(self.dice.chance(50));
                set("active", person.active.map(Value::from))
            }
            2 => {
                person.emails = self.emails();
                let emails = (!person.emails.is_empty()).then(|| person.json()["emails"].clone());
                set("emails", emails)
            }
            3 => {
                person.external_id = self.external_id();
                set("externalId", person.external_id.clone().map(Value::from))
            }
            4 => {
                person.name = self.name();
                json!({ "op": "Replace", "value": { "userName": person.name } })
            }
            _ => json!({ "op": "add", "value": person.json() }),
        }
    }

    pub(super) async fn put_user(&mut self, who: usize) {
        let Some(index) = self.user(who) else { return };
        let was = self.parties[who].oracle.users[index].is.clone();
        let said = match self.dice.below(4) {
            0 => was.clone(),
            1 => Person { name: was.name, external_id: was.external_id, ..self.person() },
            _ => self.person(),
        };
        let person = Person { active: said.active.or(was.active), ..said.clone() };
        self.change_user(who, index, "PUT", said.json(), person).await;
    }

    async fn change_user(
        &mut self,
        who: usize,
        index: usize,
        method: &str,
        body: Value,
        person: Person,
    ) {
        let oracle = &self.parties[who].oracle;
        let taken = oracle.is_taken(&person.form(), Some(index));
        let full =
            oracle.is_full() && person.active == Some(true) && !oracle.users[index].is_active();
        let path = self.user_path(who, index);
        let answer = self.send(who, method, &path, body).await;
        if taken {
            return answer.is_error(409, Some("uniqueness"));
        }
        if full {
            return answer.is_error(403, None);
        }
        self.parties[who].oracle.change_user(index, person);
        self.expect_user(who, index, 200, &answer);
    }

    /// Suspends an active user, or activates an inactive one.
    pub(super) async fn suspend_user(&mut self, who: usize) {
        let Some(index) = self.user(who) else { return };
        let mut person = self.parties[who].oracle.users[index].is.clone();
        person.active = Some(person.active == Some(false));
        let operation = json!({ "op": "replace", "path": "active", "value": person.active });
        self.change_user(who, index, "PATCH", json!({ "Operations": [operation] }), person).await;
    }

    /// A POST of a user who is due to expire: the same person, or a namesake.
    pub(super) async fn return_suspended(&mut self, who: usize) {
        let Some(index) = self.dice.pick(&self.parties[who].oracle.expiring()) else { return };
        let was = self.parties[who].oracle.users[index].is.clone();
        let mut person = self.person();
        person.name = self.dice.spelled(&was.form());
        if self.dice.chance(80) {
            person.external_id = was.external_id;
        }
        self.post_user(who, &person).await;
    }

    pub(super) async fn delete_user(&mut self, who: usize) {
        let Some(index) = self.user(who) else { return };
        let path = self.user_path(who, index);
        let answer = self.send(who, "DELETE", &path, None).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (204, &Value::Null));
        self.parties[who].oracle.delete_user(index);
    }

    pub(super) async fn get_user(&mut self, who: usize) {
        let Some(index) = self.user(who) else { return };
        let path = self.user_path(who, index);
        let answer = self.send(who, "GET", &path, None).await;
        self.expect_user(who, index, 200, &answer);
    }
}
