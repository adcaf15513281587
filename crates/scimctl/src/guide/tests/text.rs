//! What all guides have in common.

use scim_core::Additions;
use scim_lambda::tenant::profile::IDPS;
use scim_lambda::tenant::{Profile, ServedTypes};
use serde_json::Value;

use super::support::{all, choice, codes, made, section};
use crate::guide::mapping::is_kept;
use crate::guide::source::GUIDES;

/// The sections of a guide, in their order.
const SECTIONS: [&str; 9] = [
    "Before you begin",
    "Set it up",
    "Map the attributes",
    "What happens",
    "Groups",
    "Check that it works",
    "Good to know",
    "Renew the token",
    "If something is refused",
];

#[test]
fn all_have_the_same_sections_and_no_place_is_left() {
    for (guide, preset, page) in all() {
        let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
        let headings: Vec<&str> = headings.collect();
        assert_eq!(headings[..9], SECTIONS, "{}, {preset}", guide.page);
        assert_eq!(headings[9..], ["For the operator of the product"], "{}", guide.page);
        assert!(page.starts_with("# Connect "), "{}", guide.page);
        for rest in ["{{", "}}", "<!--", "\n\n\n", " \n", "null", "None", "()"] {
            assert!(!page.contains(rest), "{}, {preset}: {rest:?}", guide.page);
        }
        for heading in headings {
            let section = section(&page, heading);
            assert!(section.trim().len() > 20, "{}, {preset}: {heading}", guide.page);
        }
    }
}

#[test]
fn each_step_is_numbered_names_a_button_and_says_what_appears() {
    for (guide, preset, page) in all() {
        let steps = section(&page, "Set it up").trim();
        let mut count = 0;
        let mut rest = steps;
        while let Some(step) = rest.strip_prefix(&format!("{}. ", count + 1)) {
            count += 1;
            let next = step.find(&format!("\n{}. ", count + 1)).unwrap_or(step.len());
            let text = &step[..next];
            assert!(text.contains("**"), "{}: {text}", guide.page);
            assert!(text.contains("   You see "), "{}: {text}", guide.page);
            rest = step[next..].trim_start();
        }
        assert_eq!(rest, "", "{}, {preset}: all are steps", guide.page);
        assert!((5..=10).contains(&count), "{}, {preset}: {count} steps", guide.page);
    }
}

#[test]
fn a_page_is_at_most_two_screens_before_the_refusals() {
    for guide in GUIDES {
        let page = made(guide, "default");
        let (before, _) = page.split_once("\n## If something is refused").unwrap();
        let lines = before.lines().filter(|line| !line.is_empty()).count();
        assert!(lines <= 90, "{}: {lines} lines", guide.page);
    }
}

/// Words in the guides that are code, but no attributes of users and groups.
const WORDS: [&str; 8] = [
    "/Users",
    "/Groups",
    "2.0",
    "user_create_provision",
    "If-Match",
    "discovery.etag=off",
    "/opt/keycloak/providers",
    "urn:scim:schemas:core:1.0",
];

#[test]
fn texts_and_sources_name_real_attributes() {
    let types = ServedTypes::new(&Profile::default(), &Additions::default()).unwrap();
    let users = types.at("Users").unwrap();
    for guide in GUIDES {
        for word in codes(guide.template()) {
            let is_always_there = ["userName", "externalId", "active", "id"].contains(&word);
            assert!(is_always_there || WORDS.contains(&word), "{}: {word}", guide.page);
        }
        let own = guide.own_sources().unwrap();
        let idps: Value = serde_json::from_str(IDPS).unwrap();
        for (path, source) in &own {
            assert!(is_kept(users, path), "{}: {path}", guide.page);
            assert!(!source.is_empty(), "{}: {path}", guide.page);
            let advised = &idps[guide.idp]["sources"][path];
            assert!(advised.is_null(), "{}: error messages already say {path}", guide.page);
        }
        let all = choice(guide).sources().unwrap();
        let has = |path: &str| all.iter().any(|(known, _)| known == path);
        for path in ["userName", "active", "name.givenName", "name.familyName"] {
            assert!(has(path), "{}: {path}", guide.page);
        }
    }
}
