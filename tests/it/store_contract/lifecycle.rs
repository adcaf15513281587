//! The promises about deletion, return and erasure.

use scim_lambda::store::{Operation, Stage, Takeover};
use serde_json::json;

use super::table::{RETENTION, Table, committed, refused};

pub async fn a_deleted_user_is_invisible_and_restorable(table: &Table) {
    let id = table.user("a@x.org").await;
    committed(table.delete_user(&table.stored_user(&id).await).await);
    let deleted = table.stored_user(&id).await;
    assert_eq!((deleted.state, deleted.expires), (Stage::Deleted, Some(table.now() + RETENTION)));
    assert!(!deleted.is_visible(table.now()) && deleted.is_restorable(table.now()));
    let found = table.store.restorable(&table.users(), deleted.names(), table.now()).await;
    assert_eq!(found.unwrap(), Some(id));
}

pub async fn a_deleted_user_is_restored_once(table: &Table) {
    let id = table.user("a@x.org").await;
    committed(table.delete_user(&table.stored_user(&id).await).await);
    let deleted = table.stored_user(&id).await;
    let body = json!({ "userName": "b@x.org", "active": true });
    committed(table.restore(&deleted, body.clone()).await);
    let restored = table.stored_user(&id).await;
    assert_eq!((restored.state, restored.expires), (Stage::Live, None));
    assert!(refused(table.restore(&deleted, body).await).stale);
    assert_eq!(table.count(&table.users()).await, 1);
    // The name it had before is free.
    table.user("a@x.org").await;
}

pub async fn an_expired_user_cannot_be_restored(table: &Table) {
    let id = table.user("a@x.org").await;
    committed(table.delete_user(&table.stored_user(&id).await).await);
    let deleted = table.stored_user(&id).await;
    table.clock.advance(RETENTION);
    assert!(table.find(&table.users(), &id).await.is_none());
    let found = table.store.restorable(&table.users(), deleted.names(), table.now()).await;
    assert_eq!(found.unwrap(), None);
}

/// A visible user with an expiry is due at that time, and erased by the first request after it.
pub async fn a_due_user_is_erased_once(table: &Table) {
    let id = table.user("a@x.org").await;
    let due_at = table.now() + 60;
    committed(table.suspend(&table.stored_user(&id).await, due_at).await);
    let due = async || table.store.due(&table.users(), table.now(), 10).await.unwrap();
    assert_eq!(due().await, []);
    table.clock.advance(60);
    assert_eq!(due().await, [(due_at, id.clone())]);
    let audit = table.audit(Operation::Expire);
    for _ in 0..2 {
        table.store.expire(&table.users(), due_at, &id, &audit).await.unwrap();
        assert_eq!((due().await, table.count(&table.users()).await), (Vec::new(), 0));
    }
    table.user("a@x.org").await;
}

pub async fn resources_are_counted_in_the_transaction(table: &Table) {
    let users = table.users();
    let counted = async || (table.count(&users).await, table.store.active(&users).await.unwrap());
    let id = table.user("a@x.org").await;
    table.user("b@x.org").await;
    assert_eq!(counted().await, (2, 2));
    let (_, outcome) =
        table.try_user(json!({ "userName": "a@x.org", "active": true }), Takeover::default()).await;
    refused(outcome);
    assert_eq!(counted().await, (2, 2));
    let inactive = json!({ "userName": "a@x.org", "active": false });
    committed(table.change_user(&table.stored_user(&id).await, inactive).await);
    assert_eq!(counted().await, (2, 1));
    committed(table.delete_user(&table.stored_user(&id).await).await);
    assert_eq!(counted().await, (1, 1));
    let active = json!({ "userName": "a@x.org", "active": true });
    committed(table.restore(&table.stored_user(&id).await, active).await);
    assert_eq!(counted().await, (2, 2));
}
