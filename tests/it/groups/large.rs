//! Groups of many members, and users in many groups.

use scim_core::Member;
use scim_lambda::store::{Collection, Kind, MemberChange, Operation, Outcome};
use serde_json::{Value, json};

use crate::support::handles::{Handle, member_ids, members, sorted, values};
use crate::support::{GROUP, World, encode};

#[tokio::test]
async fn many_members_are_written_in_portions_after_all_are_checked() {
    let world = World::new().await;
    let people = world.people("u", 130).await;
    let group = world.group("All", &people[..70]).await;
    assert_eq!(group.members().await, sorted(&people[..70]));
    let answer = group.add(&people).await;
    assert_eq!((answer.status.as_u16(), answer.body), (204, Value::Null), "over a hundred members");
    assert!(answer.headers.contains_key("etag"));
    assert_eq!(group.members().await, sorted(&people));
    let short = format!("{}?excludedAttributes=members", group.path());
    let short = world.send("PATCH", &short, members("remove", values(&people[..1]))).await;
    assert_eq!((short.status.as_u16(), short.body.get("members")), (200, None));

    // One unknown member among many: no member is written.
    let mut wanted = people[..60].to_vec();
    wanted.push("ffffffff-ffff-8fff-bfff-ffffffffffff".into());
    let rows = world.rows_of_directories().await.len();
    let replace = json!([{ "op": "replace", "path": "members", "value": values(&wanted) }]);
    group.patch(replace).await.is_error(400, Some("invalidValue"));
    world
        .send("POST", "/Groups", json!({ "displayName": "New", "members": values(&wanted) }))
        .await
        .is_error(400, Some("invalidValue"));
    world
        .send("POST", "/Groups", json!({ "displayName": "all", "members": values(&people) }))
        .await
        .is_error(409, Some("uniqueness"));
    assert_eq!(world.rows_of_directories().await.len(), rows);
    assert_eq!(group.members().await, sorted(&people[1..]));

    let answer =
        group.put(json!({ "displayName": "Few", "members": values(&people[100..]) })).await;
    assert_eq!(
        (member_ids(&answer.body), answer.body["displayName"].as_str()),
        (sorted(&people[100..]), Some("Few"))
    );
    let many: Vec<String> = (0..1_001).map(|n| format!("{n:08}")).collect();
    group.add(&many).await.is_error(413, None);
    assert_eq!(group.delete().await.status, 204);
    assert_eq!(world.rows_of("#M#").await + world.rows_of("#R#").await, 0);
}

#[tokio::test]
async fn answers_are_cut_where_many_members_would_not_fit() {
    let world = World::new().await;
    // The strict profile accepts unknown members, so that the test needs no users.
    let (row, strict) = world.tenant("strict", "strict").await;
    let groups = Collection { tenant: row.key(), kind: Kind::Group };
    let one = world.group_as(&strict, json!({ "schemas": [GROUP], "displayName": "One" })).await;
    let two = world.group_as(&strict, json!({ "schemas": [GROUP], "displayName": "Two" })).await;
    let audit = world.audit(Operation::Patch);
    let fill = async |group: &Handle<'_>, from: usize, to: usize| {
        let unknown = |n: usize| Member {
            value: format!("nobody-{n:05}").parse().unwrap(),
            kind: None,
            display: Some("d".repeat(256)),
        };
        let changes: Vec<MemberChange> =
            (from..to).map(|n| MemberChange::AddUnknown(unknown(n))).collect();
        let id = group.id().parse().unwrap();
        for portion in changes.chunks(36) {
            let outcome = world.store.change_members(&groups, &id, portion, &audit).await;
            assert!(matches!(outcome, Ok(Outcome::Committed)));
        }
    };
    fill(&one, 0, 7_500).await;
    fill(&two, 0, 7_500).await;
    for seen in 0..2 {
        let page = world
            .send_as(&strict, "GET", &format!("/Groups?startIndex={}", seen + 1), None)
            .await
            .body;
        assert_eq!((&page["totalResults"], &page["itemsPerPage"]), (&json!(2), &json!(1)));
        assert_eq!(member_ids(&page["Resources"][0]).len(), 7_500);
        assert!(page.to_string().len() < 4 * 1_024 * 1_024);
    }
    fill(&one, 7_500, 12_000).await;
    for path in [one.path(), "/Groups?filter=displayName%20eq%20%22One%22"] {
        let answer = world.send_as(&strict, "GET", path, None).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["scimType"]),
            (400, &json!("tooMany")),
            "{path}"
        );
        assert!(answer.body["detail"].as_str().unwrap().contains("excludedAttributes=members"));
    }
    assert_eq!(one.read_with("excludedAttributes=members").await.status, 200);
    assert_eq!(one.set("displayName", "Large").await.status, 204);
    let filter = encode(&format!("id eq \"{}\" and members eq \"nobody-11999\"", one.id()));
    let path = format!("/Groups?excludedAttributes=members&filter={filter}");
    let found = world.send_as(&strict, "GET", &path, None).await;
    assert_eq!((&found.body["totalResults"], found.tally.calls), (&json!(1), 3));
}

#[tokio::test]
async fn a_user_in_more_than_a_thousand_groups_is_never_shown_with_only_some() {
    let world = World::new().await;
    let people = world.people("u", 1).await;
    let groups = world.collection(Kind::Group);
    let audit = world.audit(Operation::Patch);
    let member = Member { value: people[0].parse().unwrap(), kind: None, display: None };
    for n in 0..=1_000 {
        let group = format!("00000000-0000-8000-8000-{n:012}").parse().unwrap();
        world
            .store
            .prepare_members(&groups, &group, &[MemberChange::Add(member.clone())], false, &audit)
            .await
            .unwrap();
    }
    let user = format!("/Users/{}", people[0]);
    let with_groups = format!("{user}?attributes=groups");
    world.send("GET", &with_groups, None).await.is_error(400, Some("tooMany"));
    assert_eq!(world.send("GET", &user, None).await.status, 200);
    assert_eq!(world.send("DELETE", &user, None).await.status, 204);
    assert_eq!(world.rows_of("#M#").await + world.rows_of("#R#").await, 0);
}
