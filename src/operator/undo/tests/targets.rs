//! What counts as the state before the span, and who counts as new in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ada, by, comes_back, fate, id, judged, left, members, names, present, row, staff, standing,
    user,
};
use crate::operator::undo::judge::Present;
use crate::operator::undo::plan::{Obstacle, UserFate};
use crate::store::{Kind, LogRow};

/// The same row with this version.
fn made(version: u64, row: LogRow) -> LogRow {
    LogRow { version: Some(version), ..row }
}

/// When Ada was raised before she fell, and whether she stays deleted.
fn stays(rows: &[LogRow], present: &Present) -> (i64, bool) {
    match fate(rows, present) {
        Some(UserFate::StaysOut(before)) => (before.change.milliseconds, before.is_deleted),
        fate => panic!("{fate:?}"),
    }
}

#[test]
fn nobody_gets_more_than_before_the_span() {
    let mut there = present();
    // A wrong filter activates everybody, and then nobody.
    ada(&mut there).standing = standing("inactive");
    let rows = [user(110, "patch", "inactive"), user(120, "patch", "active")];
    assert_eq!(stays(&rows, &there), (110, false), "suspended for years");
    ada(&mut there).standing = standing("deleted.9");
    let rows = [user(110, "patch", "inactive.7"), user(120, "delete", "active")];
    assert_eq!(comes_back(&rows, &there), "inactive.7");
    let rows = [user(110, "restore", "deleted.9"), user(120, "delete", "active")];
    assert_eq!(stays(&rows, &there), (110, true), "a leaver stays out");
    there.users.remove(&id("ada"));
    assert_eq!(fate(&rows, &there), Some(UserFate::AlreadySo), "and nothing was lost");
    // What somebody else decides counts.
    let rows = [
        user(110, "patch", "inactive"),
        by("other", user(112, "patch", "active")),
        by("other", user(114, "patch", "inactive")),
        user(120, "delete", "active"),
    ];
    assert_eq!(comes_back(&rows, &present()), "active");
    let rows = [row(110, Kind::User, "ada", "link"), user(120, "delete", "active")];
    assert_eq!(comes_back(&rows, &present()), "active", "a user who came in the span stays");
}

#[test]
fn changes_of_a_user_are_in_the_order_of_their_versions() {
    let mut there = present();
    // The clock of one of the two is slow.
    let rows = [made(4, user(110, "delete", "inactive")), made(3, user(111, "patch", "active"))];
    assert_eq!(comes_back(&rows, &there), "active");
    ada(&mut there).standing = standing("inactive");
    let rows = [
        by("other", made(4, user(110, "patch", "inactive"))),
        made(3, user(111, "patch", "active")),
    ];
    let Some(UserFate::ChangedSince(later)) = fate(&rows, &there) else { panic!("{rows:?}") };
    assert_eq!(later.milliseconds, 110);
    let rows = [
        made(4, user(111, "patch", "active")),
        by("other", made(3, user(112, "patch", "inactive"))),
    ];
    assert_eq!(fate(&rows, &there), Some(UserFate::Activate(5)), "that was before");
}

#[test]
fn versions_of_a_user_who_is_created_again_are_later() {
    let mut there = present();
    ada(&mut there).standing = standing("inactive");
    let created = by("other", made(1, row(120, Kind::User, "ada", "create")));
    let rows = [made(5, user(110, "delete", "active")), created];
    let Some(UserFate::ChangedSince(later)) = fate(&rows, &there) else { panic!("{rows:?}") };
    assert_eq!(later.milliseconds, 120);
}

#[test]
fn somebody_whom_the_operator_has_brought_back_is_not_new() {
    let mut there = present();
    ada(&mut there).standing = standing("active");
    there.members.insert(id("staff"), BTreeSet::from([id("ada")]));
    let joins = members(150, "patch", &["ada"], &[]);
    for back in ["undo", "restore"] {
        let rows = [by("operator", user(110, back, "deleted.9")), joins.clone()];
        assert_eq!(names(&staff(&rows, &there).remove), ["ada"], "{back}");
    }
    let rows = [user(110, "restore", "deleted.9"), joins];
    assert!(judged(&rows, &there).1.is_empty(), "a POST has");
}

#[test]
fn groups_that_a_user_left_since_are_not_joined_again() {
    let mut there = present();
    // An undo was interrupted: Ada is back, but not in all groups.
    ada(&mut there).standing = standing("active");
    ada(&mut there).past = Some(BTreeSet::from([id("staff")]));
    let rows = [
        user(110, "delete", "active"),
        left(111, &["staff"]),
        by("operator", user(210, "undo", "deleted.9")),
    ];
    let (users, _) = judged(&rows, &there);
    let UserFate::Restore(comeback) = &users[0].fate else { panic!("{users:?}") };
    assert_eq!(comeback.groups, Some(BTreeSet::from([id("staff")])));
    let since = [
        by("other", members(220, "patch", &["ada"], &[])),
        by("other", members(230, "patch", &[], &["ada"])),
    ];
    let (users, groups) = judged(&[&rows[..], &since].concat(), &there);
    let UserFate::Restore(comeback) = &users[0].fate else { panic!("{users:?}") };
    assert_eq!(comeback.except, BTreeSet::from([id("staff")]));
    let Obstacle::ChangedSince(later) = &groups[0].kept[0].1 else { panic!("{groups:?}") };
    assert_eq!(later.milliseconds, 230);
}

#[test]
fn of_two_users_of_one_name_the_one_from_before_comes_back() {
    let mut there = present();
    // Bob's id is the greater one, and he was there before.
    let bob = there.users.get_mut(&id("bob")).unwrap();
    (bob.name, bob.standing) = (Some("Ada".to_owned()), standing("deleted.9"));
    let about_bob = |row: LogRow| LogRow { subject_id: "bob".to_owned(), ..row };
    let rows = [
        about_bob(user(110, "delete", "active")),
        row(120, Kind::User, "ada", "create"),
        user(130, "delete", "active"),
    ];
    let (users, _) = judged(&rows, &there);
    let fates: BTreeMap<&str, &UserFate> =
        users.iter().map(|user| (user.id.as_str(), &user.fate)).collect();
    assert_eq!(fates["ada"], &UserFate::NameTaken);
    assert!(matches!(fates["bob"], UserFate::Restore(_)), "{fates:?}");
}

#[test]
fn a_user_whose_row_cannot_be_read_is_listed() {
    let mut there = present();
    there.users.remove(&id("ada"));
    there.unreadable.insert(id("ada"), "use the newer release".to_owned());
    let fate = fate(&[user(110, "delete", "active")], &there);
    assert_eq!(fate, Some(UserFate::Unreadable("use the newer release".to_owned())));
}
