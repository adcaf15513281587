//! What a tenant's directory must be, kept in plain lists: the rules of the service in their shortest
//! form, for one request at a time.
//!
//! A name belongs to a live user, whatever its case. Who is deleted is kept for ninety days, and comes
//! back by a POST with its externalId, or with its name where it is the same person and nobody took the
//! name meanwhile. Several may have one externalId; the first of them has a better right to come back.
//!
//! Where several had one externalId, one who had the name too has the best right.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::shapes::{Crew, Group, History, Person, User};
use crate::support::{BASE_URL, DAY};

/// How long who was deleted can come back, in seconds.
const RETENTION: i64 = 90 * DAY;

/// What is to become of a new user.
#[derive(Debug, PartialEq, Eq)]
pub enum Coming {
    Refused,
    New,
    /// The user at this index comes back.
    Back(usize),
}

/// Who had a name or an externalId first, by the user's index, and until when, if it was deleted.
type Holder = (usize, Option<i64>);

#[derive(Debug, Default)]
pub struct Oracle {
    /// Milliseconds since 1970.
    pub now: i64,
    /// All there ever were.
    pub users: Vec<User>,
    /// Those that are there.
    pub groups: Vec<Group>,
    pub gone_groups: Vec<String>,
    names: BTreeMap<String, Holder>,
    firsts: BTreeMap<String, Holder>,
}

impl Oracle {
    pub fn seconds(&self) -> i64 {
        self.now / 1_000
    }

    /// The indices of live users.
    pub fn live(&self) -> Vec<usize> {
        (0..self.users.len()).filter(|index| self.users[*index].lives()).collect()
    }

    /// The indices of users who can come back.
    pub fn restorable(&self) -> Vec<usize> {
        (0..self.users.len()).filter(|index| self.can_return(*index)).collect()
    }

    pub fn can_return(&self, index: usize) -> bool {
        self.users[index].expires.is_some_and(|expiry| expiry > self.seconds())
    }

    fn holder(&self, of: &BTreeMap<String, Holder>, key: &str) -> Option<usize> {
        let (index, until) = of.get(key)?;
        until.is_none_or(|expiry| expiry > self.seconds()).then_some(*index)
    }

    /// Whether a live user, but for the one at `but`, has the name.
    pub fn is_taken(&self, form: &str, but: Option<usize>) -> bool {
        self.live().into_iter().any(|index| Some(index) != but && self.users[index].is.form() == form)
    }

    /// What a POST of this person does.
    pub fn comes(&self, person: &Person) -> Coming {
        if self.is_taken(&person.form(), None) {
            return Coming::Refused;
        }
        let same_person = |user: &User| user.is.form() == person.form() && user.is.external_id == person.external_id;
        let first = person.external_id.as_ref().and_then(|external_id| self.holder(&self.firsts, external_id));
        // Once the first has given it up or expired, nobody asks who else had it: that would be one more read
        // for every new user.
        let by_external_id = first.and_then(|first| {
            let named = self.restorable().into_iter().filter(|index| same_person(&self.users[*index]));
            let named = named.max_by_key(|index| self.users[*index].history.modified);
            named.or(Some(first).filter(|first| self.can_return(*first)))
        });
        // Whose name another took is without it, even if that one left it.
        let by_name = || self.holder(&self.names, &person.form());
        let by_name = || by_name().filter(|index| self.can_return(*index) && same_person(&self.users[*index]));
        by_external_id.or_else(by_name).map_or(Coming::New, Coming::Back)
    }

    pub fn add_user(&mut self, id: &str, person: &Person) -> usize {
        let is = Person { active: person.active.or(Some(true)), ..person.clone() };
        self.users.push(User { id: id.to_owned(), is, history: History::begun(self.now), expires: None });
        let index = self.users.len() - 1;
        self.hold(index);
        index
    }

    /// Brings a user back with what it had, under what `person` says.
    pub fn restore(&mut self, index: usize, person: &Person) {
        let (now, user) = (self.now, &mut self.users[index]);
        let had = user.is.clone();
        user.is = Person {
            name: person.name.clone(),
            external_id: person.external_id.clone().or(had.external_id),
            title: person.title.clone().or(had.title),
            active: person.active.or(Some(true)),
            emails: if person.emails.is_empty() { had.emails } else { person.emails.clone() },
        };
        user.expires = None;
        user.history.goes_on(now);
        self.hold(index);
    }

