//! The JSON Schema of each type of event, in `docs/events`. `SCIM_WRITE_DOCS=1` writes them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use jsonschema::Validator;
use scim_lambda::events::EventType;
use serde_json::{Map, Value, json};

/// The schema of a value with what it means.
fn member(schema: Value, meaning: &str) -> Value {
    let mut schema = schema;
    schema["description"] = json!(meaning);
    schema
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn date() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn object(members: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn words(words: &[&str]) -> Value {
    json!({ "enum": words })
}

/// What events of one family have in common.
struct Family {
    subject: Value,
    /// Members of the family, and whether each is required.
    own: Vec<(&'static str, Value, bool)>,
    data: Option<Value>,
}

fn subject_of(kind: &[&str], names: &[&str], parts: &[(&str, Value)]) -> Value {
    let mut members = vec![
        ("type", member(words(kind), "The type of the subject.")),
        ("id", member(text(), "What orders events: those with the same id are about one subject.")),
    ];
    members.extend(parts.iter().cloned());
    let names = names.iter().map(|name| (*name, text()));
    members.extend(names);
    let required: Vec<&str> =
        ["type", "id"].into_iter().chain(parts.iter().map(|part| part.0)).collect();
    object(&members, &required)
}

fn resource() -> Value {
    member(
        json!({ "type": "object" }),
        "The resource as GET would answer. A group has no members here. Absent if EventBody is ids, or if the event would be too large.",
    )
}

/// The family of a type, by what stands before the dot of its name.
fn family(event_type: EventType) -> Family {
    let name = event_type.as_str();
    let (noun, verb) = name.split_once('.').unwrap();
    let resync = ("resync", member(text(), "The id of the resync."), true);
    let (subject, mut own, data) = match noun {
        "user" => {
            let states = [
                "provisioned",
                "suspended",
                "suspended_with_expiry",
                "deleted",
                "unmanaged",
                "absent",
            ];
            let state = member(
                words(&states),
                "The state of the user after the change, as docs/LIFE.md calls it.",
            );
            (
                subject_of(&["User"], &["externalId", "userName"], &[]),
                vec![("state", state, true)],
                Some(resource()),
            )
        }
        "group" if verb.starts_with("member") => {
            let kind = or_null(words(&["User", "Group"]));
            let parts = [
                ("group", member(text(), "The id of the group.")),
                ("member", member(text(), "The id of the member.")),
                (
                    "memberType",
                    member(kind, "The type of the member; null if it names no resource."),
                ),
            ];
            (subject_of(&["Member"], &[], &parts), vec![], None)
        }
        "group" => {
            (subject_of(&["Group"], &["externalId", "displayName"], &[]), vec![], Some(resource()))
        }
        "resource" => {
            let mut subject = subject_of(&[], &["externalId"], &[]);
            subject["properties"]["type"] = member(text(), "The name of the resource type.");
            (subject, vec![], Some(resource()))
        }
        "connection" => {
            let data = object(
                &[
                    ("enabled", json!({ "type": "boolean" })),
                    ("createdAt", or_null(date())),
                    ("connectedAt", or_null(date())),
                    ("preset", or_null(text())),
                ],
                &["enabled", "createdAt", "connectedAt", "preset"],
            );
            (subject_of(&["Tenant"], &[], &[]), vec![], Some(data).filter(|_| verb != "deleted"))
        }
        "seats" => {
            let count = json!({ "type": "integer" });
            let data =
                object(&[("used", count.clone()), ("limit", or_null(count))], &["used", "limit"]);
            (subject_of(&["Seats"], &[], &[]), vec![], Some(data))
        }
        "brake" => {
            let count = json!({ "type": "integer" });
            let data = object(
                &[
                    ("since", date()),
                    ("windowBegan", date()),
                    ("deactivations", count.clone()),
                    ("limit", count),
                ],
                &["since", "windowBegan", "deactivations", "limit"],
            );
            (subject_of(&["Brake"], &[], &[]), vec![], Some(data).filter(|_| verb == "tripped"))
        }
        "resync" => {
            let ids = json!({ "type": "array", "items": text() });
            let scope = object(
                &[
                    ("kind", words(&["all", "users", "groups", "since"])),
                    ("ids", ids),
                    ("time", date()),
                ],
                &["kind"],
            );
            let scope = member(
                scope,
                "What the resync covers. Within it, but not for since, drop what it did not show.",
            );
            let count = json!({ "type": "integer", "minimum": 0 });
            let names = ["users", "groups", "members", "resources"];
            let counts = object(&names.map(|name| (name, count.clone())), &names);
            let data =
                object(&[("counts", member(counts, "How many snapshots were sent."))], &["counts"]);
            (
                subject_of(&["Resync"], &[], &[]),
                vec![resync.clone(), ("scope", scope, true)],
                Some(data).filter(|_| verb == "finished"),
            )
        }
        _ => {
            let key = object(&[("p", text()), ("s", text())], &["p", "s"]);
            let data = object(
                &[
                    ("kind", member(text(), "The letter of the row's kind.")),
                    ("key", member(key, "The key of the row.")),
                    ("reason", member(text(), "Why it cannot be read.")),
                ],
                &["kind", "key", "reason"],
            );
            (subject_of(&["Record"], &[], &[]), vec![], Some(data))
        }
    };
    match name {
        "user.suspended" => own.push((
            "until",
            member(or_null(date()), "When the user is erased, if the profile says so."),
            true,
        )),
        "user.deleted" => {
            let mode = member(words(&["soft", "hard"]), "Whether the user can come back.");
            let purge = member(
                or_null(date()),
                "When a deleted user is erased; null for never, or at once.",
            );
            own.extend([("mode", mode, true), ("purgeAt", purge, true)]);
        }
        "user.linked" => {
            let keys = words(&["externalId", "userName", "email"]);
            own.push((
                "matchedOn",
                member(keys, "The attribute by which the imported user was recognised."),
                false,
            ));
        }
        _ if verb.ends_with("snapshot") => own.push(resync),
        _ => {}
    }
    Family { subject, own, data }
}

/// The schema of one type.
pub fn schema(event_type: EventType) -> Value {
    let Family { subject, own, data } = family(event_type);
    let name = event_type.as_str();
    let version = or_null(json!({ "type": "integer", "minimum": 0 }));
    let tenant = object(
        &[
            ("code", member(text(), "The tenant's code.")),
            (
                "name",
                member(
                    or_null(text()),
                    "The operator's name for the tenant. Absent if EventBody is ids.",
                ),
            ),
            ("customer", member(or_null(text()), "The customer, if the operator named one.")),
        ],
        &["code", "customer"],
    );
    let actor = object(
        &[
            ("kind", words(&["token", "operator", "expiry"])),
            ("id", member(text(), "The key id of the token.")),
        ],
        &["kind"],
    );
    let connection = object(
        &[
            ("idp", member(or_null(text()), "The identity provider, if the profile names one.")),
            ("region", member(or_null(text()), "The AWS region of the stack.")),
        ],
        &["idp", "region"],
    );
    let mut members = vec![
        (
            "id",
            member(
                json!({ "type": "string", "format": "uuid" }),
                "The same for the same change, however often it is sent.",
            ),
            true,
        ),
        ("type", member(json!({ "const": name }), "The type of the event."), true),
        (
            "spec",
            member(
                json!({ "const": 1 }),
                "The version of this form. New members may be added to it; ignore those that you do not know.",
            ),
            true,
        ),
        (
            "time",
            member(
                or_null(date()),
                "When the change reached the table's stream, in whole seconds.",
            ),
            true,
        ),
        (
            "seq",
            member(
                json!({ "type": "string", "pattern": "^[0-9]{40}$" }),
                "The place of the change among those of its subject: the greatest wins, compared as text, after epoch.",
            ),
            true,
        ),
        (
            "epoch",
            member(
                json!({ "type": "integer", "minimum": 0 }),
                "Raised when the table was restored from a backup.",
            ),
            true,
        ),
        ("tenant", member(or_null(tenant), "The tenant; null if the record names none."), true),
        ("connection", member(connection, "Where the change came from."), true),
        (
            "actor",
            member(or_null(actor), "The one who made the change; null if the row cannot tell."),
            true,
        ),
        (
            "request",
            member(or_null(text()), "The id of the request; null if the row cannot tell."),
            true,
        ),
        ("cause", member(or_null(text()), "Why it happened, in one word."), true),
        ("subject", member(subject, "What the event is about."), true),
        (
            "version",
            member(
                version.clone(),
                "The version of the subject after the change; null if it has none or is gone.",
            ),
            true,
        ),
        (
            "previousVersion",
            member(
                version,
                "The version before the change; another one than you have means that you missed an event.",
            ),
            true,
        ),
        (
            "changed",
            member(json!({ "type": "array", "items": text() }), "The names of what changed."),
            true,
        ),
        (
            "previous",
            member(
                json!({ "type": "object" }),
                "The previous values of what changed. Absent if EventBody is ids, or if the event would be too large.",
            ),
            false,
        ),
    ];
    members.extend(own);
    if let Some(data) = data {
        members.push(("data", data, false));
    }
    members.push((
        "truncated",
        member(
            json!({ "const": true }),
            "Parts were left out because the event would be too large; ask for the resource.",
        ),
        false,
    ));
    if event_type.security_event(None, Default::default()).is_some() {
        members.push(("scim", member(text(), "The event of RFC 9967 that says the same."), true));
    }
    let required: Vec<&str> =
        members.iter().filter(|(.., required)| *required).map(|(name, ..)| *name).collect();
    let pairs: Vec<(&str, Value)> =
        members.iter().map(|(name, schema, _)| (*name, schema.clone())).collect();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
    });
    schema.as_object_mut().unwrap().extend(object(&pairs, &required).as_object().unwrap().clone());
    schema
}

/// Where the schema of a type is.
pub fn file(event_type: EventType) -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/events"));
    folder.join(format!("{}.json", event_type.as_str()))
}

