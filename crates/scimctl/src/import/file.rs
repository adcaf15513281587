//! Files of people: tables with a line of attribute names, or JSON objects.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{anyhow, bail, ensure};
use scim_core::json::{self, member};
use serde_json::{Map, Value, json};

use super::table::{self, Row};

/// The names of columns and members that are no attributes.
const ID: &str = "id";
const EMAIL: &str = "email";
const VERIFIED: [&str; 2] = ["emailVerified", "verifiedEmails"];
/// How a column of work addresses may be called.
const EMAILS: [&str; 4] = [EMAIL, "emails", "emails.value", "emails[typeeq\"work\"].value"];

/// One person, as the file has it.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Its line, from 1.
    pub(super) line: usize,
    pub(super) user_name: String,
    pub(super) id: Option<String>,
    /// A user as SCIM writes it; a name may be a path.
    pub(super) user: Map<String, Value>,
    /// E-mail addresses that the product has verified.
    pub(super) verified: Vec<String>,
    /// Why the line cannot be read, if so.
    pub(super) broken: Option<String>,
}

impl Record {
    fn broken(line: usize, why: impl Into<String>) -> Self {
        Self { line, broken: Some(why.into()), ..Self::default() }
    }

    /// The record of a user with what is no attribute.
    fn of(line: usize, mut user: Map<String, Value>) -> Self {
        let user_name =
            member(&user, "userName").and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = match take(&mut user, ID) {
            Value::Null => None,
            Value::String(id) => Some(id).filter(|id| !id.is_empty()),
            other => Some(other.to_string()),
        };
        let mut verified = Vec::new();
        let mut broken = None;
        for name in VERIFIED {
            match addresses(name, take(&mut user, name), &user) {
                Ok(some) => verified.extend(some),
                Err(why) => broken = Some(why),
            }
        }
        Self { line, user_name, id, user, verified, broken }
    }
}

/// Takes a member out, whose name is compared ignoring case.
fn take(user: &mut Map<String, Value>, name: &str) -> Value {
    let key = user.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned();
    key.and_then(|key| user.shift_remove(&key)).unwrap_or_default()
}

/// The addresses that a value says are verified: those it lists, or all that the user has.
fn addresses(name: &str, value: Value, user: &Map<String, Value>) -> Result<Vec<String>, String> {
    let listed = match value {
        Value::Null | Value::Bool(false) => return Ok(Vec::new()),
        Value::Bool(true) => {
            let emails = match member(user, "emails") {
                Some(Value::Array(emails)) => emails.iter().collect(),
                one => Vec::from_iter(one),
            };
            let emails = emails.into_iter().filter_map(|email| match email {
                Value::Object(email) => member(email, "value")?.as_str(),
                email => email.as_str(),
            });
            let emails: Vec<String> = emails.map(str::to_owned).collect();
            return match emails.is_empty() {
                true => Err(format!(
                    "{name} is true, but there is no e-mail; list addresses in verifiedEmails"
                )),
                false => Ok(emails),
            };
        }
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => return addresses(name, Value::Bool(true), user),
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

/// All records of a file, by the end of its name.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Record>> {
    let end =
        path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    match end.as_str() {
        "csv" => people(&text(std::fs::read(path)?)?),
        "ndjson" | "jsonl" => Ok(json_lines(&text(std::fs::read(path)?)?)),
        _ => bail!("its name must end in .csv, .ndjson or .jsonl"),
    }
}

/// The text of a file, without a mark at its beginning.
fn text(bytes: Vec<u8>) -> anyhow::Result<String> {
    ensure!(!bytes.contains(&0), "it is UTF-16: save it as UTF-8, in Excel as CSV UTF-8");
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let good = String::from_utf8_lossy(good).replace("\r\n", "\n");
        anyhow!(
            "line {} is not UTF-8: save it as UTF-8, in Excel as CSV UTF-8",
            1 + good.matches(['\r', '\n']).count()
        )
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// JSON objects, one a line: users as SCIM writes them, with `id`, and `verifiedEmails` or
/// `emailVerified`.
pub(super) fn json_lines(text: &str) -> Vec<Record> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| json_line(number, line))
        .collect()
}

fn json_line(number: usize, line: &str) -> Record {
    let Ok(Value::Object(_)) = serde_json::from_str(line) else {
        return Record::broken(number, "the line is no JSON object");
    };
    match json::parse(line.as_bytes()) {
        Ok(user) => Record::of(number, user),
        Err(error) => {
            let why = error.to_string().replace("The body", "the line");
            Record::broken(number, why.split(" at line ").next().unwrap_or_default())
        }
    }
}

/// A table whose first line names attributes, such as
/// `userName,externalId,email,emailVerified,name.givenName`; `email` is the work address.
///
/// # Errors
/// If a quote or a column stands wrong.
fn people(text: &str) -> anyhow::Result<Vec<Record>> {
    let mut rows = table::rows(text).map_err(anyhow::Error::msg)?.into_iter();
    let names = rows.next().map(|row| row.cells).unwrap_or_default();
    check(&names)?;
    Ok(rows.map(|row| person(&names, row)).collect())
}

/// # Errors
/// If it is not sure what a column is.
fn check(names: &[String]) -> anyhow::Result<()> {
    ensure!(
        names.iter().any(|name| name.eq_ignore_ascii_case("userName")),
        "its first line must name the columns, one of them userName, with commas, semicolons or \
        tabs between them"
    );
    let mut seen = BTreeMap::new();
    for (column, name) in (1..).zip(names) {
        ensure!(!name.is_empty(), "column {column} has no name; name it, or take it out");
        if let Some((before, same)) = seen.insert(key(name), (column, name)) {
            bail!(
                "columns {before} and {column} are the same attribute, {same} and {name}; take \
                one out"
            );
        }
    }
    Ok(())
}

/// A column's name, in the form in which it is compared.
fn key(name: &str) -> String {
    let key = name.to_ascii_lowercase().replace(' ', "");
    if EMAILS.contains(&key.as_str()) { EMAIL.to_owned() } else { key }
}

fn person(names: &[String], Row { line, cells }: Row) -> Record {
    if cells.len() != names.len() {
        let why = format!(
            "the line has {} columns, and the first one names {}",
            cells.len(),
            names.len()
        );
        return Record::broken(line, why);
    }
    let cells = names.iter().zip(cells).filter(|(_, value)| !value.is_empty());
    let user = cells.map(|(name, value)| match key(name) == EMAIL {
        true => ("emails".to_owned(), json!([{ "value": value, "type": "work", "primary": true }])),
        false => (name.clone(), value.into()),
    });
    Record::of(line, user.collect())
}
