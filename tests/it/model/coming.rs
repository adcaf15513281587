//! What a POST of a user does, and what happens to an imported user.

use std::collections::BTreeSet;

use super::oracle::Oracle;
use super::shapes::{Life, Person, User};

/// What should happen to a new user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coming {
    Refused,
    /// No seat is left.
    Full,
    New,
    /// The deleted user at this index comes back.
    Back(usize),
    /// The user at this index was suspended with expiry: its clock stops.
    Returned(usize),
    /// The imported user at this index is adopted.
    Adopted(usize),
}

/// What should happen to a record of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    Imported,
    /// An earlier import stored the user at this index.
    Known(usize),
    /// The identity provider has provisioned the user at this index.
    Provisioned(usize),
    Conflict,
}

impl Oracle {
    /// What a POST of this person does.
    pub fn comes(&self, person: &Person) -> Coming {
        let coming = self.outcome_of_post(person);
        match coming {
            Coming::Refused => coming,
            // A user who is already visible is not refused for lack of a seat.
            Coming::Returned(_) if person.is_active() && self.is_full() => Coming::Full,
            _ if self.seated(person).is_none() => Coming::Full,
            _ => coming,
        }
    }

    /// A new person as the seats admit it: active, inactive or not at all.
    pub fn seated(&self, person: &Person) -> Option<Person> {
        if !person.is_active() || !self.is_full() {
            return Some(person.clone());
        }
        let inactive = || Person { active: Some(false), ..person.clone() };
        self.policy.inactive_when_full.then(inactive)
    }

    fn outcome_of_post(&self, person: &Person) -> Coming {
        let owner =
            self.live().into_iter().find(|index| self.users[*index].is.form() == person.form());
        if let Some(owner) = owner {
            let user = &self.users[owner];
            let stops = user.expires.is_some() && user.is.is_same(person);
            return if stops { Coming::Returned(owner) } else { Coming::Refused };
        }
        let back = self.comes_back(person).filter(|_| !self.policy.deleted_are_new);
        if self.policy.links {
            let found = self.adoptable(person);
            let strong = |user: &Person| {
                user.form() == person.form()
                    || user.external_id.is_some() && user.external_id == person.external_id
            };
            // An address is weaker evidence than a former user with these names.
            if !found.iter().any(|index| strong(&self.users[*index].is)) {
                match (back, self.stopped(person)) {
                    (Some(back), _) => return Coming::Back(back),
                    (None, Some(stopped)) => return Coming::Returned(stopped),
                    (None, None) => {}
                }
            }
            match found.as_slice() {
                [] => {}
                [index] => {
                    return if self.adopts(*index, person) {
                        Coming::Adopted(*index)
                    } else {
                        Coming::Refused
                    };
                }
                _ => return Coming::Refused,
            }
        }
        let first = person
            .external_id
            .as_ref()
            .and_then(|external_id| self.holder(&self.firsts, external_id));
        if self.is_taken(&person.form(), None)
            || first.is_some_and(|first| self.is_unmanaged(first))
        {
            return Coming::Refused;
        }
        match (back, self.stopped(person)) {
            (Some(back), _) => Coming::Back(back),
            (None, Some(stopped)) => Coming::Returned(stopped),
            (None, None) => Coming::New,
        }
    }

    /// The suspended user who expires and is the only one with this externalId, whatever the user's
    /// name.
    fn stopped(&self, person: &Person) -> Option<usize> {
        let first = person
            .external_id
            .as_ref()
            .and_then(|external_id| self.holder(&self.firsts, external_id))?;
        let user = &self.users[first];
        let sharing = self
            .live()
            .into_iter()
            .filter(|index| self.users[*index].is.external_id == person.external_id);
        (sharing.eq([first]) && user.expires.is_some()).then_some(first)
    }

    /// The deleted user whom these names restore.
    fn comes_back(&self, person: &Person) -> Option<usize> {
        let first = person
            .external_id
            .as_ref()
            .and_then(|external_id| self.holder(&self.firsts, external_id));
        let same_person = |user: &User| user.is.is_same(person);
        // Among those with the name, the first has priority, then the last to leave. Once the first
        // has given it up or expired, no one asks who else had it: that would be one more read for
        // every new user.
        let by_external_id = first.and_then(|first| {
            let named =
                self.restorable().into_iter().filter(|index| same_person(&self.users[*index]));
            let named =
                named.max_by_key(|index| (*index == first, self.users[*index].history.modified));
            named.or(Some(first).filter(|first| self.can_return(*first)))
        });
        // A user whose name another took stays without it, even if that one gave it up.
        let by_name = || self.holder(&self.names, &person.form());
        let by_name = || {
            by_name().filter(|index| self.can_return(*index) && same_person(&self.users[*index]))
        };
        by_external_id.or_else(by_name)
    }

