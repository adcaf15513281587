//! The profiles that ship: each a file with what it sets beside the default.

use serde_json::Value;

use super::ProfileError;

/// The presets by name.
pub const PRESETS: [(&str, &str); 7] = [
    ("default", include_str!("presets/default.json")),
    ("strict", include_str!("presets/strict.json")),
    ("hone", include_str!("presets/hone.json")),
    ("hoxhunt", include_str!("presets/hoxhunt.json")),
    ("zulip", include_str!("presets/zulip.json")),
    ("holaspirit", include_str!("presets/holaspirit.json")),
    ("identity-hub", include_str!("presets/identity-hub.json")),
];

/// The identity providers, with what their dialects set and what they call the attributes that a
/// profile may require.
pub const IDPS: &str = include_str!("presets/idps.json");

pub(super) fn preset(name: &str) -> Result<Value, ProfileError> {
    let found = PRESETS.iter().find(|(known, _)| *known == name);
    let names = || PRESETS.map(|(name, _)| name).join(", ");
    let (_, text) = found.ok_or_else(|| {
        ProfileError(format!("there is no profile {name}; take one of: {}", names()))
    })?;
    read(text)
}

pub(super) fn dialect(idp: &str) -> Result<Value, ProfileError> {
    let idps = read(IDPS)?;
    let found = idps.get(idp).and_then(|idp| idp.get("sets")).cloned();
    let names = || idps.as_object().map(|idps| idps.keys().cloned().collect::<Vec<_>>().join(", "));
    found.ok_or_else(|| {
        ProfileError(format!(
            "there is no dialect {idp}; take one of: {}",
            names().unwrap_or_default()
        ))
    })
}

/// What the administrator of an identity provider should do about an attribute that has no value.
pub fn advice(idp: Option<&str>, path: &str) -> String {
    let found = idp.and_then(|idp| {
        let idp = read(IDPS).ok()?.get(idp).cloned()?;
        let sources = idp.get("sources")?;
        let whole = path.strip_suffix(".value").unwrap_or(path);
        let source = sources.get(path).or_else(|| sources.get(whole))?.as_str()?.to_owned();
        Some(format!("In {}, map {source} to {path}.", idp.get("name")?.as_str()?))
    });
    found.unwrap_or_else(|| {
        format!("In the identity provider's attribute mapping, map a value to {path}.")
    })
}

fn read(text: &str) -> Result<Value, ProfileError> {
    serde_json::from_str(text).map_err(|error| ProfileError(error.to_string()))
}
