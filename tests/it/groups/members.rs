//! The members of a group: each form of a change, and the versions they make.

use serde_json::{Value, json};

use crate::support::handles::{member_ids, members, patch, set, sorted, values};
use crate::support::{Answer, GROUP, USER, World, encode};

#[tokio::test]
async fn each_form_of_add_and_remove_touches_only_the_members_it_names() {
    let world = World::new().await;
    let people = world.people("u", 4).await;
    let [a, b, c, d] = [&people[0], &people[1], &people[2], &people[3]];
    let group = world.group("Staff", &people[..2]).await;
    let all = |ids: &[&String]| sorted(&ids.iter().map(|id| (*id).clone()).collect::<Vec<_>>());
    let filtered = |id: &str| format!("members[value eq \"{id}\"]");
    let add = |value: Value| json!({ "op": "add", "path": "members", "value": value });
    let remove = |value: Value| json!({ "op": "remove", "path": "members", "value": value });
    let remove_at = |path: String| json!({ "op": "remove", "path": path });
    for (form, operations, after) in [
        ("add an array", json!([add(json!([{ "value": c }]))]), all(&[a, b, c])),
        (
            "add a member again",
            json!([{ "op": "Add", "path": "members", "value": [{ "value": c, "$ref": null }] }]),
            all(&[a, b, c]),
        ),
        ("add an object", json!([add(json!({ "value": d }))]), all(&[a, b, c, d])),
        ("remove by filter", json!([remove_at(filtered(d))]), all(&[a, b, c])),
        ("remove a non-member by filter", json!([remove_at(filtered(d))]), all(&[a, b, c])),
        ("add a bare id", json!([add(json!(d))]), all(&[a, b, c, d])),
        (
            "remove an array",
            json!([{ "op": "Remove", "path": "members", "value": [{ "value": d, "$ref": null }] }]),
            all(&[a, b, c]),
        ),
        ("remove an empty array", json!([remove(json!([]))]), all(&[a, b, c])),
        (
            "remove an unknown id",
            json!([remove(json!([{ "value": "no such id!" }]))]),
            all(&[a, b, c]),
        ),
        ("remove an object", json!([remove(json!({ "value": c }))]), all(&[a, b])),
        (
            "add without a path",
            json!([{ "op": "add", "value": { "members": [{ "value": c }] } }]),
            all(&[a, b, c]),
        ),
        (
            "remove a wrapped list",
            json!([remove(json!({ "members": [{ "value": c }] }))]),
            all(&[a, b]),
        ),
        ("remove a bare id", json!([remove(json!(b))]), all(&[a])),
        (
            "add at members.value",
            json!([{ "op": "add", "path": "members.value", "value": b }]),
            all(&[a, b]),
        ),
        (
            "add by filter",
            json!([{ "op": "add", "path": filtered(c), "value": { "type": "User" } }]),
            all(&[a, b, c]),
        ),
        (
            "add and remove in order",
            json!([
                add(json!([{ "value": d }])),
                remove_at(format!("members[value eq \"{a}\" or value eq \"{d}\"]")),
            ]),
            all(&[b, c]),
        ),
        (
            "replace all",
            json!([{ "op": "replace", "path": "members", "value": [{ "value": a }, { "value": b }] }]),
            all(&[a, b]),
        ),
        (
            "replace one",
            json!([{ "op": "replace", "path": filtered(b), "value": [{ "value": c }] }]),
            all(&[a, c]),
        ),
        ("remove by type", json!([remove_at("members[type eq \"Group\"]".into())]), all(&[a, c])),
        (
            "remove by a negated filter",
            json!([remove_at(format!("members[not (value eq \"{a}\")]"))]),
            all(&[a]),
        ),
        (
            "rename",
            json!([{ "op": "replace", "value": { "displayName": "Staff", "externalId": "x" } }]),
            all(&[a]),
        ),
        (
            "rename and add",
            json!([
                { "op": "replace", "path": "displayName", "value": "Crew" },
                add(json!([{ "value": b }])),
            ]),
            all(&[a, b]),
        ),
        ("remove all", json!([remove_at("members".into())]), all(&[])),
    ] {
        let answer = group.patch(operations).await;
        assert_eq!(answer.status, 200, "{form}: {}", answer.body);
        assert_eq!(member_ids(&answer.body), after, "{form}");
        assert_eq!(group.members().await, after, "{form}");
        for id in [a, b] {
            let groups = world.groups_of(id).await;
            assert_eq!(!groups.is_empty(), after.contains(id), "{form}");
        }
    }
}

