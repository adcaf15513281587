//! The rows of tenants: the one door to a [`TenantKey`].

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, Row};
use super::keys::{TenantCode, TenantKey};
use super::transaction::{Condition, Role, Transaction, TransactionResult, number, text};
use super::{Query, Rows, Store, StoreError, guards, unfinished};

/// The partition that lists tenants by their names. It has no `#` behind a code, so it is no
/// tenant's.
const NAMES: &str = "tenants";
/// How its sort keys begin: DynamoDB takes no empty prefix.
const NAME: &str = "name#";

/// The sort key of a tenant's own row.
const OWN: &str = "profile";

/// A tenant as stored.
#[derive(Debug, Clone)]
pub struct TenantRow {
    code: TenantCode,
    salt: [u8; 32],
    /// The operator's name for the customer.
    pub name: String,
    /// The customer, where it has several connections: each of them is a tenant.
    pub customer: Option<String>,
    /// The profile that decides its behaviour, as the room above writes it.
    pub profile: String,
    /// How often the profile was set, from 1.
    pub profile_version: u64,
    /// Whether users of this tenant may expire while they are visible, now or since an earlier
    /// profile.
    pub expiring: bool,
    /// Whether SCIM is switched on.
    pub enabled: bool,
    /// When the first good request came, in seconds since 1970.
    pub connected: Option<i64>,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// Whether something was unfinished when the row was read ([`Store::unfinished`]).
    pub unfinished: bool,
}

impl TenantRow {
    /// Adds the change to another profile, if this is still the one.
    pub(super) fn set_profile(
        &self,
        transaction: &mut Transaction,
        profile: &str,
        expiring: bool,
    ) -> Result<(), StoreError> {
        let seen = i64::try_from(self.profile_version).unwrap_or(i64::MAX);
        let values = [
            (":profile", text(profile)),
            (":next", number(seen.saturating_add(1))),
            (":seen", number(seen)),
            (":expiring", AttributeValue::Bool(expiring || self.expiring)),
        ];
        let set = "SET profile = :profile, pv = :next, expiring = :expiring";
        transaction.update(
            Role::Other,
            Row::new(&self.code.own(), OWN),
            set,
            values,
            Some("pv = :seen"),
        )
    }

    /// A new tenant with a code and a salt of its own.
    ///
    /// # Errors
    /// If the operating system has no randomness to give.
    pub fn generate(name: &str, profile: &str, now: i64) -> Result<Self, getrandom::Error> {
        Ok(Self {
            code: TenantCode::generate()?,
            salt: crate::random::bytes()?,
            name: name.to_owned(),
            customer: None,
            profile: profile.to_owned(),
            profile_version: 1,
            expiring: false,
            enabled: true,
            connected: None,
            created: now,
            unfinished: false,
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

    fn read(item: &Item, unfinished: bool) -> Result<Self, StoreError> {
        let wrong = |what: &str| StoreError::broken(format!("a tenant's row has a wrong {what}"));
        let salt = item.0.get("salt").and_then(|salt| salt.as_b().ok());
        Ok(Self {
            code: item.need("t")?.parse().map_err(|()| wrong("code"))?,
            salt: salt
                .and_then(|salt| salt.as_ref().try_into().ok())
                .ok_or_else(|| wrong("salt"))?,
            name: item.need("name")?.to_owned(),
            profile: item.need(OWN)?.to_owned(),
            customer: item.text("customer").map(str::to_owned),
            profile_version: item.need_number("pv")?.unsigned_abs(),
            expiring: item.is("expiring"),
            enabled: !item.is("shut"),
            connected: item.number("connected"),
            created: item.need_number("c")?,
            unfinished,
        })
    }
}

impl Store {
    /// Stores a new tenant, and most active users that it may have, if there is a limit; `false` if
    /// its name is taken. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn create_tenant(
        &self,
        tenant: &TenantRow,
        seats: Option<u32>,
    ) -> Result<bool, StoreError> {
        let absent = || Some(Condition("attribute_not_exists(p)", Vec::new()));
        let row = Row::new(&tenant.code.own(), OWN)
            .text("t", tenant.code.as_str())
            .text("name", &tenant.name)
            .text("profile", &tenant.profile)
            .text_if("customer", tenant.customer.as_deref())
            .number("pv", i64::try_from(tenant.profile_version).unwrap_or(i64::MAX))
            .flag("expiring", tenant.expiring)
            .flag("shut", !tenant.enabled)
            .number("c", tenant.created);
        let mut row = tenant
            .connected
            .into_iter()
            .fold(row, |row, collection| row.number("connected", collection));
        let salt = aws_sdk_dynamodb::primitives::Blob::new(tenant.salt);
        row.0.insert("salt".into(), AttributeValue::B(salt));
        let mut transaction = Transaction::on(self);
        transaction.put(Role::Other, row, absent())?;
        let name =
            Row::new(NAMES, &format!("{NAME}{}", tenant.name)).text("t", tenant.code.as_str());
        transaction.put(Role::Claim, name, absent())?;
        if let Some(limit) = seats {
            guards::seats(&mut transaction, &tenant.key(), None, 0, limit.into())?;
        }
        Ok(matches!(transaction.commit(self).await?, TransactionResult::Committed))
    }

    /// Switches SCIM on or off for a tenant; `false` if there is none. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn enable(&self, code: &TenantCode, enabled: bool) -> Result<bool, StoreError> {
        let values = vec![(":shut", AttributeValue::Bool(!enabled))];
        self.change_tenant(code, "SET shut = :shut", values, Some("attribute_exists(p)")).await
    }

    /// Notes when the first good request came; `false` if that was noted before. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn connect(&self, code: &TenantCode, now: i64) -> Result<bool, StoreError> {
        let first = "attribute_exists(p) AND attribute_not_exists(connected)";
        self.change_tenant(code, "SET connected = :now", vec![(":now", number(now))], Some(first))
            .await
    }

    async fn change_tenant(
        &self,
        code: &TenantCode,
        set: &str,
        values: Vec<(&'static str, AttributeValue)>,
        condition: Option<&'static str>,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::on(self);
        transaction.update(Role::Other, Row::new(&code.own(), OWN), set, values, condition)?;
        Ok(matches!(transaction.commit(self).await?, TransactionResult::Committed))
    }

    /// The tenant with this code. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn tenant(&self, code: &TenantCode) -> Result<Option<TenantRow>, StoreError> {
        // What is unfinished sorts behind the tenant's own row.
        let (partition, last) = (code.own(), format!("{}~", unfinished::PREFIX));
        let (rows, _) =
            self.query_some(Query::of(Rows::Between(&partition, OWN, &last)), 2).await?;
        let Some(own) = rows.first().filter(|row| row.s() == OWN) else { return Ok(None) };
        TenantRow::read(own, rows.len() > 1).map(Some)
    }

    /// The tenant that the operator calls `name`. Two calls.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn tenant_by_name(&self, name: &str) -> Result<Option<TenantRow>, StoreError> {
        let Some(row) = self.get(NAMES, &format!("{NAME}{name}")).await? else { return Ok(None) };
        let code = row
            .need("t")?
            .parse()
            .map_err(|()| StoreError::broken("a tenant's name has no code"))?;
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
