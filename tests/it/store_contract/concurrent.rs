//! The promises about concurrent writes: one winner, and nothing lost.

use scim_lambda::store::{Collection, Guards, MemberChange, Operation, Outcome, Takeover};
use serde_json::json;

use super::names::owners_of_name;
use super::table::{Table, addition, committed, new_tenant};

fn winners(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Committed)).count()
}

pub async fn one_of_several_concurrent_owners_gets_the_name(table: &Table) {
    let create = |name: &'static str| {
        table.try_user(json!({ "userName": name, "active": true }), Takeover::default())
    };
    let (a, b, c) = tokio::join!(create("a@x.org"), create("A@X.org"), create("a@X.ORG"));
    assert_eq!(winners(&[a.1, b.1, c.1]), 1);
    assert_eq!(owners_of_name(table, "a@x.org").await.len(), 1);
    assert_eq!(table.count(&table.users()).await, 1);
}

pub async fn one_of_several_concurrent_changes_wins(table: &Table) {
    let id = table.user("a@x.org").await;
    let read = table.stored_user(&id).await;
    let change = |title| table.change_user(&read, json!({ "userName": "a@x.org", "title": title }));
    let (first, second, third) = tokio::join!(change("1"), change("2"), change("3"));
    assert_eq!(winners(&[first, second, third]), 1);
    assert_eq!(table.stored_user(&id).await.resource.meta.version.0, 2);
}

pub async fn concurrent_changes_of_members_are_all_counted(table: &Table) {
    let (a, b) = (table.user("a@x.org").await, table.user("b@x.org").await);
    let group = table.group("Staff", &[&a]).await;
    let (come, go) = ([addition(&b)], [MemberChange::Remove(a)]);
    let (first, second) =
        tokio::join!(table.change_members(&group, &come), table.change_members(&group, &go));
    committed(first);
    committed(second);
    assert_eq!(
        (table.stored_group(&group).await.members, table.members(&group).await),
        (1, vec![b])
    );
}

/// The tenant has one seat.
pub async fn one_of_two_concurrent_users_gets_the_last_seat(table: &Table) {
    let tenant = new_tenant(table.now());
    assert!(table.store.create_tenant(&tenant, Some(1), None).await.unwrap());
    let users = Collection { tenant: tenant.key(), ..table.users() };
    let audit = table.audit(Operation::Create);
    let guards = Guards { seats: true, ..Guards::default() };
    let create = |name: &'static str| {
        let body = json!({ "userName": name, "active": true });
        table.try_create(&users, body, Takeover::default(), &[], (&audit, guards))
    };
    let (first, second) = tokio::join!(create("a@x.org"), create("b@x.org"));
    assert_eq!(winners(&[first.1, second.1]), 1);
    assert_eq!(table.store.seats(&tenant.key()).await.unwrap().unwrap().used, 1);
    assert_eq!(table.store.active(&users).await.unwrap(), 1);
}
