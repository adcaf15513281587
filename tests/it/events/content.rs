//! What the events tell.

use std::collections::{BTreeMap, BTreeSet};

use scim_lambda::events::{EventType, MAX_ANSWER_BYTES, MAX_EVENT_BYTES};
use serde_json::{Value, json};

use super::schemas;
use super::story::{SETTINGS, Story, person, records, with_ids_only};
use crate::support::DAY;
use crate::support::handles::{group_path, members};

#[tokio::test]
async fn a_story_has_every_type_of_event_and_each_is_as_its_schema_says() {
    let (story, records) = records().await;
    let service = &story.customer.world.service;
    let events = service.events(records.clone()).await.unwrap();
    events.iter().for_each(schemas::check);
    let made: BTreeSet<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let all: BTreeSet<&str> = EventType::all().map(EventType::as_str).collect();
    assert_eq!(made, all);
    // The same records give the same events, with the same ids; no two changes share an id.
    assert_eq!(service.events(records).await.unwrap(), events);
    let ids: BTreeSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), events.len());
}

#[tokio::test]
async fn with_ids_only_no_event_holds_personal_data() {
    let (story, records) = records().await;
    let full = story.customer.world.service.events(records.clone()).await.unwrap();
    let ids = with_ids_only(&story.customer.world).events(records).await.unwrap();
    assert_eq!(ids.len(), full.len());
    for (event, full) in ids.iter().zip(&full) {
        schemas::check(event);
        for name in ["id", "type", "seq", "actor", "cause", "version", "changed", "state"] {
            assert_eq!(event.get(name), full.get(name), "{name}");
        }
        assert_eq!((event.get("previous"), &event["epoch"]), (None, &json!(2)));
        let text = event.to_string();
        for personal in ["example.com", "x-ada", "x-bob", "Countess", "Staff", "Crew", "default-"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
    }
}

#[tokio::test]
async fn an_event_tells_what_changed_by_whom_and_from_which_version_to_which() {
    let story = Story::new(&SETTINGS).await;
    let ada = story.customer.create(person("ada")).await;
    let made = story.event().await;
    assert_eq!((&made["type"], &made["cause"]), (&json!("user.provisioned"), &json!("post")));
    assert_eq!((&made["version"], &made["previousVersion"]), (&json!(1), &Value::Null));
    // Data is what GET answers.
    assert_eq!(made["data"], story.customer.get(&ada).await.body);
    let tenant = json!({ "code": story.customer.row.code().as_str(), "name": story.customer.row.name, "customer": null });
    assert_eq!(made["tenant"], tenant);
    assert_eq!(made["connection"], json!({ "idp": "entra", "region": null }));
    let key = json!({ "kind": "token", "id": story.customer.token.key_id().as_str() });
    assert_eq!(made["actor"], key);
    assert_eq!(made["scim"], "urn:ietf:params:scim:event:prov:create:full");
    let change = json!([
        { "op": "replace", "path": "userName", "value": "Lovelace@example.com" },
        { "op": "replace", "path": "title", "value": "Countess" },
    ]);
    assert_eq!(story.customer.patch(&ada, change).await.status, 200);
    let renamed = story.event().await;
    assert_eq!((&renamed["type"], &renamed["cause"]), (&json!("user.renamed"), &json!("patch")));
    assert_eq!((&renamed["version"], &renamed["previousVersion"]), (&json!(2), &json!(1)));
    assert_eq!(renamed["changed"], json!(["title", "userName"]));
    assert_eq!(renamed["previous"], json!({ "title": null, "userName": "ada@example.com" }));
    let subject = json!({ "type": "User", "id": ada["id"], "externalId": "x-ada", "userName": "Lovelace@example.com" });
    assert_eq!(renamed["subject"], subject);
    assert!(renamed["seq"].as_str() > made["seq"].as_str());
    // A change of the userName's case is a change of its value, not of the name.
    assert_eq!(
        story.customer.set(&ada, "userName", json!("lovelace@example.com")).await.status,
        200
    );
    assert_eq!(story.event().await["type"], "user.updated");
    // What changes nothing has no event.
    assert_eq!(story.customer.set(&ada, "title", json!("Countess")).await.status, 200);
    assert_eq!(story.events().await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_causes_and_own_members_of_a_users_events() {
    let story = Story::new(&[
        ("deprovision.on_inactive", "suspend_with_expiry"),
        ("seats.limit", "2"),
        ("seats.when_full", "create_inactive"),
        ("create.existing", "link"),
    ])
    .await;
    let customer = &story.customer;
    let of_users = |events: Vec<Value>| -> Value {
        let mut users: Vec<Value> =
            events.into_iter().filter(|event| event["subject"]["type"] == "User").collect();
        assert_eq!(users.len(), 1, "{users:#?}");
        users.remove(0)
    };
    let ada = customer.create(person("ada")).await;
    story.events().await;
    customer.activate(&ada, false).await;
    let event = of_users(story.events().await);
    let until = event["until"].as_str().unwrap();
    let days = time::OffsetDateTime::parse(until, &time::format_description::well_known::Rfc3339)
        .unwrap()
        .unix_timestamp()
        - customer.world.clock.seconds();
    assert_eq!((days, &event["state"]), (90 * DAY, &json!("suspended_with_expiry")));
    assert_eq!(
        (&event["cause"], &event["previous"]),
        (&json!("active_false"), &json!({ "active": true }))
    );
    customer.post(person("ada")).await;
    let event = of_users(story.events().await);
    assert_eq!((&event["type"], &event["cause"]), (&json!("user.reactivated"), &json!("post")));
    customer.delete(&ada).await;
    let event = of_users(story.events().await);
    assert_eq!(
        (&event["mode"], &event["cause"], &event["state"]),
        (&json!("soft"), &json!("delete"), &json!("deleted"))
    );
    assert!(event["purgeAt"].as_str().is_some());
    // GET would answer 404, and stored data would let the user in.
    assert_eq!(event.get("data"), None);
    customer.restore(&ada).await.unwrap();
    let event = of_users(story.events().await);
    assert_eq!((&event["type"], &event["cause"]), (&json!("user.restored"), &json!("operator")));
    assert_eq!(event["actor"], json!({ "kind": "operator" }));
    // How an imported user was recognised.
    let imported = [person("bob"), json!({ "userName": "cid@old.example", "externalId": "x-cid" })];
    customer.import(&imported).await;
    story.events().await;
    customer.create(person("bob")).await;
    let event = of_users(story.events().await);
    assert_eq!(
        (&event["type"], &event["matchedOn"]),
        (&json!("user.linked"), &json!("externalId"))
    );
    // Both seats are taken now, and both facts are told.
    customer.create(person("cid")).await;
    let event = of_users(story.events().await);
    assert_eq!((&event["matchedOn"], &event["state"]), (&json!("externalId"), &json!("suspended")));
    assert_eq!(event["cause"], "no_seat");
    customer.create(person("dan")).await;
    let event = of_users(story.events().await);
    assert_eq!((&event["cause"], &event["state"]), (&json!("no_seat"), &json!("suspended")));
}

#[tokio::test]
async fn a_purged_user_is_an_id() {
    let story = Story::new(&[]).await;
    let ada = story.customer.create(person("ada")).await;
    story.customer.delete(&ada).await;
    story.events().await;
    story.customer.world.clock.advance(90 * DAY + 1);
    story.customer.world.local.engine.sweep().unwrap();
    let event = story.event().await;
    assert_eq!(event["subject"], json!({ "type": "User", "id": ada["id"] }));
    assert_eq!((&event["type"], &event["state"]), (&json!("user.purged"), &json!("absent")));
    assert_eq!((&event["actor"], event.get("data")), (&json!({ "kind": "expiry" }), None));
    assert!(!event.to_string().contains("ada"), "{event}");
}

#[tokio::test]
async fn memberships_begin_and_end_with_events_and_the_members_have_none() {
    let story = Story::new(&[]).await;
    let customer = &story.customer;
    let (ada, bob) = (customer.create(person("ada")).await, customer.create(person("bob")).await);
    story.events().await;
    let group = json!({ "displayName": "Staff", "members": [{ "value": ada["id"] }] });
    let group = customer.send("POST", "/Groups", group).await.body;
    let types = |events: &[Value]| -> Vec<String> {
        let mut types: Vec<_> =
            events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
        types.sort();
        types
    };
    let events = story.events().await;
    assert_eq!(types(&events), ["group.created", "group.member_added"]);
    let added = events.iter().find(|event| event["type"] == "group.member_added").unwrap();
    let pair = format!("{}/{}", group["id"].as_str().unwrap(), ada["id"].as_str().unwrap());
    assert_eq!(
        added["subject"],
        json!({ "type": "Member", "id": pair, "group": group["id"],
        "member": ada["id"], "memberType": "User" })
    );
    assert_eq!((&added["cause"], &added["actor"]["kind"]), (&json!("post"), &json!("token")));
    let joins = members("add", json!([{ "value": bob["id"] }]));
    assert_eq!(customer.send("PATCH", &group_path(&group), joins).await.status, 200);
    let added = story.event().await;
    assert_eq!((&added["cause"], &added["subject"]["member"]), (&json!("patch"), &bob["id"]));
    // A deleted user leaves, and so do the members of a deleted group.
    customer.delete(&ada).await;
    let events = story.events().await;
    assert_eq!(types(&events), ["group.member_removed", "user.deleted"]);
    let removed = events.iter().find(|event| event["type"] == "group.member_removed").unwrap();
    assert_eq!((&removed["subject"]["id"], &removed["actor"]), (&json!(pair), &Value::Null));
    customer.send("DELETE", &group_path(&group), None).await;
    assert_eq!(types(&story.events().await), ["group.deleted", "group.member_removed"]);
}

#[tokio::test]
async fn what_is_too_large_leaves_its_data_out_and_says_so() {
    let story = Story::new(&[]).await;
    let ada = story.customer.create(person("ada")).await;
    story.events().await;
    let long = |letter: &str, count: usize| -> Value {
        let types = ["work", "home", "other"];
        let address = |n: usize| json!({ "type": format!("{}{n}", types[n % 3]), "formatted": letter.repeat(4_000) });
        (0..count).map(address).collect()
    };
    let set = async |value: Value| {
        let answer = story.customer.set(&ada, "addresses", value).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        story.event().await
    };
    let event = set(long("a", 12)).await;
    assert_eq!((event.get("truncated"), &event["data"]["addresses"]), (None, &long("a", 12)));
    let event = set(long("b", 15)).await;
    assert_eq!((&event["truncated"], event.get("data")), (&json!(true), None));
    assert_eq!(event["previous"], json!({ "addresses": long("a", 12) }));
    assert!(event.to_string().len() <= MAX_EVENT_BYTES);
    // Not even the previous values of this one fit.
    set(long("\u{1}", 2)).await;
    set(long("\"", 8)).await;
    let event = set(long("c", 1)).await;
    assert!(event.to_string().len() <= MAX_EVENT_BYTES, "{}", event.to_string().len());
    assert_eq!((event.get("previous"), &event["truncated"]), (None, &json!(true)));
    assert_eq!(event["changed"], json!(["addresses"]));
    assert_eq!(event["subject"].get("userName"), None);
}

#[tokio::test]
async fn a_profile_change_names_its_settings() {
    let story = Story::new(&[]).await;
    let mut customer = story.customer.clone();
    customer.change(&crate::support::customer::profile("default", &[("seats.limit", "1")])).await;
    let events = story.events().await;
    let by: BTreeMap<&str, &Value> =
        events.iter().map(|event| (event["type"].as_str().unwrap(), event)).collect();
    let event = by["connection.profile_changed"];
    assert_eq!(
        (&event["changed"], &event["previous"]),
        (&json!(["seats.limit"]), &json!({ "seats.limit": null }))
    );
    assert_eq!((&event["version"], &event["actor"]), (&json!(2), &json!({ "kind": "operator" })));
}

/// SQS refuses a message whose group is longer, and the Pipe would wait for it.
#[tokio::test]
async fn no_subject_is_longer_than_a_message_group() {
    let story = Story::new(&[("create.existing", "link")]).await;
    let customer = &story.customer;
    let id = "z".repeat(128);
    let mut user = person("ada");
    user["id"] = json!(id);
    customer.import(&[user]).await;
    customer.create(person("ada")).await;
    let group = json!({ "displayName": "Staff", "members": [{ "value": id }] });
    assert_eq!(customer.send("POST", "/Groups", group).await.status, 201);
    let events = story.events().await;
    assert_eq!(events.len(), 4, "{events:#?}");
    for event in &events {
        let subject = event["subject"]["id"].as_str().unwrap();
        assert!(subject.len() <= 128 && subject.is_ascii(), "{subject}");
    }
    let member = |event: &&Value| event["type"] == "group.member_added";
    assert_eq!(events.iter().find(member).unwrap()["subject"]["member"], id);
}

/// A POST without externalId that recognises someone by an address does not claim more.
#[tokio::test]
async fn a_link_tells_the_evidence_of_the_post_and_not_what_was_imported() {
    let story = Story::new(&[("create.existing", "link")]).await;
    let mail = json!([{ "value": "cid@example.com" }]);
    let imported = json!({
        "userName": "cid@old.example", "externalId": "x-cid", "emails": mail,
        "verifiedEmails": ["cid@example.com"],
    });
    story.customer.import(&[imported]).await;
    story.events().await;
    let linked = json!({ "userName": "cid@example.com", "emails": mail, "active": true });
    story.customer.create(linked).await;
    assert_eq!(story.event().await["matchedOn"], "email");
}

/// The event shows what is true now, and the memberships follow it.
#[tokio::test]
async fn a_user_whom_the_operator_restores_may_be_suspended_and_is_in_its_groups() {
    let story = Story::new(&[("deprovision.on_inactive", "suspend_with_expiry")]).await;
    let customer = &story.customer;
    let ada = customer.create(person("ada")).await;
    let group = json!({ "displayName": "Staff", "members": [{ "value": ada["id"] }] });
    assert_eq!(customer.send("POST", "/Groups", group).await.status, 201);
    customer.activate(&ada, false).await;
    customer.delete(&ada).await;
    story.events().await;
    customer.restore(&ada).await.unwrap();
    let events = story.events().await;
    events.iter().for_each(schemas::check);
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["user.restored", "group.member_added"]);
    assert_eq!(
        (&events[0]["state"], &events[0]["data"]["active"]),
        (&json!("suspended_with_expiry"), &json!(false))
    );
    for event in events {
        assert_eq!(
            (&event["cause"], &event["actor"]["kind"]),
            (&json!("operator"), &json!("operator"))
        );
    }
}

/// The row of an expired user waits for TTL when a user with the same id of the product comes.
#[tokio::test]
async fn a_user_who_takes_the_row_of_an_expired_one_is_another_person() {
    let story = Story::new(&[("create.existing", "link")]).await;
    let customer = &story.customer;
    let known = |title: &str| json!({ "id": "u42", "userName": "ada@example.com", "title": title });
    customer.import(&[known("Countess")]).await;
    let ada = customer.create(json!({ "userName": "ada@example.com" })).await;
    assert_eq!(ada["id"], "u42");
    customer.delete(&ada).await;
    customer.world.clock.advance(91 * DAY);
    story.events().await;
    customer.import(&[known("Dr")]).await;
    let event = story.event().await;
    assert_eq!(event["type"], "user.imported");
    assert_eq!((&event["version"], &event["previousVersion"]), (&json!(1), &Value::Null));
    assert_eq!((&event["changed"], &event["previous"]), (&json!([]), &json!({})));
    assert!(!event.to_string().contains("Countess"), "{event}");
}

#[tokio::test]
async fn large_events_of_a_batch_fit_on_the_bus_together() {
    let story = Story::new(&[]).await;
    let address = |n: usize| json!({ "type": format!("home{n}"), "formatted": "a".repeat(4_000) });
    let addresses: Value = (0..12).map(address).collect();
    for n in 0..10 {
        let mut user = person(&format!("u{n}"));
        user["addresses"] = addresses.clone();
        story.customer.create(user).await;
    }
    let is_user = |record: &Value| record["dynamodb"]["NewImage"]["k"]["S"] == "U";
    let records: Vec<Value> = story.stream.records().into_iter().filter(is_user).collect();
    let service = &story.customer.world.service;
    let four = service.events(records[..4].to_vec()).await.unwrap();
    assert!(four.iter().all(|event| event["data"]["addresses"] == addresses));
    let all = service.events(records).await.unwrap();
    assert_eq!(all.len(), 10);
    assert!(Value::from(all.clone()).to_string().len() <= MAX_ANSWER_BYTES);
    assert!(all.iter().all(|event| event["truncated"] == true));
}
