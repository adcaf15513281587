//! Groups: members, memberships, and what happens to them when resources go.

use std::time::Duration;

use scim_core::Member;
use scim_lambda::store::{Audit, Collection, Kind, MemberChange, Operation, Outcome};
use scim_lambda::tenant::Profile;
use serde_json::{Value, json};

use crate::support::{Answer, BASE_URL, GROUP, USER, World};

fn patch(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

/// A PATCH of one operation on members.
fn members(op: &str, value: Value) -> Value {
    patch(json!([{ "op": op, "path": "members", "value": value }]))
}

fn values(ids: &[String]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

impl World {
    /// Creates users called `prefix0`, `prefix1`, ... and returns their ids.
    pub async fn people(&self, prefix: &str, number: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for n in 0..number {
            let user = self.create(json!({ "userName": format!("{prefix}{n}@example.com") })).await;
            ids.push(user["id"].as_str().unwrap().to_owned());
        }
        ids
    }

    /// Creates a group and returns its path.
    pub async fn group(&self, name: &str, ids: &[String]) -> String {
        let answer = self
            .send("POST", "/Groups", json!({ "displayName": name, "members": values(ids) }))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        format!("/Groups/{}", answer.body["id"].as_str().unwrap())
    }

    /// The ids of a group's members, sorted.
    async fn members_of(&self, path: &str) -> Vec<String> {
        let answer = self.send("GET", path, None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        ids(&answer.body)
    }

    /// The displayNames of a user's groups, sorted.
    async fn groups_of(&self, id: &str) -> Vec<String> {
        let user = self.send("GET", &format!("/Users/{id}?attributes=groups"), None).await.body;
        let groups = user["groups"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<_> =
            groups.iter().map(|group| group["display"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }
}

fn ids(group: &Value) -> Vec<String> {
    let members = group["members"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<_> =
        members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids
}

#[tokio::test]
async fn a_group_comes_with_its_members_and_goes() {
    let world = World::new().await;
    let people = world.people("u", 2).await;
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "externalId": "ext", "displayName": "Tour \
            Guides",
        "members": [{ "value": people[0], "display": "Babs", "$ref": null }, { "value": people[1], "type": "user" }],
    });
    let answer = world.send("POST", "/Groups", body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let group = &answer.body;
    let id = group["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("{BASE_URL}/Groups/{id}"));
    assert_eq!(answer.header("etag"), "W/\"1\"");
    assert_eq!(group["meta"]["resourceType"], "Group");
    assert_eq!(group["externalId"], "ext");
    let first = group["members"]
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["value"] == people[0].as_str())
        .unwrap();
    let reference = format!("{BASE_URL}/Users/{}", people[0]);
    assert_eq!(
        *first,
        json!({ "value": people[0], "type": "User", "display": "Babs", "$ref": reference })
    );

    let path = format!("/Groups/{id}");
    assert_eq!(world.send("GET", &path, None).await.body, *group);
    assert_eq!(world.groups_of(&people[0]).await, ["Tour Guides"]);
    let user =
        world.send("GET", &format!("/Users/{}?attributes=groups", people[0]), None).await.body;
    let shown = json!([{ "value": id, "display": "Tour Guides", "type": "direct", "$ref": format!("{BASE_URL}/Groups/{id}") }]);
    assert_eq!(user["groups"], shown);
    assert_eq!(
        world.send("GET", &format!("/Users/{}", people[0]), None).await.body.get("groups"),
        None
    );

    assert_eq!(world.send("DELETE", &path, None).await.status, 204);
    world.send("DELETE", &path, None).await.is_error(404, None);
    world.send("GET", &path, None).await.is_error(404, None);
    assert_eq!(world.groups_of(&people[0]).await, Vec::<String>::new());
    assert_eq!(
        world.rows_of("#M#").await + world.rows_of("#R#").await + world.rows_of("#G").await,
        0
    );
    // Its name is free at once.
    world.group("tour guides", &[]).await;
}

#[tokio::test]
async fn each_form_of_add_and_remove_touches_only_whom_it_names() {
    let world = World::new().await;
    let people = world.people("u", 4).await;
    let [a, b, c, d] = [&people[0], &people[1], &people[2], &people[3]];
    let path = world.group("Staff", &people[..2]).await;
    let all = |ids: &[&String]| sorted(&ids.iter().map(|id| (*id).clone()).collect::<Vec<_>>());
    let filtered = |id: &str| format!("members[value eq \"{id}\"]");
    for (what, operations, after) in [
        (
            "an array",
            json!([{ "op": "add", "path": "members", "value": [{ "value": c }] }]),
            all(&[a, b, c]),
        ),
        (
            "again",
            json!([{ "op": "Add", "path": "members", "value": [{ "value": c, "$ref": null }] }]),
            all(&[a, b, c]),
        ),
        (
            "an object",
            json!([{ "op": "add", "path": "members", "value": { "value": d } }]),
            all(&[a, b, c, d]),
        ),
        ("a filter", json!([{ "op": "remove", "path": filtered(d) }]), all(&[a, b, c])),
        ("nobody", json!([{ "op": "remove", "path": filtered(d) }]), all(&[a, b, c])),
        ("an id", json!([{ "op": "add", "path": "members", "value": d }]), all(&[a, b, c, d])),
        (
            "value array",
            json!([{ "op": "Remove", "path": "members", "value": [{ "value": d, "$ref": null }] }]),
            all(&[a, b, c]),
        ),
        (
            "empty array",
            json!([{ "op": "remove", "path": "members", "value": [] }]),
            all(&[a, b, c]),
        ),
        (
            "unknown id",
            json!([{ "op": "remove", "path": "members", "value": [{ "value": "no such id!" }] }]),
            all(&[a, b, c]),
        ),
        (
            "value object",
            json!([{ "op": "remove", "path": "members", "value": { "value": c } }]),
            all(&[a, b]),
        ),
        (
            "no path",
            json!([{ "op": "add", "value": { "members": [{ "value": c }] } }]),
            all(&[a, b, c]),
        ),
        (
            "wrapped",
            json!([{ "op": "remove", "path": "members", "value": { "members": [{ "value": c }] } }]),
            all(&[a, b]),
        ),
        ("bare id", json!([{ "op": "remove", "path": "members", "value": b }]), all(&[a])),
        (
            "members.value",
            json!([{ "op": "add", "path": "members.value", "value": b }]),
            all(&[a, b]),
        ),
        (
            "add by filter",
            json!([{ "op": "add", "path": filtered(c), "value": { "type": "User" } }]),
            all(&[a, b, c]),
        ),
        (
            "in order",
            json!([
                { "op": "add", "path": "members", "value": [{ "value": d }] },
                { "op": "remove", "path": format!("members[value eq \"{a}\" or value eq \"{d}\"]") },
            ]),
            all(&[b, c]),
        ),
        (
            "replace",
            json!([{ "op": "replace", "path": "members", "value": [{ "value": a }, { "value": b }] }]),
            all(&[a, b]),
        ),
        (
            "replace one",
            json!([{ "op": "replace", "path": filtered(b), "value": [{ "value": c }] }]),
            all(&[a, c]),
        ),
        (
            "by type",
            json!([{ "op": "remove", "path": "members[type eq \"Group\"]" }]),
            all(&[a, c]),
        ),
        (
            "not",
            json!([{ "op": "remove", "path": format!("members[not (value eq \"{a}\")]") }]),
            all(&[a]),
        ),
        (
            "rename",
            json!([{ "op": "replace", "value": { "displayName": "Staff", "externalId": "x" } }]),
            all(&[a]),
        ),
        (
            "rename and add",
            json!([{ "op": "replace", "path": "displayName", "value": "Crew" }, { "op": "add", "path": "members", "value": [{ "value": b }] }]),
            all(&[a, b]),
        ),
        ("all", json!([{ "op": "remove", "path": "members" }]), all(&[])),
    ] {
        let answer = world.send("PATCH", &path, patch(operations)).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        assert_eq!(ids(&answer.body), after, "{what}");
        assert_eq!(world.members_of(&path).await, after, "{what}");
        for (id, name) in [(a, "Staff"), (b, "Staff")] {
            let is_in = world.groups_of(id).await;
            assert_eq!(!is_in.is_empty(), after.contains(id), "{what}: {name}");
        }
    }
}

#[tokio::test]
async fn what_changes_nothing_changes_no_version_and_no_row() {
    let world = World::new().await;
    let people = world.people("u", 2).await;
    let path = world.group("Staff", &people).await;
    let before = world.send("GET", &path, None).await;
    world.clock.advance(10);
    let rows = world.rows().await.len();
    let mut whole = before.body.clone();
    whole["members"].as_array_mut().unwrap().reverse();
    for (method, body) in [
        ("PATCH", members("add", values(&people))),
        ("PATCH", members("replace", values(&people))),
        ("PATCH", members("remove", json!([{ "value": "00000000-0000-8000-8000-000000000000" }]))),
        ("PATCH", patch(json!([]))),
        ("PATCH", members("add", json!([]))),
        ("PATCH", members("remove", json!([]))),
        ("PUT", whole),
    ] {
        let answer = world.send(method, &path, body.clone()).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.body);
        assert_eq!(answer.body, before.body, "{body}");
        assert_eq!(answer.tally.write_units, 0.0, "{body}");
    }
    assert_eq!(world.rows().await.len(), rows);
}

#[tokio::test]
async fn a_change_of_members_is_a_new_version_and_a_new_last_modified() {
    let world = World::new().await;
    let people = world.people("u", 3).await;
    let path = world.group("Staff", &people[..1]).await;
    let mut seen = vec![world.send("GET", &path, None).await];
    for (method, body) in [
        ("PATCH", members("add", values(&people))),
        ("PATCH", members("remove", values(&people[..1]))),
        ("PUT", json!({ "displayName": "Staff", "members": values(&people[..2]) })),
        ("PATCH", patch(json!([{ "op": "replace", "path": "displayName", "value": "Crew" }]))),
    ] {
        world.clock.advance_milliseconds(10);
        assert_eq!(world.send(method, &path, body).await.status, 200);
        let now = world.send("GET", &path, None).await;
        let last = seen.last().unwrap();
        let number = |answer: &Answer| -> u32 {
            let tag = answer.header("etag").to_owned();
            assert_eq!(answer.body["meta"]["version"], tag.as_str());
            tag.trim_start_matches("W/\"").trim_end_matches('"').parse().unwrap()
        };
        assert!(number(&now) > number(last));
        let modified = |answer: &Answer| {
            let text = answer.body["meta"]["lastModified"].as_str().unwrap().to_owned();
            time::OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc3339)
                .unwrap()
        };
        assert_eq!(modified(&now) - modified(last), time::Duration::milliseconds(10));
        assert_eq!(now.body["meta"]["created"], last.body["meta"]["created"]);
        seen.push(now);
    }
    // Lists and short answers tell the same version.
    let newest = seen.last().unwrap().header("etag").to_owned();
    let list = world.send("GET", "/Groups?excludedAttributes=members", None).await;
    assert_eq!(list.body["Resources"][0]["meta"]["version"], newest.as_str());
}

#[tokio::test]
async fn a_put_that_names_no_members_empties_the_group_unless_the_profile_keeps_them() {
    let world = World::new().await;
    let keeps = Profile::preset("default", Some("okta")).unwrap().write().unwrap();
    let (_, okta) = world.tenant("okta", &keeps).await;
    // A profile that was stored before there was the setting.
    let before = keeps.replace(r#","put_members":"keep""#, "");
    assert_ne!(before, keeps);
    let (_, stored) = world.tenant("stored", &before).await;
    let left_out = json!({ "displayName": "Staff 2" });
    for (token, left_out_keeps) in [(&world.token, false), (&stored, false), (&okta, true)] {
        let user = world.send_as(token, "POST", "/Users", json!({ "userName": "a" })).await.body;
        let body = json!({ "displayName": "Staff", "members": [{ "value": user["id"] }] });
        let group = world.send_as(token, "POST", "/Groups", body.clone()).await.body;
        let path = format!("/Groups/{}", group["id"].as_str().unwrap());
        for members in [
            None,
            Some(json!([])),
            Some(Value::Null),
            Some(json!("")),
            Some(json!({})),
            Some(json!([null])),
        ] {
            assert_eq!(
                world.send_as(token, "PUT", &path, body.clone()).await.body["members"],
                group["members"]
            );
            let mut put = left_out.clone();
            let keeps = members.is_none() && left_out_keeps;
            put.as_object_mut()
                .unwrap()
                .extend(members.map(|members| ("members".to_owned(), members)));
            let answer = world.send_as(token, "PUT", &path, put.clone()).await;
            let after = if keeps { group["members"].clone() } else { json!([]) };
            assert_eq!((answer.status.as_u16(), &answer.body["members"]), (200, &after), "{put}");
            assert_eq!(
                world.send_as(token, "GET", &path, None).await.body["members"],
                after,
                "{put}"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_group_that_is_shown_with_its_members_says_that_it_has_none() {
    let world = World::new().await;
    let people = world.people("u", 1).await;
    let none = json!([]);
    let made = world.send("POST", "/Groups", json!({ "displayName": "Staff" })).await.body;
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    let rename = patch(json!([{ "op": "replace", "path": "displayName", "value": "Crew" }]));
    assert_eq!(
        world.send("PATCH", &path, members("add", values(&people))).await.body["members"][0]["value"],
        people[0]
    );
    let answers = [
        world.send("PATCH", &path, members("remove", values(&people))).await.body,
        world.send("PATCH", &path, rename).await.body,
        world.send("PUT", &path, json!({ "displayName": "Staff", "members": [] })).await.body,
        world.send("GET", &path, None).await.body,
        world.send("GET", &format!("{path}?attributes=members"), None).await.body,
        world.send("GET", &format!("{path}?excludedAttributes=displayName"), None).await.body,
        world.send("GET", "/Groups", None).await.body["Resources"][0].clone(),
        world.search("/Groups", "displayName eq \"staff\"").await[0].clone(),
        world.send("POST", "/Groups/.search", json!({})).await.body["Resources"][0].clone(),
    ];
    assert!(answers.iter().chain([&made]).all(|answer| answer["members"] == none), "{answers:?}");
    for query in ["excludedAttributes=members", "attributes=displayName"] {
        let one = world.send("GET", &format!("{path}?{query}"), None).await.body;
        let list = world.send("GET", &format!("/Groups?{query}"), None).await.body;
        assert_eq!(
            (one.get("members"), list["Resources"][0].get("members")),
            (None, None),
            "{query}"
        );
    }
    // It is empty for filters as it was, and what was read changes nothing when it is sent back.
    assert!(world.search("/Groups", "members pr").await.is_empty());
    assert_eq!(world.search("/Groups", "members eq null").await.len(), 1);
    assert_eq!(world.send("PUT", &path, answers[3].clone()).await.tally.write_units, 0.0);
}

#[tokio::test]
async fn groups_in_groups_are_kept_and_not_expanded() {
    let world = World::new().await;
    let people = world.people("u", 1).await;
    let inner = world.group("Inner", &people).await;
    let inner_id = inner.strip_prefix("/Groups/").unwrap().to_owned();
    // Of no type, of the right one, and of the wrong one.
    for kind in [Value::Null, json!("Group"), json!("User")] {
        let body = json!({ "displayName": format!("Outer {kind}"), "members": [{ "value": inner_id, "type": kind }] });
        let outer = world.send("POST", "/Groups", body).await;
        assert_eq!(outer.status, 201, "{}", outer.body);
        let member = &outer.body["members"][0];
        assert_eq!(member["type"], "Group");
        assert_eq!(member["$ref"], format!("{BASE_URL}/Groups/{inner_id}"));
    }
    assert_eq!(world.groups_of(&people[0]).await, ["Inner"]);
    let filter = format!("members.value eq \"{inner_id}\"");
    let found = world.search("/Groups", &filter).await;
    assert_eq!(found.len(), 3);
    // A group that is deleted leaves the groups it was in.
    assert_eq!(world.send("DELETE", &inner, None).await.status, 204);
    assert_eq!(world.search("/Groups", "members pr").await.len(), 0);
}

#[tokio::test]
async fn who_is_deleted_leaves_all_groups_and_comes_back_to_none() {
    let world = World::new().await;
    let people = world.people("u", 2).await;
    let mut paths = Vec::new();
    for n in 0..40 {
        paths.push(world.group(&format!("Group {n}"), &people).await);
    }
    let user = format!("/Users/{}", people[0]);
    let inactive = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
    assert_eq!(world.send("PATCH", &user, inactive).await.status, 200);
    assert_eq!(world.groups_of(&people[0]).await.len(), 40, "who is suspended keeps the groups");
    let before = world.send("GET", &paths[0], None).await;
    world.clock.advance(1);
    assert_eq!(world.send("DELETE", &user, None).await.status, 204);
    for path in &paths {
        assert_eq!(world.members_of(path).await, people[1..]);
    }
    assert_ne!(world.send("GET", &paths[0], None).await.header("etag"), before.header("etag"));
    let back = world.create(json!({ "userName": "u0@example.com" })).await;
    assert_eq!(back["id"], people[0].as_str());
    assert_eq!(world.groups_of(&people[0]).await, Vec::<String>::new());
    // Nobody can be added who is deleted.
    assert_eq!(world.send("DELETE", &user, None).await.status, 204);
    world
        .send("PATCH", &paths[0], members("add", values(&people[..1])))
        .await
        .is_error(400, Some("invalidValue"));
}

#[tokio::test]
async fn names_of_groups_are_unique_by_default_and_shared_under_strict() {
    let world = World::new().await;
    world.group("Engineering", &[]).await;
    let taken = world.send("POST", "/Groups", json!({ "displayName": "ENGINEERING" })).await;
    taken.is_error(409, Some("uniqueness"));
    let other = world.group("Sales", &[]).await;
    let rename = patch(json!([{ "op": "replace", "path": "displayName", "value": "engineering" }]));
    world.send("PATCH", &other, rename.clone()).await.is_error(409, Some("uniqueness"));
    assert_eq!(world.search("/Groups", "displayName eq \"eNgineering\"").await.len(), 1);
    let schema = "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group";
    assert_eq!(world.send("GET", schema, None).await.body["attributes"][0]["uniqueness"], "server");

    let (_, token) = world.tenant("strict", "strict").await;
    for externals in ["a", "b"] {
        let body =
            json!({ "schemas": [GROUP], "displayName": "Engineering", "externalId": externals });
        assert_eq!(world.send_as(&token, "POST", "/Groups", body).await.status, 201);
    }
    let third = json!({ "schemas": [GROUP], "displayName": "Sales" });
    let third = world.send_as(&token, "POST", "/Groups", third).await.body;
    let path = format!("/Groups/{}", third["id"].as_str().unwrap());
    assert_eq!(world.send_as(&token, "PATCH", &path, rename).await.status, 200);
    let filter =
        format!("/Groups?filter={}", crate::support::encode("displayName eq \"engineering\""));
    assert_eq!(world.send_as(&token, "GET", &filter, None).await.body["totalResults"], 3);
    assert_eq!(
        world.send_as(&token, "GET", schema, None).await.body["attributes"][0]["uniqueness"],
        "none"
    );
}

#[tokio::test]
async fn filters_find_groups_by_members_and_users_by_groups() {
    let world = World::new().await;
    let people = world.people("u", 3).await;
    let staff = world.group("Staff", &people[..2]).await;
    world.group("Crew", &people[1..]).await;
    world.group("Nobody", &[]).await;
    let id = staff.strip_prefix("/Groups/").unwrap();
    for (filter, names) in [
        (format!("members eq \"{}\"", people[0]), vec!["Staff"]),
        (format!("members.value eq \"{}\"", people[1].to_uppercase()), vec!["Crew", "Staff"]),
        (format!("members[value eq \"{}\"]", people[1]), vec!["Crew", "Staff"]),
        (format!("id eq \"{id}\" and members eq \"{}\"", people[0]), vec!["Staff"]),
        (format!("id eq \"{id}\" and members eq \"{}\"", people[2]), vec![]),
        (
            format!("members eq \"{}\" and not (members eq \"{}\")", people[1], people[0]),
            vec!["Crew"],
        ),
        (format!("not (members eq \"{}\")", people[0]), vec!["Crew", "Nobody"]),
        ("members pr".into(), vec!["Crew", "Staff"]),
        ("not (members pr)".into(), vec!["Nobody"]),
        ("members[type eq \"User\"]".into(), vec!["Crew", "Staff"]),
        ("members eq \"nobody\"".into(), vec![]),
        ("displayName sw \"s\" or displayName eq \"crew\"".into(), vec!["Crew", "Staff"]),
    ] {
        let mut found: Vec<_> = world
            .search("/Groups", &filter)
            .await
            .iter()
            .map(|g| g["displayName"].as_str().unwrap().to_owned())
            .collect();
        found.sort();
        assert_eq!(found, names, "{filter}");
    }
    for filter in [
        format!("groups.value eq \"{id}\""),
        format!("groups[value eq \"{id}\"]"),
        "groups.display eq \"staff\"".into(),
    ] {
        let mut found: Vec<_> = world
            .search("/Users", &filter)
            .await
            .iter()
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect();
        found.sort();
        assert_eq!(found, sorted(&people[..2]), "{filter}");
    }
}

#[tokio::test]
async fn many_members_come_in_portions_and_nothing_is_half_done() {
    let world = World::new().await;
    let people = world.people("u", 130).await;
    let path = world.group("All", &people[..70]).await;
    assert_eq!(world.members_of(&path).await, sorted(&people[..70]));
    let answer = world.send("PATCH", &path, members("add", values(&people))).await;
    assert_eq!((answer.status.as_u16(), answer.body), (204, Value::Null), "over a hundred members");
    assert!(answer.headers.contains_key("etag"));
    assert_eq!(world.members_of(&path).await, sorted(&people));
    let short = world
        .send(
            "PATCH",
            &format!("{path}?excludedAttributes=members"),
            members("remove", values(&people[..1])),
        )
        .await;
    assert_eq!((short.status.as_u16(), short.body.get("members")), (200, None));

    // One who is not there among many: nobody is moved.
    let mut wanted = people[..60].to_vec();
    wanted.push("ffffffff-ffff-8fff-bfff-ffffffffffff".into());
    let rows = world.rows().await.len();
    world
        .send("PATCH", &path, members("replace", values(&wanted)))
        .await
        .is_error(400, Some("invalidValue"));
    world
        .send("POST", "/Groups", json!({ "displayName": "New", "members": values(&wanted) }))
        .await
        .is_error(400, Some("invalidValue"));
    world
        .send("POST", "/Groups", json!({ "displayName": "all", "members": values(&people) }))
        .await
        .is_error(409, Some("uniqueness"));
    assert_eq!(world.rows().await.len(), rows);
    assert_eq!(world.members_of(&path).await, sorted(&people[1..]));

    let answer = world
        .send("PUT", &path, json!({ "displayName": "Few", "members": values(&people[100..]) }))
        .await;
    assert_eq!(
        (ids(&answer.body), answer.body["displayName"].as_str()),
        (sorted(&people[100..]), Some("Few"))
    );
    let many: Vec<Value> = (0..1_001).map(|n| json!({ "value": format!("{n:08}") })).collect();
    world.send("PATCH", &path, members("add", many.into())).await.is_error(413, None);
    assert_eq!(world.send("DELETE", &path, None).await.status, 204);
    assert_eq!(world.rows_of("#M#").await + world.rows_of("#R#").await, 0);
}

#[tokio::test]
async fn a_precondition_on_a_group_covers_its_members() {
    let world = World::new().await;
    let people = world.people("u", 3).await;
    let path = world.group("Staff", &people[..1]).await;
    let tag = world.send("GET", &path, None).await.header("etag").to_owned();
    let add = |n: usize| members("add", values(&people[n..=n]));
    let answer = world.send_if(&path, &tag, "PATCH", add(1)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    world.send_if(&path, &tag, "PATCH", add(2)).await.is_error(412, None);
    world.send_if(&path, &tag, "DELETE", Value::Null).await.is_error(412, None);
    world
        .send_if(&path, &tag, "PUT", json!({ "displayName": "Staff", "members": [] }))
        .await
        .is_error(412, None);
    let tag = answer.header("etag").to_owned();
    let got = world.send("GET", &path, None).await;
    assert_eq!(got.header("etag"), tag);
    assert_eq!(
        world
            .send_if(&path, &tag, "PUT", json!({ "displayName": "Staff", "members": [] }))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn lists_show_members_unless_they_are_excluded() {
    let world = World::new().await;
    let people = world.people("u", 3).await;
    for n in 0..5 {
        world.group(&format!("Group {n}"), &people[..n.min(3)]).await;
    }
    let list = world.send("GET", "/Groups?sortBy=displayName", None).await.body;
    let sizes: Vec<usize> =
        list["Resources"].as_array().unwrap().iter().map(|group| ids(group).len()).collect();
    assert_eq!((sizes, list["totalResults"].as_u64()), (vec![0, 1, 2, 3, 3], Some(5)));
    let with = world.send("GET", "/Groups", None).await;
    let without = world.send("GET", "/Groups?excludedAttributes=members", None).await;
    assert!(
        without.body["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .all(|group| group.get("members").is_none())
    );
    assert_eq!(
        (without.tally.calls, with.tally.calls),
        (2, 7),
        "one call a group that has members, and who is gone"
    );
    let ids_only = world.send("GET", "/Groups?attributes=displayName", None).await;
    assert_eq!(ids_only.tally.calls, 2);
    let mut walked = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.send("GET", &format!("/Groups?count=2&cursor={cursor}"), None).await.body;
        walked
            .extend(page["Resources"].as_array().unwrap().iter().map(|group| group["id"].clone()));
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    // The cursor is for groups.
    let first = world.send("GET", "/Groups?count=2&cursor", None).await.body;
    let elsewhere = format!("/Users?count=2&cursor={}", first["nextCursor"].as_str().unwrap());
    world.send("GET", &elsewhere, None).await.is_error(400, Some("invalidCursor"));
    let displays = world.send("GET", "/Groups?attributes=members.display", None).await.body;
    let (empty, others): (Vec<&Value>, Vec<&Value>) = displays["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .partition(|group| group.get("members").is_some());
    assert_eq!(
        (empty.len(), &empty[0]["members"], others.len()),
        (1, &json!([]), 4),
        "no member has a display"
    );
    let all: Vec<Value> = with.body["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["id"].clone())
        .collect();
    assert_eq!(walked, all);
    let third = world.send("GET", "/Groups?startIndex=3&count=1", None).await.body;
    assert_eq!(third["Resources"][0]["id"], all[2]);
}

#[tokio::test]
async fn a_member_that_is_nobody_is_refused_by_default_and_kept_under_strict() {
    let world = World::new().await;
    let (_, strict) = world.tenant("strict", "strict").await;
    let nobody = || json!([{ "value": "nobody-at-all", "type": "User" }]);
    let path = world.group("Staff", &[]).await;
    world.send("PATCH", &path, members("add", nobody())).await.is_error(400, Some("invalidValue"));
    let body = json!({ "schemas": [GROUP], "displayName": "Staff", "members": nobody() });
    let group = world.send_as(&strict, "POST", "/Groups", body).await;
    assert_eq!(group.body["members"], json!([{ "value": "nobody-at-all" }]));
    let path = format!("/Groups/{}", group.body["id"].as_str().unwrap());
    let other = members("add", json!([{ "value": "somebody-else" }]));
    assert_eq!(
        world.send_as(&strict, "PATCH", &path, other).await.body["members"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // Somebody who was deleted could come back, and must not be in a group then.
    let gone = json!({ "schemas": [USER], "userName": "gone" });
    let gone = world.send_as(&strict, "POST", "/Users", gone).await.body;
    let gone = gone["id"].as_str().unwrap().to_owned();
    assert_eq!(world.send_as(&strict, "DELETE", &format!("/Users/{gone}"), None).await.status, 204);
    let again = members("add", values(&[gone]));
    world.send_as(&strict, "PATCH", &path, again).await.is_error(400, Some("invalidValue"));
    // Ids are compared in lower case.
    let odd = members("add", json!([{ "value": "-Odd-" }]));
    assert_eq!(
        world.send_as(&strict, "PATCH", &path, odd).await.body["members"].as_array().unwrap().len(),
        3
    );
    let filter = format!("/Groups?filter={}", crate::support::encode("members.value eq \"-ODD-\""));
    assert_eq!(world.send_as(&strict, "GET", &filter, None).await.body["totalResults"], 1);
    let odd = members("remove", json!([{ "value": "-oDD-" }]));
    assert_eq!(
        world.send_as(&strict, "PATCH", &path, odd).await.body["members"].as_array().unwrap().len(),
        2
    );
    let all = members("remove", Value::Null);
    assert_eq!(world.send_as(&strict, "PATCH", &path, all).await.body["members"], json!([]));
    // A token of another tenant reaches neither the group nor its members.
    world.send("GET", &path, None).await.is_error(404, None);
    world.send("PATCH", &path, members("remove", nobody())).await.is_error(404, None);
    let own = world.people("u", 1).await;
    let foreign = members("add", values(&own));
    assert_eq!(
        world.send_as(&strict, "PATCH", &path, foreign).await.body["members"],
        json!([{ "value": own[0] }])
    );
    assert_eq!(world.groups_of(&own[0]).await, Vec::<String>::new());
}

#[tokio::test]
async fn answers_with_many_members_are_cut_where_they_would_not_fit() {
    let world = World::new().await;
    // Members that are nobody need no users: the strict profile takes them.
    let (row, strict) = world.tenant("strict", "strict").await;
    let groups = Collection { tenant: row.key(), kind: Kind::Group };
    let mut paths = Vec::new();
    for name in ["One", "Two"] {
        let group = json!({ "schemas": [GROUP], "displayName": name });
        let group = world.send_as(&strict, "POST", "/Groups", group).await.body;
        paths.push(format!("/Groups/{}", group["id"].as_str().unwrap()));
    }
    let audit = Audit::new(
        Operation::Patch,
        "test",
        "1",
        world.clock.milliseconds(),
        Duration::from_secs(1),
    );
    let fill = async |path: &str, from: usize, to: usize| {
        let nobody = |n: usize| Member {
            value: format!("nobody-{n:05}").parse().unwrap(),
            kind: None,
            display: Some("d".repeat(256)),
        };
        let moves: Vec<MemberChange> =
            (from..to).map(|n| MemberChange::AddUnknown(nobody(n))).collect();
        for some in moves.chunks(36) {
            let wrote = world
                .store
                .change_members(&groups, &path[8..].parse().unwrap(), some, &audit)
                .await;
            assert!(matches!(wrote, Ok(Outcome::Committed)));
        }
    };
    for path in &paths {
        fill(path, 0, 7_500).await;
    }
    for seen in 0..2 {
        let page = world
            .send_as(&strict, "GET", &format!("/Groups?startIndex={}", seen + 1), None)
            .await
            .body;
        assert_eq!((&page["totalResults"], &page["itemsPerPage"]), (&json!(2), &json!(1)));
        assert_eq!(ids(&page["Resources"][0]).len(), 7_500);
        assert!(page.to_string().len() < 4 * 1_024 * 1_024);
    }
    fill(&paths[0], 7_500, 12_000).await;
    for path in [paths[0].as_str(), "/Groups?filter=displayName%20eq%20%22One%22"] {
        let answer = world.send_as(&strict, "GET", path, None).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["scimType"]),
            (400, &json!("tooMany")),
            "{path}"
        );
        assert!(answer.body["detail"].as_str().unwrap().contains("excludedAttributes=members"));
    }
    let short = format!("{}?excludedAttributes=members", paths[0]);
    assert_eq!(world.send_as(&strict, "GET", &short, None).await.status, 200);
    let rename = patch(json!([{ "op": "replace", "path": "displayName", "value": "Large" }]));
    assert_eq!(world.send_as(&strict, "PATCH", &paths[0], rename).await.status, 204);
    let one = crate::support::encode(&format!(
        "id eq \"{}\" and members eq \"nobody-11999\"",
        &paths[0][8..]
    ));
    let found = world
        .send_as(&strict, "GET", &format!("/Groups?excludedAttributes=members&filter={one}"), None)
        .await;
    assert_eq!((&found.body["totalResults"], found.tally.calls), (&json!(1), 3));
}

#[tokio::test]
async fn who_is_in_more_than_a_thousand_groups_is_not_shown_with_some_of_them() {
    let world = World::new().await;
    let people = world.people("u", 1).await;
    let groups = Collection { tenant: world.tenant.key(), kind: Kind::Group };
    let audit = Audit::new(
        Operation::Patch,
        "test",
        "1",
        world.clock.milliseconds(),
        Duration::from_secs(1),
    );
    let member = Member { value: people[0].parse().unwrap(), kind: None, display: None };
    for n in 0..=1_000 {
        let group = format!("00000000-0000-8000-8000-{n:012}").parse().unwrap();
        world
            .store
            .prepare_members(&groups, &group, &[MemberChange::Add(member.clone())], false, &audit)
            .await
            .unwrap();
    }
    let shown = format!("/Users/{}?attributes=groups", people[0]);
    world.send("GET", &shown, None).await.is_error(400, Some("tooMany"));
    assert_eq!(world.send("GET", &format!("/Users/{}", people[0]), None).await.status, 200);
    assert_eq!(world.send("DELETE", &format!("/Users/{}", people[0]), None).await.status, 204);
    assert_eq!(world.rows_of("#M#").await + world.rows_of("#R#").await, 0);
}
