//! The promises about versions: no update is lost, and none is made twice.

use scim_lambda::store::Takeover;
use serde_json::json;

use super::table::{Table, committed, refused};
use crate::support::connectors::Fault;

pub async fn a_write_is_read_back_at_once(table: &Table) {
    for n in 0..5 {
        let id = table.user(&format!("u{n}@x.org")).await;
        let stored = table.stored_user(&id).await;
        committed(table.change_user(&stored, json!({ "userName": "u", "title": n })).await);
        let stored = table.stored_user(&id).await;
        assert_eq!(stored.resource.attributes.get("title"), Some(&json!(n)));
        committed(table.delete_user(&stored).await);
        assert!(!table.stored_user(&id).await.is_visible(table.now()));
    }
}

pub async fn a_change_needs_the_version_it_read(table: &Table) {
    let id = table.user("a@x.org").await;
    let read = table.stored_user(&id).await;
    committed(table.change_user(&read, json!({ "userName": "a@x.org", "title": "Dr" })).await);
    let late = table.change_user(&read, json!({ "userName": "a@x.org", "title": "Prof" })).await;
    assert!(refused(late).stale);
    let stored = table.stored_user(&id).await;
    assert_eq!(stored.resource.attributes.get("title"), Some(&json!("Dr")));
    assert_eq!(stored.resource.meta.version.0, 2);
}

pub async fn a_deletion_needs_the_version_it_read(table: &Table) {
    let id = table.user("a@x.org").await;
    let read = table.stored_user(&id).await;
    committed(table.change_user(&read, json!({ "userName": "a@x.org", "title": "Dr" })).await);
    assert!(refused(table.delete_user(&read).await).stale);
    assert!(table.stored_user(&id).await.is_visible(table.now()));
}

/// A transaction that is refused for one of its rows writes none of them.
pub async fn a_refused_write_changes_nothing(table: &Table) {
    table.user("taken@x.org").await;
    let id = table.user("a@x.org").await;
    let read = table.stored_user(&id).await;
    let rename = json!({ "userName": "taken@x.org", "externalId": "1", "active": true });
    assert!(refused(table.change_user(&read, rename).await).owners.name.is_some());
    let stored = table.stored_user(&id).await;
    assert_eq!(stored.resource.meta.version, read.resource.meta.version);
    assert_eq!(stored.names(), read.names());
    let by_external_id = table.store.by_external_id(&table.users(), "1", table.now()).await;
    assert!(by_external_id.unwrap().unwrap().is_empty());
    assert_eq!(table.count(&table.users()).await, 2);
    // The name it had is still its own.
    let (_, outcome) = table.try_user(json!({ "userName": "a@x.org" }), Takeover::default()).await;
    assert_eq!(refused(outcome).owners.name.unwrap().0, id);
}

/// The engine commits a create, and its answer is lost: the SDK sends it again.
pub async fn a_lost_answer_is_not_a_duplicate(table: &Table) {
    table.between.once("TransactWriteItems", Fault::BreakAfter);
    let id = table.user("a@x.org").await;
    table.between.clear();
    assert!(table.between.count("TransactWriteItems") >= 3, "it was sent again");
    assert_eq!(table.stored_user(&id).await.resource.meta.version.0, 1);
    assert_eq!(table.count(&table.users()).await, 1, "it is counted once");
}
