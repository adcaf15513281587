//! Tenants, by their codes and names.

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::tenant_key::TenantCode;
use crate::store::rows::tenant::{CODE, NAME_PREFIX, NAMES, OWN, TenantRow, code, name_key};
use crate::store::rows::unfinished;

impl Store {
    /// The tenant with this code. One call.
    pub async fn tenant(&self, code: &TenantCode) -> Result<Option<TenantRow>, StoreError> {
        // The rows of unfinished work follow the tenant's own.
        let (partition, last) = (code.own(), format!("{}~", unfinished::PREFIX));
        let keys = KeyCondition::Between(&partition, OWN, &last);
        let rows = self.query_first(RowQuery::new(keys), 2).await?.rows;
        let Some(own) = rows.first().filter(|row| row.s() == OWN) else { return Ok(None) };
        TenantRow::read(own, rows.len() > 1).map(Some)
    }

    /// The tenant that the operator calls `name`. Two calls.
    pub async fn tenant_by_name(&self, name: &str) -> Result<Option<TenantRow>, StoreError> {
        let Some(row) = self.get(name_key(name)).await? else { return Ok(None) };
        self.tenant(&code(&row)?).await
    }

    /// All tenants in the order of their names. One call for each, and one more.
    pub async fn tenants(&self) -> Result<Vec<TenantRow>, StoreError> {
        let mut tenants = Vec::new();
        for row in self.query_all(NAMES, NAME_PREFIX).await? {
            if let Ok(code) = row.need(CODE)?.parse() {
                tenants.extend(self.tenant(&code).await?);
            }
        }
        Ok(tenants)
    }
}
