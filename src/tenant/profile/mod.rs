//! Profiles: every policy in which products and identity providers differ, as plain data.
//!
//! A profile is the default one with the settings of a preset, of an identity provider's dialect
//! and of the operator laid over it; `docs/PROFILES.md` lists them all.

mod address;
mod check;
mod definitions;
mod dialect;
mod documents;
mod presets;
mod sections;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use scim_core::{Dialect, Unknown};

use crate::store::Bounds;

pub use check::ProfileError;
pub use dialect::*;
pub use documents::settings;
pub(super) use presets::advice;
pub use presets::{IDPS, PRESETS};
pub use sections::*;

/// How the service behaves for one tenant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The preset it was made from.
    pub preset: String,
    /// What becomes of users who are deleted or made inactive.
    pub deprovision: Deprovision,
    /// What a POST of a user may do.
    pub create: Create,
    /// How many users may be active.
    pub seats: Seats,
    /// Which attributes there are.
    pub attributes: AttributePolicy,
    /// How closely messages must follow the RFCs.
    pub dialect: DialectPolicy,
    /// What `/ServiceProviderConfig` says.
    pub discovery: Discovery,
    /// When too many users are deactivated at once.
    pub brake: Brake,
    /// Whether there are groups.
    pub groups: Groups,
    /// What the identity provider may do at all.
    pub operations: Operations,
    /// How tokens are minted.
    pub token: Token,
    /// Where the tenant is served.
    pub address: Address,
    /// How long the log is kept.
    pub audit: Audit,
}

impl Profile {
    /// What the table holds a tenant's changes to under this profile, which comes after another.
    pub fn bounds(&self, before: &Profile) -> Bounds {
        let brake = before.brake.is_set() && self.brake.is_set();
        Bounds { expiring: self.deprovision.is_expiring(), seats: self.seats.limit, brake }
    }

    /// A preset with the dialect of an identity provider, if one is named.
    ///
    /// # Errors
    /// [`ProfileError`] if there is no such preset or identity provider.
    pub fn preset(name: &str, idp: Option<&str>) -> Result<Self, ProfileError> {
        let preset = Self::default()
            .over_all([presets::preset(name)?, serde_json::json!({ "preset": name })])?;
        idp.map_or(Ok(preset.clone()), |idp| preset.speaking(idp))
    }

    /// The profile in a tenant's row: a preset's name, or all settings as JSON. Settings that it
    /// does not know are those of a newer version; they are passed over.
    ///
    /// # Errors
    /// [`ProfileError`] if it is neither.
    pub fn read(text: &str) -> Result<Self, ProfileError> {
        match text.starts_with('{') {
            true => serde_json::from_str(text).map_err(|error| ProfileError(error.to_string())),
            false => Self::preset(text, None),
        }
    }

    /// What a tenant's row holds.
    ///
    /// # Errors
    /// Never: a profile is plain data.
    pub fn write(&self) -> Result<String, ProfileError> {
        serde_json::to_string(self).map_err(|error| ProfileError(error.to_string()))
    }

    /// This profile with one more setting: `seats.limit` and the JSON text of its value, or a plain
    /// word.
    ///
    /// # Errors
    /// [`ProfileError`] if there is no such setting or it takes no such value.
    pub fn with(&self, path: &str, value: &str) -> Result<Self, ProfileError> {
        self.over(documents::nested(path, value))
    }

    /// This profile with some more settings, each as for [`Profile::with`]; they are judged
    /// together, so their order is no matter.
    ///
    /// # Errors
    /// As [`Profile::with`].
    pub fn with_all<'s>(
        &self,
        settings: impl IntoIterator<Item = (&'s str, &'s str)>,
    ) -> Result<Self, ProfileError> {
        let documents: Vec<Value> =
            settings.into_iter().map(|(path, value)| documents::nested(path, value)).collect();
        documents
            .iter()
            .try_fold(self.clone(), |begun, document| begun.begun(document))?
            .over_all(documents)
    }

    /// This profile in the dialect of an identity provider, in place of another one's.
    ///
    /// # Errors
    /// [`ProfileError`] if it is not known.
    pub fn speaking(&self, idp: &str) -> Result<Self, ProfileError> {
        self.in_dialect(Some(idp))
    }

    fn in_dialect(&self, idp: Option<&str>) -> Result<Self, ProfileError> {
        let mut layers = Vec::new();
        if let Some(before) = &self.dialect.idp {
            let preset = if self.preset.is_empty() {
                Self::default()
            } else {
                Self::preset(&self.preset, None)?
            };
            let sets = settings(&presets::dialect(before)?);
            let plain = preset
                .flat()?
                .into_iter()
                .filter(|(path, _)| sets.iter().any(|(set, _)| set == path));
            layers.extend(plain.map(|(path, value)| documents::nested(&path, &value.to_string())));
        }
        layers.extend(idp.map(presets::dialect).transpose()?);
        layers.push(serde_json::json!({ "dialect": { "idp": idp } }));
        self.over_all(layers)
    }

    /// The profile of a document with all settings, or some of them over this one. One that names a
    /// preset begins with that, at the address and in the dialect that this one has; one that names
    /// an identity provider, with its dialect.
    ///
    /// # Errors
    /// As [`Profile::with`].
    pub fn over(&self, settings: Value) -> Result<Self, ProfileError> {
        self.begun(&settings)?.over_all([settings])
    }

    fn begun(&self, settings: &Value) -> Result<Self, ProfileError> {
        let mut begun = self.clone();
        if let Some(name) =
            settings.get("preset").and_then(Value::as_str).filter(|name| !name.is_empty())
        {
            let preset = Self::preset(name, self.dialect.idp.as_deref())?;
            begun = preset.at_address_of(&begun);
        }
        match settings.pointer("/dialect/idp") {
            Some(Value::String(idp)) => begun.in_dialect(Some(idp)),
            Some(Value::Null) => begun.in_dialect(None),
            _ => Ok(begun),
        }
    }

    fn over_all(&self, documents: impl IntoIterator<Item = Value>) -> Result<Self, ProfileError> {
        let mut document = Self::document(self)?;
        for settings in documents {
            let valid = document.clone();
            documents::lay_over(&mut document, settings.clone(), "")?;
            serde_json::from_value::<Self>(document.clone())
                .map_err(|error| documents::culprit(&valid, &settings, &error))?;
        }
        let profile: Self =
            serde_json::from_value(document).map_err(|error| ProfileError(error.to_string()))?;
        profile.check()?;
        Ok(profile)
    }

    fn document(&self) -> Result<Value, ProfileError> {
        serde_json::to_value(self).map_err(|error| ProfileError(error.to_string()))
    }

    /// All settings by their paths, such as `seats.limit`, in the order of the document.
    ///
    /// # Errors
    /// Never: a profile is plain data.
    pub fn flat(&self) -> Result<Vec<(String, Value)>, ProfileError> {
        Ok(settings(&self.document()?))
    }

    /// How messages are read.
    pub fn dialect(&self) -> Dialect {
        let unknown = |refuse| if refuse { Unknown::Refuse } else { Unknown::Ignore };
        Dialect {
            strict: self.dialect.messages == Messages::Strict,
            unknown: unknown(self.attributes.unknown == Unknowns::Refuse),
            unknown_path: unknown(self.attributes.unknown_patch_path == Refused::Refuse),
            replace_creates: self.dialect.replace_without_match == NoMatch::Create,
        }
    }
}
