//! Profiles: how the service behaves for a tenant.

use std::time::Duration;

use serde_json::Value;

use super::deployment::Operator;
use super::error::OperatorError;
use crate::store::{Collection, Kind, Operation, TenantRow};
use crate::tenant::Profile;
use crate::tenant::profile::is_preset;

/// How long it takes until every instance of the service knows a new profile: the minute for which
/// it caches tenants, and some seconds.
pub const LEARNED_AFTER: Duration = Duration::from_secs(65);

/// Changes of a profile. Each overrides the one before it.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// The preset to begin with.
    pub preset: Option<String>,
    /// The identity provider whose dialect is used.
    pub idp: Option<String>,
    /// Settings as a JSON document.
    pub document: Option<Value>,
    /// Single settings: their paths, and their values as JSON text or a plain word.
    pub settings: Vec<(String, String)>,
}

/// A setting in which two profiles differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The setting's path.
    pub setting: String,
    /// Its value in the first profile.
    pub before: Value,
    /// Its value in the second profile.
    pub after: Value,
}

/// What a change of a profile did.
#[derive(Debug)]
pub struct ProfileUpdate {
    /// The new version of the profile.
    pub version: u64,
    /// The settings that changed.
    pub differences: Vec<Difference>,
    /// Whether the tenant has its first limit of seats. Call [`Operator::count_seats`] after
    /// [`LEARNED_AFTER`]: until then instances of the service do not count users.
    pub starts_counting: bool,
}

impl ProfileChange {
    /// The profile with these changes.
    ///
    /// # Errors
    /// If there is no such preset, identity provider or setting, or a value is not valid.
    pub fn apply(&self, profile: Profile) -> Result<Profile, OperatorError> {
        let idp = self.idp.clone().or_else(|| profile.dialect.idp.clone());
        let mut profile = match (&self.preset, &self.idp) {
            (None, None) => profile,
            (Some(name), _) => Profile::preset(name, idp.as_deref())?.replacing(&profile),
            (None, Some(idp)) => profile.with_dialect(Some(idp))?,
        };
        if let Some(document) = &self.document {
            profile = profile.over(document.clone())?;
        }
        for (path, _) in &self.settings {
            match path.as_str() {
                "preset" => return Err(OperatorError::PresetIsNoSetting),
                "dialect.idp" => return Err(OperatorError::IdpIsNoSetting),
                _ => {}
            }
        }
        let settings = self.settings.iter().map(|(path, value)| (path.as_str(), value.as_str()));
        Ok(profile.with_all(settings)?)
    }
}

impl ProfileChange {
    /// Whether it sets anything in a section, even to the value that it has.
    pub(super) fn sets(&self, section: &str) -> bool {
        let document =
            self.document.as_ref().is_some_and(|document| document.get(section).is_some());
        let in_section = |(path, _): &(String, String)| {
            path.split_once('.').is_some_and(|(first, _)| first == section)
        };
        document || self.settings.iter().any(in_section)
    }
}

/// The settings in which two profiles differ.
///
/// # Errors
/// Never: a profile is plain data.
pub fn differences(one: &Profile, other: &Profile) -> Result<Vec<Difference>, OperatorError> {
    let pairs = one.flat()?.into_iter().zip(other.flat()?);
    let differing = pairs.filter(|((_, before), (_, after))| before != after);
    Ok(differing
        .map(|((setting, before), (_, after))| Difference { setting, before, after })
        .collect())
}

/// The preset of this name, if there is one.
///
/// # Errors
/// Never: the presets are part of the program.
pub fn preset(name: &str) -> Result<Option<Profile>, OperatorError> {
    Ok(is_preset(name).then(|| Profile::preset(name, None)).transpose()?)
}

impl Operator {
    /// The preset of this name, or the profile of the tenant of this name.
    ///
    /// # Errors
    /// [`OperatorError::UnknownTenantOrProfile`], or if the table does not answer.
    pub async fn profile(&self, name: &str) -> Result<Profile, OperatorError> {
        if let Some(preset) = preset(name)? {
            return Ok(preset);
        }
        let row = self.store.tenant_by_name(name).await?;
        let row = row.ok_or_else(|| OperatorError::UnknownTenantOrProfile(name.to_owned()))?;
        Ok(Profile::read(&row.profile)?)
    }

    /// Changes a tenant's profile. The service learns of it within a minute.
    ///
    /// # Errors
    /// If the change is not valid, or the table does not answer; [`OperatorError::ProfileChanged`]
    /// if the profile is no longer the one in `tenant`.
    pub async fn set_profile(
        &self,
        tenant: &TenantRow,
        change: &ProfileChange,
    ) -> Result<ProfileUpdate, OperatorError> {
        let before = Profile::read(&tenant.profile)?;
        let profile = change.apply(before.clone())?;
        check_host(&profile, self.deployment.base_url.as_deref())?;
        let bounds = profile.bounds(&before);
        let differences = differences(&before, &profile)?;
        let settings: Vec<String> =
            differences.iter().map(|difference| difference.setting.clone()).collect();
        // The log is kept as long as the new profile says.
        let audit = self.audit_under(&profile, Operation::Profile);
        let logged = Some((&audit, settings.as_slice()));
        if !self.store.set_profile(tenant, &profile.write()?, bounds, logged).await? {
            return Err(OperatorError::ProfileChanged(tenant.name.clone()));
        }
        Ok(ProfileUpdate {
            version: tenant.profile_version + 1,
            differences,
            starts_counting: before.seats.limit.is_none() && profile.seats.limit.is_some(),
        })
    }

    /// Counts the active users of a tenant for its limit of seats.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn count_seats(&self, tenant: &TenantRow) -> Result<(), OperatorError> {
        let users = Collection { tenant: tenant.key(), kind: Kind::User };
        Ok(self.store.count_seats(&users).await?)
    }
}

/// Checks that the tenant's base URL leads to its host: a token is accepted at that host only.
pub(super) fn check_host(profile: &Profile, base_url: Option<&str>) -> Result<(), OperatorError> {
    let url = profile.address.base_url.as_deref().or(base_url);
    let base_url_host = url.and_then(|url| url.split_once("://")?.1.split(['/', ':']).next());
    match (&profile.address.host, base_url_host) {
        (Some(host), Some(other)) if !other.eq_ignore_ascii_case(host) => {
            Err(OperatorError::HostMismatch { host: host.clone(), base_url_host: other.to_owned() })
        }
        _ => Ok(()),
    }
}
