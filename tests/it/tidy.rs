//! The house's own rules, checked by reading its files.

mod imports;
mod links;
mod sizes;
mod source;
mod words;

use std::path::PathBuf;

use source::{files, read, relative, root};

/// Each room with the rooms below it, which it may use.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "edge",
        &[
            "operator",
            "events",
            "auth",
            "directory",
            "tenant",
            "store",
            "settings",
            "budget",
            "telemetry",
            "reason",
            "clock",
            "random",
        ],
    ),
    ("events", &["directory", "tenant", "store", "settings", "telemetry"]),
    (
        "operator",
        &["auth", "directory", "tenant", "store", "settings", "reason", "clock", "random"],
    ),
    ("auth", &["tenant", "store", "sdk", "telemetry", "reason", "clock", "random"]),
    ("directory", &["tenant", "store", "budget", "reason", "clock"]),
    ("tenant", &["store", "reason", "clock"]),
    ("store", &["budget", "sdk", "telemetry", "random"]),
    ("budget", &["telemetry"]),
    ("sdk", &[]),
    ("settings", &["telemetry"]),
    ("telemetry", &[]),
    ("reason", &[]),
    ("clock", &[]),
    ("random", &[]),
];

/// The files of a room, with their text.
fn room(name: &str) -> Vec<(PathBuf, String)> {
    let file = root().join(format!("src/{name}.rs"));
    let paths =
        if file.exists() { vec![file] } else { files(root().join("src").join(name), ".rs") };
    paths.into_iter().map(|path| (path.clone(), read(path))).collect()
}

#[test]
fn a_room_knows_only_the_rooms_below_it() {
    for (name, below) in ROOMS {
        for (path, text) in room(name) {
            assert!(
                !text.contains("crate::{"),
                "{}: one use line a room, so that this test can read it",
                path.display()
            );
            for (other, _) in ROOMS {
                let uses = text.contains(&format!("crate::{other}::"))
                    || text.contains(&format!("crate::{other};"));
                assert!(
                    !uses || other == name || below.contains(other),
                    "{} uses {other}",
                    path.display()
                );
            }
        }
    }
    let listed = files(root().join("src"), ".rs").len();
    let roomed: usize = ROOMS.iter().map(|(name, _)| room(name).len()).sum();
    assert_eq!(listed, roomed + 2, "every file but lib.rs and main.rs is in a room");
}

#[test]
fn only_the_store_and_the_token_secrets_name_the_sdk() {
    for path in files(root().join("src"), ".rs") {
        let relative = relative(&path);
        let may = relative.starts_with("src/store/")
            || relative.starts_with("src/sdk/")
            || relative == "src/auth/secrets_manager.rs"
            || relative == "src/main.rs";
        assert!(may || !read(&path).contains("aws_"), "{relative} names the SDK");
    }
}

#[test]
fn only_settings_reads_the_environment_and_every_variable_is_declared_and_explained() {
    for path in files(root().join("src"), ".rs") {
        let reads =
            ["env::var", "env::vars", "option_env!"].iter().any(|call| read(&path).contains(call));
        assert_eq!(reads, path.ends_with("settings.rs"), "{}", path.display());
    }
    let settings = read("src/settings.rs");
    let code = settings.split("#[cfg(test)]").next().unwrap();
    let mut variables: Vec<_> =
        code.split('"').filter(|word| word.starts_with("SCIM_") && !word.contains(' ')).collect();
    variables.sort_unstable();
    variables.dedup();
    assert!(variables.len() >= 5, "{variables:?}");
    for place in ["template.yaml", "docs/OPERATIONS.md"] {
        let text = read(place);
        for variable in &variables {
            assert!(text.contains(variable), "{place} lacks {variable}");
        }
    }
}

#[test]
fn every_write_is_a_transaction_and_nothing_scans() {
    for path in files(root().join("src"), ".rs") {
        let text = read(&path);
        for call in [".put_item(", ".update_item(", ".delete_item(", ".batch_write_item(", ".scan("]
        {
            assert!(!text.contains(call), "{} calls {call}", path.display());
        }
        // The reader of a batch asks again for the rows that DynamoDB leaves out of it.
        assert!(
            !text.contains(".batch_get_item(") || path.ends_with("batch_get.rs"),
            "{}",
            path.display()
        );
        assert!(
            !text.contains(".transact_write_items(") || path.ends_with("transaction.rs"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn main_is_short_and_decides_nothing() {
    let main = read("src/main.rs");
    assert!(main.lines().count() <= 40 && !main.contains("if ") && !main.contains("match "));
}

#[test]
fn the_changelog_describes_this_version() {
    assert!(read("CHANGELOG.md").contains(&format!("## [{}]", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn the_data_model_explains_every_partition() {
    let model = read("docs/DATA_MODEL.md");
    let mut partitions: Vec<String> = ["#U", "#G", "#Z"].map(str::to_owned).into();
    for file in ["tenant_key.rs", "collection.rs"] {
        let text = read(format!("src/store/model/{file}"));
        let made = text.split("format!(\"{}#").skip(1).filter_map(|rest| rest.chars().next());
        partitions.extend(made.filter(char::is_ascii_uppercase).map(|letter| format!("#{letter}")));
    }
    assert!(partitions.len() > 10, "{partitions:?}");
    for partition in partitions {
        assert!(model.contains(&format!("t{partition}")), "docs/DATA_MODEL.md lacks {partition}");
    }
}