/// Asserts that an event is as its schema says, and has no member that its schema does not name.
#[track_caller]
pub fn check(event: &Value) {
    static SCHEMAS: OnceLock<BTreeMap<String, (Validator, Value)>> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(|| {
        let of = |event_type: EventType| {
            let schema = schema(event_type);
            let validator =
                jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
            (event_type.as_str().to_owned(), (validator, schema))
        };
        EventType::all().map(of).collect()
    });
    let (validator, schema) = &schemas[event["type"].as_str().unwrap()];
    let errors: Vec<String> = validator
        .iter_errors(event)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{event:#}");
    for name in event.as_object().unwrap().keys() {
        assert!(
            schema["properties"].get(name).is_some(),
            "{name} is not in the schema of {event:#}"
        );
    }
}

#[test]
fn each_type_has_a_schema_in_the_documents() {
    let writes = std::env::var_os("SCIM_WRITE_DOCS").is_some();
    for event_type in EventType::all() {
        let (file, text) = (file(event_type), format!("{:#}\n", schema(event_type)));
        if writes {
            std::fs::write(&file, &text).unwrap();
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(written, text, "SCIM_WRITE_DOCS=1 writes {}", file.display());
    }
    let count = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/events")).unwrap();
    assert_eq!(count.count(), EventType::all().count(), "a schema of a type that is gone");
}
