//! Groups from creation to deletion, and their names.

use scim_lambda::tenant::Profile;
use serde_json::{Value, json};

use crate::support::handles::{Handle, set};
use crate::support::{BASE_URL, GROUP, World, encode};

#[tokio::test]
async fn a_group_is_created_with_its_members_and_deleted() {
    let world = World::new().await;
    let people = world.people("u", 2).await;
    let body = json!({
        "schemas": [GROUP], "externalId": "ext", "displayName": "Tour Guides",
        "members": [
            { "value": people[0], "display": "Babs", "$ref": null },
            { "value": people[1], "type": "user" },
        ],
    });
    let answer = world.send("POST", "/Groups", body).await;
    assert_eq!(answer.header("etag"), "W/\"1\"");
    let location = answer.header("location").to_owned();
    let group = Handle::of(&world, &world.token, "/Groups", answer);
    assert_eq!(location, format!("{BASE_URL}{}", group.path()));
    assert_eq!(
        (&group["meta"]["resourceType"], &group["externalId"]),
        (&json!("Group"), &json!("ext"))
    );
    let mut shown = group["members"].as_array().unwrap().iter();
    let first = shown.find(|member| member["value"] == people[0].as_str()).unwrap();
    let reference = format!("{BASE_URL}/Users/{}", people[0]);
    assert_eq!(
        *first,
        json!({ "value": people[0], "type": "User", "display": "Babs", "$ref": reference })
    );

    assert_eq!(group.read().await.body, *group);
    assert_eq!(world.groups_of(&people[0]).await, ["Tour Guides"]);
    let user = format!("/Users/{}", people[0]);
    let with_groups = world.send("GET", &format!("{user}?attributes=groups"), None).await.body;
    assert_eq!(
        with_groups["groups"],
        json!([{ "value": group.id(), "display": "Tour Guides", "type": "direct", "$ref": location }])
    );
    assert_eq!(world.send("GET", &user, None).await.body.get("groups"), None);

    assert_eq!(group.delete().await.status, 204);
    group.delete().await.is_error(404, None);
    group.read().await.is_error(404, None);
    assert_eq!(world.groups_of(&people[0]).await, Vec::<String>::new());
    assert_eq!(
        world.rows_of("#M#").await + world.rows_of("#R#").await + world.rows_of("#G").await,
        0
    );
    // Its name is free at once.
    world.group("tour guides", &[]).await;
}

#[tokio::test]
async fn group_names_are_unique_by_default_and_shared_under_strict() {
    let world = World::new().await;
    world.group("Engineering", &[]).await;
    let taken = world.send("POST", "/Groups", json!({ "displayName": "ENGINEERING" })).await;
    taken.is_error(409, Some("uniqueness"));
    let other = world.group("Sales", &[]).await;
    other.set("displayName", "engineering").await.is_error(409, Some("uniqueness"));
    assert_eq!(world.search("/Groups", "displayName eq \"eNgineering\"").await.len(), 1);
    let schema = "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group";
    assert_eq!(world.send("GET", schema, None).await.body["attributes"][0]["uniqueness"], "server");

    let (_, token) = world.tenant("strict", "strict").await;
    for externals in ["a", "b"] {
        let body =
            json!({ "schemas": [GROUP], "displayName": "Engineering", "externalId": externals });
        world.group_as(&token, body).await;
    }
    let third = json!({ "schemas": [GROUP], "displayName": "Sales" });
    let third = world.group_as(&token, third).await;
    assert_eq!(third.set("displayName", "engineering").await.status, 200);
    let filter = format!("/Groups?filter={}", encode("displayName eq \"engineering\""));
    assert_eq!(world.send_as(&token, "GET", &filter, None).await.body["totalResults"], 3);
    assert_eq!(
        world.send_as(&token, "GET", schema, None).await.body["attributes"][0]["uniqueness"],
        "none"
    );
}

