//! Tenants: one for each connection of a customer's identity provider.

use serde_json::json;

use super::deployment::Operator;
use super::error::OperatorError;
use super::profiles::{ProfileChange, check_host};
use super::tokens::{Lifetime, NewToken};
use crate::store::{Operation, TenantRow};
use crate::tenant::Profile;
use crate::tenant::profile::is_preset;

/// The brake of a new tenant, unless its profile says something else: in an hour, the larger of 20
/// users and a fifth of the active ones. It answers 403, because some identity providers stop their
/// whole job after a 429.
const BRAKE: [(&str, &str); 4] = [
    ("brake.deactivations", "20"),
    ("brake.share", "20"),
    ("brake.maximum", "larger"),
    ("brake.answer", "forbidden"),
];

/// A tenant to create.
#[derive(Debug, Clone, Default)]
pub struct NewTenant {
    /// The operator's name for the tenant.
    pub name: String,
    /// How its profile differs from the default one.
    pub profile: ProfileChange,
    /// The customer, if it has several connections.
    pub customer: Option<String>,
    /// A base URL of its own. If it is the deployment's URL, which works with any path, a tenant
    /// whose profile names a path gets that path.
    pub base_url: Option<String>,
}

/// A tenant that was created, with its first token.
#[derive(Debug)]
pub struct CreatedTenant {
    /// The tenant's row.
    pub row: TenantRow,
    /// The name of its preset.
    pub preset: String,
    /// Its base URL.
    pub base_url: String,
    /// Its first token.
    pub token: NewToken,
}

/// A tenant in the list of all.
#[derive(Debug)]
pub struct ListedTenant {
    /// The tenant's row.
    pub row: TenantRow,
    /// Its profile.
    pub profile: Profile,
    /// Its base URL, if it has one.
    pub base_url: Option<String>,
}

/// The state of a tenant's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// SCIM is switched off.
    Inactive,
    /// SCIM is on, and no identity provider has sent a request yet.
    Active,
    /// An identity provider has sent a request with a valid token.
    Connected,
}

/// Whether SCIM is on for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Requests are answered.
    On,
    /// Requests are refused, and no user changes.
    Off,
}

impl NewTenant {
    /// The profile with which the tenant begins: its changes over the default one, with a brake
    /// unless they set it.
    ///
    /// # Errors
    /// If the changes are not valid.
    pub fn starting_profile(&self) -> Result<Profile, OperatorError> {
        let profile = self.profile.apply(Profile::preset("default", None)?)?;
        if profile.brake.is_set() || self.profile.sets("brake") {
            return Ok(profile);
        }
        Ok(profile.with_all(BRAKE)?)
    }
}

impl ListedTenant {
    /// The state of the tenant's connection.
    pub fn state(&self) -> ConnectionState {
        match (self.row.enabled, self.row.connected) {
            (false, _) => ConnectionState::Inactive,
            (true, None) => ConnectionState::Active,
            (true, Some(_)) => ConnectionState::Connected,
        }
    }
}

impl Operator {
    /// Creates a tenant and mints its first token.
    ///
    /// # Errors
    /// If the name, the profile or the base URL is not valid, if the tenant exists, or if the table
    /// or the secrets do not respond. [`OperatorError::FirstToken`] leaves a tenant without a
    /// token.
    pub async fn create_tenant(&self, new: NewTenant) -> Result<CreatedTenant, OperatorError> {
        check_names(&new)?;
        let mut profile = new.starting_profile()?;
        if let Some(url) = &new.base_url {
            let url = self.at_path_of(&profile, url.trim_end_matches('/'));
            profile = profile.with("address.base_url", &json!(url).to_string())?;
        }
        let base_url = self.base_url(&profile).ok_or(OperatorError::NoBaseUrl)?;
        check_host(&profile, Some(&base_url))?;
        let row = self.store_tenant(new, &profile).await?;
        let token = self.issue_token(&row, Lifetime::Profile, None).await;
        let token = token.map_err(|error| OperatorError::FirstToken {
            tenant: row.name.clone(),
            why: Box::new(error),
        })?;
        Ok(CreatedTenant { row, preset: profile.preset, base_url, token })
    }

    async fn store_tenant(
        &self,
        new: NewTenant,
        profile: &Profile,
    ) -> Result<TenantRow, OperatorError> {
        let mut row = TenantRow::generate(&new.name, &profile.write()?, self.clock.seconds())?;
        row.customer = new.customer;
        row.expiring = profile.deprovision.is_expiring();
        let audit = self.audit(&row, Operation::Create);
        if !self.store.create_tenant(&row, profile.seats.limit, Some(&audit)).await? {
            return Err(OperatorError::TenantExists(new.name));
        }
        Ok(row)
    }

    /// The rows of all tenants in the order of their names, whether their profiles can be read or
    /// not.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn tenant_rows(&self) -> Result<Vec<TenantRow>, OperatorError> {
        Ok(self.store.tenants().await?)
    }

    /// All tenants in the order of their names.
    ///
    /// # Errors
    /// If the table does not respond, or a profile cannot be read.
    pub async fn tenants(&self) -> Result<Vec<ListedTenant>, OperatorError> {
        self.tenant_rows().await?.into_iter().map(|row| self.listed(row)).collect()
    }

    /// A tenant with its profile.
    ///
    /// # Errors
    /// If the profile cannot be read.
    pub fn listed(&self, row: TenantRow) -> Result<ListedTenant, OperatorError> {
        let profile = Profile::read(&row.profile)?;
        let base_url = self.base_url(&profile);
        Ok(ListedTenant { row, profile, base_url })
    }

    /// Switches SCIM on or off for a tenant. The service learns of it within a minute.
    ///
    /// # Errors
    /// If the table does not respond, or the tenant is gone.
    pub async fn switch_tenant(
        &self,
        tenant: &TenantRow,
        switch: Switch,
    ) -> Result<(), OperatorError> {
        let (enabled, operation) = match switch {
            Switch::On => (true, Operation::Enable),
            Switch::Off => (false, Operation::Disable),
        };
        let audit = self.audit(tenant, operation);
        if !self.store.enable(tenant.code(), enabled, Some(&audit)).await? {
            return Err(OperatorError::TenantGone(tenant.name.clone()));
        }
        Ok(())
    }

    /// The base URL that the operator gave. If it is the deployment's URL, it gets the path that
    /// the profile names.
    fn at_path_of(&self, profile: &Profile, url: &str) -> String {
        match (url.strip_suffix(self.deployment.base_path), &profile.address.base_path) {
            (Some(origin), Some(path)) => format!("{origin}{path}"),
            _ => url.to_owned(),
        }
    }
}

fn check_names(new: &NewTenant) -> Result<(), OperatorError> {
    if !is_name(&new.name) {
        return Err(OperatorError::InvalidName("tenant"));
    }
    if is_preset(&new.name) {
        return Err(OperatorError::NameOfProfile(new.name.clone()));
    }
    if !new.customer.as_deref().is_none_or(is_name) {
        return Err(OperatorError::InvalidName("customer"));
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
