//! The rows of tenants: the one door to a [`TenantKey`].

use super::item::{Item, Row};
use super::keys::{TenantCode, TenantKey};
use super::transaction::{Condition, Outcome, Role, Transaction};
use super::{Store, StoreError};

/// The partition that lists tenants by their names. It has no `#` behind a code, so it is no
/// tenant's.
const NAMES: &str = "tenants";
/// How its sort keys begin: DynamoDB takes no empty prefix.
const NAME: &str = "name#";

/// A tenant as stored.
#[derive(Debug, Clone)]
pub struct TenantRow {
    code: TenantCode,
    salt: [u8; 32],
    /// The operator's name for the customer.
    pub name: String,
    /// The name of the profile that decides its behaviour.
    pub profile: String,
    /// The identity provider, if the operator said which.
    pub idp: Option<String>,
    /// A base URL of its own, without trailing slash.
    pub base_url: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created: i64,
}

impl TenantRow {
    /// A new tenant with a code and a salt of its own.
    ///
    /// # Errors
    /// If the operating system has no randomness to give.
    pub fn generate(name: &str, profile: &str, now: i64) -> Result<Self, getrandom::Error> {
        Ok(Self {
            code: TenantCode::generate()?,
            salt: crate::random::bytes()?,
            name: name.to_owned(),
            profile: profile.to_owned(),
            idp: None,
            base_url: None,
            created: now,
        })
    }

    /// The tenant's code.
    pub fn code(&self) -> &TenantCode {
        &self.code
    }

    /// The door to the tenant's rows.
    pub fn key(&self) -> TenantKey {
        TenantKey::new(self.code.clone(), self.salt)
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        let wrong = |what: &str| StoreError::broken(format!("a tenant's row has a wrong {what}"));
        let salt = item.0.get("salt").and_then(|salt| salt.as_b().ok());
        Ok(Self {
            code: item.need("t")?.parse().map_err(|()| wrong("code"))?,
            salt: salt.and_then(|salt| salt.as_ref().try_into().ok()).ok_or_else(|| wrong("salt"))?,
            name: item.need("name")?.to_owned(),
            profile: item.need("profile")?.to_owned(),
            idp: item.text("idp").map(str::to_owned),
            base_url: item.text("url").map(str::to_owned),
            created: item.need_number("c")?,
        })
    }
}

impl Store {
    /// Stores a new tenant; `false` if its name is taken. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn create_tenant(&self, tenant: &TenantRow) -> Result<bool, StoreError> {
        let absent = || Some(Condition("attribute_not_exists(p)", Vec::new()));
        let mut row = Row::new(&partition(&tenant.code), "profile")
            .text("t", tenant.code.as_str())
            .text("name", &tenant.name)
            .text("profile", &tenant.profile)
            .text_if("idp", tenant.idp.as_deref())
            .text_if("url", tenant.base_url.as_deref())
            .number("c", tenant.created);
        let salt = aws_sdk_dynamodb::primitives::Blob::new(tenant.salt);
        row.0.insert("salt".into(), aws_sdk_dynamodb::types::AttributeValue::B(salt));
        let mut transaction = Transaction::on(self);
        transaction.put(Role::Other, row, absent())?;
        let name = Row::new(NAMES, &format!("{NAME}{}", tenant.name)).text("t", tenant.code.as_str());
        transaction.put(Role::Claim, name, absent())?;
        Ok(matches!(transaction.commit(self).await?, Outcome::Committed))
    }

    /// The tenant with this code. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn tenant(&self, code: &TenantCode) -> Result<Option<TenantRow>, StoreError> {
        self.get(&partition(code), "profile").await?.as_ref().map(TenantRow::read).transpose()
    }

    /// The tenant that the operator calls `name`. Two calls.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn tenant_by_name(&self, name: &str) -> Result<Option<TenantRow>, StoreError> {
        let Some(row) = self.get(NAMES, &format!("{NAME}{name}")).await? else { return Ok(None) };
        let code = row.need("t")?.parse().map_err(|()| StoreError::broken("a tenant's name has no code"))?;
        self.tenant(&code).await
    }

    /// All tenants by name.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn tenants(&self) -> Result<Vec<TenantRow>, StoreError> {
        let mut tenants = Vec::new();
        for row in self.query_all(NAMES, NAME).await? {
            if let Ok(code) = row.need("t")?.parse() {
                tenants.extend(self.tenant(&code).await?);
            }
        }
        Ok(tenants)
    }
}

fn partition(code: &TenantCode) -> String {
    format!("{code}#T")
}
