//! A record of an import: a user as SCIM writes it, with facts that only an import may state.

use scim_core::json::member;
use serde_json::{Map, Value};

/// The members of a record that are not attributes.
const ID: &str = "id";
const VERIFIED: [&str; 2] = ["emailVerified", "verifiedEmails"];

/// One user to import.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Its line in the file, from 1, or its number in a request.
    pub line: usize,
    /// Its userName as the record has it.
    pub user_name: String,
    pub(super) id: Option<String>,
    /// A user as SCIM writes it. A name may be a path.
    pub(super) user: Map<String, Value>,
    /// E-mail addresses that the product has verified.
    pub(super) verified: Vec<String>,
    /// Why the record cannot be read, if it cannot.
    pub(super) broken: Option<String>,
}

impl Record {
    /// The record of a user as SCIM writes it. Its names may be paths. It may have an `id`, and
    /// tell by `emailVerified` or `verifiedEmails` which addresses the product has verified.
    pub fn new(line: usize, mut user: Map<String, Value>) -> Self {
        let user_name =
            member(&user, "userName").and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = match take(&mut user, ID) {
            Value::Null => None,
            Value::String(id) => Some(id).filter(|id| !id.is_empty()),
            // A product may number its users.
            Value::Number(number) if !number.is_f64() => Some(number.to_string()),
            other => {
                let why = format!("id is {other}; write it as a string");
                return Self { user_name, ..Self::broken(line, why) };
            }
        };
        let mut verified = Vec::new();
        let mut broken = None;
        for name in VERIFIED {
            match addresses(name, take(&mut user, name), &user) {
                Ok(listed) => verified.extend(listed),
                Err(why) => broken = Some(why),
            }
        }
        Self { line, user_name, id, user, verified, broken }
    }

    /// A record that cannot be read.
    pub fn broken(line: usize, why: impl Into<String>) -> Self {
        Self { line, broken: Some(why.into()), ..Self::default() }
    }
}

/// Removes the member with this name, ignoring case.
fn take(user: &mut Map<String, Value>, name: &str) -> Value {
    let key = user.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned();
    key.and_then(|key| user.shift_remove(&key)).unwrap_or_default()
}

/// The addresses that a value declares verified: those it lists, or all that the user has.
fn addresses(name: &str, value: Value, user: &Map<String, Value>) -> Result<Vec<String>, String> {
    let listed = match value {
        Value::Null | Value::Bool(false) => return Ok(Vec::new()),
        Value::Bool(true) => return own_addresses(name, user),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => return own_addresses(name, user),
            "" | "false" | "no" | "0" => return Ok(Vec::new()),
            _ => {
                let each = text.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
                each.filter(|one| !one.is_empty()).map(Value::from).collect()
            }
        },
        Value::Array(listed) => listed,
        other => vec![other],
    };
    let address = |listed: Value| match listed {
        Value::String(text) if text.contains('@') => Ok(text.trim().to_owned()),
        other => Err(format!("{name} has {other}; it must be true or false, or list addresses")),
    };
    listed.into_iter().map(address).collect()
}

/// All addresses that the user has.
fn own_addresses(name: &str, user: &Map<String, Value>) -> Result<Vec<String>, String> {
    let emails = match member(user, "emails") {
        Some(Value::Array(emails)) => emails.iter().collect(),
        one => Vec::from_iter(one),
    };
    let emails = emails.into_iter().filter_map(|email| match email {
        Value::Object(email) => member(email, "value")?.as_str(),
        email => email.as_str(),
    });
    let emails: Vec<String> = emails.map(str::to_owned).collect();
    if emails.is_empty() {
        return Err(format!(
            "{name} is true, but the record has no e-mail; list addresses in verifiedEmails"
        ));
    }
    Ok(emails)
}