    /// Takes the user's name, and its externalId unless another has it first.
    fn hold(&mut self, index: usize) {
        let user = &self.users[index];
        let first = user.is.external_id.clone();
        let first = first.filter(|first| self.holder(&self.firsts, first).is_none_or(|holder| holder == index));
        self.names.insert(user.is.form(), (index, None));
        first.map(|first| self.firsts.insert(first, (index, None)));
    }

    /// Changes a live user, whose new name is free.
    pub fn change_user(&mut self, index: usize, person: Person) {
        let (now, user) = (self.now, &mut self.users[index]);
        if user.is == person {
            return;
        }
        user.history.goes_on(now);
        let had = std::mem::replace(&mut user.is, person);
        let (renamed, other) = (had.form() != user.is.form(), had.external_id != user.is.external_id);
        let (form, external_id) = (user.is.form(), user.is.external_id.clone());
        if renamed {
            self.names.remove(&had.form());
            self.names.insert(form, (index, None));
        }
        if other {
            self.firsts.retain(|_, holder| holder.0 != index);
            let free = external_id.filter(|external_id| self.holder(&self.firsts, external_id).is_none());
            free.map(|external_id| self.firsts.insert(external_id, (index, None)));
        }
    }

    pub fn delete_user(&mut self, index: usize) {
        let (now, expires) = (self.now, Some(self.seconds() + RETENTION));
        let user = &mut self.users[index];
        user.history.goes_on(now);
        user.expires = expires;
        let (id, form) = (user.id.clone(), user.is.form());
        self.names.insert(form, (index, expires));
        self.firsts.values_mut().filter(|holder| holder.0 == index).for_each(|holder| holder.1 = expires);
        self.leave_all(&id);
    }

    fn leave_all(&mut self, id: &str) {
        for group in &mut self.groups {
            if group.is.members.remove(id) {
                group.history.goes_on(self.now);
            }
        }
    }

    pub fn user_json(&self, index: usize) -> Value {
        self.users[index].json()
    }

    /// Whether another group has the name.
    pub fn is_group(&self, name: &str, but: Option<usize>) -> bool {
        let same = |group: &Group| group.is.name.to_lowercase() == name.to_lowercase();
        self.groups.iter().enumerate().any(|(index, group)| Some(index) != but && same(group))
    }

    /// Whether somebody may become a member.
    pub fn is_live(&self, id: &str) -> bool {
        self.is_live_user(id) || self.groups.iter().any(|group| group.id == id)
    }

    pub fn is_live_user(&self, id: &str) -> bool {
        self.users.iter().any(|user| user.id == id && user.lives())
    }

    pub fn add_group(&mut self, id: &str, crew: Crew) -> usize {
        self.groups.push(Group { id: id.to_owned(), is: crew, history: History::begun(self.now) });
        self.groups.len() - 1
    }

    /// Changes a group; the versions it may have now: one more for the group's own row, and up to one
    /// more for each member that joins or leaves.
    pub fn change_group(&mut self, index: usize, crew: Crew) -> RangeInclusive<u64> {
        let (now, group) = (self.now, &mut self.groups[index]);
        let own = (&group.is.name, &group.is.external_id) != (&crew.name, &crew.external_id);
        let moved = group.is.members.symmetric_difference(&crew.members).count() as u64;
        group.is = crew;
        let before = group.history.version + u64::from(own);
        if own || moved > 0 {
            group.history.modified = now;
        }
        before + moved.min(1)..=before + moved
    }

    pub fn delete_group(&mut self, index: usize) {
        let Group { id, .. } = self.groups.remove(index);
        self.leave_all(&id);
        self.gone_groups.push(id);
    }

    pub fn group_json(&self, index: usize) -> Value {
        self.groups[index].json(|member| self.is_live_user(member))
    }

    /// What a user shows as its groups.
    pub fn groups_json(&self, id: &str) -> Vec<Value> {
        let mut groups: Vec<&Group> = self.groups.iter().filter(|group| group.is.members.contains(id)).collect();
        groups.sort_by_key(|group| &group.id);
        let shown = groups.into_iter().map(|Group { id, is, .. }| {
            json!({ "value": id, "$ref": format!("{BASE_URL}/Groups/{id}"), "display": is.name, "type": "direct" })
        });
        shown.collect()
    }
}