#[tokio::test]
async fn a_put_without_members_empties_the_group_unless_the_profile_keeps_them() {
    let world = World::new().await;
    let keeps = Profile::preset("default", Some("okta")).unwrap().write().unwrap();
    let (_, okta) = world.tenant("okta", &keeps).await;
    // A profile that was stored before the setting existed.
    let before = keeps.replace(r#","put_members":"keep""#, "");
    assert_ne!(before, keeps);
    let (_, stored) = world.tenant("stored", &before).await;
    let left_out = json!({ "displayName": "Staff 2" });
    for (token, left_out_keeps) in [(&world.token, false), (&stored, false), (&okta, true)] {
        let user = world.user_as(token, json!({ "userName": "a" })).await;
        let body = json!({ "displayName": "Staff", "members": [{ "value": user["id"] }] });
        let group = world.group_as(token, body.clone()).await;
        for members in [
            None,
            Some(json!([])),
            Some(Value::Null),
            Some(json!("")),
            Some(json!({})),
            Some(json!([null])),
        ] {
            assert_eq!(group.put(body.clone()).await.body["members"], group["members"]);
            let mut put = left_out.clone();
            let keeps = members.is_none() && left_out_keeps;
            put.as_object_mut()
                .unwrap()
                .extend(members.map(|members| ("members".to_owned(), members)));
            let answer = group.put(put.clone()).await;
            let after = if keeps { group["members"].clone() } else { json!([]) };
            assert_eq!((answer.status.as_u16(), &answer.body["members"]), (200, &after), "{put}");
            assert_eq!(group.read().await.body["members"], after, "{put}");
        }
    }
}

#[tokio::test]
async fn nested_groups_are_kept_and_not_expanded() {
    let world = World::new().await;
    let people = world.people("u", 1).await;
    let inner = world.group("Inner", &people).await;
    // Without a type, with the right one, and with the wrong one.
    for kind in [Value::Null, json!("Group"), json!("User")] {
        let body = json!({ "displayName": format!("Outer {kind}"), "members": [{ "value": inner.id(), "type": kind }] });
        let outer = world.group_as(&world.token, body).await;
        let member = &outer["members"][0];
        assert_eq!(member["type"], "Group");
        assert_eq!(member["$ref"], format!("{BASE_URL}{}", inner.path()));
    }
    assert_eq!(world.groups_of(&people[0]).await, ["Inner"]);
    let filter = format!("members.value eq \"{}\"", inner.id());
    let found = world.search("/Groups", &filter).await;
    assert_eq!(found.len(), 3);
    // A group that is deleted leaves the groups it was in.
    assert_eq!(inner.delete().await.status, 204);
    assert_eq!(world.search("/Groups", "members pr").await.len(), 0);
}

#[tokio::test]
async fn a_deleted_user_leaves_all_groups_and_returns_to_none() {
    let world = World::new().await;
    let people = world.people("u", 2).await;
    let mut groups = Vec::new();
    for n in 0..40 {
        groups.push(world.group(&format!("Group {n}"), &people).await);
    }
    let user = format!("/Users/{}", people[0]);
    assert_eq!(world.send("PATCH", &user, set("active", false)).await.status, 200);
    assert_eq!(world.groups_of(&people[0]).await.len(), 40, "an inactive user keeps its groups");
    let before = groups[0].read().await;
    world.clock.advance(1);
    assert_eq!(world.send("DELETE", &user, None).await.status, 204);
    for group in &groups {
        assert_eq!(group.members().await, people[1..]);
    }
    assert_ne!(groups[0].read().await.header("etag"), before.header("etag"));
    let back = world.create(json!({ "userName": "u0@example.com" })).await;
    assert_eq!(back["id"], people[0].as_str());
    assert_eq!(world.groups_of(&people[0]).await, Vec::<String>::new());
    // A deleted user cannot be added.
    assert_eq!(world.send("DELETE", &user, None).await.status, 204);
    groups[0].add(&people[..1]).await.is_error(400, Some("invalidValue"));
}
