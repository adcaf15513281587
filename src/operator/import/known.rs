//! Which users of the tenant a record may be, and what that means for it.
//!
//! The rules mirror those of a POST (`directory`), which reads the same rows for the same keys.

use scim_core::ResourceId;

use super::context::{Import, Ready};
use super::report::{Conflict, Key, RecordOutcome};
use crate::operator::error::OperatorError;
use crate::store::{MatchBy, Names, Stored};
use crate::tenant::profile::LinkOn;

/// Provisioned users with the key that each shares with a record, each user once.
#[derive(Default)]
struct Matches(Vec<(Key, ResourceId)>);

impl Matches {
    fn add(&mut self, key: Key, users: &[Stored]) {
        for user in users {
            if !self.contains(user) {
                self.0.push((key, user.resource.id.clone()));
            }
        }
    }

    fn contains(&self, user: &Stored) -> bool {
        self.0.iter().any(|(_, id)| *id == user.resource.id)
    }
}

impl Import {
    /// The outcome for a record that must not be stored, because the tenant has a user with one of
    /// its names or its id; `None` for a new user.
    pub(super) async fn known(&self, user: &Ready) -> Result<Option<RecordOutcome>, OperatorError> {
        if let Some(outcome) = self.imported_before(user).await? {
            return Ok(Some(outcome));
        }
        let now = self.clock.seconds();
        let holder = if user.own_id {
            self.store.resource(&self.users, &user.resource.id, now).await?
        } else {
            None
        };
        let visible = holder.as_ref().filter(|holder| holder.is_visible(now));
        let matches = self.provisioned(user, visible, now).await?;
        if let Some(outcome) = self.judge_matches(user, &matches) {
            return Ok(Some(outcome));
        }
        if let Some(deleted) = self.store.restorable(&self.users, &user.names, now).await? {
            return Ok(Some(RecordOutcome::Conflict(Conflict::Deleted(deleted))));
        }
        if holder.is_some() {
            return Ok(Some(RecordOutcome::Conflict(Conflict::IdTaken)));
        }
        let named = user.own_id && self.is_named_by_a_group(&user.resource.id).await?;
        Ok(named.then_some(RecordOutcome::Conflict(Conflict::IdInGroup)))
    }

    /// The outcome for a record with the names of an imported user who is still waiting.
    async fn imported_before(&self, user: &Ready) -> Result<Option<RecordOutcome>, OperatorError> {
        let names = &user.names;
        let same_name = self.store.unmanaged(&self.users, names, &[MatchBy::Name]).await?;
        if let Some(own) = same_name.first() {
            let id = own.resource.id.clone();
            let other_id = user.own_id && id != user.resource.id;
            return Ok(Some(if other_id {
                RecordOutcome::Conflict(Conflict::ImportedUnder(id))
            } else {
                RecordOutcome::Known(id)
            }));
        }
        let others = [MatchBy::ExternalId, MatchBy::Email];
        let others = self.store.unmanaged(&self.users, names, &others).await?;
        let namesake = others.first().map(|other| other.resource.id.clone());
        Ok(namesake.map(|id| RecordOutcome::Conflict(Conflict::ImportedNamesake(id))))
    }

    /// What provisioned users mean for a record: it is one of them, or it conflicts.
    fn judge_matches(&self, user: &Ready, matches: &Matches) -> Option<RecordOutcome> {
        Some(match matches.0.as_slice() {
            [] => return None,
            [(key, id)] if self.is_doubtful(user, *key, id) => {
                RecordOutcome::Conflict(Conflict::ProvisionedNamesake { id: id.clone(), key: *key })
            }
            [(key, id)] => RecordOutcome::Provisioned { id: id.clone(), by: *key },
            [(one_key, one), (other_key, other), ..] => {
                RecordOutcome::Conflict(Conflict::TwoProvisioned {
                    one: one.clone(),
                    one_key: *one_key,
                    other: other.clone(),
                    other_key: *other_key,
                })
            }
        })
    }

    /// Whether a provisioned user that shares a key with a record may be another user.
    fn is_doubtful(&self, user: &Ready, key: Key, id: &ResourceId) -> bool {
        user.own_id && *id != user.resource.id
            || key == Key::VerifiedEmail && !self.link_keys().contains(&LinkOn::Email)
            || key == Key::UserNameOfAnother && !self.link_keys().contains(&LinkOn::UserName)
    }

    /// Whether a group already names an id: a user with that id would be a member that no one has
    /// added.
    async fn is_named_by_a_group(&self, id: &ResourceId) -> Result<bool, OperatorError> {
        let (tenant, kind) = (&self.users.tenant, &self.users.kind);
        let (groups, unfinished) = tokio::try_join!(
            self.store.memberships(tenant, id, 1),
            self.store.is_unfinished(tenant, kind, id)
        )?;
        Ok(!groups.is_empty() || unfinished)
    }

    /// The provisioned users that a record may be: those with its id (`holder`), its userName or
    /// its externalId. Users with a verified address count only if there are no such users, because
    /// an identity provider may give one user's address to another.
    async fn provisioned(
        &self,
        user: &Ready,
        holder: Option<&Stored>,
        now: i64,
    ) -> Result<Matches, OperatorError> {
        let (names, users) = (&user.names, &self.users);
        let mut matches = Matches::default();
        matches.add(Key::Id, holder.map(std::slice::from_ref).unwrap_or_default());
        if let Some(name) = names.name() {
            for user in self.store.by_name(users, name, now).await?.unwrap_or_default() {
                matches.add(name_key(names, user.names()), &[user]);
            }
        }
        if let Some(external_id) = names.external_id() {
            let found = self.store.by_external_id(users, external_id, now).await?;
            let found = found.unwrap_or_default();
            // Several users may share it.
            if !found.iter().any(|user| matches.contains(user)) {
                matches.add(Key::ExternalId, &found);
            }
        }
        if matches.0.is_empty() {
            for email in names.emails() {
                // A user that was adopted by the address may have it as userName now.
                let found = self.store.by_email(users, email, Some(email), now).await?;
                matches.add(Key::VerifiedEmail, &found.unwrap_or_default());
            }
        }
        Ok(matches)
    }
}

/// The key by which a record matches the user with its userName.
fn name_key(record: &Names, user: &Names) -> Key {
    match (record.external_id(), user.external_id()) {
        (Some(own), Some(other)) if own != other => Key::UserNameOfAnother,
        _ => Key::UserName,
    }
}
