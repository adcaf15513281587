//! Which file uses which: there are no circles, and no folder uses one above it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::source::{PACKAGES, code, files, read, relative, without_visibilities};

/// A module as a path from the root of its crate.
type Module = Vec<String>;

/// The files of a package by the modules that they define, and what each re-exports.
struct Package {
    files: BTreeMap<Module, String>,
    paths: BTreeMap<Module, Vec<Import>>,
}

/// A path that a file names, from the root of its crate.
#[derive(Debug, Clone)]
struct Import {
    path: Vec<String>,
    /// The name by which the file passes it on, if it does.
    exported: Option<String>,
}

impl Package {
    fn read(folder: &str) -> Self {
        let mut package = Self { files: BTreeMap::new(), paths: BTreeMap::new() };
        for path in files(folder, ".rs") {
            package.files.insert(module(folder, &path), relative(&path));
        }
        for (module, file) in &package.files {
            package.paths.insert(module.clone(), imports(&code(&read(file)), module));
        }
        package
    }

    /// The module of a file that defines what a path names. Re-exports are followed.
    fn definer(&self, path: &[String], follows: usize) -> Option<&Module> {
        let length =
            (0..=path.len()).rev().find(|length| self.files.contains_key(&path[..*length]))?;
        let (module, _) = self.files.get_key_value(&path[..length])?;
        let Some(name) = path.get(length).filter(|_| follows > 0) else { return Some(module) };
        let exports = self.paths.get(module)?;
        let export = exports.iter().find(|import| import.exported.as_ref() == Some(name));
        match export {
            Some(export) => {
                let rest = path.get(length + 1..).unwrap_or_default();
                self.definer(&[&export.path, rest].concat(), follows - 1)
            }
            None => Some(module),
        }
    }

    /// The files that each file uses.
    fn arrows(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut arrows = BTreeMap::new();
        for (module, file) in &self.files {
            let used: BTreeSet<&str> = self.paths[module]
                .iter()
                .filter_map(|import| self.definer(&import.path, 8))
                .map(|module| self.files[module].as_str())
                .filter(|used| used != file)
                .collect();
            arrows.insert(file.as_str(), used);
        }
        arrows
    }
}

/// The module that a file defines.
fn module(folder: &str, path: &Path) -> Module {
    let relative = relative(path);
    let inner = relative.strip_prefix(folder).unwrap().trim_start_matches('/');
    let mut module: Module = inner.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if ["mod", "lib"].contains(&module.last().unwrap().as_str()) {
        module.pop();
    }
    module
}

/// The paths within its crate that the code of a module names.
fn imports(code: &str, module: &Module) -> Vec<Import> {
    let children: BTreeSet<&str> = code
        .lines()
        .filter_map(|line| line.trim().strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| name))
        .collect();
    let mut found = Vec::new();
    let (uses, rest) = statements(code);
    for (statement, is_exported) in uses {
        for path in expanded(&statement) {
            let (path, name) =
                path.split_once(" as ").map_or((&*path, None), |(p, n)| (p, Some(n)));
            let segments: Vec<&str> = path.split("::").map(str::trim).collect();
            let Some(path) = absolute(&segments, module, &children) else { continue };
            let name = name.map(str::to_owned).or_else(|| path.last().cloned());
            found.push(Import { path, exported: name.filter(|_| is_exported) });
        }
    }
    let rest = without_visibilities(&rest);
    let is_of_a_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for word in rest.split(|c| !is_of_a_path(c)) {
        let segments: Vec<&str> = word.split("::").filter(|segment| !segment.is_empty()).collect();
        let path = absolute(&segments, module, &children).filter(|_| segments.len() > 1);
        found.extend(path.map(|path| Import { path, exported: None }));
    }
    found
}

/// The `use` statements of a file, each with whether it re-exports, and all other code.
fn statements(code: &str) -> (Vec<(String, bool)>, String) {
    let (mut uses, mut rest) = (Vec::new(), String::new());
    for statement in code.split_inclusive(';') {
        match statement.rfind("use ") {
            Some(at) if statement[at..].ends_with(';') && is_visibility(&statement[..at]) => {
                let line = statement[..at].rsplit('\n').next().unwrap_or_default();
                let path = statement[at + 4..].trim_end_matches(';').replace('\n', " ");
                uses.push((path, line.contains("pub")));
                rest.push_str(statement[..at].strip_suffix(line).unwrap_or_default());
            }
            _ => rest.push_str(statement),
        }
    }
    (uses, rest)
}

