//! Every row tells what it is, for consumers of the table's stream.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use scim_core::members::MAX_DISPLAY_BYTES;
use scim_lambda::operator::import::Mode;
use scim_lambda::store::ResyncScope;
use serde_json::json;

use super::scene::{PRODUCT_ID, Scene};
use crate::support::customer::Customer;
use crate::support::handles::{Row, members, values};

const DATA_MODEL: &str = include_str!("../../../docs/DATA_MODEL.md");

/// The letter that a row must have, by its key.
fn letter(row: &Row) -> &'static str {
    let of_resource = |own: &'static str| match row.s().split_once('!') {
        None => own,
        Some((_, shard)) if shard.len() == 1 => "H",
        Some(_) => "K",
    };
    match (row.kind(), row.s()) {
        ("U", _) => of_resource("U"),
        ("G", _) => of_resource("G"),
        (kind, _) if kind.starts_with("Z#") => of_resource("Z"),
        (kind, _) if kind.starts_with("M#") => "M",
        (kind, _) if kind.starts_with("R#") => "R",
        ("P", _) => "P",
        ("X", _) => "X",
        ("Q", _) => "Q",
        ("E", _) => "E",
        ("D", _) => "D",
        ("C", "seats") => "S",
        ("C", "brake") => "B",
        ("C", _) => "C",
        ("L", _) => "L",
        ("Y", _) => "Y",
        ("F", _) => "F",
        ("T", "profile") => "T",
        ("T", s) if s.starts_with("unfinished#") => "W",
        ("T", s) if s.starts_with("key#") => "A",
        ("", s) if s.starts_with("name#") => "N",
        ("", "secrets") => "O",
        other => panic!("a row of an unknown kind: {other:?}"),
    }
}

#[tokio::test]
async fn every_row_tells_its_kind_and_its_format() {
    let scene = Scene::new().await;
    let test = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:test:2.0:TestResource",
            "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource",
        ],
        "identifier": "r1",
        "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource":
            { "extStringAttr": "x", "extRequired": "x" },
    });
    let made = scene.customer.send("POST", "/TestResources", test).await;
    assert_eq!(made.status, 201, "{}", made.body);
    // A product's id in as many keys as there are: a member, a further owner of an externalId, and
    // a user who is due.
    let adopted = scene.customer.create(json!({ "userName": "imp@example.com" })).await;
    assert_eq!(adopted["id"], PRODUCT_ID);
    let joins = members("add", values(&[PRODUCT_ID.to_owned()]));
    assert_eq!(scene.customer.send("PATCH", &scene.group_path(), joins).await.status, 200);
    assert_eq!(scene.customer.set(&adopted, "externalId", json!("ada")).await.status, 200);
    assert_eq!(scene.customer.activate(&adopted, false).await.status, 200);
    scene.resync().await;
    // A deleted user who was in a group.
    assert_eq!(scene.customer.delete(&scene.bob).await.status, 204);
    scene.leave_unfinished().await;
    let (documented, mut seen) = (documented(), BTreeSet::new());
    for row in scene.rows().await {
        assert_eq!((row.text("k"), row.number("f")), (Some(letter(&row)), Some(1)), "{row:?}");
        let listed = &documented[letter(&row)];
        let bucket = |name: &str| name.len() == 2 && name.starts_with('b');
        let own = row.0.keys().filter(|name| !["p", "s", "k", "f"].contains(&name.as_str()));
        for name in own.map(|name| if bucket(name) { "b0" } else { name }) {
            assert!(listed.contains(name), "{name} of {row:?}");
            assert!(explained().contains(name), "{name} has no sentence");
        }
        assert!(!row.p().contains(PRODUCT_ID) && !row.s().contains(PRODUCT_ID), "{row:?}");
        seen.insert(letter(&row));
    }
    assert_eq!(seen, documented.keys().map(String::as_str).collect());
}

/// What stands in backticks in a cell.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The attributes of each kind of row in `docs/DATA_MODEL.md`, by its letter.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let rows = DATA_MODEL.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.filter_map(|line| {
        let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
        let [_, letter, _, _, attributes] = cells[..] else { return None };
        let letter = quoted(letter).into_iter().next()?;
        (letter.len() == 1 && letter != "k").then(|| (letter, quoted(attributes)))
    });
    rows.collect()
}

/// The attributes that have a sentence in `docs/DATA_MODEL.md`.
fn explained() -> BTreeSet<String> {
    let rows = DATA_MODEL.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.map(|line| format!("`{line}"));
    let rows = rows.filter_map(|line| {
        let cells: Vec<String> = line.split(" | ").map(str::to_owned).collect();
        (cells.len() == 2).then(|| quoted(&cells[0]))
    });
    rows.flatten().collect()
}

/// The budget of a request counts on it (`SMALL_ROWS_IN_A_UNIT`).
#[tokio::test]
async fn eight_rows_of_members_fit_in_a_read_unit() {
    let customer = Customer::with("default", &[("create.existing", "link")]).await;
    let own = format!("{:z<128}", "Usr-");
    let record = json!({ "id": own, "userName": "a" });
    customer.world.import(&customer.row, &[record], Mode::Store).await;
    customer.create(json!({ "userName": "a" })).await;
    let member = json!({ "value": own, "display": "x".repeat(MAX_DISPLAY_BYTES) });
    let group = json!({ "displayName": "G", "members": [member] });
    assert_eq!(customer.send("POST", "/Groups", group).await.status, 201);
    let operator = customer.world.patient_operator();
    operator.resync(&customer.row, &ResyncScope::All, |_| {}).await.unwrap();
    let rows = customer.world.rows().await.into_iter();
    let sizes = rows.filter(|row| ["M", "R"].contains(&row.text("k").unwrap())).map(|row| {
        let size = |(name, value): (&String, &AttributeValue)| {
            name.len() + value.as_s().map_or(2, String::len)
        };
        row.0.iter().map(size).sum::<usize>()
    });
    let sizes: Vec<usize> = sizes.collect();
    assert_eq!(sizes.len(), 2);
    assert!(sizes.iter().all(|size| *size <= 4_096 / 8), "{sizes:?}");
}
