//! Lists and filters of groups, and the members that answers show.

use serde_json::{Value, json};

use crate::support::customer::Customer;
use crate::support::handles::{self, member_ids, sorted, user_path};
use crate::support::{USER, World, all, walk};

#[tokio::test]
async fn lists_show_members_unless_they_are_excluded() {
    let world = World::new().await;
    let people = world.people("u", 3).await;
    for n in 0..5 {
        world.group(&format!("Group {n}"), &people[..n.min(3)]).await;
    }
    let list = world.send("GET", "/Groups?sortBy=displayName", None).await.body;
    let sizes: Vec<usize> =
        list["Resources"].as_array().unwrap().iter().map(|group| member_ids(group).len()).collect();
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
        "one call for each group with members, and one for unfinished deletions"
    );
    let ids_only = world.send("GET", "/Groups?attributes=displayName", None).await;
    assert_eq!(ids_only.tally.calls, 2);
    let walked = walk(async |cursor| {
        world.send("GET", &format!("/Groups?count=2&cursor={cursor}"), None).await.body
    });
    let walked = all(&walked.await, "id");
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
        "members without a display are not shown"
    );
    let ids = all(&[with.body], "id");
    assert_eq!(walked, ids);
    let third = world.send("GET", "/Groups?startIndex=3&count=1", None).await.body;
    assert_eq!(third["Resources"][0]["id"], ids[2]);
}

#[tokio::test]
async fn an_empty_group_shows_an_empty_list_of_members() {
    let world = World::new().await;
    let people = world.people("u", 1).await;
    let none = json!([]);
    let group = world.group_as(&world.token, json!({ "displayName": "Staff" })).await;
    assert_eq!(group["members"], none);
    assert_eq!(member_ids(&group.add(&people).await.body), people);
    let answers = [
        group.remove(&people).await.body,
        group.set("displayName", "Crew").await.body,
        group.put(json!({ "displayName": "Staff", "members": [] })).await.body,
        group.read().await.body,
        group.read_with("attributes=members").await.body,
        group.read_with("excludedAttributes=displayName").await.body,
        world.send("GET", "/Groups", None).await.body["Resources"][0].clone(),
        world.search("/Groups", "displayName eq \"staff\"").await[0].clone(),
        world.send("POST", "/Groups/.search", json!({})).await.body["Resources"][0].clone(),
    ];
    assert!(answers.iter().all(|answer| answer["members"] == none), "{answers:?}");
    for query in ["excludedAttributes=members", "attributes=displayName"] {
        let one = group.read_with(query).await.body;
        let list = world.send("GET", &format!("/Groups?{query}"), None).await.body;
        assert_eq!(
            (one.get("members"), list["Resources"][0].get("members")),
            (None, None),
            "{query}"
        );
    }
    // Filters still see an empty group, and a PUT of what was read writes nothing.
    assert!(world.search("/Groups", "members pr").await.is_empty());
    assert_eq!(world.search("/Groups", "members eq null").await.len(), 1);
    assert_eq!(group.put(answers[3].clone()).await.tally.write_units, 0.0);
}

#[tokio::test]
async fn filters_find_groups_by_members_and_users_by_groups() {
    let world = World::new().await;
    let people = world.people("u", 3).await;
    let staff = world.group("Staff", &people[..2]).await;
    world.group("Crew", &people[1..]).await;
    world.group("Nobody", &[]).await;
    let id = staff.id();
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
        let users = world.search("/Users", &filter).await;
        let found: Vec<_> = users.iter().map(|user| handles::id(user).to_owned()).collect();
        assert_eq!(sorted(&found), sorted(&people[..2]), "{filter}");
    }
}

#[tokio::test]
async fn groups_of_a_user_are_returned_by_default_where_the_profile_says_so() {
    let customer = Customer::with("default", &[("attributes.groups", "default")]).await;
    let returned = async |customer: &Customer| {
        let schema = customer.send("GET", &format!("/Schemas/{USER}"), None).await.body;
        let groups = schema["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|attribute| attribute["name"] == "groups");
        groups.unwrap()["returned"].as_str().unwrap().to_owned()
    };
    assert_eq!(returned(&customer).await, "default");
    let user = customer.create(json!({ "userName": "a" })).await;
    let other = customer.create(json!({ "userName": "b" })).await;
    let group = json!({ "displayName": "Staff", "members": [{ "value": user["id"] }] });
    let group = customer.send("POST", "/Groups", group).await.body;
    let listed = async |query: &str| {
        let list = customer.send("GET", &format!("/Users?{query}"), None).await.body;
        list["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["id"] == user["id"])
            .unwrap()
            .clone()
    };
    for answer in [
        customer.get(&user).await.body,
        customer.find("userName eq \"a\"").await[0].clone(),
        listed("").await,
        listed("sortBy=userName").await,
        listed("cursor").await,
        customer
            .send("POST", "/Users/.search", json!({ "filter": "userName eq \"a\"" }))
            .await
            .body["Resources"][0]
            .clone(),
        customer.set(&user, "title", json!("Dr")).await.body,
        customer.put(&user, json!({ "userName": "a", "title": "Prof" })).await.body,
        customer.put(&user, json!({ "userName": "a", "title": "Prof" })).await.body,
    ] {
        assert_eq!(
            (&answer["groups"][0]["value"], answer["groups"].as_array().map(Vec::len)),
            (&group["id"], Some(1))
        );
    }
    // It costs what `attributes=groups` costs: the memberships, and the groups if there are any.
    let named =
        customer.send("GET", &format!("{}?attributes=groups", user_path(&user)), None).await;
    assert_eq!(customer.get(&user).await.tally, named.tally);
    let alone = customer.get(&other).await;
    assert_eq!((alone.body.get("groups"), alone.tally.calls, named.tally.calls), (None, 2, 3));
    for query in ["excludedAttributes=groups", "attributes=userName"] {
        assert_eq!(listed(query).await.get("groups"), None, "{query}");
        let one = customer.send("GET", &format!("{}?{query}", user_path(&user)), None).await;
        assert_eq!((one.body.get("groups"), one.tally.calls), (None, 1), "{query}");
    }
    // A user who comes back is in no group, and the default profile does not show groups.
    assert_eq!(customer.delete(&user).await.status, 204);
    assert_eq!(customer.create(json!({ "userName": "a" })).await.get("groups"), None);
    let usual = Customer::new("default").await;
    assert_eq!(returned(&usual).await, "request");
}
