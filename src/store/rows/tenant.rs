//! The row of a tenant, and the row of its name: the only source of a [`TenantKey`].

use super::kind::RowKind;
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key, flag, number, signed, text};
use crate::store::engine::transaction::Condition;
use crate::store::model::secret_number::SecretNumber;
use crate::store::model::tenant_key::{TenantCode, TenantKey};

/// The partition that lists tenants by their names. It has no `#` after a code, so it belongs to no
/// tenant.
pub(crate) const NAMES: &str = "tenants";
/// The prefix of its sort keys, because DynamoDB refuses an empty prefix.
pub(crate) const NAME_PREFIX: &str = "name#";
/// The sort key of a tenant's own row.
pub(crate) const OWN: &str = "profile";

/// The tenant's code.
pub(crate) const CODE: &str = "t";
/// The operator's name for the customer.
const NAME: &str = "name";
/// The customer.
const CUSTOMER: &str = "customer";
/// All settings as JSON or the name of a preset.
const PROFILE: &str = "profile";
/// How often the profile was set.
const PROFILE_VERSION: &str = "pv";
/// Whether visible users may expire.
const EXPIRING: &str = "expiring";
/// Whether SCIM is switched off.
const SHUT: &str = "shut";
/// When the first request succeeded, in seconds since 1970.
const CONNECTED: &str = "connected";
/// The number of the secret that holds the digests of its tokens; absent until the first one is
/// minted.
const SECRET: &str = "secret";
/// Whether it moves to another secret.
const MOVING: &str = "moving";
/// 32 random bytes that key the tenant's hashes.
const SALT: &str = "salt";
/// When it was created, in seconds since 1970.
const CREATED: &str = "c";

/// A tenant as stored.
#[derive(Debug, Clone)]
pub struct TenantRow {
    code: TenantCode,
    salt: [u8; 32],
    /// The operator's name for the customer.
    pub name: String,
    /// The customer, if it has several connections: each of them is a tenant.
    pub customer: Option<String>,
    /// The profile that decides how it behaves, as the room above writes it.
    pub profile: String,
    /// How often the profile was set, from 1.
    pub profile_version: u64,
    /// Whether users of this tenant may expire while they are visible, under this profile or an
    /// earlier one.
    pub expiring: bool,
    /// Whether SCIM is switched on.
    pub enabled: bool,
    /// When the first request succeeded, in seconds since 1970.
    pub connected: Option<i64>,
    /// The secret that holds the digests of its tokens, if one was ever minted.
    pub secret: Option<SecretNumber>,
    /// Whether it moves to another secret. Until it has moved, its digests are not changed.
    pub moving: bool,
    /// When it was created, in seconds since 1970.
    pub created: i64,
    /// Whether work was unfinished when the row was read ([`crate::store::Store::unfinished`]).
    pub unfinished: bool,
}

impl TenantRow {
    /// A new tenant with a code and a salt of its own.
    ///
    /// # Errors
    /// If the operating system cannot provide random bytes.
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
            secret: None,
            moving: false,
            created: now,
            unfinished: false,
        })
    }

    /// The tenant's code.
    pub fn code(&self) -> &TenantCode {
        &self.code
    }

    /// The key that gives access to the tenant's rows.
    pub fn key(&self) -> TenantKey {
        TenantKey::new(self.code.clone(), self.salt)
    }

    /// A tenant from its row.
    pub(crate) fn read(row: &Item, unfinished: bool) -> Result<Self, StoreError> {
        let wrong =
            |what: &str| StoreError::broken(format!("a tenant's row has an invalid {what}"));
        let secret = row.number(SECRET).map(|number| SecretNumber::read(number).ok_or(number));
        let salt = row.0.get(SALT).and_then(|salt| salt.as_b().ok());
        let salt = salt.and_then(|salt| salt.as_ref().try_into().ok());
        Ok(Self {
            code: row.need(CODE)?.parse().map_err(|()| wrong("code"))?,
            salt: salt.ok_or_else(|| wrong("salt"))?,
            name: row.need(NAME)?.to_owned(),
            profile: row.need(PROFILE)?.to_owned(),
            customer: row.text(CUSTOMER).map(str::to_owned),
            profile_version: row.need_number(PROFILE_VERSION)?.unsigned_abs(),
            expiring: row.is(EXPIRING),
            enabled: !row.is(SHUT),
            connected: row.number(CONNECTED),
            secret: secret.transpose().map_err(|_| wrong("secret"))?,
            moving: row.is(MOVING),
            created: row.need_number(CREATED)?,
            unfinished,
        })
    }

    /// Adds the rows of a new tenant; neither its code nor its name may exist.
    pub(crate) fn create(&self, transaction: &mut Transaction) -> Result<(), StoreError> {
        let row = RowKind::Tenant
            .row(key(&self.code))
            .bytes(SALT, &self.salt)
            .text(CODE, self.code.as_str())
            .text(NAME, &self.name)
            .text(PROFILE, &self.profile)
            .text_if(CUSTOMER, self.customer.as_deref())
            .number(PROFILE_VERSION, signed(self.profile_version))
            .flag(EXPIRING, self.expiring)
            .flag(SHUT, !self.enabled)
            .number(CREATED, self.created)
            .number_if(CONNECTED, self.connected);
        transaction.put(Role::Other, row, Some(Condition::absent()))?;
        let name = RowKind::TenantName.row(name_key(&self.name)).text(CODE, self.code.as_str());
        transaction.put(Role::Claim, name, Some(Condition::absent()))
    }

    /// Adds the change to another profile, provided that this one is still set.
    pub(crate) fn set_profile(
        &self,
        transaction: &mut Transaction,
        profile: &str,
        expiring: bool,
    ) -> Result<(), StoreError> {
        let seen = signed(self.profile_version);
        let values = [
            (":profile", text(profile)),
            (":next", number(seen.saturating_add(1))),
            (":seen", number(seen)),
            (":expiring", flag(expiring || self.expiring)),
        ];
        let set = "SET profile = :profile, pv = :next, expiring = :expiring";
        transaction.update(Role::Other, key(&self.code), set, values, "pv = :seen")
    }
}

/// The key of a tenant's own row.
pub(crate) fn key(code: &TenantCode) -> Key {
    Key::new(code.own(), OWN)
}

/// The key of the row of a tenant's name.
pub(crate) fn name_key(name: &str) -> Key {
    Key::new(NAMES, format!("{NAME_PREFIX}{name}"))
}

/// The code that the row of a tenant's name gives.
pub(crate) fn code(row: &Item) -> Result<TenantCode, StoreError> {
    let code = row.need(CODE)?.parse();
    code.map_err(|()| StoreError::broken("a tenant's name has an invalid code"))
}

/// Records that SCIM is switched on or off.
pub(crate) fn enable(
    transaction: &mut Transaction,
    code: &TenantCode,
    enabled: bool,
) -> Result<(), StoreError> {
    let values = [(":shut", flag(!enabled))];
    let exists = "attribute_exists(p)";
    transaction.update(Role::Other, key(code), "SET shut = :shut", values, exists)
}

/// Records when the first request succeeded, unless that was recorded before.
pub(crate) fn connect(
    transaction: &mut Transaction,
    code: &TenantCode,
    now: i64,
) -> Result<(), StoreError> {
    let values = [(":now", number(now))];
    let first = "attribute_exists(p) AND attribute_not_exists(connected)";
    transaction.update(Role::Other, key(code), "SET connected = :now", values, first)
}
