//! `docs/PROFILES.md` and `docs/LIFE.md` say what the code does: their tables are generated from
//! it.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::Additions;
use scim_lambda::directory::states::{Event, State};
use scim_lambda::tenant::profile::{IDPS, PRESETS, SETTINGS, Setting, Takes, settings};
use scim_lambda::tenant::{Profile, ServedTypes};
use serde_json::{Value, json};

use crate::support::documents::{hold_table, markdown, read, root};

const PROFILES: &str = "docs/PROFILES.md";
const LIFE: &str = "docs/LIFE.md";

/// The words that a setting accepts, if it accepts nothing else.
fn words(path: &str) -> &'static [&'static str] {
    match Setting::find(path).map(|setting| setting.takes) {
        Some(Takes::Word(words) | Takes::Words(words)) => words,
        _ => &[],
    }
}

/// The values that a setting accepts, in a cell.
fn values(setting: &Setting) -> String {
    let quoted = |words: &[&str]| {
        words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    };
    let taken = match setting.takes {
        Takes::Boolean => "`true`, `false`".into(),
        Takes::Word(words) => quoted(words),
        Takes::Words(words) => format!("list of {}", quoted(words)),
        Takes::Number(0, u32::MAX) => "number".into(),
        Takes::Number(least, most) => format!("number from {least} to {most}"),
        Takes::Text => "text".into(),
        Takes::Paths => "list of paths".into(),
        Takes::Attributes => "list of attributes".into(),
        Takes::Schemas => "list of schemas".into(),
    };
    if setting.nullable { format!("{taken}, `null`") } else { taken }
}

/// A value in a cell.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(all) if all.is_empty() => "none".into(),
        Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(definition) => shown(definition.get("id").unwrap_or(&definition["name"])),
        Value::String(text) if text.is_empty() => "none".into(),
        Value::String(text) => format!("`{text}`"),
        value => format!("`{value}`"),
    }
}

#[test]
fn every_setting_is_listed_with_its_values_its_default_and_a_meaning() {
    let defaults: BTreeMap<String, Value> =
        Profile::default().flat().unwrap().into_iter().collect();
    let listed = SETTINGS.iter().map(|setting| {
        assert!(setting.meaning.len() > 10, "{} has no meaning", setting.path);
        vec![
            format!("`{}`", setting.path),
            values(setting),
            shown(&defaults[setting.path]),
            setting.meaning.to_owned(),
        ]
    });
    hold_table(
        PROFILES,
        "settings",
        &markdown(&["setting", "values", "default", "meaning"], listed),
    );
}

#[test]
fn the_presets_are_listed_with_what_they_set() {
    let mut names: Vec<&str> =
        PRESETS.iter().map(|(name, _)| *name).filter(|name| *name != "default").collect();
    names.sort_by_key(|name| *name == "strict");
    let of = |name: &str| Profile::preset(name, None).unwrap().flat().unwrap();
    let defaults = Profile::default().flat().unwrap();
    let presets: Vec<_> = names.iter().map(|name| of(name)).collect();
    let listed = defaults.iter().enumerate().filter(|(_, (path, _))| path != "preset").filter_map(
        |(at, default)| {
            let cells: Vec<String> = presets
                .iter()
                .map(
                    |preset| {
                        if preset[at] == *default { String::new() } else { shown(&preset[at].1) }
                    },
                )
                .collect();
            let row = std::iter::once(format!("`{}`", default.0))
                .chain(cells.iter().cloned())
                .collect::<Vec<_>>();
            cells.iter().any(|cell| !cell.is_empty()).then_some(row)
        },
    );
    let header: Vec<&str> = std::iter::once("setting").chain(names.iter().copied()).collect();
    hold_table(PROFILES, "presets", &markdown(&header, listed));
}

#[test]
fn the_dialects_are_listed_with_what_they_set() {
    let idps: Value = serde_json::from_str(IDPS).unwrap();
    let listed = idps.as_object().unwrap().iter().map(|(idp, of)| {
        let sets = settings(&of["sets"])
            .into_iter()
            .map(|(path, value)| format!("`{path}` {}", shown(&value)));
        let mut sources: Vec<(&str, Vec<String>)> = Vec::new();
        for (path, source) in of["sources"].as_object().unwrap() {
            let (source, path) = (source.as_str().unwrap(), format!("`{path}`"));
            match sources.iter_mut().find(|(known, _)| *known == source) {
                Some((_, paths)) => paths.push(path),
                None => sources.push((source, vec![path])),
            }
        }
        let sources = sources
            .into_iter()
            .map(|(source, paths)| format!("{source} to {}", paths.join(" and ")));
        let name = of["name"].as_str().unwrap().to_owned();
        let none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
        vec![
            format!("`{idp}`"),
            name,
            none(sets.collect::<Vec<_>>().join(", ")),
            none(sources.collect::<Vec<_>>().join(", ")),
        ]
    });
    hold_table(
        PROFILES,
        "dialects",
        &markdown(&["`--idp`", "identity provider", "sets", "what to map"], listed),
    );
}