/// Whether the last line of this text may stand before `use`.
fn is_visibility(text: &str) -> bool {
    let line = text.rsplit('\n').next().unwrap_or_default().trim();
    line.is_empty() || line.starts_with("pub")
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn expanded(statement: &str) -> Vec<String> {
    let Some((before, group)) = statement.split_once('{') else {
        return vec![statement.trim().to_owned()];
    };
    let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(expanded).map(|part| format!("{}{part}", before.trim())).collect()
}

/// A path from the root of the crate, if it names something in the crate.
fn absolute(segments: &[&str], module: &Module, children: &BTreeSet<&str>) -> Option<Vec<String>> {
    let mut base = module.clone();
    let mut rest = segments;
    match segments.first()? {
        &"crate" => {
            base.clear();
            rest = &rest[1..];
        }
        &"self" => rest = &rest[1..],
        &"super" => {
            while rest.first() == Some(&"super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        child if children.contains(child) => {}
        _ => return None,
    }
    let rest = rest.iter().filter(|segment| **segment != "self" && **segment != "*");
    base.extend(rest.map(|segment| (*segment).to_owned()));
    Some(base)
}

/// The files that an arrow, or a way of several arrows, leads to.
fn reached<'a>(file: &str, arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&str> = arrows[file].iter().copied().collect();
    while let Some(next) = waiting.pop() {
        if reached.insert(next) {
            waiting.extend(&arrows[next]);
        }
    }
    reached
}

/// The groups of files that use each other in a circle.
fn circles<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<Vec<&'a str>> {
    let all: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|file| (*file, reached(file, arrows))).collect();
    let circle = |file: &&'a str| {
        let each = all[file].iter().filter(|other| all[*other].contains(file));
        each.copied().collect::<Vec<_>>()
    };
    arrows.keys().map(circle).filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    for package in PACKAGES {
        let read = Package::read(package);
        let arrows = read.arrows();
        assert!(arrows.values().any(|used| !used.is_empty()), "{package} has no imports at all");
        assert_eq!(circles(&arrows), BTreeSet::new(), "{package}: files in circles");
    }
}

/// A package, a folder of it, and its floors, the lowest first: a file uses only files of its own
/// floor and of those below it. A floor is a folder or a file.
const FLOORS: &[(&str, &str, &[&str])] = &[
    (
        "crates/scim-core/src",
        "",
        &[
            "error.rs",
            "json.rs",
            "canonical.rs",
            "value.rs",
            "envelope.rs",
            "schema/",
            "resource/",
            "filter/",
            "patch/",
            "message/",
            "lib.rs",
        ],
    ),
    ("src", "store/", &["engine/", "model/", "rows/", "read/", "write/", "mod.rs"]),
    ("src", "budget/", &["limits.rs", "account.rs", "shares.rs", "mod.rs"]),
];

#[test]
fn a_floor_uses_only_the_floors_below_it() {
    for (package, folder, floors) in FLOORS {
        let read = Package::read(package);
        let floor = |file: &str| {
            let inner = file.strip_prefix(package)?.trim_start_matches('/').strip_prefix(folder)?;
            let floor = floors.iter().position(|floor| inner.starts_with(floor));
            Some(floor.unwrap_or_else(|| panic!("{file} is on no floor")))
        };
        for (file, used) in read.arrows() {
            let Some(height) = floor(file) else { continue };
            for other in used {
                let below = floor(other).is_none_or(|other| other <= height);
                assert!(below, "{file} uses {other}, which is on a floor above it");
            }
        }
    }
}

#[test]
fn the_engine_knows_no_scim_and_the_model_no_dynamodb() {
    for (folder, word) in [("src/store/engine", "scim_core"), ("src/store/model", "aws_")] {
        for path in files(folder, ".rs") {
            assert!(!read(&path).contains(word), "{} names {word}", relative(&path));
        }
    }
}

#[test]
fn imports_are_read_in_all_their_forms() {
    let code = "use super::{a::{B, c}, d::E as F};\npub(crate) use child::G;\nmod child;\nuse \
        std::fmt;\npub(in crate::x::y) fn f() { crate::h::i(); self::child::j(); k::l(); }\n";
    let module = vec!["m".to_owned(), "n".to_owned()];
    let found: Vec<String> = imports(code, &module)
        .into_iter()
        .map(|import| format!("{}{}", import.path.join("::"), import.exported.map_or("", |_| "!")))
        .collect();
    assert_eq!(
        found,
        ["m::a::B", "m::a::c", "m::d::E", "m::n::child::G!", "h::i", "m::n::child::j"]
    );
}

#[test]
fn a_circle_is_found() {
    let arrows = |pairs: &[(&'static str, &'static str)]| {
        let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, to) in pairs {
            arrows.entry(from).or_default().insert(to);
            arrows.entry(to).or_default();
        }
        arrows
    };
    assert!(circles(&arrows(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    let found = circles(&arrows(&[("a", "b"), ("b", "c"), ("c", "b"), ("d", "d")]));
    assert_eq!(found, [vec!["b", "c"], vec!["d"]].into());
}