#[tokio::test]
async fn a_change_without_effect_writes_nothing() {
    let world = World::new().await;
    let people = world.people("u", 2).await;
    let group = world.group("Staff", &people).await;
    let before = group.read().await;
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
        let answer = world.send(method, group.path(), body.clone()).await;
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
    let group = world.group("Staff", &people[..1]).await;
    let mut seen = vec![group.read().await];
    for (method, body) in [
        ("PATCH", members("add", values(&people))),
        ("PATCH", members("remove", values(&people[..1]))),
        ("PUT", json!({ "displayName": "Staff", "members": values(&people[..2]) })),
        ("PATCH", set("displayName", "Crew")),
    ] {
        world.clock.advance_milliseconds(10);
        assert_eq!(world.send(method, group.path(), body).await.status, 200);
        let now = group.read().await;
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
    // Lists and short answers show the same version.
    let newest = seen.last().unwrap().header("etag").to_owned();
    let list = world.send("GET", "/Groups?excludedAttributes=members", None).await;
    assert_eq!(list.body["Resources"][0]["meta"]["version"], newest.as_str());
}

#[tokio::test]
async fn a_precondition_on_a_group_covers_its_members() {
    let world = World::new().await;
    let people = world.people("u", 3).await;
    let group = world.group("Staff", &people[..1]).await;
    let tag = group.read().await.header("etag").to_owned();
    let add = |n: usize| members("add", values(&people[n..=n]));
    let answer = world.send_if(group.path(), &tag, "PATCH", add(1)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    world.send_if(group.path(), &tag, "PATCH", add(2)).await.is_error(412, None);
    world.send_if(group.path(), &tag, "DELETE", Value::Null).await.is_error(412, None);
    world
        .send_if(group.path(), &tag, "PUT", json!({ "displayName": "Staff", "members": [] }))
        .await
        .is_error(412, None);
    let tag = answer.header("etag").to_owned();
    let got = group.read().await;
    assert_eq!(got.header("etag"), tag);
    assert_eq!(
        world
            .send_if(group.path(), &tag, "PUT", json!({ "displayName": "Staff", "members": [] }))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_unknown_member_is_refused_by_default_and_kept_under_strict() {
    let world = World::new().await;
    let (_, strict) = world.tenant("strict", "strict").await;
    let unknown = || json!([{ "value": "nobody-at-all", "type": "User" }]);
    let group = world.group("Staff", &[]).await;
    let addition = members("add", unknown());
    world.send("PATCH", group.path(), addition).await.is_error(400, Some("invalidValue"));
    let body = json!({ "schemas": [GROUP], "displayName": "Staff", "members": unknown() });
    let group = world.group_as(&strict, body).await;
    assert_eq!(group["members"], json!([{ "value": "nobody-at-all" }]));
    let kept = group.add(&["somebody-else".into()]).await;
    assert_eq!(member_ids(&kept.body).len(), 2);
    // A deleted user could come back, and must then not be in a group.
    let gone = world.user_as(&strict, json!({ "schemas": [USER], "userName": "gone" })).await;
    assert_eq!(gone.delete().await.status, 204);
    group.add(&[gone.id().to_owned()]).await.is_error(400, Some("invalidValue"));
    // Ids are compared without regard to case.
    assert_eq!(member_ids(&group.add(&["-Odd-".into()]).await.body).len(), 3);
    let filter = format!("/Groups?filter={}", encode("members.value eq \"-ODD-\""));
    assert_eq!(world.send_as(&strict, "GET", &filter, None).await.body["totalResults"], 1);
    assert_eq!(member_ids(&group.remove(&["-oDD-".into()]).await.body).len(), 2);
    let all = group.patch(json!([{ "op": "remove", "path": "members", "value": null }])).await;
    assert_eq!(all.body["members"], json!([]));
    // A token of another tenant reaches neither the group nor its members.
    world.send("GET", group.path(), None).await.is_error(404, None);
    let removal = members("remove", unknown());
    world.send("PATCH", group.path(), removal).await.is_error(404, None);
    let own = world.people("u", 1).await;
    let foreign = group.add(&own).await;
    assert_eq!(foreign.body["members"], json!([{ "value": own[0] }]));
    assert_eq!(world.groups_of(&own[0]).await, Vec::<String>::new());
}
