//! The table of settings against the types of a profile.

use serde_json::{Value, json};

use super::document::{nested, settings};
use super::model::Profile;
use super::table::{SETTINGS, Setting};
use super::takes::Takes::{Word, Words};

fn documented() -> Vec<(String, Value)> {
    settings(&serde_json::to_value(Profile::default()).unwrap())
}

/// The default profile with one value, as the types of a profile read it.
fn read(path: &str, value: &Value) -> Result<Profile, serde_json::Error> {
    let mut document = serde_json::to_value(Profile::default()).unwrap();
    let pointer = format!("/{}", path.replace('.', "/"));
    *document.pointer_mut(&pointer).expect("the setting is in a profile") = value.clone();
    serde_json::from_value(document)
}

#[test]
fn the_table_has_each_setting_of_a_profile_and_no_other() {
    let paths: Vec<String> = documented().into_iter().map(|(path, _)| path).collect();
    let listed: Vec<&str> = SETTINGS.iter().map(|setting| setting.path).collect();
    assert_eq!(listed, paths);
}

#[test]
fn the_table_takes_the_values_that_the_types_take() {
    let samples = [
        json!(null),
        json!(true),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(u64::from(u32::MAX) + 1),
        json!("text"),
        json!([]),
        json!(["text"]),
        json!([7]),
        json!([{}]),
        json!([{ "name": "a", "type": "string" }]),
        json!([{ "id": "a", "name": "a", "attributes": [] }]),
    ];
    for setting in SETTINGS {
        for sample in &samples {
            assert_eq!(
                setting.check(sample).is_ok(),
                read(setting.path, sample).is_ok(),
                "{}: {sample}",
                setting.path
            );
        }
    }
}

#[test]
fn the_table_has_each_word_that_the_types_have() {
    for setting in SETTINGS {
        let (words, sample) = match setting.takes {
            Word(words) => (words, json!("?")),
            Words(words) => (words, json!(["?"])),
            _ => continue,
        };
        // The parser's message is the only place that lists the variants of a type.
        let message = read(setting.path, &sample).unwrap_err().to_string();
        let listed: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        assert_eq!(listed, words, "{}: {message}", setting.path);
    }
}

#[test]
fn the_table_takes_every_default() {
    for (path, value) in documented() {
        Setting::find(&path).unwrap().check(&value).unwrap();
        assert_eq!(nested(&path, &value.to_string()).as_object().unwrap().len(), 1);
    }
}
