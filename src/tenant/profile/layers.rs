//! How a profile is built: from presets, dialects and settings, each of which overrides the
//! ones before it.

use serde_json::{Value, json};

use super::document::{lay_over, nested, settings};
use super::error::ProfileError;
use super::model::Profile;
use super::presets;
use super::service::Address;

impl Profile {
    /// A preset with the dialect of an identity provider, if one is named.
    ///
    /// # Errors
    /// [`ProfileError`] if there is no such preset or identity provider.
    pub fn preset(name: &str, idp: Option<&str>) -> Result<Self, ProfileError> {
        let preset =
            Self::default().over_all([presets::preset(name)?, json!({ "preset": name })])?;
        match idp {
            Some(idp) => preset.with_dialect(Some(idp)),
            None => Ok(preset),
        }
    }

    /// This preset in place of another profile of a tenant, which keeps its address and its brake.
    /// Of the address, a preset names only the path that its product documents.
    #[must_use]
    pub fn replacing(self, before: &Self) -> Self {
        let address = Address { base_path: self.address.base_path, ..before.address.clone() };
        Self { address, brake: before.brake.clone(), ..self }
    }

    /// The profile in a tenant's row: a preset's name, or all settings as JSON. Settings of a newer
    /// version, which this one does not know, are ignored.
    ///
    /// # Errors
    /// [`ProfileError`] if it is neither.
    pub fn read(text: &str) -> Result<Self, ProfileError> {
        if text.starts_with('{') {
            Ok(serde_json::from_str(text)?)
        } else {
            Self::preset(text, None)
        }
    }

    /// The profile as a tenant's row holds it.
    ///
    /// # Errors
    /// Never: a profile is plain data.
    pub fn write(&self) -> Result<String, ProfileError> {
        Ok(serde_json::to_string(self)?)
    }

    /// This profile with one more setting: `seats.limit` and the JSON text of its value, or a plain
    /// word.
    ///
    /// # Errors
    /// [`ProfileError`] if there is no such setting, or if the setting does not accept such a
    /// value.
    pub fn with(&self, path: &str, value: &str) -> Result<Self, ProfileError> {
        self.over(nested(path, value))
    }

    /// This profile with more settings, each as for [`Profile::with`]. They are judged together, so
    /// their order does not matter.
    ///
    /// # Errors
    /// [`ProfileError`] as for [`Profile::with`].
    pub fn with_all<'s>(
        &self,
        settings: impl IntoIterator<Item = (&'s str, &'s str)>,
    ) -> Result<Self, ProfileError> {
        let documents: Vec<Value> =
            settings.into_iter().map(|(path, value)| nested(path, value)).collect();
        let base =
            documents.iter().try_fold(self.clone(), |base, document| base.base_of(document))?;
        base.over_all(documents)
    }

    /// This profile with the dialect of an identity provider, or without one, in place of the
    /// present dialect.
    ///
    /// # Errors
    /// [`ProfileError`] if the identity provider is not known.
    pub fn with_dialect(&self, idp: Option<&str>) -> Result<Self, ProfileError> {
        let mut layers = match &self.dialect.idp {
            Some(before) => self.without_dialect(before)?,
            None => Vec::new(),
        };
        layers.extend(idp.map(presets::dialect).transpose()?);
        layers.push(json!({ "dialect": { "idp": idp } }));
        self.over_all(layers)
    }

    /// The preset's values of the settings that a dialect sets.
    fn without_dialect(&self, idp: &str) -> Result<Vec<Value>, ProfileError> {
        let preset = if self.preset.is_empty() {
            Self::default()
        } else {
            Self::preset(&self.preset, None)?
        };
        let dialect = settings(&presets::dialect(idp)?);
        let is_of_dialect = |path: &str| dialect.iter().any(|(set, _)| set == path);
        let plain = preset.flat()?.into_iter().filter(|(path, _)| is_of_dialect(path));
        Ok(plain.map(|(path, value)| nested(&path, &value.to_string())).collect())
    }

    /// This profile with the settings of a document laid over it. If the document names a preset,
    /// it is laid over that preset, with the address, the brake and the dialect of this profile. If it names
    /// an identity provider, the dialect of that provider is applied first.
    ///
    /// # Errors
    /// [`ProfileError`] as for [`Profile::with`].
    pub fn over(&self, settings: Value) -> Result<Self, ProfileError> {
        self.base_of(&settings)?.over_all([settings])
    }

    /// The profile that a document of settings is laid over.
    fn base_of(&self, settings: &Value) -> Result<Self, ProfileError> {
        let preset = settings.get("preset").and_then(Value::as_str);
        let base = match preset.filter(|name| !name.is_empty()) {
            Some(name) => Self::preset(name, self.dialect.idp.as_deref())?.replacing(self),
            None => self.clone(),
        };
        match settings.pointer("/dialect/idp") {
            Some(Value::String(idp)) => base.with_dialect(Some(idp)),
            Some(Value::Null) => base.with_dialect(None),
            // Either there is nothing to set, or the table of settings refuses the value.
            _ => Ok(base),
        }
    }

    fn over_all(&self, documents: impl IntoIterator<Item = Value>) -> Result<Self, ProfileError> {
        let mut document = serde_json::to_value(self)?;
        for settings in documents {
            lay_over(&mut document, settings)?;
        }
        let profile: Self = serde_json::from_value(document)?;
        profile.check()?;
        Ok(profile)
    }

    /// All settings by their paths, such as `seats.limit`, in the order of the document.
    ///
    /// # Errors
    /// Never: a profile is plain data.
    pub fn flat(&self) -> Result<Vec<(String, Value)>, ProfileError> {
        Ok(settings(&serde_json::to_value(self)?))
    }
}
