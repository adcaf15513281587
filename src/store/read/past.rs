//! The groups that deleted users were in.

use scim_core::ResourceId;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::model::departure::PastMemberships;
use crate::store::model::tenant_key::TenantKey;
use crate::store::rows::past::{prefix, read};

impl Store {
    /// The memberships that ended by the deletion which made this version of a user, as far as they
    /// have ended, and have not expired at `now`, in seconds since 1970. One call for a few thousand.
    pub async fn past_memberships(
        &self,
        tenant: &TenantKey,
        user: &ResourceId,
        version: u64,
        now: i64,
    ) -> Result<Vec<PastMemberships>, StoreError> {
        let rows = self.query_all(&tenant.past(), &prefix(tenant, user, version)).await?;
        Ok(rows.iter().filter(|row| !row.is_expired(now)).map(read).collect())
    }
}