#[test]
fn every_preset_with_every_dialect_is_valid_and_survives_its_row() {
    let idps: Value = serde_json::from_str(IDPS).unwrap();
    for (name, text) in PRESETS {
        for idp in idps.as_object().unwrap().keys() {
            let profile = Profile::preset(name, Some(idp))
                .unwrap_or_else(|wrong| panic!("{name}, {idp}: {wrong}"));
            assert_eq!(Profile::read(&profile.write().unwrap()).unwrap(), profile, "{name}, {idp}");
        }
        let profile = Profile::preset(name, None).unwrap();
        let said = serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(profile.over(said.clone()).unwrap(), profile, "{name}");
        // A definition is complete after it has been stored in a row and read back.
        let kept: Value = serde_json::from_str(&profile.write().unwrap()).unwrap();
        for (path, value) in settings(&said) {
            let at = format!("/{}", path.replace('.', "/"));
            assert!(
                contains(kept.pointer(&at).unwrap(), &value),
                "{name}: {path} lost something of {value}"
            );
        }
    }
}

/// Whether a document contains everything in another one.
fn contains(document: &Value, part: &Value) -> bool {
    match (document, part) {
        (Value::Object(document), Value::Object(part)) => part
            .iter()
            .all(|(name, part)| document.get(name).is_some_and(|value| contains(value, part))),
        (Value::Array(document), Value::Array(part)) => {
            document.len() == part.len()
                && document.iter().zip(part).all(|(value, part)| contains(value, part))
        }
        (value, part) => value == part,
    }
}

#[test]
fn the_overlay_and_extension_example_is_a_valid_profile() {
    let document = read(PROFILES);
    let example = document.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let profile = Profile::default().over(serde_json::from_str(example).unwrap()).unwrap();
    assert!(!profile.attributes.overlay.is_empty() && !profile.attributes.extensions.is_empty());
}

#[test]
fn the_documented_error_for_a_required_attribute_is_the_real_one() {
    let document = read(PROFILES);
    for idp in [Some("entra"), None] {
        let profile = Profile::preset("default", idp)
            .unwrap()
            .with("attributes.required", "[\"emails\"]")
            .unwrap();
        let types = ServedTypes::new(&profile, &Additions::default()).unwrap();
        let body = json!({ "userName": "a" }).as_object().unwrap().clone();
        let refused =
            types.at("Users").unwrap().definition.parse(body, profile.dialect()).unwrap_err();
        let (_, advice) = refused.detail.split_once("has no value. ").unwrap();
        let said = if idp.is_some() { &refused.detail } else { advice };
        assert!(document.contains(said), "{PROFILES} does not say: {said}");
    }
}

#[test]
fn contradictory_settings_are_refused() {
    for settings in [
        json!({ "create": { "existing": "link", "link_on": [] } }),
        json!({ "operations": { "deactivate": "off" }, "deprovision": { "on_delete": "refuse" } }),
        json!({ "create": { "inactive": "refuse" }, "seats": { "limit": 1, "when_full": "create_inactive" } }),
        json!({ "attributes": { "email": "from_user_name", "required": ["emails"] } }),
        json!({ "attributes": { "required": ["shoeSize"] } }),
        json!({ "attributes": { "kept": ["shoeSize"] } }),
        json!({ "attributes": { "kept": ["title"], "required": ["name.givenName"] } }),
        json!({ "attributes": { "overlay": [{ "name": "role", "type": "string", "closed": true }] } }),
        json!({ "attributes": { "overlay": [{ "schema": "urn:x", "name": "role", "type": "string" }] } }),
        json!({ "address": { "base_url": "http://scim.example.com/scim/v2" } }),
        json!({ "address": { "base_url": "https://scim.example.com" } }),
        json!({ "address": { "base_url": "https://scim.example.com/scim/v2/" } }),
        json!({ "address": { "base_url": "https://scim.example.com/scim/v2", "host": "other.example.com" } }),
        json!({ "address": { "base_path": "https://scim.example.com/scim/v2" } }),
        json!({ "address": { "base_path": "api/scim" } }),
        json!({ "address": { "base_path": "/" } }),
        json!({ "address": { "base_path": "/api/../scim" } }),
        json!({ "address": { "base_path": "/api/scim/Users" } }),
    ] {
        let why = Profile::default().over(settings.clone()).expect_err(&settings.to_string()).0;
        assert!(
            why.len() > 20 && !why.contains("unknown variant") && !why.contains("invalid type"),
            "{why}"
        );
    }
}