    fn is_unmanaged(&self, index: usize) -> bool {
        self.users[index].life == Life::Unmanaged
    }

    /// The imported users who may be this person, by the externalId, or otherwise by the name, or
    /// otherwise by an address.
    fn adoptable(&self, person: &Person) -> Vec<usize> {
        let emails = &person.pointers() | &BTreeSet::from([person.form()]);
        let those = |is: &dyn Fn(&User) -> bool| -> Vec<usize> {
            self.unmanaged().into_iter().filter(|index| is(&self.users[*index])).collect()
        };
        let by_external_id = those(&|user| {
            person.external_id.is_some() && user.is.external_id == person.external_id
        });
        let by_name = those(&|user| user.is.form() == person.form());
        let by_email = those(&|user| !user.verified.is_disjoint(&emails));
        [by_external_id, by_name, by_email]
            .into_iter()
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }

    /// Whether the names of this person are free for the imported user.
    fn adopts(&self, index: usize, person: &Person) -> bool {
        !self.is_taken(&person.form(), Some(index))
    }

    /// What an import does with each of these people, who come with their verified addresses.
    pub fn imports(&self, people: &[(Person, BTreeSet<String>)]) -> Vec<Record> {
        let mut seen = BTreeSet::new();
        let each = people.iter().map(|(person, verified)| {
            let keys = [("name", Some(person.form())), ("externalId", person.external_id.clone())];
            let keys = keys.into_iter().filter_map(|(kind, key)| Some((kind, key?)));
            let keys: BTreeSet<_> =
                keys.chain(verified.iter().map(|email| ("email", email.clone()))).collect();
            if !seen.is_disjoint(&keys) {
                return Record::Conflict;
            }
            seen.extend(keys);
            self.import(person, verified)
        });
        each.collect()
    }

    fn import(&self, person: &Person, verified: &BTreeSet<String>) -> Record {
        let emails = verified | &BTreeSet::from([person.form()]);
        let named = self
            .unmanaged()
            .into_iter()
            .find(|index| self.users[*index].is.form() == person.form());
        if let Some(index) = named {
            return Record::Known(index);
        }
        let has_external_id = |index: &usize| {
            person.external_id.is_some() && self.users[*index].is.external_id == person.external_id
        };
        let addressed = |index: &usize| !self.users[*index].verified.is_disjoint(&emails);
        if self.unmanaged().iter().any(|index| has_external_id(index) || addressed(index)) {
            return Record::Conflict;
        }
        let live = |is: &dyn Fn(&usize) -> bool| -> Vec<usize> {
            self.live().into_iter().filter(is).collect()
        };
        let mut found = live(&|index| self.users[*index].is.form() == person.form());
        let sharing = live(&has_external_id);
        if !sharing.iter().any(|index| found.contains(index)) {
            found.extend(sharing);
        }
        if found.is_empty() {
            found = live(&|index| {
                let user = &self.users[*index].is;
                !verified.is_disjoint(&user.pointers()) || verified.contains(&user.form())
            });
            // If addresses do not link, another user may have the same one.
            if !found.is_empty() && !self.policy.links {
                return Record::Conflict;
            }
        }
        if let [index] = found.as_slice() {
            let user = &self.users[*index].is;
            let both = user.external_id.is_some() && person.external_id.is_some();
            let namesake =
                user.form() == person.form() && both && user.external_id != person.external_id;
            if namesake && !self.policy.links {
                return Record::Conflict;
            }
        }
        // Names of those who were deleted are theirs for as long as they are kept.
        let is_held = self.holder(&self.names, &person.form()).is_some();
        match found.as_slice() {
            [index] => Record::Provisioned(*index),
            [] if !is_held && !self.restorable().iter().any(has_external_id) => Record::Imported,
            _ => Record::Conflict,
        }
    }
}
