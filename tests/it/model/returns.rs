//! The operator brings deleted users back.

use std::time::Duration;

use scim_core::{Additions, ErrorKind};
use scim_lambda::directory::{Call, Directory, RequestReads, RestoreOptions};
use scim_lambda::settings::Settings;
use scim_lambda::store::Kind;
use scim_lambda::tenant::Tenants;
use tokio::time::Instant;

use super::Model;
use super::shapes::Person;

impl Model {
    /// The operator restores a user, who may get another name, or may not even be deleted.
    pub(super) async fn restore_by_operator(&mut self, who: usize) {
        let oracle = &self.parties[who].oracle;
        let some = if self.dice.chance(80) {
            oracle.restorable()
        } else {
            (0..oracle.users.len()).collect()
        };
        let Some(index) = self.dice.pick(&some) else { return };
        let name = self.dice.chance(30).then(|| self.name());
        let oracle = &self.parties[who].oracle;
        let user = oracle.users[index].clone();
        let person = Person {
            name: name.clone().unwrap_or(user.is.name),
            external_id: None,
            title: None,
            active: Some(user.before.as_ref().is_some_and(|before| before.active)),
            emails: Vec::new(),
        };
        let expected = match oracle.seated(&person) {
            _ if !oracle.can_return(index) => Err(ErrorKind::NotFound),
            _ if oracle.is_taken(&person.form(), None) => Err(ErrorKind::Uniqueness),
            None => Err(ErrorKind::Forbidden),
            Some(seated) => Ok(seated),
        };
        let now = self.world.clock.milliseconds();
        self.trace.note(&format!(
            "at {now} {} brings {} back as {name:?}",
            self.parties[who].code, user.id
        ));
        let (store, clock) = (&self.world.store, self.world.clock.clock());
        let tenants = Tenants::new(store.clone(), clock.clone(), &Additions::default());
        let tenant = tenants.get(self.parties[who].row.code()).await.unwrap().unwrap();
        let settings = Settings::new("", "");
        let directory =
            Directory::new(store.clone(), clock, settings.retention, settings.audit_retention);
        let (until, reads) = (Instant::now() + Duration::from_secs(60), &RequestReads::default());
        let call = Call {
            tenant: &tenant,
            actor: "operator",
            request_id: "restore",
            base_url: "",
            deadline: until,
            soft_deadline: until,
            reads,
        };
        let users = tenant.types.iter().find(|of| of.kind == Kind::User).unwrap();
        let id = user.id.parse().unwrap();
        let options = RestoreOptions { user_name: name.as_deref(), ..RestoreOptions::default() };
        let came = directory.restore_by_operator(call, users, &id, options).await;
        match (came, expected) {
            (Ok(_), Ok(seated)) => {
                let oracle = &mut self.parties[who].oracle;
                oracle.restore(index, &seated);
                oracle.restore_rest(index, &user.before.unwrap());
                self.count("brought back");
            }
            (Err(error), Err(kind)) => assert_eq!(error.kind, kind, "{error:?}"),
            (came, expected) => panic!("{came:?} is not {expected:?}"),
        }
    }
}
