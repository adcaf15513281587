//! The sources of the house as the tests of this folder read them.

use std::fs;
use std::path::{Path, PathBuf};

/// The source folders of the packages.
pub const PACKAGES: &[&str] =
    &["src", "crates/scim-core/src", "crates/scim-local/src", "crates/scimctl/src"];

/// The folder of the repository.
pub fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// The text of a file, by its path from the root.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()))
}

/// All files below a folder whose names have this ending, sorted.
pub fn files(folder: impl AsRef<Path>, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(entry, ending));
        } else if entry.to_str().unwrap().ends_with(ending) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

/// A path as seen from the root.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}

/// Rust without its comments, the text of its strings, and its unit tests.
pub fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['/', '"', '\'']) {
        let (before, here) = rest.split_at(at);
        code.push_str(before);
        let skipped = skipped(here, before);
        code.push_str(if skipped == 1 { &here[..1] } else { " " });
        rest = &here[skipped..];
    }
    code + rest
}

/// How many bytes the comment, string, or character takes that begins here; 1 if none does.
fn skipped(here: &str, before: &str) -> usize {
    let end = |closing: &str, from: usize| {
        here[from..].find(closing).map_or(here.len(), |found| from + found + closing.len())
    };
    if here.starts_with("//") {
        return here.find('\n').unwrap_or(here.len());
    }
    if let Some(text) = here.strip_prefix('"') {
        let hashes = before.len() - before.trim_end_matches('#').len();
        if before.trim_end_matches('#').ends_with('r') {
            return end(&format!("\"{}", "#".repeat(hashes)), 1);
        }
        let mut escaped = false;
        let closing = text.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        return closing.map_or(here.len(), |closing| closing + 2);
    }
    if here.starts_with("'\\") {
        return end("'", 3);
    }
    let mut characters = here.char_indices().skip(2);
    match characters.next() {
        Some((at, '\'')) if here.starts_with('\'') => at + 1,
        _ => 1,
    }
}

/// The code without `pub(in a::path)`, which names no other file.
pub fn without_visibilities(code: &str) -> String {
    let mut parts = code.split("pub(in ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |code, part| code + part.split_once(") ").map_or("", |(_, rest)| rest))
}

#[test]
fn code_is_read_without_comments_strings_and_characters() {
    let text = "a /* b */ \"c \\\" d\" e // f\n'g' '\\'' 'h: i r#\"j \" k\"# l / m";
    assert_eq!(code(text).split_whitespace().collect::<String>(), "a/*b*/e'h:ir#l/m");
}
