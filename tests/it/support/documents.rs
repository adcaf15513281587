//! Tables in documents that tests compare with the code, or write.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Writes the tables of profiles and lives into their documents, in place of a comparison.
pub const WRITE: &str = "SCIM_WRITE_DOCS";

/// One test writes at a time, and nobody reads half a document.
static WRITING: Mutex<()> = Mutex::new(());

pub fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|_| panic!("{path} is there"))
}

/// The part of a document between `<!-- name -->` and `<!-- end of name -->`.
pub fn table(path: &str, name: &str) -> String {
    let _whole = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let document = read(path);
    let (start, end) = place(&document, name);
    document[start..end].trim().to_owned()
}

/// The cells of the table there, without its header.
pub fn rows(path: &str, name: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let line = line.trim().trim_start_matches('|').trim_end_matches('|');
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    table(path, name).lines().skip(2).map(cells).collect()
}

/// Puts a text there.
pub fn write_table(path: &str, name: &str, text: &str) {
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let document = read(path);
    let (start, end) = place(&document, name);
    let new = format!("{}\n{}\n\n{}", &document[..start], text.trim(), &document[end..]);
    std::fs::write(root().join(path), new).unwrap();
}

/// Compares the table with this text; or writes it.
#[track_caller]
pub fn hold_table(path: &str, name: &str, text: &str) {
    if std::env::var_os(WRITE).is_some() {
        return write_table(path, name, text);
    }
    let written = table(path, name);
    for (written, wanted) in written.lines().zip(text.trim().lines()) {
        assert_eq!(written, wanted, "{path}, {name}: {WRITE}=1 writes the table again");
    }
    assert_eq!(
        written.lines().count(),
        text.trim().lines().count(),
        "{path}, {name}: {WRITE}=1 writes the table again"
    );
}

/// A table of Markdown.
pub fn markdown(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}\n", header.join(" | "), "---|".repeat(header.len()));
    for row in rows {
        assert_eq!(row.len(), header.len(), "{row:?}");
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}

fn place(document: &str, name: &str) -> (usize, usize) {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let start =
        document.find(&begin).unwrap_or_else(|| panic!("the document has the table {name}"))
            + begin.len();
    let length = document[start..].find(&end).unwrap_or_else(|| panic!("the table {name} ends"));
    (start, start + length)
}
