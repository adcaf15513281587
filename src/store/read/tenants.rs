//! Tenants, by their codes and names.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::tenant_key::TenantCode;
use crate::store::rows::tenant::{CODE, NAME_PREFIX, NAMES, OWN, TenantRow, code, name_key};
use crate::store::rows::unfinished;

/// How many tenants are read at once.
const CONCURRENCY: usize = 16;

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

    /// The codes of all tenants in the order of their names. One call for each megabyte of names.
    pub async fn tenant_codes(&self) -> Result<Vec<TenantCode>, StoreError> {
        let rows = self.query_all(NAMES, NAME_PREFIX).await?;
        let codes: Vec<&str> = rows.iter().map(|row| row.need(CODE)).collect::<Result<_, _>>()?;
        Ok(codes.into_iter().filter_map(|code| code.parse().ok()).collect())
    }

    /// All tenants in the order of their names. One call for each, several at once, and one more.
    pub async fn tenants(&self) -> Result<Vec<TenantRow>, StoreError> {
        let codes = self.tenant_codes().await?;
        let tenants = stream::iter(&codes).map(|code| self.tenant(code)).buffered(CONCURRENCY);
        let tenants: Vec<Option<TenantRow>> = tenants.try_collect().await?;
        Ok(tenants.into_iter().flatten().collect())
    }
}
