//! What a guide says about a profile.

use std::collections::BTreeSet;

use scim_core::Additions;
use scim_lambda::reason::Reason;
use scim_lambda::tenant::ServedTypes;
use serde_json::{Value, json};

use super::support::{all, codes, made, profile, restricted, rows, section};
use crate::guide::mapping::is_kept;
use crate::guide::source::Choice;

#[test]
fn a_guide_maps_only_attributes_that_the_profile_keeps() {
    for (guide, preset, page) in all() {
        let types = ServedTypes::new(&profile(preset, guide.idp, json!({})), &Additions::default());
        let types = types.unwrap();
        let users = types.at("Users").unwrap();
        let rows = rows(section(&page, "Map the attributes"));
        let mapped: Vec<&str> = rows.iter().map(|row| codes(&row[0])[0]).collect();
        assert_eq!(mapped[..3], ["userName", "externalId", "active"], "{}, {preset}", guide.page);
        assert_eq!(rows[0][2..], ["yes", "one"], "{}, {preset}", guide.page);
        for path in &mapped {
            assert!(is_kept(users, path), "{}, {preset}: {path}", guide.page);
        }
        assert_eq!(mapped.iter().collect::<BTreeSet<_>>().len(), mapped.len(), "each path once");
    }
}

#[test]
fn the_reasons_are_those_of_the_table_with_the_same_sentences() {
    for (guide, preset, page) in all() {
        let rows = rows(section(&page, "If something is refused"));
        assert!(rows.len() >= 12, "{}, {preset}: {}", guide.page, rows.len());
        for row in rows {
            let code = codes(&row[0])[0];
            let reason = Reason::from_code(code).unwrap_or_else(|| panic!("{code}"));
            assert_eq!(row[1], reason.cause(), "{}, {preset}", guide.page);
            let click = reason.click(guide.clicks).unwrap_or_default();
            assert!(row[2].contains(reason.what_to_do()), "{code}: {}", row[2]);
            assert!(row[2].ends_with(click), "{code}: {}", row[2]);
            let status = reason.status().to_string();
            assert!(row[0].starts_with(&status) || reason.status() == 200, "{}", row[0]);
        }
    }
}

/// Settings that restrict much.
fn restrictions() -> Value {
    json!({
        "deprovision": { "on_delete": "hard_delete", "on_inactive": "suspend_with_expiry", "retention_days": 30 },
        "create": { "inactive": "refuse", "existing": "link", "link_on": ["externalId"] },
        "seats": { "limit": 25 },
        "attributes": {
            "required": ["title"],
            "unknown": "refuse",
            "unique_external_id": true,
            "overlay": [{ "name": "role", "type": "string", "canonicalValues": ["owner", "a|b"], "closed": true }]
        },
        "brake": { "deactivations": 5, "answer": "too_many_requests", "window_minutes": 30 },
        "groups": { "enabled": false },
        "operations": { "update": "off" },
        "token": { "overlap_days": 0 }
    })
}

#[test]
fn a_profile_with_restrictions_shows_them() {
    let page = restricted(restrictions());
    for text in [
        "is erased after 30 days unless the person comes back",
        "The account is erased at once, and cannot come back.",
        "has 25 seats for active accounts; a further person is refused (403)",
        "if more than 5 accounts are switched off or deleted in 30 minutes",
        "refuses the rest (429)",
        "A person who is disabled is refused (400).",
        "is taken over, if it has the same `externalId`.",
        "The request is refused (403): accounts do not change.",
        "does not use groups",
        "| `title` | jobTitle | yes | one |",
        "| `role` | choose a field; one of `owner`, `a\\|b` | no | one |",
        "so paste it at once",
        "429 `brake-on`",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[test]
fn a_profile_with_restrictions_explains_their_refusals() {
    let page = restricted(restrictions());
    let refused = section(&page, "If something is refused");
    for code in [
        "no-seat",
        "operation-off",
        "type-off",
        "inactive-create-refused",
        "external-id-taken",
        "missing-attribute",
        "value-not-allowed",
        "unknown-attribute",
    ] {
        assert!(refused.contains(&format!("`{code}`")), "{code}");
    }
    assert!(!refused.contains("`unknown-resource`") && !refused.contains("`unmanaged-owner`"));
    let plain = restricted(json!({ "brake": { "share": null } }));
    let plain = section(&plain, "If something is refused");
    for code in ["no-seat", "brake-on", "operation-off", "type-off", "missing-attribute"] {
        assert!(!plain.contains(&format!("`{code}`")), "{code}");
    }
}

#[test]
fn what_a_profile_does_not_keep_is_named_for_removal() {
    let guide = Choice::of("entra").unwrap().guide;
    let hone = made(guide, "hone");
    let mapping = section(&hone, "Map the attributes");
    assert!(mapping.contains("Remove mappings to `emails[type eq \"work\"].value`"), "{mapping}");
    assert!(
        mapping.contains("`title`")
            && mapping.contains("All other attributes are left out silently.")
    );
    assert!(hone.contains("The email address of an account is its `userName`"), "{hone}");
    let zulip = made(guide, "zulip");
    assert!(zulip.contains("one of `owner`, `administrator`, `moderator`, `member`, `guest`"));
    let holaspirit = made(guide, "holaspirit");
    let mapping = section(&holaspirit, "Map the attributes");
    assert!(mapping.contains("| `phoneNumbers[type eq \"work\"].value` | telephoneNumber |"));
    assert!(mapping.contains("Remove mappings to") && mapping.contains("[type eq \"mobile\"]"));
    assert!(
        mapping.contains("| `emails[type eq \"work\"].value` | mail | yes | one |"),
        "{mapping}"
    );
}
