//! Sentences that a native writer of documentation would not write.

use super::source::{files, read, relative, root};

/// The files that hold sentences: code, documents, scripts, templates.
fn texts() -> Vec<(String, String)> {
    let folders = ["src", "crates", "tests", "benches", "docs", "events", ".ci"];
    let endings = [".rs", ".md", ".sh", ".yaml", ".patch", ".txt", ".py", "/run"];
    let all = folders.iter().flat_map(|folder| endings.map(|ending| files(folder, ending)));
    let mut paths: Vec<_> = all.flatten().collect();
    paths.extend(
        [
            "README.md",
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "SECURITY.md",
            "template.yaml",
            "Cargo.toml",
        ]
        .map(|path| root().join(path)),
    );
    let texts = paths.into_iter().map(|path| (relative(&path), read(&path)));
    // This file names what it looks for; names of people in test data are nobody's sentences.
    texts
        .filter(|(path, _)| path != "tests/it/tidy/words.rs" && !path.contains("/target/"))
        .collect()
}

/// Phrases, each with what to write in its place.
const PHRASES: &[(&str, &str)] = &[
    (" is none", "say what is missing"),
    (" leave away", "omit"),
    (" left away", "omitted"),
    ("leaves away", "omits"),
    (" by now", "already"),
    (" of late", "recently"),
    (" anew", "again"),
    (" so many", "too many"),
    (" for ever", "forever"),
    ("besides", "also, in addition"),
    (" takes no ", "does not support"),
];

/// Words that begin no sentence, unless it is a question.
const OPENERS: &[&str] = &["Who ", "Whoever ", "Whom ", "Whose "];

/// A line without the marks of comments, strings and lists before its text.
fn sentence(line: &str) -> &str {
    line.trim_start_matches(|c: char| c.is_whitespace() || "/!*#\"-+|".contains(c))
}

#[test]
fn sentences_are_plain_english() {
    let mut found = Vec::new();
    for (path, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            let mut wrong = |what: &str, say: &str| {
                found.push(format!("{path}:{}: {what:?} ({say}): {}", number + 1, line.trim()));
            };
            for (phrase, say) in PHRASES.iter().filter(|(phrase, _)| holds(line, phrase)) {
                wrong(phrase.trim(), say);
            }
            let begins = |opener: &&&str| {
                sentence(line).starts_with(**opener) || line.contains(&format!(". {opener}"))
            };
            if let Some(opener) = OPENERS.iter().find(begins).filter(|_| !line.contains('?')) {
                wrong(opener.trim(), "begin with the subject");
            }
        }
    }
    assert!(found.is_empty(), "{} sentences:\n{}", found.len(), found.join("\n"));
}

/// Whether a line holds a phrase as whole words.
fn holds(line: &str, phrase: &str) -> bool {
    line.match_indices(phrase).any(|(at, _)| {
        let after = line[at + phrase.len()..].chars().next();
        phrase.ends_with(' ') || after.is_none_or(|after| !after.is_alphanumeric())
    })
}

#[test]
fn phrases_are_found_as_whole_words() {
    assert!(holds("a member's id is none; x", " is none"));
    assert!(!holds("this is nonexistent", " is none"));
    assert_eq!(sentence("    /// Who asks"), "Who asks");
}