/// The words of a name in Rust, in lower case.
fn small(name: &impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for c in format!("{name:?}").chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[test]
fn documented_transitions_match_the_code() {
    let default = Profile::default();
    let events = Event::ALL.map(|event| small(&event));
    let header: Vec<&str> =
        std::iter::once("state").chain(events.iter().map(String::as_str)).collect();
    let listed = State::ALL.iter().map(|state| {
        let cells = Event::ALL.iter().map(|event| {
            let step = state.step(*event);
            match state.after(step, &default) {
                same if same == *state => small(&step),
                next => format!("{} → {}", small(&step), small(&next)),
            }
        });
        std::iter::once(small(state)).chain(cells).collect()
    });
    hold_table(LIFE, "transitions", &markdown(&header, listed));
}

#[test]
fn documented_policy_changes_match_the_code() {
    let default = Profile::default();
    let mut listed = Vec::new();
    for Setting { path, .. } in SETTINGS {
        for word in words(path) {
            let Ok(profile) = default.with(path, word) else { continue };
            let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for state in State::ALL {
                for event in Event::ALL {
                    let step = state.step(event);
                    let (usually, here) =
                        (state.after(step, &default), state.after(step, &profile));
                    if usually != here {
                        let change = format!("{}, not {}", small(&here), small(&usually));
                        places.entry(change).or_default().insert(format!(
                            "{} in {}",
                            small(&event),
                            small(&state)
                        ));
                    }
                }
            }
            for (change, places) in places {
                let places = places.into_iter().collect::<Vec<_>>().join("; ");
                listed.push(vec![format!("`{path}={word}`"), places, change]);
            }
        }
    }
    assert!(!listed.is_empty());
    hold_table(LIFE, "policies", &markdown(&["setting", "event in state", "leads to"], listed));
}

#[test]
fn every_state_and_every_event_is_explained() {
    let life = read(LIFE);
    let names = State::ALL.iter().map(small).chain(Event::ALL.iter().map(small));
    for name in names {
        assert!(life.contains(&format!("* *{name}*: ")), "{LIFE} does not say what {name} is");
    }
}

/// The documents of people, with the folder from which their links lead.
fn documents() -> Vec<(String, &'static str)> {
    let in_folder = |folder: &'static str| {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
        names.into_iter().map(move |name| (format!("{folder}{name}"), folder))
    };
    let folders = ["docs/", "docs/decisions/", "docs/idp/"].into_iter();
    let mut documents: Vec<_> = folders.flat_map(in_folder).collect();
    documents.extend([("README.md".to_owned(), ""), ("CHANGELOG.md".to_owned(), "")]);
    documents
}

#[test]
fn every_file_that_the_documents_name_exists() {
    let mut named = 0;
    for (document, folder) in documents() {
        let text = read(&document);
        let quoted = text.split('`').skip(1).step_by(2).filter(|word| {
            let ends = [".rs", ".json", ".md", ".yaml"].iter().any(|end| word.ends_with(end));
            let is_path = !word.contains(char::is_whitespace) && !word.contains(['*', '{', '<']);
            ends && word.contains('/') && !word.starts_with('/') && is_path
        });
        for path in quoted {
            // A room is named without the folder of its crate.
            let folders = ["", "src/", "crates/scim-core/src/", "crates/scimctl/src/"];
            let exists = folders.iter().any(|base| root().join(base).join(path).exists());
            assert!(exists, "{document} names {path}");
            named += 1;
        }
        let linked = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in linked.filter(|link| !link.contains("://") && !link.is_empty()) {
            assert!(root().join(folder).join(link).exists(), "{document} links to {link}");
        }
    }
    assert!(named > 50, "{named}");
}
