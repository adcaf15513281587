//! What a tenant's directory must be, kept in plain lists: the rules of the service in their
//! shortest form, for one request at a time.
//!
//! A name belongs to a live or imported user, ignoring case. A deleted user is kept for as long as
//! the profile says. A POST with its externalId brings it back; so does a POST with its name, if it
//! is the same person and no other user has taken the name since. Several users may have one
//! externalId; the first of them has a better right to come back.
//!
//! Of several users who had one externalId, the one who also had the name has the best right.
//!
//! A user who expires while visible is gone from the next request on, and leaves its groups in that
//! moment.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use scim_lambda::tenant::profile::OnDelete;
use serde_json::{Value, json};

use super::profiles::Policy;
use super::shapes::{Before, Crew, Group, History, Life, Person, User};
use crate::support::BASE_URL;

/// A time that never comes.
pub const NEVER: i64 = 253_402_300_799;

/// The first owner of a name or an externalId, by its index, and until when, if it was deleted.
pub(super) type Holder = (usize, Option<i64>);

#[derive(Debug, Default)]
pub struct Oracle {
    /// Milliseconds since 1970.
    pub now: i64,
    pub policy: Policy,
    /// All there ever were.
    pub users: Vec<User>,
    /// Those that are there.
    pub groups: Vec<Group>,
    pub gone_groups: Vec<String>,
    pub(super) names: BTreeMap<String, Holder>,
    pub(super) firsts: BTreeMap<String, Holder>,
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
        let user = &self.users[index];
        user.life == Life::Deleted && user.expires.is_some_and(|expiry| expiry > self.seconds())
    }

    /// The indices of the imported users who are not provisioned yet.
    pub fn unmanaged(&self) -> Vec<usize> {
        (0..self.users.len()).filter(|index| self.users[*index].life == Life::Unmanaged).collect()
    }

    /// The indices of visible users whose time will come.
    pub fn expiring(&self) -> Vec<usize> {
        self.live().into_iter().filter(|index| self.users[*index].expires.is_some()).collect()
    }

    /// How many seats are taken.
    pub fn active(&self) -> usize {
        self.users.iter().filter(|user| user.lives() && user.is_active()).count()
    }

    pub fn is_full(&self) -> bool {
        self.policy.limit.is_some_and(|limit| self.active() >= limit)
    }

    pub(super) fn holder(&self, of: &BTreeMap<String, Holder>, key: &str) -> Option<usize> {
        let (index, until) = of.get(key)?;
        until.is_none_or(|expiry| expiry > self.seconds()).then_some(*index)
    }

    /// Whether a live or imported user, but for the one at `but`, has the name.
    pub fn is_taken(&self, form: &str, but: Option<usize>) -> bool {
        let has = |user: &User| {
            matches!(user.life, Life::Live | Life::Unmanaged) && user.is.form() == form
        };
        self.users.iter().enumerate().any(|(index, user)| Some(index) != but && has(user))
    }

    pub fn add_user(&mut self, id: &str, person: &Person) -> usize {
        let is = Person { active: person.active.or(Some(true)), ..person.clone() };
        self.add(id, is, Life::Live, BTreeSet::new())
    }

    /// Stores an imported user, whose names are free.
    pub fn add_unmanaged(
        &mut self,
        id: &str,
        person: &Person,
        verified: BTreeSet<String>,
    ) -> usize {
        self.add(id, person.clone(), Life::Unmanaged, verified)
    }

    fn add(&mut self, id: &str, is: Person, life: Life, verified: BTreeSet<String>) -> usize {
        let history = History::begun(self.now);
        self.users.push(User {
            id: id.to_owned(),
            is,
            history,
            life,
            expires: None,
            verified,
            before: None,
        });
        let index = self.users.len() - 1;
        self.hold(index);
        index
    }

    /// Erases the visible users whose time has come; how many there were.
    pub fn expire_due(&mut self) -> usize {
        let due = |user: &User| user.expires.is_some_and(|expiry| expiry <= self.seconds());
        let due: Vec<usize> =
            self.live().into_iter().filter(|index| due(&self.users[*index])).collect();
        due.iter().for_each(|index| self.erase(*index));
        due.len()
    }

    /// A user is gone at once, with all its names.
    fn erase(&mut self, index: usize) {
        self.users[index].life = Life::Gone;
        self.names.retain(|_, holder| holder.0 != index);
        self.firsts.retain(|_, holder| holder.0 != index);
        let id = self.users[index].id.clone();
        self.leave_all(&id);
    }

    /// Makes visible who was deleted or imported, or stops the clock of who was suspended with
    /// expiry; with what the user had, under what `person` says.
    pub fn restore(&mut self, index: usize, person: &Person) {
        self.names.retain(|_, holder| holder.0 != index);
        let (now, user) = (self.now, &mut self.users[index]);
        let had = user.is.clone();
        let active = person.active.or(Some(true));
        user.is = Person {
            name: person.name.clone(),
            external_id: person.external_id.clone().or(had.external_id.clone()),
            title: person.title.clone().or(had.title),
            active,
            emails: if person.emails.is_empty() { had.emails } else { person.emails.clone() },
        };
        // A suspended user who comes back inactive keeps the clock, and its externalId where it has
        // it.
        let suspended = user.life == Life::Live;
        user.expires = user.expires.filter(|_| suspended && active == Some(false));
        user.life = Life::Live;
        user.before = None;
        user.history.goes_on(now);
        if suspended {
            self.names.insert(user.is.form(), (index, None));
            return;
        }
        if user.is.external_id != had.external_id {
            self.firsts.retain(|_, holder| holder.0 != index);
        }
        self.hold(index);
    }

    /// Takes the user's name, and its externalId unless another has it first.
    fn hold(&mut self, index: usize) {
        let user = &self.users[index];
        let first = user.is.external_id.clone();
        let first = first
            .filter(|first| self.holder(&self.firsts, first).is_none_or(|holder| holder == index));
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
        if user.is_active() {
            user.expires = None;
        } else if had.active == Some(true) && self.policy.expires {
            user.expires = Some(now / 1_000 + self.policy.retention());
        }
        let (renamed, other) =
            (had.form() != user.is.form(), had.external_id != user.is.external_id);
        let (form, external_id) = (user.is.form(), user.is.external_id.clone());
        if renamed {
            self.names.remove(&had.form());
            self.names.insert(form, (index, None));
        }
        if other {
            self.firsts.retain(|_, holder| holder.0 != index);
            let free =
                external_id.filter(|external_id| self.holder(&self.firsts, external_id).is_none());
            free.map(|external_id| self.firsts.insert(external_id, (index, None)));
        }
    }

    pub fn delete_user(&mut self, index: usize) {
        let until = match self.policy.on_delete {
            OnDelete::HardDelete => return self.erase(index),
            OnDelete::Deactivate => NEVER,
            _ => self.seconds() + self.policy.retention(),
        };
        let (now, expires) = (self.now, Some(until));
        let groups = self.groups_of(&self.users[index].id);
        let user = &mut self.users[index];
        user.before = Some(Before { active: user.is_active(), expires: user.expires, groups });
        user.history.goes_on(now);
        if self.policy.on_delete == OnDelete::Deactivate {
            user.is.active = Some(false);
        }
        (user.life, user.expires) = (Life::Deleted, expires);
        let (id, form) = (user.id.clone(), user.is.form());
        self.names.insert(form, (index, expires));
        self.firsts
            .values_mut()
            .filter(|holder| holder.0 == index)
            .for_each(|holder| holder.1 = expires);
        self.leave_all(&id);
    }

    fn groups_of(&self, id: &str) -> BTreeSet<String> {
        let groups = self.groups.iter().filter(|group| group.is.members.contains(id));
        groups.map(|group| group.id.clone()).collect()
    }

    /// Gives a user whom the operator restored the clock and the groups of before.
    pub fn restore_rest(&mut self, index: usize, before: &Before) {
        let again = self.seconds() + self.policy.retention();
        let (now, seconds) = (self.now, self.seconds());
        let user = &mut self.users[index];
        user.expires = before.expires.map(|expiry| if expiry > seconds { expiry } else { again });
        for group in self.groups.iter_mut().filter(|group| before.groups.contains(&group.id)) {
            group.is.members.insert(user.id.clone());
            group.history.goes_on(now);
        }
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

    /// Whether a resource may become a member.
    pub fn is_live(&self, id: &str) -> bool {
        self.is_live_user(id) || self.groups.iter().any(|group| group.id == id)
    }

    pub fn is_live_user(&self, id: &str) -> bool {
        self.users.iter().any(|user| user.id == id && user.lives())
    }

    /// Members in the order in which they were made, since their ids are chance.
    pub fn in_order(&self, members: &BTreeSet<String>) -> Vec<String> {
        let all =
            self.users.iter().map(|user| &user.id).chain(self.groups.iter().map(|group| &group.id));
        all.filter(|id| members.contains(*id)).cloned().collect()
    }

    pub fn add_group(&mut self, id: &str, crew: Crew) -> usize {
        self.groups.push(Group { id: id.to_owned(), is: crew, history: History::begun(self.now) });
        self.groups.len() - 1
    }

    /// Changes a group; the versions it may have now: one more for the group's own row, and up to
    /// one more for each member that joins or leaves.
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
        let mut groups: Vec<&Group> =
            self.groups.iter().filter(|group| group.is.members.contains(id)).collect();
        groups.sort_by_key(|group| &group.id);
        let shown = groups.into_iter().map(|Group { id, is, .. }| {
            json!({ "value": id, "$ref": format!("{BASE_URL}/Groups/{id}"), "display": is.name, "type": "direct" })
        });
        shown.collect()
    }
}
