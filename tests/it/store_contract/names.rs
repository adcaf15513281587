//! The promises about names: userName, displayName, externalId.

use scim_core::ResourceId;
use scim_lambda::store::{Collection, Guards, Operation, OwnerState, Takeover};
use serde_json::{Value, json};

use super::table::{RETENTION, Table, committed, new_tenant, refused};

fn person(name: &str, external_id: &str) -> Value {
    json!({ "userName": name, "externalId": external_id, "active": true })
}

pub async fn owners_of_name(table: &Table, form: &str) -> Vec<ResourceId> {
    let found = table.store.by_name(&table.users(), form, table.now()).await.unwrap().unwrap();
    found.into_iter().map(|user| user.resource.id).collect()
}

/// Names are compared without case: a second user cannot have one that differs only in case.
pub async fn a_name_has_one_owner(table: &Table) {
    let owner = table.user("a@x.org").await;
    for name in ["a@x.org", "A@X.org"] {
        let (_, outcome) = table.try_user(json!({ "userName": name }), Takeover::default()).await;
        refused(outcome);
    }
    assert_eq!(owners_of_name(table, "a@x.org").await, [owner]);
}

/// A refusal says who owns a name, and in which state the owner is.
pub async fn a_refusal_names_the_owner(table: &Table) {
    let owner = table.user("a@x.org").await;
    let again = json!({ "userName": "a@x.org" });
    let (_, outcome) = table.try_user(again.clone(), Takeover::default()).await;
    assert_eq!(refused(outcome).owners.name, Some((owner.clone(), OwnerState::Live)));
    committed(table.delete_user(&table.stored_user(&owner).await).await);
    let (_, outcome) = table.try_user(again, Takeover::default()).await;
    assert_eq!(refused(outcome).owners.name, Some((owner, OwnerState::Deleted)));
}

/// A second owner of an externalId must say that it knows of the first one.
pub async fn an_external_id_may_have_several_owners(table: &Table) {
    let (first, outcome) = table.try_user(person("a@x.org", "1"), Takeover::default()).await;
    committed(outcome);
    let (_, outcome) = table.try_user(person("b@x.org", "1"), Takeover::default()).await;
    assert_eq!(refused(outcome).owners.external_id, Some((first.clone(), OwnerState::Live)));
    let beside = Takeover { external_id: true, ..Takeover::default() };
    let (second, outcome) = table.try_user(person("b@x.org", "1"), beside).await;
    committed(outcome);
    let found = table.store.by_external_id(&table.users(), "1", table.now()).await.unwrap();
    let mut found: Vec<_> = found.unwrap().into_iter().map(|user| user.resource.id).collect();
    let mut expected = vec![first, second];
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// A rename frees the old name in the transaction that takes the new one.
pub async fn a_rename_frees_the_old_name(table: &Table) {
    let id = table.user("old@x.org").await;
    let old = table.stored_user(&id).await;
    committed(table.change_user(&old, json!({ "userName": "new@x.org" })).await);
    assert_eq!(owners_of_name(table, "new@x.org").await, [id]);
    assert!(owners_of_name(table, "old@x.org").await.is_empty());
    table.user("old@x.org").await;
}

/// The names of a deleted user are free for a write that says it takes them over.
pub async fn a_deletion_keeps_its_names_until_another_resource_takes_them(table: &Table) {
    let id = table.user("a@x.org").await;
    committed(table.delete_user(&table.stored_user(&id).await).await);
    assert!(owners_of_name(table, "a@x.org").await.is_empty());
    let again = json!({ "userName": "a@x.org" });
    let (_, outcome) = table.try_user(again.clone(), Takeover::default()).await;
    refused(outcome);
    let takeover = Takeover { name: true, ..Takeover::default() };
    let (other, outcome) = table.try_user(again, takeover).await;
    committed(outcome);
    assert_eq!(owners_of_name(table, "a@x.org").await, [other]);
}

/// A name whose row has expired is free, whether or not the engine has removed the row.
pub async fn an_expired_name_is_free(table: &Table) {
    let id = table.user("a@x.org").await;
    committed(table.delete_user(&table.stored_user(&id).await).await);
    table.clock.advance(RETENTION);
    table.user("a@x.org").await;
}

/// A name in one tenant is free in every other one.
pub async fn tenants_do_not_share_names(table: &Table) {
    table.user("a@x.org").await;
    let other = new_tenant(table.now());
    assert!(table.store.create_tenant(&other, None, None).await.unwrap());
    let users = Collection { tenant: other.key(), ..table.users() };
    let audit = table.audit(Operation::Create);
    let body = json!({ "userName": "a@x.org" });
    let (_, outcome) =
        table.try_create(&users, body, Takeover::default(), &[], (&audit, Guards::default())).await;
    committed(outcome);
    assert_eq!((table.count(&users).await, table.count(&table.users()).await), (1, 1));
}
