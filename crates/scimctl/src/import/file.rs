//! Files of users: tables with a line of attribute names, or JSON objects.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{bail, ensure};
use scim_core::json;
use scim_lambda::operator::import::Record;
use serde_json::{Value, json};

use super::table::{self, Row};

/// The short name of a column of work addresses.
const EMAIL: &str = "email";
/// The names of such a column.
const EMAILS: [&str; 4] = [EMAIL, "emails", "emails.value", "emails[typeeq\"work\"].value"];

/// All records of a file, whose format its extension names.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Record>> {
    let end =
        path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    match end.as_str() {
        "csv" => table_records(&table::text(std::fs::read(path)?)?),
        "ndjson" | "jsonl" => Ok(json_lines(&table::text(std::fs::read(path)?)?)),
        _ => bail!("its name must end in .csv, .ndjson or .jsonl"),
    }
}

/// One JSON object per line: users as SCIM writes them, with `id`, and `verifiedEmails` or
/// `emailVerified`.
fn json_lines(text: &str) -> Vec<Record> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| json_line(number, line))
        .collect()
}

fn json_line(number: usize, line: &str) -> Record {
    let Ok(Value::Object(_)) = serde_json::from_str(line) else {
        return Record::broken(number, "the line is not a JSON object");
    };
    match json::parse(line.as_bytes()) {
        Ok(user) => Record::new(number, user),
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
/// If a quote or a column is misplaced.
fn table_records(text: &str) -> anyhow::Result<Vec<Record>> {
    let mut rows = table::rows(text).map_err(anyhow::Error::msg)?.into_iter();
    let names = rows.next().map(|row| row.cells).unwrap_or_default();
    check_columns(&names)?;
    Ok(rows.map(|row| record(&names, row)).collect())
}

/// # Errors
/// If it is unclear what a column means.
fn check_columns(names: &[String]) -> anyhow::Result<()> {
    ensure!(
        names.iter().any(|name| name.eq_ignore_ascii_case("userName")),
        "its first line must name the columns, one of them userName, with commas, semicolons or \
        tabs between them"
    );
    let mut seen = BTreeMap::new();
    for (column, name) in (1..).zip(names) {
        ensure!(!name.is_empty(), "column {column} has no name; name it or remove it");
        if let Some((before, same)) = seen.insert(key(name), (column, name)) {
            bail!(
                "columns {before} and {column} are the same attribute, {same} and {name}; \
                 remove one"
            );
        }
    }
    Ok(())
}

/// A column's name in the form in which it is compared.
fn key(name: &str) -> String {
    let key = name.to_ascii_lowercase().replace(' ', "");
    if EMAILS.contains(&key.as_str()) { EMAIL.to_owned() } else { key }
}

fn record(names: &[String], Row { line, cells }: Row) -> Record {
    if cells.len() != names.len() {
        let why = format!(
            "the line has {} columns, but the first line names {}",
            cells.len(),
            names.len()
        );
        return Record::broken(line, why);
    }
    let cells = names.iter().zip(cells).filter(|(_, value)| !value.is_empty());
    let user = cells.map(|(name, value)| {
        if key(name) == EMAIL {
            let emails = json!([{ "value": value, "type": "work", "primary": true }]);
            ("emails".to_owned(), emails)
        } else {
            (name.clone(), value.into())
        }
    });
    Record::new(line, user.collect())
}
