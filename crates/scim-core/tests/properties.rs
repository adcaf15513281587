//! Properties that hold for any input.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use proptest::prelude::*;
use scim_core::Dialect;
use scim_core::patch::Path;
use scim_core::{Attributes, Filter, PatchRequest, ResourceType, json, message};
use serde_json::{Map, Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn user() -> ResourceType {
    ResourceType::user().unwrap()
}

fn draft(body: &Value) -> Attributes {
    user().parse(body.as_object().unwrap().clone(), Dialect::TOLERANT).unwrap().attributes
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::TOLERANT), Just(Dialect::STRICT)]
}

/// A text made of the words and signs of filters and paths.
fn expression() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("userName".to_owned()),
        Just("emails".to_owned()),
        Just("emails[type eq \"work\"]".to_owned()),
        Just("name.familyName".to_owned()),
        Just("active".to_owned()),
        Just("meta.created".to_owned()),
        Just(format!("{ENTERPRISE}:manager")),
        "(eq|ne|co|sw|ew|gt|ge|lt|le|pr|and|or|not|true|null|5|\"work\"|\"2020-01-01T00:00:00Z\")",
        "[\\[\\](). \":\\\\]{1,3}",
        "\\PC{0,4}",
    ];
    proptest::collection::vec((piece, "[ ]{0,2}"), 0..14)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, blank)| piece + &blank).collect())
}

/// A path that a client could send, or a text that resembles one.
fn path() -> impl Strategy<Value = String> {
    let known = [
        "userName",
        "active",
        "title",
        "name",
        "name.familyName",
        "emails",
        "emails.value",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[primary eq true].type",
        "roles",
        "addresses[type eq \"home\"].locality",
        "manager",
        ENTERPRISE,
        "groups",
        "id",
        "meta",
        "externalId",
        "password",
        "unknown",
        "x509Certificates",
    ];
    let extension = format!("{ENTERPRISE}:department");
    let known = proptest::sample::select(known.map(str::to_owned).to_vec());
    prop_oneof![8 => known, 1 => Just(extension), 1 => expression()]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(|work|home|a@example.com|True|false|\\PC{0,6})".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let name = "(value|type|primary|display|givenName|familyName|department|userName|active\
            |emails|odd name|\\$ref)";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..4)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// A value of a multi-valued attribute, as a client would write it.
fn element() -> impl Strategy<Value = Value> {
    let primary =
        prop_oneof![Just(json!(true)), Just(json!("True")), Just(json!(false)), Just(Value::Null)];
    ("[ab]@example.com", "(work|home)?", primary).prop_map(
        |(value, kind, primary)| json!({ "value": value, "type": kind, "primary": primary }),
    )
}

/// An operation that fits the schema, so that not all operations are refused.
fn fitting() -> impl Strategy<Value = Value> {
    let path = "(emails|emails\\[type eq \"(work|home)\"\\]|roles)";
    let value =
        prop_oneof![element(), proptest::collection::vec(element(), 0..3).prop_map(Value::from)];
    ("(add|replace|remove)", path, value)
        .prop_map(|(op, path, value)| json!({ "op": op, "path": path, "value": value }))
}

fn operation() -> impl Strategy<Value = Value> {
    let op = "(add|replace|remove|Add|REPLACE|move)";
    (op, proptest::option::of(path()), proptest::option::of(value())).prop_map(
        |(op, path, value)| {
            let mut operation = Map::from_iter([("op".to_owned(), Value::from(op))]);
            operation.extend(path.map(|path| ("path".to_owned(), Value::from(path))));
            operation.extend(value.map(|value| ("value".to_owned(), value)));
            Value::Object(operation)
        },
    )
}

/// Whether at most one value of each attribute is primary.
fn has_one_primary(attributes: &Attributes) -> bool {
    attributes.as_object().values().filter_map(Value::as_array).all(|elements| {
        elements.iter().filter(|element| element.get("primary") == Some(&Value::Bool(true))).count()
            <= 1
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_are_an_object_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = json::parse(&bytes);
    }

    #[test]
    fn written_json_reads_back(value in value()) {
        let body = json!({ "a": value });
        if let Ok(read) = json::parse(body.to_string().as_bytes()) {
            prop_assert_eq!(Value::Object(read), body);
        }
    }

    #[test]
    fn any_text_is_a_filter_or_an_error_and_any_filter_can_be_evaluated(
        text in expression(),
        dialect in dialect(),
    ) {
        let user = user();
        if let Ok(filter) = Filter::parse(&text, &user, dialect) {
            let emails = json!([{ "value": "a@example.com", "type": "work" }]);
            let body = json!({ "userName": "a", "emails": emails, "active": true });
            filter.matches(draft(&body).as_object());
            filter.equalities(&["userName".to_owned(), "emails.value".to_owned()]);
        }
    }

    #[test]
    fn any_text_is_a_path_or_an_error(text in expression(), dialect in dialect()) {
        let _ = Path::parse(&text, &user(), dialect);
    }

    #[test]
    fn a_patched_user_is_a_valid_user(
        operations in
            proptest::collection::vec(prop_oneof![1 => operation(), 3 => fitting()], 1..5),
        dialect in dialect(),
    ) {
        let user = user();
        let before = draft(&json!({
            "userName": "a", "active": false, "name": { "familyName": "B" },
            "emails": [
                { "value": "a@example.com", "type": "work", "primary": true },
                { "value": "b@example.com" },
            ],
            ENTERPRISE: { "department": "Sales", "manager": { "value": "1", "$ref": "x" } },
        }));
        let body = json!({ "schemas": [message::PATCH_OP], "Operations": operations });
        let patch = PatchRequest::parse(body.as_object().unwrap(), &user, dialect);
        if let Ok(after) = patch.and_then(|patch| patch.apply(&user, &before)) {
            prop_assert!(after.text("userName").is_some());
            prop_assert!(has_one_primary(&after), "{:?}", after);
            // A PUT of the result of a GET changes nothing: admitting the stored form returns it.
            let mut body = after.as_object().clone();
            body.insert("schemas".to_owned(), json!([user.schema.id, ENTERPRISE]));
            let again = user.parse(body, Dialect::STRICT);
            prop_assert_eq!(again.map(|draft| draft.attributes), Ok(after));
        }
    }
}
