//! `docs/CONFORMANCE.md` and `tests/rules` name tests; each of them exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn files(folder: &str, ending: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned());
    names.filter(|name| name.ends_with(ending)).collect()
}

/// The tests of a file, as `module::function`.
fn tests(module: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let marked = lines.iter().enumerate().filter(|(_, line)| {
        let line = line.trim();
        line == "#[test]"
            || line.starts_with("#[tokio::test")
            || line.starts_with("#![proptest")
            || line == "#[ignore]"
    });
    let names = marked.filter_map(|(index, _)| {
        let signature = lines[index..].iter().find(|line| line.contains("fn "))?;
        signature.split("fn ").nth(1)?.split('(').next()
    });
    names.map(|name| format!("{module}::{name}")).collect()
}

/// The tests that a list of promises makes on what is embedded.
fn promises(module: &str, text: &str) -> Vec<String> {
    let Some((head, list)) = text.split_once("\npromises! {") else { return Vec::new() };
    let embedded = head.lines().find_map(|line| line.trim().strip_prefix("mod embedded_"));
    let embedded = embedded.unwrap().trim_end_matches(" {");
    let names = list.lines().map(str::trim).filter(|line| {
        !line.is_empty() && line.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    });
    names.map(|name| format!("{module}::embedded_{embedded}::{name}")).collect()
}

/// The tests below a folder, each under the modules that the folders and files make.
fn tests_below(folder: &Path, modules: &str, suffix: &str, all: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_stem().unwrap().to_str().unwrap();
        if entry.is_dir() {
            tests_below(&entry, &format!("{modules}{name}::"), suffix, all);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            let module = if name == "mod" {
                format!("{modules}{suffix}")
            } else {
                format!("{modules}{name}::{suffix}")
            };
            let (module, text) = (module.trim_end_matches("::"), read(&entry));
            all.extend(tests(module, &text).into_iter().chain(promises(module, &text)));
        }
    }
}

fn all_tests() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (folder, modules, suffix) in [
        ("tests/it", "", ""),
        ("crates/scim-core/tests", "", ""),
        ("crates/scim-core/src", "scim-core ", "tests"),
        ("src", "", "tests"),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        tests_below(&folder, modules, suffix, &mut all);
    }
    all
}

fn vector_ids(name: &str) -> BTreeSet<String> {
    let vectors: serde_json::Value =
        serde_json::from_str(&read(format!("tests/vectors/{name}.json"))).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    cases.map(|case| format!("{name} {}", case["id"].as_str().unwrap())).collect()
}

#[test]
fn every_test_that_the_list_of_requirements_names_exists() {
    let known: BTreeSet<String> =
        [all_tests(), vector_ids("filters"), vector_ids("patch")].into_iter().flatten().collect();
    let list = read("docs/CONFORMANCE.md");
    let mut named = 0;
    for row in list.lines().filter(|line| {
        line.starts_with("| ") && !line.starts_with("| section") && !line.starts_with("|---")
    }) {
        let holder = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(!holder.contains("PENDING") && !holder.contains("TEST MISSING"), "{row}");
        let tests: Vec<&str> = holder
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| {
                name.contains("::") || name.starts_with("filters f") || name.starts_with("patch p")
            })
            .collect();
        let excuse = ["client", "operator", "no"].iter().any(|word| holder.starts_with(word));
        assert!(!tests.is_empty() || excuse, "nothing holds: {row}");
        for test in tests {
            assert!(known.contains(test), "{test} does not exist: {row}");
            named += 1;
        }
    }
    assert!(named > 200, "{named}");
}

#[test]
fn every_rule_names_the_tests_that_turn_red_without_it() {
    let known = all_tests();
    let patches = files("tests/rules", ".patch");
    assert!(patches.len() >= 30, "{}", patches.len());
    for patch in patches {
        let text = read(&patch);
        let header = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
        };
        assert!(header("Rule: ").len() > 20, "{patch}");
        let red = header("Red: ");
        let red = red.strip_prefix("scim-core ").unwrap_or(&red);
        assert!(!red.is_empty(), "{patch}");
        for test in red.split(' ') {
            assert!(
                known.contains(test) || known.contains(&format!("scim-core {test}")),
                "{patch}: {test}"
            );
        }
    }
}
