//! `docs/EVENT_TYPES.md`: each type of event, with an example from the tests. `SCIM_WRITE_DOCS=1`
//! writes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use scim_lambda::events::EventType;
use serde_json::{Map, Value, json};

use super::{schemas, story};

/// What a reader needs to know about a type.
struct Entry {
    name: &'static str,
    when: &'static str,
    /// The values of `cause`.
    causes: &'static str,
    /// The values of `actor`.
    actor: &'static str,
}

const fn entry(
    name: &'static str,
    when: &'static str,
    causes: &'static str,
    actor: &'static str,
) -> Entry {
    Entry { name, when, causes, actor }
}

const TOKEN: &str = "token";
const OPERATOR: &str = "operator";
const EITHER: &str = "token, operator";
const UNKNOWN: &str = "null";

/// All types, in the order of [`EventType::all`].
const ENTRIES: [Entry; 36] = [
    entry(
        "user.provisioned",
        "The identity provider created a user; look at `state`, because the user may be inactive.",
        "`post`, `no_seat`",
        TOKEN,
    ),
    entry(
        "user.imported",
        "The operator imported an existing user of the product. The identity provider does not know the user yet.",
        "`import`",
        OPERATOR,
    ),
    entry(
        "user.linked",
        "The identity provider provisioned an imported user, who keeps their id; `matchedOn` tells how they were recognised.",
        "`post`",
        TOKEN,
    ),
    entry("user.updated", "Attributes of a user changed.", "`put`, `patch`, `post`", EITHER),
    entry(
        "user.renamed",
        "The userName changed, and perhaps other attributes.",
        "`put`, `patch`, `post`",
        EITHER,
    ),
    entry(
        "user.suspended",
        "A user became inactive: end their access. `until` tells when they will be erased, if the profile says so.",
        "`active_false`",
        EITHER,
    ),
    entry(
        "user.reactivated",
        "A user became active again.",
        "`active_true`, `post`, `undo`",
        EITHER,
    ),
    entry(
        "user.deleted",
        "A user was deleted: end their access. With `mode` `soft` they may come back until `purgeAt`.",
        "`delete`",
        "token, operator; null if `mode` is `hard`",
    ),
    entry(
        "user.restored",
        "A deleted user came back with the same id; look at `state`, because the user may be inactive. Groups that the user is in again come as events of their own.",
        "`post`, `operator`, `undo`, `no_seat`",
        EITHER,
    ),
    entry(
        "user.purged",
        "The retention of a user ended: erase what you keep of them. The event has nothing but the id.",
        "`retention`",
        "expiry",
    ),
    entry(
        "user.released",
        "The operator removed an imported user, who belongs to the product alone again.",
        "`forget`",
        OPERATOR,
    ),
    entry("user.snapshot", "A resync shows a user in any state.", "`resync`", UNKNOWN),
    entry(
        "group.created",
        "A group was created, or created again with its id. Its members come as events of their own, before or after it.",
        "`post`, `undo`",
        EITHER,
    ),
    entry(
        "group.updated",
        "Attributes of a group changed. Its members are not among them.",
        "`put`, `patch`",
        EITHER,
    ),
    entry(
        "group.deleted",
        "A group was deleted, and with it all of its memberships.",
        "`delete`",
        UNKNOWN,
    ),
    entry("group.snapshot", "A resync shows a group.", "`resync`", UNKNOWN),
    entry(
        "group.member_added",
        "A user or a group became a member of a group.",
        "`post`, `put`, `patch`, `operator`, `undo`",
        EITHER,
    ),
    entry(
        "group.member_removed",
        "A membership ended, because a request said so, or because the member or the group was deleted.",
        "null",
        UNKNOWN,
    ),
    entry("group.member_snapshot", "A resync shows a membership.", "`resync`", UNKNOWN),
    entry(
        "resource.created",
        "A resource of another type was created; `subject.type` names the type.",
        "`post`",
        EITHER,
    ),
    entry("resource.updated", "Attributes of such a resource changed.", "`put`, `patch`", EITHER),
    entry("resource.deleted", "Such a resource was deleted.", "`delete`", UNKNOWN),
    entry("resource.snapshot", "A resync shows such a resource.", "`resync`", UNKNOWN),
    entry("connection.created", "The operator created the tenant.", "null", OPERATOR),
    entry(
        "connection.activated",
        "The identity provider's first request succeeded.",
        "null",
        UNKNOWN,
    ),
    entry(
        "connection.disabled",
        "The operator switched SCIM off for the tenant.",
        "null",
        OPERATOR,
    ),
    entry("connection.enabled", "The operator switched SCIM on again.", "null", OPERATOR),
    entry(
        "connection.profile_changed",
        "The operator changed settings; `changed` has their paths.",
        "null",
        OPERATOR,
    ),
    entry("connection.deleted", "The operator deleted the tenant.", "null", OPERATOR),
    entry(
        "seats.exhausted",
        "The last seat was taken.",
        "null",
        "token, operator; null if the limit changed",
    ),
    entry(
        "seats.freed",
        "A seat is free again.",
        "null",
        "token, operator; null if the limit changed",
    ),
    entry(
        "brake.tripped",
        "Too many users were deactivated in a short time, and the brake refuses more.",
        "null",
        EITHER,
    ),
    entry("brake.lifted", "The operator lifted the brake.", "null", OPERATOR),
    entry("resync.started", "A resync has begun; its snapshots follow.", "null", OPERATOR),
    entry(
        "resync.finished",
        "A resync has sent all of its snapshots; `data.counts` tells how many.",
        "null",
        OPERATOR,
    ),
    entry(
        "record.unshaped",
        "A record of the stream could not be read. Ask for a resync of what its key names.",
        "null",
        UNKNOWN,
    ),
];

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/EVENT_TYPES.md");

