//! Many clients at once: one of them wins, and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::support::World;
use crate::support::connectors::Between;
use crate::support::handles::patch;

async fn one_winner_of_64(world: World) -> Arc<World> {
    let world = Arc::new(world);
    let racers: Vec<_> = (0..64)
        .map(|n| {
            let world = world.clone();
            let name = if n % 2 == 0 { "Race@Example.com" } else { "rACE@eXAMPLE.COM" };
            let external_id = if n % 3 == 0 { json!(format!("x{n}")) } else { Value::Null };
            tokio::spawn(async move {
                world
                    .send("POST", "/Users", json!({ "userName": name, "externalId": external_id }))
                    .await
            })
        })
        .collect();
    let mut created = 0;
    for racer in racers {
        let answer = racer.await.unwrap();
        match answer.status.as_u16() {
            201 => created += 1,
            _ => answer.is_error(409, Some("uniqueness")),
        }
    }
    assert_eq!(created, 1);
    let list = world.send("GET", "/Users", None).await;
    assert_eq!(list.body["totalResults"], 1);
    assert_eq!(list.body["Resources"].as_array().unwrap().len(), 1);
    let claims = world.rows().await.iter().filter(|row| row.s().contains('!')).count();
    assert_eq!(claims, 1);
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_64_posts_of_one_name_wins() {
    one_winner_of_64(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_64_posts_of_one_name_wins_where_transactions_conflict() {
    let world = one_winner_of_64(World::with(Between::conflicts()).await).await;
    assert!(world.between.cancelled.load(Ordering::SeqCst) > 0, "the connector did cancel");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_16_posts_restores_a_deleted_user() {
    let world = Arc::new(World::with(Between::conflicts()).await);
    let user =
        world.user(json!({ "userName": "a@example.com", "externalId": "1", "title": "Dr" })).await;
    assert_eq!(user.delete().await.status, 204);
    let racers: Vec<_> = (0..16)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move {
                world
                    .send(
                        "POST",
                        "/Users",
                        json!({ "userName": "a@example.com", "externalId": "1" }),
                    )
                    .await
            })
        })
        .collect();
    let mut back = Vec::new();
    for racer in racers {
        let answer = racer.await.unwrap();
        match answer.status.as_u16() {
            201 => back.push(answer.body),
            _ => answer.is_error(409, Some("uniqueness")),
        }
    }
    assert_eq!(back.len(), 1);
    assert_eq!((&back[0]["id"], &back[0]["title"]), (&user["id"], &json!("Dr")));
    assert_eq!(world.send("GET", "/Users", None).await.body["totalResults"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_patches_of_one_user_all_arrive() {
    let world = Arc::new(World::with(Between::conflicts()).await);
    let user = world.user(json!({ "userName": "a@example.com" })).await;
    let path = user.path().to_owned();
    let attributes = [
        "title",
        "nickName",
        "displayName",
        "locale",
        "timezone",
        "userType",
        "preferredLanguage",
        "profileUrl",
    ];
    let writers: Vec<_> = attributes
        .into_iter()
        .map(|attribute| {
            let (world, path) = (world.clone(), path.clone());
            tokio::spawn(async move {
                let operations = json!([{ "op": "add", "path": attribute, "value": attribute }]);
                world.send("PATCH", &path, patch(operations)).await
            })
        })
        .collect();
    for writer in writers {
        let answer = writer.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let got = user.read().await;
    for attribute in attributes {
        assert_eq!(got.body[attribute], attribute);
    }
    assert_eq!(got.body["meta"]["version"], "W/\"9\"");
}
