//! How the service behaves for a tenant.

use serde_json::{Value, json};

use crate::support::{Directory, Server, http};

/// A directory with the tenant acme of the profile default.
fn acme(name: &str) -> Directory {
    let directory = Directory::new(name);
    directory.json(&["tenant", "create", "acme", "--idp", "entra"]);
    directory
}

fn show(directory: &Directory, name: &str) -> Value {
    directory.json(&["profile", "show", name])
}

#[test]
fn the_built_in_profiles_are_listed_and_shown_without_a_directory() {
    let directory = Directory::new("presets");
    let listed = directory.json(&["profile", "list"]);
    let names = ["default", "strict", "hone", "hoxhunt", "zulip", "holaspirit", "identity-hub"];
    assert_eq!(listed["profiles"], json!(names));
    assert!(listed["idps"].as_array().unwrap().contains(&json!("okta")));
    let text = directory.text(&["profile", "list"]);
    for name in names {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}: {text}");
        assert_eq!(show(&directory, name)["preset"], name);
    }
    assert!(text.contains("Dialects: entra, okta, onelogin, google"), "{text}");
    let lines = directory.text(&["profile", "show", "zulip"]);
    for line in
        ["deprovision.on_delete = \"refuse\"", "seats.limit = null", "token.lifetime_days = 365"]
    {
        assert!(lines.lines().any(|shown| shown == line), "{line}: {lines}");
    }
    assert!(!directory.0.exists(), "no directory is created for it");
}

#[test]
fn the_differences_of_two_profiles_are_shown() {
    let directory = acme("diff");
    let found = directory.json(&["profile", "diff", "default", "strict"]);
    let settings: Vec<_> =
        found["differences"].as_array().unwrap().iter().map(|each| &each["setting"]).collect();
    assert_eq!(
        settings,
        [
            "preset",
            "attributes.unknown",
            "dialect.messages",
            "dialect.replace_without_match",
            "groups.unique_display_name"
        ]
    );
    let first = json!({ "setting": "preset", "one": "default", "other": "strict" });
    assert_eq!(found["differences"][0], first);
    let text = directory.text(&["profile", "diff", "default", "acme"]);
    assert_eq!(
        text,
        "dialect.idp: null -> \"entra\"\ndialect.group_patch: \"resource\" -> \"no_content\"\n\
         brake.deactivations: null -> 20\nbrake.share: null -> 20\n\
         brake.maximum: \"smaller\" -> \"larger\"\n\
         brake.answer: \"too_many_requests\" -> \"forbidden\"\n",
        "a new tenant has a brake"
    );
    assert_eq!(directory.text(&["profile", "diff", "acme", "acme"]), "They are the same.\n");
    let said = directory.refused(&["profile", "diff", "default", "nobody"]);
    assert_eq!(
        said,
        "scimctl: there is neither a tenant nor a profile nobody; scimctl tenant list and scimctl \
        profile list show what there is\n"
    );
}

#[test]
fn settings_are_changed_one_by_one_and_reset() {
    let directory = acme("set");
    let set = ["profile", "set", "acme", "seats.limit=5", "brake.share=10", "--no-wait"];
    let changed = directory.json(&set);
    assert_eq!(
        changed,
        json!({ "tenant": "acme", "version": 2, "changed": [
            { "setting": "seats.limit", "from": null, "to": 5 },
            { "setting": "brake.share", "from": 20, "to": 10 },
        ] })
    );
    let shown = show(&directory, "acme");
    assert_eq!((&shown["seats"]["limit"], &shown["brake"]["share"]), (&json!(5), &json!(10)));
    assert_eq!((&shown["preset"], &shown["dialect"]["idp"]), (&json!("default"), &json!("entra")));
    let text = directory.text(&["profile", "set", "acme", "seats.limit=null"]);
    assert_eq!(
        text,
        "seats.limit: 5 -> null\nTenant acme has version 3 of its profile within a minute.\n"
    );
    assert_eq!(show(&directory, "acme")["seats"]["limit"], Value::Null);
}

