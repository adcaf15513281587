//! How users come, go and come back.

use scim_core::resource::Attributes;
use scim_core::{Draft, Error, Resource, ResourceId};
use serde_json::Value;

use super::{Call, Directory, Precondition, TRIES, busy, check, checked, user_name_taken};
use crate::store::user_writes::Taking;
use crate::store::users::{Names, StoredUser};
use crate::store::{Created, Operation, TenantKey, Updated};
use crate::tenant::unanswered;

/// A live user may take the name of a deleted one.
pub(super) fn any_name() -> Taking {
    Taking { user_name: true, external_id: false }
}

impl Directory {
    /// Creates a user, or brings a deleted one back if it is the same person: an equal externalId,
    /// or an equal userName where neither has an externalId. Who comes back has the id, the
    /// creation time and the data it had; what the message asserts wins.
    ///
    /// `active` is true unless the message says otherwise.
    ///
    /// # Errors
    /// 409 `uniqueness` if a visible user has the userName; 503.
    pub async fn create(&self, call: Call<'_>, draft: Draft) -> Result<Resource, Error> {
        let mut attributes = draft.attributes;
        if attributes.get("active").is_none() {
            attributes.set("active", Value::Bool(true));
        }
        let names = checked(&attributes)?;
        let key = call.tenant.key();
        let mut taking = Taking::default();
        for _ in 0..TRIES {
            let user = self.new_user(&key, &names, &attributes)?;
            let act = self.act(call, Operation::Create);
            let created = self.store.create_user(&key, &user, &names, taking, &act).await.map_err(unanswered)?;
            let (user_name, external_id) = match created {
                Created::Stored => return Ok(user),
                Created::Changed => continue,
                Created::Held { user_name, external_id } => (user_name, external_id),
            };
            if matches!(user_name, Some((_, false))) {
                return Err(user_name_taken());
            }
            let back = match (&user_name, &external_id) {
                (_, Some((owner, deleted))) => self.same_external_id(&key, &names, owner, *deleted).await?,
                _ => None,
            };
            let back = match (back, &user_name) {
                (None, Some((owner, _))) => {
                    let owner = self.deleted(&key, owner).await?;
                    // A claim that a rename left behind leads to somebody of another name.
                    owner.filter(|owner| owner.names().is_same_person(&names))
                }
                (back, _) => back,
            };
            match back {
                Some(old) => match self.restore(call, &old, &attributes).await? {
                    Some(user) => return Ok(user),
                    None => continue,
                },
                None => {
                    taking.external_id |= external_id.is_some();
                    taking.user_name |= user_name.is_some();
                }
            }
        }
        Err(busy())
    }

    /// The deleted user whom an externalId brings back: its first owner if that was deleted. Where a
    /// visible user has the externalId already, one who also had the userName is meant.
    async fn same_external_id(
        &self,
        key: &TenantKey,
        names: &Names,
        first: &ResourceId,
        first_is_deleted: bool,
    ) -> Result<Option<StoredUser>, Error> {
        let Some(external_id) = names.external_id() else { return Ok(None) };
        if first_is_deleted
            && let Some(owner) = self.deleted(key, first).await?
            && owner.names().external_id() == Some(external_id)
        {
            return Ok(Some(owner));
        }
        let now = self.clock.seconds();
        let found = self.store.restorable_by_external_id(key, external_id, now).await.map_err(unanswered)?;
        let same_name = |user: &StoredUser| user.names().user_name() == names.user_name();
        let found = found.into_iter().filter(|user| first_is_deleted || same_name(user));
        Ok(found.max_by_key(|user| (same_name(user), user.resource.meta.last_modified)))
    }

    /// The user with this id, if it was deleted and can be brought back.
    async fn deleted(&self, key: &TenantKey, id: &ResourceId) -> Result<Option<StoredUser>, Error> {
        let now = self.clock.seconds();
        let user = self.store.user(key, id, now).await.map_err(unanswered)?;
        Ok(user.filter(|user| user.is_restorable(now)))
    }

    /// Brings `old` back with `asserted` laid over its attributes; `None` if its row changed.
    async fn restore(
        &self,
        call: Call<'_>,
        old: &StoredUser,
        asserted: &Attributes,
    ) -> Result<Option<Resource>, Error> {
        let mut attributes = old.resource.attributes.clone();
        attributes.overlay(asserted.clone());
        let names = checked(&attributes)?;
        let user = self.next_version(old, attributes);
        let act = self.act(call, Operation::Restore);
        let mut taking = any_name();
        for _ in 0..2 {
            let key = call.tenant.key();
            match self.store.restore_user(&key, old, &user, &names, taking, &act).await.map_err(unanswered)? {
                Created::Stored => return Ok(Some(user)),
                Created::Changed => return Ok(None),
                Created::Held { user_name: Some(_), .. } => return Err(user_name_taken()),
                Created::Held { .. } => taking.external_id = true,
            }
        }
        Ok(None)
    }

    /// Deletes a user softly: it is gone for the client and its names are free at once; it can be
    /// brought back until the retention ends.
    ///
    /// # Errors
    /// 404 if there is no such user, or not any more; 412 if the precondition does not hold; 503.
    pub async fn delete(&self, call: Call<'_>, id: &str, precondition: &Precondition) -> Result<(), Error> {
        let key = call.tenant.key();
        for _ in 0..TRIES {
            let old = self.visible(&key, id).await?;
            check(precondition, &old)?;
            let act = self.act(call, Operation::Delete);
            let kept = i64::try_from(self.retention.as_secs()).unwrap_or(i64::MAX);
            let expires = act.now.saturating_add(kept);
            match self.store.delete_user(&key, &old, expires, &act).await.map_err(unanswered)? {
                Updated::Stored => return Ok(()),
                _ => continue,
            }
        }
        Err(busy())
    }
}
