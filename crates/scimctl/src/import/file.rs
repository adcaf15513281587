//! Files of people: CSV with a line of attribute names, or JSON objects.

use std::io::BufRead;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

/// The names of columns that are no attributes.
const ID: &str = "id";
const VERIFIED: [&str; 2] = ["emailVerified", "verifiedEmails"];

/// One person, as the file has it.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Its line, from 1.
    pub(super) line: usize,
    pub(super) user_name: String,
    pub(super) id: Option<String>,
    /// A user as SCIM writes it.
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
}

/// All records of a file, by the end of its name.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Record>> {
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    match end.as_str() {
        "csv" => comma_separated(path),
        "ndjson" | "jsonl" => json_lines(std::io::BufReader::new(std::fs::File::open(path)?)),
        _ => bail!("its name must end in .csv, .ndjson or .jsonl"),
    }
}

/// JSON objects, one a line: users as SCIM writes them, with `id` and `verifiedEmails` if there are such.
pub(super) fn json_lines(text: impl BufRead) -> anyhow::Result<Vec<Record>> {
    let mut records = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.with_context(|| format!("line {}", index + 1))?;
        let line = line.trim_start_matches('\u{feff}').trim();
        if !line.is_empty() {
            records.push(json_line(index + 1, line));
        }
    }
    Ok(records)
}

fn json_line(number: usize, text: &str) -> Record {
    let Ok(Value::Object(mut user)) = serde_json::from_str(text) else {
        return Record::broken(number, "the line is no JSON object");
    };
    let emails = || user.get("emails").and_then(Value::as_array).into_iter().flatten();
    let mut verified: Vec<Value> = emails().filter_map(|email| email.get("value").cloned()).collect();
    match VERIFIED.iter().find_map(|name| user.shift_remove(*name)) {
        Some(Value::Bool(true)) if verified.len() == 1 => {}
        Some(Value::Bool(true)) => {
            return Record::broken(number, "which e-mail is verified cannot be told; list them in verifiedEmails");
        }
        Some(Value::Array(emails)) => verified = emails,
        _ => verified.clear(),
    }
    let id = match user.shift_remove(ID) {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id).filter(|id| !id.is_empty()),
        Some(other) => Some(other.to_string()),
    };
    Record {
        line: number,
        user_name: user.get("userName").and_then(Value::as_str).unwrap_or_default().to_owned(),
        id,
        user,
        verified: verified.iter().filter_map(|email| email.as_str().map(str::to_owned)).collect(),
        broken: None,
    }
}

/// A table whose first line names attributes, such as `userName,externalId,email,emailVerified,name.givenName`;
/// `email` is the work address.
fn comma_separated(path: &Path) -> anyhow::Result<Vec<Record>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path)?;
    let headers = reader.headers()?.clone();
    if !headers.iter().any(|name| name.eq_ignore_ascii_case("userName")) {
        bail!("its first line must name the columns, one of them userName");
    }
    let mut records = Vec::new();
    for row in reader.records() {
        let number = |at: Option<&csv::Position>| at.map_or(0, |at| at.line().try_into().unwrap_or(0));
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let csv::ErrorKind::UnequalLengths { expected_len, len, .. } = error.kind() else { bail!(error) };
                let why = format!("the line has {len} columns, and the first one names {expected_len}");
                records.push(Record::broken(number(error.position()), why));
                continue;
            }
        };
        let mut record = Record { line: number(row.position()), ..Record::default() };
        let (mut email, mut verified) = (None, false);
        for (name, value) in headers.iter().zip(&row).filter(|(_, value)| !value.is_empty()) {
            match name {
                _ if name.eq_ignore_ascii_case(ID) => record.id = Some(value.to_owned()),
                _ if name.eq_ignore_ascii_case("email") => email = Some(value.to_owned()),
                _ if VERIFIED.iter().any(|own| name.eq_ignore_ascii_case(own)) => {
                    verified = matches!(value.to_ascii_lowercase().as_str(), "true" | "yes" | "1");
                }
                _ => {
                    if name.eq_ignore_ascii_case("userName") {
                        record.user_name = value.to_owned();
                    }
                    record.user.insert(name.to_owned(), value.into());
                }
            }
        }
        if let Some(email) = email {
            record.user.insert("emails".into(), json!([{ "value": email, "type": "work", "primary": true }]));
            record.verified.extend(verified.then_some(email));
        }
        records.push(record);
    }
    Ok(records)
}
