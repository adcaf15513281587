//! Existing users of the product: imported, and adopted.

use std::collections::BTreeSet;

use scim_lambda::operator::import::{Mode, RecordOutcome};
use serde_json::{Value, json};

use super::Model;
use super::coming::Record;
use super::shapes::Person;

impl Model {
    /// A file of a few people, some of them already known.
    pub(super) async fn import(&mut self, who: usize) {
        let number = 1 + self.dice.below(3);
        let people: Vec<_> = (0..number).map(|_| self.record(who)).collect();
        let expected = self.parties[who].oracle.imports(&people);
        let mut lines = Vec::new();
        for ((person, verified), expected) in people.iter().zip(&expected) {
            let mut line = person.json();
            line["verifiedEmails"] = json!(verified);
            if *expected == Record::Imported && self.dice.chance(30) {
                line["id"] = self.own_id();
            }
            lines.push(line);
        }
        let mode = if self.dice.chance(5) { Mode::DryRun } else { Mode::Store };
        self.trace.note(&format!(
            "at {} {} imports {lines:?}",
            self.world.clock.milliseconds(),
            self.parties[who].code
        ));
        let row = self.parties[who].row.clone();
        let report = self.world.import(&row, &lines, mode).await;
        assert_eq!(report.lines.len(), people.len());
        for ((line, expected), (person, verified)) in report.lines.iter().zip(expected).zip(people)
        {
            let oracle = &mut self.parties[who].oracle;
            let is = match (&line.outcome, expected) {
                (RecordOutcome::Imported, Record::Imported) => true,
                (RecordOutcome::Known(id), Record::Known(index)) => {
                    *id.as_str() == oracle.users[index].id
                }
                (RecordOutcome::Provisioned { id, .. }, Record::Provisioned(index)) => {
                    *id.as_str() == oracle.users[index].id
                }
                (RecordOutcome::Conflict(_), Record::Conflict) => true,
                _ => false,
            };
            assert!(is, "{line:?} is not {expected:?}");
            if expected == Record::Imported && mode == Mode::Store {
                let id = line.id.as_ref().unwrap().as_str();
                let verified = verified.iter().map(|email| email.to_lowercase()).collect();
                oracle.add_unmanaged(id, &person, verified);
            }
            self.count(
                &format!("{expected:?}").split('(').next().unwrap_or_default().to_lowercase(),
            );
        }
    }

    /// A person, and the addresses that the product has verified.
    fn record(&mut self, who: usize) -> (Person, BTreeSet<String>) {
        let mut person = self.person();
        let known = 0..self.parties[who].oracle.users.len();
        if let Some(index) =
            self.dice.pick(&known.collect::<Vec<_>>()).filter(|_| self.dice.chance(30))
        {
            let was = self.parties[who].oracle.users[index].is.clone();
            person = Person { name: was.name, external_id: was.external_id, ..person };
        }
        let mut verified: BTreeSet<String> =
            self.dice.some(person.emails.clone(), 2).into_iter().collect();
        if person.name.contains('@') && self.dice.chance(30) {
            verified.insert(person.name.clone());
        }
        let verified = verified.iter().map(|email| email.to_lowercase()).collect();
        (person, verified)
    }

    /// An id as products have them: a UUID of version 7, alike for all users of a day, a number, or
    /// a text.
    fn own_id(&mut self) -> Value {
        let number = self.dice.roll();
        match self.dice.below(3) {
            0 => json!(format!("019a8e51-{:04x}-7000-8000-{:012x}", number & 0xffff, number >> 16)),
            1 => json!(number),
            _ => json!(format!("Usr_{number:x}.eu-{}", "z".repeat(self.dice.below(100)))),
        }
    }

    /// A POST of an imported user, as the identity provider knows that person.
    pub(super) async fn adopt(&mut self, who: usize) {
        let Some(index) = self.dice.pick(&self.parties[who].oracle.unmanaged()) else { return };
        let user = self.parties[who].oracle.users[index].clone();
        let mut person = self.person();
        let verified: Vec<String> = user.verified.into_iter().collect();
        match (self.dice.below(5), self.dice.pick(&verified)) {
            (0, _) => person.external_id = user.is.external_id,
            (1, Some(email)) => {
                person = Person { emails: vec![email], external_id: None, ..person }
            }
            (2, _) => person.name = user.is.name,
            _ => {
                person = Person {
                    name: self.dice.spelled(&user.is.form()),
                    external_id: user.is.external_id,
                    ..person
                }
            }
        }
        self.post_user(who, &person).await;
    }
}