fn head() -> String {
    let mut page = String::from(
        "# The types of events\n\n\
         This page and the JSON Schemas in [events](events) are written by the tests \
         (`SCIM_WRITE_DOCS=1 cargo test --test it events::`), and the examples are events that the \
         tests made.\n\
         [EVENTS.md](EVENTS.md) tells how they travel.\n\n\
         ## The members that all have\n\n| member | meaning |\n|---|---|\n",
    );
    let schema = schemas::schema(EventType::UserPurged);
    for (name, member) in schema["properties"].as_object().unwrap() {
        if name != "state" {
            writeln!(page, "| `{name}` | {} |", member["description"].as_str().unwrap()).unwrap();
        }
    }
    page.push_str(
        "\n## The types\n\n| type | when | `cause` | `actor` | RFC 9967 |\n|---|---|---|---|---|\n",
    );
    for (entry, event_type) in ENTRIES.iter().zip(EventType::all()) {
        let urn = event_type.security_event(None, Default::default());
        let urn = urn.unwrap_or_default().replace("urn:ietf:params:scim:event:", "");
        let Entry { name, when, causes, actor } = entry;
        let anchor = name.replace('.', "");
        writeln!(page, "| [`{name}`](#{anchor}) | {when} | {causes} | {actor} | {urn} |").unwrap();
    }
    page.push_str(
        "\nThe row of the subject names the actor and the request of the change that wrote it.\n\
         Where a row is removed, it cannot: then both are null, unless only the operator or the \
         time can have done it.\n\n## Examples\n",
    );
    page
}

/// The shape of a value: the names and kinds of its members.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(values) => values.first().map_or(json!([]), |first| json!([shape(first)])),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("flag"),
        Value::Null => Value::Null,
    }
}

/// One event of each type that the story has. Of several it is always one of the same shape: ids are
/// random, and so is the order of snapshots.
async fn examples() -> BTreeMap<String, Value> {
    let (story, records) = story::records().await;
    let mut examples = BTreeMap::new();
    for event in story.customer.world.service.events(records).await.unwrap() {
        let name = event["type"].as_str().unwrap().to_owned();
        let form = |event: &Value| shape(event).to_string();
        if examples.get(&name).is_none_or(|other| form(&event) < form(other)) {
            examples.insert(name, event);
        }
    }
    examples
}

/// The examples on the page.
fn written(page: &str) -> BTreeMap<String, Value> {
    let blocks = page.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap());
    let examples = blocks.map(|block| serde_json::from_str::<Value>(block).unwrap());
    examples.map(|event| (event["type"].as_str().unwrap().to_owned(), event)).collect()
}

#[tokio::test]
async fn each_type_is_explained_with_an_example_that_the_tests_made() {
    let names: Vec<&str> = ENTRIES.iter().map(|entry| entry.name).collect();
    assert_eq!(names, EventType::all().map(EventType::as_str).collect::<Vec<_>>());
    let made = examples().await;
    if std::env::var_os("SCIM_WRITE_DOCS").is_some() {
        let mut page = head();
        for entry in &ENTRIES {
            let Some(example) = made.get(entry.name) else { continue };
            write!(page, "\n### {}\n\n{}\n\n```json\n{example:#}\n```\n", entry.name, entry.when)
                .unwrap();
        }
        std::fs::write(PAGE, page).unwrap();
    }
    let page = std::fs::read_to_string(PAGE).unwrap();
    assert!(page.starts_with(&head()), "SCIM_WRITE_DOCS=1 writes the page");
    let written = written(&page);
    for (name, example) in &written {
        schemas::check(example);
        assert_eq!(shape(example), shape(&made[name]), "SCIM_WRITE_DOCS=1 writes {name}");
    }
    assert_eq!(written.len(), ENTRIES.len());
}
