//! Finding users by their names.

use std::collections::BTreeSet;

use scim_core::{ResourceId, canonical};

use super::users::{StoredUser, email_form};
use super::{Store, StoreError, TenantKey};

/// Most users that are read one by one because they share a name.
const MOST_OWNERS: usize = 50;

impl Store {
    /// The visible user called `user_name` in any spelling. One call, or two if the user was renamed
    /// since it was created.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn user_by_name(
        &self,
        tenant: &TenantKey,
        user_name: &str,
        now: i64,
    ) -> Result<Option<StoredUser>, StoreError> {
        // A name that cannot be stored has no owner.
        let Ok(canonical) = canonical::user_name(user_name) else { return Ok(None) };
        let claim = tenant.user_name_claim(&canonical);
        let rows = self.query_all(&tenant.users(), &tenant.name_prefix(&canonical)).await?;
        let held = rows.iter().find(|row| row.s() == claim && row.number("x").is_none());
        let Some(owner) = held.and_then(|claim| claim.text("i")) else { return Ok(None) };
        let user = match (rows.iter().find(|row| row.s() == owner), owner.parse::<ResourceId>()) {
            (Some(row), _) => Some(StoredUser::read(row)?),
            (None, Ok(owner)) => self.user(tenant, &owner, now).await?,
            (None, Err(())) => None,
        };
        Ok(user.filter(|user| user.is_visible(now) && user.names.user_name == canonical))
    }

    /// The visible users with this externalId: usually one, since it is not unique by the RFC; `None`
    /// if there are over 50. Two calls for one user.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn users_by_external_id(
        &self,
        tenant: &TenantKey,
        external_id: &str,
        now: i64,
    ) -> Result<Option<Vec<StoredUser>>, StoreError> {
        let ids = self.owners(&tenant.external_ids(), &tenant.external_id(external_id), Of::Visible).await?;
        if ids.len() > MOST_OWNERS {
            return Ok(None);
        }
        let mut users = self.fetch(tenant, ids, now).await?;
        users.retain(|user| user.is_visible(now) && user.names.external_id.as_deref() == Some(external_id));
        Ok(Some(users))
    }

    /// Deleted users with this externalId that can be brought back; at most 50 are looked
    /// at.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn restorable_by_external_id(
        &self,
        tenant: &TenantKey,
        external_id: &str,
        now: i64,
    ) -> Result<Vec<StoredUser>, StoreError> {
        let prefix = tenant.external_id(external_id);
        let mut ids = self.owners(&tenant.external_ids(), &prefix, Of::Deleted(now)).await?;
        ids.truncate(MOST_OWNERS);
        let mut users = self.fetch(tenant, ids, now).await?;
        users.retain(|user| user.is_restorable(now) && user.names.external_id.as_deref() == Some(external_id));
        Ok(users)
    }

    /// The visible users with this e-mail address in any spelling, be it their userName or one of
    /// `emails`; `None` if there are over 50. Three calls for one user.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn users_by_email(
        &self,
        tenant: &TenantKey,
        email: &str,
        now: i64,
    ) -> Result<Option<Vec<StoredUser>>, StoreError> {
        let form = email_form(email);
        let ids = self.owners(&tenant.emails(), &tenant.email_prefix(&form), Of::Visible).await?;
        if ids.len() > MOST_OWNERS {
            return Ok(None);
        }
        let mut users = self.fetch(tenant, ids, now).await?;
        users.retain(|user| user.is_visible(now) && user.names.emails.contains(&form));
        if let Some(named) = self.user_by_name(tenant, email, now).await?
            && users.iter().all(|user| user.resource.id != named.resource.id)
        {
            users.push(named);
        }
        Ok(Some(users))
    }

    /// Whom the pointer rows under a prefix name. A pointer has an expiry exactly while its owner is
    /// deleted, so the others need not be read.
    async fn owners(&self, partition: &str, prefix: &str, of: Of) -> Result<Vec<ResourceId>, StoreError> {
        let rows = self.query_all(partition, prefix).await?;
        let wanted = rows.iter().filter(|row| match of {
            Of::Visible => row.number("x").is_none(),
            Of::Deleted(now) => row.number("x").is_some_and(|expiry| expiry > now),
        });
        let ids: BTreeSet<ResourceId> = wanted.filter_map(|row| row.text("i")?.parse().ok()).collect();
        Ok(ids.into_iter().collect())
    }

    async fn fetch(&self, tenant: &TenantKey, ids: Vec<ResourceId>, now: i64) -> Result<Vec<StoredUser>, StoreError> {
        let mut users = Vec::with_capacity(ids.len());
        for id in ids {
            users.extend(self.user(tenant, &id, now).await?);
        }
        Ok(users)
    }
}

/// Which owners of a name are wanted.
#[derive(Clone, Copy)]
enum Of {
    Visible,
    /// Deleted, and restorable at this time.
    Deleted(i64),
}
