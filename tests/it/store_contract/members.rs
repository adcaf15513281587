//! The promises about the members of groups.

use std::time::Duration;

use scim_lambda::store::{
    Expect, Guards, MemberChange, Note, Operation, Progress, Target, Transition,
};
use serde_json::json;
use tokio::time::Instant;

use super::table::{Table, addition, committed, refused};

pub async fn members_are_counted_in_the_transaction(table: &Table) {
    let (a, b) = (table.user("a@x.org").await, table.user("b@x.org").await);
    let group = table.group("Staff", &[&a]).await;
    assert_eq!(
        (table.stored_group(&group).await.members, table.members(&group).await.len()),
        (1, 1)
    );
    committed(table.change_members(&group, &[addition(&b)]).await);
    assert_eq!(
        (table.stored_group(&group).await.members, table.members(&group).await.len()),
        (2, 2)
    );
    committed(table.change_members(&group, &[MemberChange::Remove(a)]).await);
    assert_eq!(table.stored_group(&group).await.members, 1);
    assert_eq!(table.members(&group).await, [b]);
}

/// An addition or a removal without effect is refused by its index, so it is not counted.
pub async fn a_member_is_added_and_removed_once(table: &Table) {
    let (a, b) = (table.user("a@x.org").await, table.user("b@x.org").await);
    let group = table.group("Staff", &[&a]).await;
    let again = table.change_members(&group, &[addition(&b), addition(&a)]).await;
    assert_eq!(refused(again).already_applied, [1]);
    let absent = table.change_members(&group, &[MemberChange::Remove(b)]).await;
    assert_eq!(refused(absent).already_applied, [0]);
    assert_eq!(
        (table.stored_group(&group).await.members, table.members(&group).await),
        (1, vec![a])
    );
}

pub async fn an_unknown_member_is_refused_by_its_index(table: &Table) {
    let (a, deleted) = (table.user("a@x.org").await, table.user("b@x.org").await);
    committed(table.delete_user(&table.stored_user(&deleted).await).await);
    let group = table.group("Staff", &[]).await;
    let unknown = table.users().new_id(None).unwrap();
    let changes = [addition(&unknown), addition(&a), addition(&deleted)];
    assert_eq!(refused(table.change_members(&group, &changes).await).missing_members, [0, 2]);
    assert!(table.members(&group).await.is_empty());
}

pub async fn a_change_of_members_is_a_new_version(table: &Table) {
    let (a, b) = (table.user("a@x.org").await, table.user("b@x.org").await);
    let group = table.group("Staff", &[]).await;
    let mut seen = table.stored_group(&group).await.resource.meta;
    for change in [addition(&a), addition(&b), MemberChange::Remove(a.clone())] {
        table.clock.advance(1);
        committed(table.change_members(&group, &[change]).await);
        let now = table.stored_group(&group).await.resource.meta;
        assert!(now.version > seen.version && now.last_modified > seen.last_modified);
        seen = now;
    }
}

/// A change under [`Expect::RowAndMembers`] is refused when a member came or went in the meantime.
pub async fn a_condition_on_members_covers_their_changes(table: &Table) {
    let a = table.user("a@x.org").await;
    let group = table.group("Staff", &[]).await;
    let read = table.stored_group(&group).await;
    committed(table.change_members(&group, &[addition(&a)]).await);
    let audit = table.audit(Operation::Replace);
    let rename = async |expect| {
        let body = json!({ "displayName": "Crew" });
        table.change(&table.groups(), &read, body, &[], expect, (&audit, Guards::default())).await
    };
    assert!(refused(rename(Expect::RowAndMembers).await).stale);
    committed(rename(Expect::Row).await);
    assert_eq!(table.stored_group(&group).await.members, 1);
}

pub async fn a_deleted_group_accepts_no_members(table: &Table) {
    let (a, b) = (table.user("a@x.org").await, table.user("b@x.org").await);
    let group = table.group("Staff", &[&a]).await;
    let (read, audit) = (table.stored_group(&group).await, table.audit(Operation::Delete));
    committed(
        table
            .store
            .commit(Transition::new(
                &table.groups(),
                Some(&read),
                Target::Gone,
                &audit,
                Guards::default(),
            ))
            .await
            .unwrap(),
    );
    assert!(table.find(&table.groups(), &group).await.is_none());
    assert!(refused(table.change_members(&group, &[addition(&b)]).await).no_group);
    let until = Instant::now() + Duration::from_secs(10);
    let groups = table.groups();
    let disband = table.store.disband(&groups, &group, Note::Finished, &audit, until);
    assert_eq!(disband.await.unwrap(), Progress::Done);
    assert!(table.members(&group).await.is_empty());
    let memberships = table.store.memberships(&table.tenant.key(), &a, 10).await.unwrap();
    assert!(memberships.is_empty());
}

pub async fn a_deleted_user_leaves_its_groups(table: &Table) {
    let (a, b) = (table.user("a@x.org").await, table.user("b@x.org").await);
    let groups = [table.group("One", &[&a, &b]).await, table.group("Two", &[&a]).await];
    let stored = table.stored_user(&a).await;
    assert!(stored.leaves_rows(), "the user knows that it was in a group");
    committed(table.delete_user(&stored).await);
    let (audit, until) = (table.audit(Operation::Delete), Instant::now() + Duration::from_secs(10));
    let users = table.users();
    for _ in 0..2 {
        let leave = table.store.leave_all(&users, &a, (Note::Finished, None), &audit, until);
        assert_eq!(leave.await.unwrap(), Progress::Done);
    }
    assert_eq!(table.members(&groups[0]).await, [b]);
    assert_eq!(table.members(&groups[1]).await, []);
    assert_eq!(table.stored_group(&groups[0]).await.members, 1);
}
