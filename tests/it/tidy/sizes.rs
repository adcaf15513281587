//! Files and functions are short enough for a reader to keep in mind.

use super::source::{PACKAGES, files, read, relative, without_visibilities};

/// The longest file, in lines.
const MAX_LINES: usize = 400;
/// The maximum of the median length of all files, in lines.
const MAX_MEDIAN: usize = 160;
/// The longest function without a reason, in lines from its signature to its closing brace.
const MAX_FUNCTION: usize = 40;
/// The decision that names each longer function, with its reason.
const REASONS: &str = "docs/decisions/0031-floors-and-places.md";

/// The functions of a file, each with its name and its lines, as rustfmt sets them.
fn functions(text: &str) -> Vec<(String, usize)> {
    let text = without_visibilities(text.split("#[cfg(test)]\nmod tests").next().unwrap());
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(signature) = line.split_once("fn ").filter(|(before, _)| {
            let words = ["pub", "pub(super)", "pub(crate)", "async", "const", ""];
            before.split(' ').all(|word| words.contains(&word))
        }) else {
            continue;
        };
        let name = signature.1.split(['(', '<']).next().unwrap_or_default();
        let closing = format!("{}}}", " ".repeat(indent));
        let one_line = line.ends_with('}') || line.ends_with(';');
        let end = lines[start..].iter().position(|line| *line == closing);
        if let Some(length) = end.filter(|_| !one_line) {
            found.push((name.to_owned(), length + 1));
        }
    }
    found
}

#[test]
fn files_are_short() {
    let mut lengths = Vec::new();
    for path in PACKAGES.iter().flat_map(|package| files(package, ".rs")) {
        let length = read(&path).lines().count();
        assert!(length <= MAX_LINES, "{} has {length} lines", relative(&path));
        lengths.push(length);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MAX_MEDIAN, "the median of all files is {median} lines");
}

#[test]
fn functions_are_short_or_a_decision_says_why() {
    let reasons = read(REASONS);
    let mut named = Vec::new();
    for path in PACKAGES.iter().flat_map(|package| files(package, ".rs")) {
        for (name, length) in functions(&read(&path)) {
            let entry = format!("`{}` `{name}`", relative(&path));
            if length > MAX_FUNCTION {
                assert!(reasons.contains(&entry), "{entry} has {length} lines; {REASONS} lacks it");
                named.push(entry);
            }
        }
    }
    let listed = reasons.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(listed, named.len(), "{REASONS} names functions that are short: {named:?}");
}

#[test]
fn functions_are_measured_from_signature_to_brace() {
    let text = "fn one() {\n    a();\n}\nimpl X {\n    pub(in a::b) async fn two<T>(\n    ) {\n        b();\n    }\n    fn three() {}\n}\n";
    assert_eq!(functions(text), [("one".to_owned(), 3), ("two".to_owned(), 4)]);
}
