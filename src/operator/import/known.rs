//! What the users of the tenant mean for a record: it is one of them, it conflicts, or it is new.

use scim_core::ResourceId;

use super::context::{Import, Ready};
use super::report::{Conflict, RecordOutcome};
use crate::directory::candidates::{Candidates, Key, NewUser, candidates};
use crate::operator::error::OperatorError;
use crate::tenant::profile::LinkOn;

impl Import {
    /// The outcome for a record that must not be stored, because the tenant has a user with one of
    /// its names or its id; `None` for a new user.
    pub(super) async fn known(&self, user: &Ready) -> Result<Option<RecordOutcome>, OperatorError> {
        let id = user.own_id.then_some(&user.resource.id);
        let new = NewUser { names: &user.names, id };
        let found = candidates(&self.store, &self.users, new, self.clock.seconds()).await?;
        Ok(match found {
            Candidates::None => None,
            Candidates::Imported(known) if id.is_some_and(|id| known != *id) => {
                Some(Conflict::ImportedUnder(known).into())
            }
            Candidates::Imported(known) => Some(RecordOutcome::Known(known)),
            Candidates::ImportedNamesake(other) => Some(Conflict::ImportedNamesake(other).into()),
            Candidates::Provisioned(key, id) if self.is_doubtful(user, key, &id) => {
                Some(Conflict::ProvisionedNamesake { id, key }.into())
            }
            Candidates::Provisioned(by, id) => Some(RecordOutcome::Provisioned { id, by }),
            Candidates::TwoProvisioned([(one_key, one), (other_key, other)]) => {
                Some(Conflict::TwoProvisioned { one, one_key, other, other_key }.into())
            }
            Candidates::Deleted(deleted) => Some(Conflict::Deleted(deleted).into()),
            Candidates::IdTaken => Some(Conflict::IdTaken.into()),
            Candidates::IdInGroup => Some(Conflict::IdInGroup.into()),
        })
    }

    /// Whether a provisioned user that shares a key with a record may be another user.
    fn is_doubtful(&self, user: &Ready, key: Key, id: &ResourceId) -> bool {
        user.own_id && *id != user.resource.id
            || key == Key::VerifiedEmail && !self.link_keys().contains(&LinkOn::Email)
            || key == Key::UserNameOfAnother && !self.link_keys().contains(&LinkOn::UserName)
    }
}
