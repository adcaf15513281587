//! The presets and dialects that ship: each a file with the settings that differ from the default.

use serde_json::Value;

use super::error::ProfileError;

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

/// The identity providers, with what their dialects set and their own names for the attributes that
/// a profile may require.
pub const IDPS: &str = include_str!("presets/idps.json");

/// Whether a preset has this name.
pub fn is_preset(name: &str) -> bool {
    PRESETS.iter().any(|(known, _)| *known == name)
}

pub(super) fn preset(name: &str) -> Result<Value, ProfileError> {
    let Some((_, text)) = PRESETS.iter().find(|(known, _)| *known == name) else {
        let names = PRESETS.map(|(name, _)| name).join(", ");
        return Err(ProfileError(format!("there is no profile {name}; take one of: {names}")));
    };
    Ok(serde_json::from_str(text)?)
}

pub(super) fn dialect(idp: &str) -> Result<Value, ProfileError> {
    let idps: Value = serde_json::from_str(IDPS)?;
    idps.get(idp).and_then(|idp| idp.get("sets")).cloned().ok_or_else(|| {
        let names: Vec<&str> =
            idps.as_object().into_iter().flat_map(|idps| idps.keys()).map(String::as_str).collect();
        ProfileError(format!("there is no dialect {idp}; take one of: {}", names.join(", ")))
    })
}

/// What the administrator of an identity provider should do about an attribute without a value.
pub(super) fn advice(idp: Option<&str>, path: &str) -> String {
    idp.and_then(|idp| advice_of(idp, path)).unwrap_or_else(|| {
        format!("In the identity provider's attribute mapping, map a value to {path}.")
    })
}

/// The same in the terms of an identity provider, if its file contains them.
fn advice_of(idp: &str, path: &str) -> Option<String> {
    let idps: Value = serde_json::from_str(IDPS).ok()?;
    let idp = idps.get(idp)?;
    let sources = idp.get("sources")?;
    let attribute = path.strip_suffix(".value").unwrap_or(path);
    let source = sources.get(path).or_else(|| sources.get(attribute))?.as_str()?;
    Some(format!("In {}, map {source} to {path}.", idp.get("name")?.as_str()?))
}
