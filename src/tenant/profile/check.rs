//! What a profile may not say.

use scim_core::{Additions, Schema};
use serde_json::Value;

use super::presets;
use super::{BrakeAnswer, Email, Existing, InactiveCreate, OnDelete, Profile};
use crate::tenant::types::Types;

/// Why a profile is refused: a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub String);

impl Profile {
    /// Refuses a profile that contradicts itself.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let wrong = |why: &str| Err(Wrong(why.to_owned()));
        let days = |path: &str, days: Option<u32>| match days {
            Some(days) if !(1..=3_650).contains(&days) => Err(Wrong(format!("{path} must be 1 to 3650"))),
            _ => Ok(()),
        };
        days("deprovision.retention_days", self.deprovision.retention_days)?;
        days("audit.retention_days", self.audit.retention_days)?;
        days("token.lifetime_days", Some(self.token.lifetime_days))?;
        if self.token.overlap_days > 365 {
            return wrong("token.overlap_days must be 0 to 365");
        }
        if self.brake.share.is_some_and(|share| !(1..=100).contains(&share)) {
            return wrong("brake.share is a percentage from 1 to 100");
        }
        if self.brake.deactivations == Some(0) {
            return wrong(
                "brake.deactivations 0 would stop every deactivation; set operations.deactivate to off for that",
            );
        }
        if !(1..=10_080).contains(&self.brake.window_minutes) {
            return wrong("brake.window_minutes must be 1 to 10080 (a week)");
        }
        if !self.brake.is_set() && self.brake.answer == BrakeAnswer::Forbidden {
            return wrong("brake.answer is set, but neither brake.deactivations nor brake.share");
        }
        if self.create.existing == Existing::Link && self.create.link_on.is_empty() {
            return wrong("create.existing is link, but create.link_on names nothing to link on");
        }
        let closed = !self.operations.deactivate.is_on();
        if closed && (!self.operations.delete.is_on() || self.deprovision.on_delete == OnDelete::Refuse) {
            return wrong(
                "nobody could be taken out: operations.deactivate is off, and DELETE is off or refused; leave one on",
            );
        }
        if self.create.inactive == InactiveCreate::Refuse && self.seats.limit.is_some() {
            let full = self.seats.when_full == super::WhenFull::CreateInactive;
            if full {
                return wrong("seats.when_full creates inactive users, which create.inactive refuses; change one");
            }
        }
        if self.attributes.email == Email::FromUserName
            && self.attributes.required.iter().any(|path| path.starts_with("emails"))
        {
            return wrong(
                "attributes.email takes addresses from userName, so attributes.required need not name emails",
            );
        }
        if self.attributes.email == Email::FromUserName
            && !self.attributes.kept.is_empty()
            && !self.attributes.kept.iter().any(|path| path.eq_ignore_ascii_case("emails"))
        {
            return wrong("attributes.email takes addresses from userName, but attributes.kept does not name emails");
        }
        for path in &self.attributes.required {
            let base = |path: &str| path.split(['[', '.']).next().unwrap_or_default().to_ascii_lowercase();
            let mut kept = self.attributes.kept.iter().filter(|kept| base(kept) == base(path)).peekable();
            if kept.peek().is_some() && kept.all(|kept| kept.contains('[')) {
                return Err(Wrong(format!(
                    "attributes.required names {path}, of which attributes.kept keeps some values only; keep all"
                )));
            }
        }
        for Schema { id, .. } in &self.attributes.extensions {
            if !id.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
                || id.contains("ietf:params:scim:schemas:core")
            {
                return Err(Wrong(format!("the id {id} of an extension must be a URN of your own")));
            }
        }
        if !self.preset.is_empty() {
            presets::preset(&self.preset)?;
        }
        if let Some(idp) = &self.dialect.idp {
            presets::dialect(idp)?;
        }
        self.check_address()?;
        // What the schemas make of required, kept, overlay and extensions.
        Types::new(self, &Additions::default()).map_err(|error| Wrong(format!("attributes: {error}")))?;
        Ok(())
    }

    fn check_address(&self) -> Result<(), Wrong> {
        let wrong = |why: String| Err(Wrong(why));
        let mut named = None;
        if let Some(url) = &self.address.base_url {
            let Ok(parsed) = url.parse::<http::Uri>() else { return wrong("address.base_url is not a URL".into()) };
            let local = matches!(parsed.host(), Some("127.0.0.1" | "localhost"));
            let secure = parsed.scheme_str() == Some("https") || (parsed.scheme_str() == Some("http") && local);
            let bare = !parsed.authority().is_some_and(|authority| authority.as_str().contains('@'));
            let path = parsed.path();
            let plain = !url.contains(['?', '#', '%', '\\']) && !path.contains("//") && !path.contains("..");
            if !(secure && bare && plain && path.len() > 1 && !path.ends_with('/')) {
                return wrong(
                    "address.base_url is https://HOST/PATH, as in https://scim.example.com/scim/v2, without a slash at \
                     its end"
                        .into(),
                );
            }
            named = parsed.host().map(str::to_owned);
        }
        if let Some(host) = &self.address.host {
            let fits = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
            if !fits {
                return wrong("address.host is the name of a host, without scheme and port".into());
            }
            if let Some(other) = named.filter(|named| !named.eq_ignore_ascii_case(host)) {
                return wrong(format!("address.host is {host}, but address.base_url is at {other}"));
            }
        }
        Ok(())
    }
}

/// Lays settings over a document that has all of them.
pub(super) fn lay_over(document: &mut Value, over: Value, path: &str) -> Result<(), Wrong> {
    match (document, over) {
        (Value::Object(document), Value::Object(over)) => {
            for (name, value) in over {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let Some(slot) = document.get_mut(&name) else {
                    return Err(Wrong(format!("there is no setting {path}; docs/PROFILES.md lists them")));
                };
                lay_over(slot, value, &path)?;
            }
            Ok(())
        }
        (Value::Object(_), _) => Err(Wrong(format!("{path} is no setting, but has some; docs/PROFILES.md lists them"))),
        (slot, value) => {
            *slot = value;
            Ok(())
        }
    }
}

/// A document of one setting: the JSON text of its value, or a plain word.
pub(super) fn nested(path: &str, value: &str) -> Value {
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    path.rsplit('.').fold(value, |inner, name| serde_json::json!({ name: inner }))
}

/// Which of the settings laid over a valid document it is that takes no such value.
pub(super) fn culprit(valid: &Value, over: &Value, error: &serde_json::Error) -> Wrong {
    for (path, value) in settings(over) {
        let mut alone = valid.clone();
        let laid = lay_over(&mut alone, nested(&path, &value.to_string()), "");
        if let Some(error) = laid.ok().and_then(|()| serde_json::from_value::<Profile>(alone).err()) {
            return Wrong(format!("{path}: {error}"));
        }
    }
    Wrong(error.to_string())
}

/// The settings of a document by their paths.
pub fn settings(document: &Value) -> Vec<(String, Value)> {
    let mut flat = Vec::new();
    for (name, value) in document.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => {
                flat.extend(settings(value).into_iter().map(|(inner, value)| (format!("{name}.{inner}"), value)));
            }
            value => flat.push((name.clone(), value.clone())),
        }
    }
    flat
}
