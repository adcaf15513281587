//! The modules of this crate are layers: each uses only those before it.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

/// The modules at the root, from the lowest to the highest.
const LAYERS: [&str; 10] = [
    "error",
    "json",
    "canonical",
    "value",
    "envelope",
    "schema",
    "resource",
    "filter",
    "patch",
    "message",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of a layer, each with its path.
fn files(layer: &str) -> Vec<(PathBuf, String)> {
    let file = source().join(format!("{layer}.rs"));
    let paths = if file.exists() {
        vec![file]
    } else {
        let entries = fs::read_dir(source().join(layer)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let text = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    paths.into_iter().filter(|path| path.is_file()).map(text).collect()
}

#[test]
fn a_layer_uses_only_those_before_it() {
    for (index, layer) in LAYERS.iter().enumerate() {
        for (path, text) in files(layer) {
            assert!(!text.contains("use crate::{"), "{}: import one module a line", path.display());
            for above in LAYERS.iter().skip(index + 1) {
                let imports = format!("use crate::{above}::");
                assert!(!text.contains(&imports), "{} uses {above}", path.display());
            }
        }
    }
}

#[test]
fn every_module_has_a_layer() {
    for entry in fs::read_dir(source()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(name == "lib" || LAYERS.contains(&name), "{name} has no layer");
    }
}
