//! What is found, what is listed, and what does not exist.

use scim_lambda::store::{Collection, Kind};
use serde_json::{Value, json};

use super::Model;
use super::shapes::{Group, User};
use crate::support::{USER, encode};

impl Model {
    pub(super) async fn read(&mut self, who: usize) {
        match self.dice.below(10) {
            0..2 => self.get_user(who).await,
            2 => self.get_group(who).await,
            3 => self.groups_of_user(who).await,
            4..7 => self.find_users(who).await,
            7 => self.find_groups(who).await,
            8 => self.page(who, "/Users").await,
            _ => self.page(who, "/Groups").await,
        }
    }

    /// The live users that match, as they are shown, in the order of lists.
    fn users_where(&self, who: usize, passes: impl Fn(&User) -> bool) -> Vec<Value> {
        let oracle = &self.parties[who].oracle;
        let mut found: Vec<usize> =
            oracle.live().into_iter().filter(|index| passes(&oracle.users[*index])).collect();
        let at = Collection { tenant: self.parties[who].row.key(), kind: Kind::User };
        found.sort_by_key(|index| at.key(&oracle.users[*index].id.parse().unwrap()));
        found.into_iter().map(|index| oracle.user_json(index)).collect()
    }

    fn groups_where(&self, who: usize, passes: impl Fn(&Group) -> bool) -> Vec<Value> {
        let oracle = &self.parties[who].oracle;
        let mut found: Vec<usize> =
            (0..oracle.groups.len()).filter(|index| passes(&oracle.groups[*index])).collect();
        found.sort_by_key(|index| &oracle.groups[*index].id);
        found.into_iter().map(|index| oracle.group_json(index)).collect()
    }

    async fn find(&mut self, who: usize, endpoint: &str, filter: &str, expected: Vec<Value>) {
        self.trace.note(&format!("filter {filter}"));
        let answer =
            self.send(who, "GET", &format!("{endpoint}?filter={}", encode(filter)), None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["Resources"], Value::from(expected), "{filter}");
        assert_eq!(answer.body["totalResults"], answer.body["Resources"].as_array().unwrap().len());
    }

    async fn find_users(&mut self, who: usize) {
        let person = self.person();
        let active = self.dice.chance(50);
        let group = self.group(who).map(|index| self.parties[who].oracle.groups[index].clone());
        let email = person.emails.first().cloned().unwrap_or_else(|| person.name.clone());
        let has_email = |user: &User| {
            user.is.emails.iter().any(|own| own.to_lowercase() == email.to_lowercase())
        };
        let (filter, found) = match (self.dice.below(6), &person.external_id, &group) {
            (0 | 1, Some(external_id), _) => (
                format!("externalId eq \"{external_id}\""),
                self.users_where(who, |user| user.is.external_id == person.external_id),
            ),
            (2, ..) => (format!("emails.value eq \"{email}\""), self.users_where(who, has_email)),
            (3, _, Some(group)) => (
                format!("groups.value eq \"{}\"", group.id),
                self.users_where(who, |user| group.is.members.contains(&user.id)),
            ),
            (4, ..) => (
                format!("active eq {active} and userName sw \"P\""),
                self.users_where(who, |user| user.is.active == Some(active)),
            ),
            _ => (
                format!("userName eq \"{}\"", person.name),
                self.users_where(who, |user| user.is.form() == person.form()),
            ),
        };
        self.find(who, "/Users", &filter, found).await;
    }

    async fn find_groups(&mut self, who: usize) {
        let name = self.group_name();
        let ids: Vec<String> =
            self.parties[who].oracle.users.iter().map(|user| user.id.clone()).collect();
        let (filter, found) = match (self.dice.below(2), self.dice.pick(&ids)) {
            (0, Some(id)) => (
                format!("members eq \"{id}\""),
                self.groups_where(who, |group| group.is.members.contains(&id)),
            ),
            _ => {
                let same = |group: &Group| group.is.name.to_lowercase() == name.to_lowercase();
                (format!("displayName eq \"{name}\""), self.groups_where(who, same))
            }
        };
        self.find(who, "/Groups", &filter, found).await;
    }

    async fn groups_of_user(&mut self, who: usize) {
        let Some(index) = self.dice.pick(&self.parties[who].oracle.live()) else { return };
        let oracle = &self.parties[who].oracle;
        let id = oracle.users[index].id.clone();
        let mut expected = json!({ "schemas": [USER], "id": id });
        let groups = oracle.groups_json(&id);
        if !groups.is_empty() {
            expected["groups"] = groups.into();
        }
        let answer = self.send(who, "GET", &format!("/Users/{id}?attributes=groups"), None).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &expected));
    }

    /// The whole list, or a part of it.
    async fn page(&mut self, who: usize, endpoint: &str) {
        let all = if endpoint == "/Users" {
            self.users_where(who, |_| true)
        } else {
            self.groups_where(who, |_| true)
        };
        let (start, count) = if self.dice.chance(30) {
            (1, 100)
        } else {
            (1 + self.dice.below(all.len() + 2), self.dice.below(8))
        };
        let answer = self
            .send(who, "GET", &format!("{endpoint}?startIndex={start}&count={count}"), None)
            .await;
        let piece: Vec<Value> = all.iter().skip(start - 1).take(count).cloned().collect();
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["totalResults"], all.len());
        assert_eq!(answer.body["Resources"], Value::from(piece));
    }

    /// Ids that this tenant does not show: made up, deleted, expired, or another tenant's.
    pub(super) fn strangers(&mut self, who: usize) -> Vec<String> {
        let [here, there] = [who, 1 - who].map(|party| &self.parties[party].oracle);
        let [deleted, foreign] = [
            here.users
                .iter()
                .filter(|user| !user.lives())
                .map(|user| user.id.clone())
                .collect::<Vec<_>>(),
            there.live().into_iter().map(|index| there.users[index].id.clone()).collect(),
        ];
        let mut strangers = vec!["00000000-0000-8000-8000-000000000000".to_owned()];
        for group in [
            deleted,
            foreign,
            here.gone_groups.clone(),
            there.groups.iter().map(|g| g.id.clone()).collect(),
        ] {
            strangers.extend(self.dice.pick(&group));
        }
        strangers
    }

    /// What does not exist is 404 for every method, and no such request changes anything.
    pub(super) async fn ask_for_strangers(&mut self, who: usize) {
        let strangers = self.strangers(who);
        let Some(id) = self.dice.pick(&strangers) else { return };
        let title = json!({ "Operations": [{ "op": "add", "path": "title", "value": "Dr" }] });
        let leave = json!({ "Operations": [{ "op": "remove", "path": "members", "value": [{ "value": id }] }] });
        let join = json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": strangers[0] }] }] });
        let (method, path, body) = match self.dice.below(9) {
            0 => ("GET", "Users", None),
            1 => ("DELETE", "Users", None),
            2 => ("PATCH", "Users", Some(title)),
            3 => ("PUT", "Users", Some(json!({ "userName": self.name() }))),
            4 => ("GET", "Groups", None),
            5 => ("DELETE", "Groups", None),
            6 => ("PATCH", "Groups", Some(leave)),
            7 if id != strangers[0] => ("PATCH", "Groups", Some(join)),
            _ => {
                ("PUT", "Groups", Some(json!({ "displayName": self.group_name(), "members": [] })))
            }
        };
        self.send(who, method, &format!("/{path}/{id}"), body).await.is_error(404, None);
    }
}
