//! Which profiles are valid, and the errors for those that are not.

use scim_lambda::tenant::Profile;
use serde_json::{Value, json};

use crate::support::{ENTERPRISE, USER};

fn refused(settings: &Value) -> String {
    Profile::default().over(settings.clone()).expect_err(&settings.to_string()).0
}

#[test]
fn a_contradictory_profile_is_refused_with_advice() {
    let overlay = |all: Value| json!({ "attributes": { "overlay": all } });
    let extensions = |all: Value| json!({ "attributes": { "extensions": all } });
    let base_url = |url: &str| json!({ "address": { "base_url": url } });
    let closed =
        json!({ "name": "role", "type": "string", "canonicalValues": ["a"], "closed": true });
    let derived = |required: &str| json!({ "attributes": { "email": "from_user_name", "required": [required] } });
    let one = |id: &str| json!({ "id": id, "name": "X", "attributes": [{ "name": "a", "type": "string" }] });
    for (settings, said) in [
        (
            overlay(
                json!([{ "name": "ro", "type": "string", "mutability": "readOnly", "required": true }]),
            ),
            "ro is required and readOnly",
        ),
        (
            json!({ "attributes": { "required": [format!("{ENTERPRISE}:manager.displayName")] } }),
            "manager.displayName cannot be required: it is managed by the service provider",
        ),
        (extensions(json!([one(ENTERPRISE)])), "which already exists"),
        (extensions(json!([one(&ENTERPRISE.to_uppercase())])), "which already exists"),
        (extensions(json!([one("urn:a:X"), one("urn:A:x")])), "urn:A:x twice"),
        (extensions(json!([one(&USER.to_uppercase())])), "a URN of your own"),
        (
            extensions(
                json!([{ "id": "urn:a:X", "name": "X", "attributes": [{ "name": "ID", "type": "string" }] }]),
            ),
            "ID in urn:a:X is an attribute of every resource; rename it",
        ),
        (overlay(json!([closed, { "name": "ROLE", "type": "string" }])), "ROLE twice"),
        (overlay(json!([{ "name": "TITLE", "type": "string" }])), "calls title"),
        (
            overlay(json!([{ "name": "META", "type": "string" }])),
            "META is managed by the service provider",
        ),
        (
            overlay(json!([{ "name": "schemas", "type": "string" }])),
            "schemas is managed by the service provider",
        ),
        (
            overlay(json!([{ "name": "c", "type": "complex" }])),
            "c is complex, but has no subAttributes",
        ),
        (derived("Emails"), "need not name emails"),
        (derived("EMAILS.value"), "need not name emails"),
        (derived(&format!("{}:emails", USER.to_uppercase())), "need not name emails"),
        (base_url("https://scim.example.com/Users"), "ends in /Users"),
        (
            base_url("https://scim.example.com/scim/v2/serviceProviderConfig"),
            "ends in /serviceProviderConfig",
        ),
        (
            json!({ "create": { "inactive": "ignore_active" }, "attributes": { "required": ["active"] } }),
            "need not name active",
        ),
    ] {
        let why = refused(&settings);
        assert!(why.contains(said), "{settings}: {why}");
    }
}

#[test]
fn duplicate_and_unused_settings_are_accepted() {
    for settings in [
        json!({ "attributes": { "kept": ["emails", "Emails", "title"], "required": ["emails", "EMAILS", "emails"] } }),
        json!({ "attributes": { "kept": [format!("{USER}:emails")], "email": "from_user_name" } }),
        json!({ "attributes": { "overlay": [{ "name": "title", "type": "string", "required": true }] } }),
        json!({ "operations": { "deactivate": "off", "delete": "off" } }),
        json!({ "brake": { "answer": "forbidden" } }),
    ] {
        Profile::default().over(settings).unwrap();
    }
    let braked = Profile::default()
        .with_all([("brake.deactivations", "5"), ("brake.answer", "forbidden")])
        .unwrap();
    assert!(!braked.with("brake.deactivations", "null").unwrap().brake.is_set());
}

#[test]
fn an_invalid_value_is_refused_with_the_valid_ones() {
    for (path, value, said) in [
        ("seats.limit", "many", "seats.limit must be a whole number, or null"),
        ("token.lifetime_days", "-1", "token.lifetime_days must be a whole number from 1 to 3650"),
        ("brake.share", "101", "brake.share must be a whole number from 1 to 100, or null"),
        ("seats.when_full", "wait", "seats.when_full must be one of: refuse, create_inactive"),
        ("attributes.unknown", "null", "attributes.unknown must be one of: ignore, refuse"),
        (
            "attributes.required",
            "emails",
            "attributes.required must be a list of paths such as [\"emails\", \"name.givenName\"]",
        ),
        (
            "create.link_on",
            "email",
            "create.link_on must be a list of any of: externalId, userName, email",
        ),
        ("groups.enabled", "perhaps", "groups.enabled must be true or false"),
        ("address.host", "7", "address.host must be text, or null"),
        (
            "seats.limit",
            "{\"a\": 1}",
            "seats.limit is a setting, not a section; give it a value, not an object",
        ),
        (
            "seats",
            "5",
            "seats is a section, not a setting; it contains: seats.limit, seats.when_full",
        ),
        (
            "attributes.overlay",
            "[{\"name\": \"a\"}]",
            "attributes.overlay must be a list of attributes in the form of RFC 7643, section 7; \
            number 1 is not: missing field `type`",
        ),
    ] {
        assert_eq!(Profile::default().with(path, value).unwrap_err().0, said);
    }
    assert_eq!(
        refused(&json!([1])),
        "settings must be a JSON object, such as {\"seats\": {\"limit\": 10}}"
    );
}

#[test]
fn a_document_starts_from_its_preset_and_dialect() {
    let preset = |name: &str, idp: Option<&str>| Profile::preset(name, idp).unwrap();
    let zulip = preset("zulip", Some("entra")).with("address.host", "chat.example.com").unwrap();
    let google = zulip
        .over(json!({ "preset": "hone", "dialect": { "idp": "google" }, "seats": { "limit": 5 } }))
        .unwrap();
    let wanted = preset("hone", Some("google"))
        .with_all([("seats.limit", "5"), ("address.host", "chat.example.com")]);
    assert_eq!(google, wanted.unwrap());
    let kept = zulip.over(json!({ "preset": "zulip" })).unwrap();
    assert_eq!(kept, zulip, "the dialect and the address stay");
    let plain = zulip.over(json!({ "dialect": { "idp": null } })).unwrap();
    assert_eq!(plain, preset("zulip", None).with("address.host", "chat.example.com").unwrap());
    assert_eq!(zulip.with_all([("dialect", "{\"idp\":null}")]).unwrap(), plain);
    for unknown in [json!({ "preset": "nothing" }), json!({ "dialect": { "idp": "nothing" } })] {
        assert!(zulip.over(unknown).unwrap_err().0.contains("nothing; take one of"));
    }
    // What was written for one tenant gives another one the same profile.
    let document: Value = serde_json::from_str(&google.write().unwrap()).unwrap();
    assert_eq!(preset("strict", Some("okta")).over(document).unwrap(), google);
}
