//! The groups that deleted users were in.

use scim_core::ResourceId;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::departure::{Departure, PastMemberships};
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::past::{prefix, prefix_of_all, read, version};

impl Store {
    /// The memberships that ended by the deletion of a user, and by earlier ones whose restore was
    /// interrupted, as far as they have ended, and have not expired at `now`, in seconds since 1970.
    /// One call for a few thousand.
    pub async fn past_memberships(
        &self,
        tenant: &TenantKey,
        user: &ResourceId,
        departure: Departure,
        now: i64,
    ) -> Result<Vec<PastMemberships>, StoreError> {
        let versions = departure.versions();
        let prefix = match departure.earlier {
            None => prefix(tenant, user, departure.version),
            Some(_) => prefix_of_all(tenant, user),
        };
        let rows = self.query_all(&tenant.past(), &prefix).await?;
        let kept = rows.iter().filter(|row| !row.is_expired(now));
        let kept = kept.filter(|row| {
            version(tenant, user, row).is_some_and(|version| versions.contains(&version))
        });
        Ok(kept.map(read).collect())
    }
}