#[test]
fn another_profile_or_dialect_replaces_the_old_one() {
    let directory = acme("other");
    directory.json(&["profile", "set", "acme", "token.lifetime_days=30"]);
    directory.json(&["profile", "set", "acme", "--profile", "hone"]);
    let shown = show(&directory, "acme");
    assert_eq!(
        (&shown["preset"], &shown["deprovision"]["on_delete"]),
        (&json!("hone"), &json!("deactivate"))
    );
    assert_eq!(shown["dialect"]["idp"], "entra", "the identity provider stays");
    assert_eq!(shown["brake"]["share"], 20, "and so does the brake");
    assert_eq!(shown["token"]["lifetime_days"], 365, "settings over the profile before are gone");
    directory.json(&["profile", "set", "acme", "--idp", "okta"]);
    let shown = show(&directory, "acme");
    assert_eq!((&shown["preset"], &shown["dialect"]["idp"]), (&json!("hone"), &json!("okta")));
    assert_eq!(shown["dialect"]["header"], "verbatim");
}

#[test]
fn the_output_of_show_can_be_used_as_a_settings_file() {
    let directory = acme("file");
    let printed = show(&directory, "strict").to_string();
    let file = directory.file("strict.json", &printed);
    directory.json(&["profile", "set", "acme", "--file", &file, "groups.unique_display_name=true"]);
    let text = directory.text(&["profile", "diff", "strict", "acme"]);
    assert_eq!(text, "groups.unique_display_name: false -> true\n", "a setting overrides the file");
    let file = directory.file("some.json", r#"{ "seats": { "when_full": "create_inactive" } }"#);
    directory.json(&["profile", "set", "acme", "--file", &file]);
    let shown = show(&directory, "acme");
    assert_eq!(
        (&shown["seats"]["when_full"], &shown["preset"]),
        (&json!("create_inactive"), &json!("strict"))
    );
}

#[test]
fn settings_that_depend_on_each_other_may_be_given_in_any_order() {
    let directory = acme("order");
    directory.json(&["profile", "set", "acme", "brake.answer=forbidden", "brake.deactivations=3"]);
    directory.json(&[
        "profile",
        "set",
        "acme",
        "brake.deactivations=null",
        "brake.answer=too_many_requests",
    ]);
    directory.json(&["tenant", "create", "globex", "brake.answer=forbidden", "brake.share=10"]);
    assert_eq!(show(&directory, "acme")["brake"]["answer"], "too_many_requests");
    assert_eq!(show(&directory, "globex")["brake"]["answer"], "forbidden");
}

#[test]
fn an_unknown_setting_is_refused_by_name_and_nothing_changes() {
    let directory = acme("unknown");
    let before = show(&directory, "acme");
    let broken = directory.file("broken.json", "{");
    let foreign = directory.file("foreign.json", r#"{ "seats": { "limit": 5, "chairs": 2 } }"#);
    let wrong = directory.file(
        "wrong.json",
        r#"{ "seats": { "when_full": "shrug" }, "token": { "overlap_days": 3 } }"#,
    );
    for (arguments, said) in [
        (
            &[][..],
            "give SETTING=VALUE, --profile, --idp or --file; scimctl profile show acme shows all \
            settings",
        ),
        (&["seats.chairs=5"], "seats.chairs is not a setting"),
        (&["seats=5"], "seats is a section, not a setting"),
        (&["seats.limit"], "seats.limit is not SETTING=VALUE"),
        (&["seats.limit=many"], "seats.limit"),
        (&["seats.limit=-1"], "seats.limit"),
        (&["seats.limit.x=1"], "seats.limit"),
        (&["deprovision.on_delete=burn"], "deprovision.on_delete"),
        (&["deprovision.on_delete=burn"], "must be one of: soft_delete, deactivate"),
        (&["token.lifetime_days=30", "groups.enabled=perhaps"], "groups.enabled"),
        (&["attributes.required=favouriteColour"], "attributes.required"),
        (&["attributes.required=[\"favouriteColour\"]"], "favouriteColour"),
        (&["preset=hone"], "--profile"),
        (&["dialect.idp=okta"], "--idp"),
        (&["--profile", "nobody"], "there is no profile nobody; take one of: default, strict"),
        (&["--idp", "nobody"], "there is no dialect nobody; take one of: entra, okta"),
        (&["--file", "/nowhere.json"], "/nowhere.json cannot be read"),
        (&["--file", &broken], "broken.json is not JSON"),
        (&["--file", &foreign], "seats.chairs is not a setting"),
        (&["--file", &wrong], "seats.when_full"),
    ] {
        let refused = directory.refused(&[&["profile", "set", "acme"], arguments].concat());
        assert!(refused.contains(said), "{arguments:?}: {refused}");
    }
    assert!(
        directory
            .refused(&["profile", "set", "nobody", "seats.limit=5"])
            .contains("there is no tenant nobody")
    );
    assert_eq!(show(&directory, "acme"), before);
    let next = directory.json(&["profile", "set", "acme", "token.overlap_days=1"]);
    assert_eq!(next["version"], 2, "a refused change makes no version");
}

#[test]
fn a_profile_that_contradicts_itself_is_refused() {
    let directory = acme("contradiction");
    let before = show(&directory, "acme");
    for (settings, named) in [
        (&["brake.share=0"][..], "brake.share"),
        (&["brake.share=101"], "brake.share"),
        (&["brake.deactivations=0"], "brake.deactivations"),
        (&["brake.window_minutes=0"], "brake.window_minutes"),
        (&["token.lifetime_days=0"], "token.lifetime_days"),
        (&["token.overlap_days=366"], "token.overlap_days"),
        (&["audit.retention_days=0"], "audit.retention_days"),
        (&["deprovision.retention_days=3651"], "deprovision.retention_days"),
        (&["create.existing=link", "create.link_on=[]"], "create.link_on"),
        (
            &["operations.deactivate=off", "deprovision.on_delete=refuse"],
            "operations.deactivate is off",
        ),
        (
            &["create.inactive=refuse", "seats.limit=5", "seats.when_full=create_inactive"],
            "seats.when_full",
        ),
        (
            &["attributes.email=from_user_name", "attributes.required=[\"emails\"]"],
            "attributes.email",
        ),
        (&["address.base_url=http://scim.example.com/v2"], "address.base_url"),
        (&["address.host=https://scim.example.com"], "address.host"),
    ] {
        for command in [&["profile", "set", "acme"][..], &["tenant", "create", "globex"]] {
            let refused = directory.refused(&[command, settings].concat());
            assert!(refused.contains(named), "{settings:?}: {refused}");
        }
    }
    assert_eq!(show(&directory, "acme"), before);
    let listed = directory.json(&["tenant", "list"])["tenants"].clone();
    assert_eq!(
        (listed.as_array().unwrap().len(), &listed[0]["profile_version"]),
        (1, &json!(1)),
        "{listed}"
    );
}

#[test]
fn a_limit_of_seats_counts_existing_users() {
    let directory = Directory::new("seats");
    let made = directory.json(&["tenant", "create", "acme"]);
    let token = made["token"].as_str().unwrap();
    let post = |base_url: &str, name: &str| {
        http(base_url, token, "POST", "/Users", &json!({ "userName": name }).to_string()).0
    };
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    assert_eq!((post(&base_url, "a"), post(&base_url, "b")), (201, 201));
    // The limit is set before the service learns of it: until then it counts no users.
    let said = directory.text(&["profile", "set", "acme", "seats.limit=4", "--no-wait"]);
    assert!(
        said.ends_with(
            "\nThen set it again: until then seats.limit does not count users who come or go.\n"
        ),
        "{said}"
    );
    assert_eq!(post(&base_url, "c"), 201);
    assert!(server.interrupt());
    // A service that starts now knows the limit. Once the limit is set again, it counts all users.
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let again = directory.json(&["profile", "set", "acme", "seats.limit=4", "--no-wait"]);
    assert_eq!((&again["changed"], &again["version"]), (&json!([]), &json!(3)));
    assert_eq!((post(&base_url, "d"), post(&base_url, "e")), (201, 403));
}
