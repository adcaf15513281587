//! Links of the documents, and the tests that their commands name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::source::{files, read, relative, root};

/// The documents of the project.
fn documents() -> Vec<PathBuf> {
    let folders = ["docs", "deploy", "examples", "crates", "events"];
    let mut paths: Vec<_> = folders.iter().flat_map(|folder| files(folder, ".md")).collect();
    let top = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    paths.extend(top.filter(|path| path.extension().is_some_and(|end| end == "md")));
    paths.retain(|path| !path.iter().any(|part| part == "node_modules" || part == "target"));
    paths
}

/// The text without the parts that are code, whose brackets are no links.
fn prose(text: &str) -> String {
    let blocks = text.split("```").step_by(2).collect::<String>();
    blocks.split('`').step_by(2).collect()
}

/// The targets of the links of a text, in the document itself or in another file.
fn links(text: &str) -> Vec<String> {
    let targets = prose(text);
    let targets = targets.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let targets = targets.map(|(target, _)| target.to_owned());
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    let slug = |heading: &str| {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(slug).collect()
}

#[test]
fn every_link_of_a_document_resolves() {
    let (mut broken, mut found) = (Vec::new(), 0);
    for document in documents() {
        let text = read(&document);
        for link in links(&text) {
            found += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => document.clone(),
                path => document.parent().unwrap_or(Path::new("")).join(path),
            };
            let has_anchor = || anchor.is_empty() || anchors(&read(&target)).contains(anchor);
            if !target.exists() || !has_anchor() {
                broken.push(format!("{}: {link}", relative(&document)));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(found > 200, "{found}");
}

#[test]
fn every_test_that_a_command_of_a_document_names_exists() {
    let modules = read(root().join("tests/it/main.rs"));
    let (mut unknown, mut found) = (Vec::new(), 0);
    for document in documents() {
        let text = read(&document);
        let commands = text.split("--test it ").skip(1);
        for command in commands.filter_map(|rest| rest.split(['`', '\n']).next()) {
            let words = command.split_whitespace().filter(|word| !word.starts_with("--"));
            for word in words.take_while(|word| word.contains("::")) {
                found += 1;
                let module = word.split("::").next().unwrap_or_default();
                if !modules.contains(&format!("mod {module};")) {
                    unknown.push(format!("{}: {word}", relative(&document)));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert!(found > 10, "{found}");
}
