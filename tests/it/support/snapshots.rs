//! Whole answers as text, for snapshots.

use serde_json::Value;

use super::Answer;

/// The headers that a snapshot shows.
const HEADERS: [&str; 5] = ["content-type", "location", "content-location", "etag", "allow"];
/// Longest line of a document.
const WIDTH: usize = 90;
const ID_LENGTH: usize = 36;

/// The status, the headers and the document of an answer. Each id is replaced by `<id 1>`,
/// `<id 2>`, ... in the order in which they appear. Times stay: the test drives the clock.
pub fn shown(answer: &Answer) -> String {
    let mut text = format!("{}\n", answer.status);
    for name in HEADERS.iter().filter(|name| answer.headers.contains_key(**name)) {
        text.push_str(&format!("{name}: {}\n", answer.header(name)));
    }
    if !answer.body.is_null() {
        text.push('\n');
        document(&answer.body, 0, &mut text);
    }
    without_ids(&text)
}

/// Writes a value on one line if it fits, otherwise each member on its own line.
fn document(value: &Value, indent: usize, text: &mut String) {
    let column = text.len() - text.rfind('\n').map_or(0, |newline| newline + 1);
    let line = value.to_string();
    if column + line.len() <= WIDTH {
        return text.push_str(&line);
    }
    let inner = indent + 2;
    let mut separator = "\n";
    let mut next = |text: &mut String| {
        text.push_str(separator);
        text.push_str(&" ".repeat(inner));
        separator = ",\n";
    };
    let close = match value {
        Value::Object(members) => {
            text.push('{');
            for (name, member) in members {
                next(text);
                text.push_str(&format!("{name:?}: "));
                document(member, inner, text);
            }
            '}'
        }
        Value::Array(elements) => {
            text.push('[');
            for element in elements {
                next(text);
                document(element, inner, text);
            }
            ']'
        }
        _ => return text.push_str(&line),
    };
    text.push_str(&format!("\n{}{close}", " ".repeat(indent)));
}

/// Replaces the ids in a text.
fn without_ids(text: &str) -> String {
    let is_part = |c: char| c == '-' || c.is_ascii_hexdigit();
    let mut ids: Vec<&str> = Vec::new();
    for word in text.split(|c| !is_part(c)) {
        if word.len() == ID_LENGTH && word.matches('-').count() == 4 && !ids.contains(&word) {
            ids.push(word);
        }
    }
    let numbered = ids.iter().enumerate();
    numbered.fold(text.to_owned(), |text, (n, id)| text.replace(id, &format!("<id {}>", n + 1)))
}
