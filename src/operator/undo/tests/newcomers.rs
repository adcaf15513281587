//! Users and groups that came in the span, and what others had before it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ada, by, fate, group_deleted, id, judged, left, members, names, present, row, selection, staff,
    standing, user,
};
use crate::operator::undo::judge::Present;
use crate::operator::undo::plan::{Comeback, GroupFate, UserFate};
use crate::operator::undo::trail::Trails;
use crate::store::{Kind, LogRow};

/// How Ada comes back.
fn comeback(rows: &[LogRow], present: &Present) -> Comeback {
    let (users, _) = judged(rows, present);
    let Some(UserFate::Restore(comeback)) = users.first().map(|user| &user.fate) else {
        panic!("{users:?}")
    };
    comeback.clone()
}

fn set(of: &[&str]) -> BTreeSet<scim_core::ResourceId> {
    of.iter().map(|text| id(text)).collect()
}

/// Both rows are of one request.
fn of_one_request(rows: [LogRow; 2]) -> [LogRow; 2] {
    rows.map(|row| LogRow { request: "bulk".to_owned(), ..row })
}

#[test]
fn a_post_that_stops_a_clock_is_no_return() {
    let mut there = present();
    ada(&mut there).standing = standing("active");
    there.members.insert(id("staff"), set(&["ada"]));
    let joins = members(150, "patch", &["ada"], &[]);
    let rows = [user(110, "restore", "inactive.7"), joins];
    assert_eq!(names(&staff(&rows, &there).remove), ["ada"]);
}

#[test]
fn memberships_that_ended_before_the_span_stay_ended() {
    let mut there = present();
    there.groups.insert(id("crew"), Some("Crew".to_owned()));
    // A restore before the span was interrupted.
    ada(&mut there).past = Some(set(&["staff", "crew"]));
    let rows = [user(110, "delete", "active"), left(111, &["staff"])];
    let how = comeback(&rows, &there);
    assert_eq!((how.groups, how.except), (Some(set(&["staff"])), set(&["crew"])));
    // A deletion in the span was interrupted.
    ada(&mut there).leaving = set(&["crew"]);
    let how = comeback(&rows, &there);
    assert_eq!((how.groups, how.except), (Some(set(&["staff", "crew"])), set(&[])));
    // She is back, and as before.
    ada(&mut there).standing = standing("active");
    ada(&mut there).leaving = set(&[]);
    ada(&mut there).past = Some(set(&["crew"]));
    assert_eq!(fate(&[user(110, "patch", "active")], &there), Some(UserFate::AlreadySo));
}

#[test]
fn a_group_that_was_joined_in_the_span_is_not_joined_again_although_others_changed_it() {
    let mut there = present();
    ada(&mut there).past = Some(set(&["staff"]));
    let rows = [
        members(110, "patch", &["ada"], &[]),
        by("other", members(112, "patch", &[], &["ada"])),
        by("other", members(114, "patch", &["ada"], &[])),
        user(120, "delete", "active"),
        left(121, &["staff"]),
    ];
    assert_eq!(comeback(&rows, &there).except, set(&["staff"]));
}

#[test]
fn a_newcomer_does_not_get_a_membership_again_that_the_span_gave_and_took() {
    let mut there = present();
    ada(&mut there).standing = standing("active");
    let created = row(105, Kind::User, "ada", "create");
    let joins = members(110, "patch", &["ada"], &[]);
    let rows = [created, joins, members(120, "replace", &[], &["ada"])];
    assert_eq!(judged(&rows, &there), (vec![], vec![]));
    let by_other = [rows[0].clone(), by("other", rows[1].clone()), rows[2].clone()];
    assert_eq!(names(&staff(&by_other, &there).add), ["ada"]);
    let group = [
        members(105, "create", &["bob"], &[]),
        LogRow { version: Some(1), ..members(105, "create", &[], &[]) },
        members(110, "patch", &[], &["bob"]),
    ];
    assert_eq!(judged(&group, &there), (vec![], vec![]), "a new group");
    // What ends by a deletion comes back with it.
    *ada(&mut there) = present().users[&id("ada")].clone();
    ada(&mut there).past = Some(set(&["staff"]));
    let rows = [&rows[..2], &[user(120, "delete", "active"), left(121, &["staff"])]].concat();
    assert_eq!(comeback(&rows, &there).groups, Some(set(&["staff"])));
}

#[test]
fn who_came_in_the_span_and_was_deleted_in_it_is_marked() {
    let mut there = present();
    there.groups.clear();
    let rows = [
        row(105, Kind::User, "ada", "create"),
        row(106, Kind::Group, "staff", "create"),
        user(110, "delete", "active"),
        group_deleted(111),
    ];
    let (users, groups) = judged(&rows, &there);
    assert!(users[0].came_in_span && groups[0].came_in_span);
    let (users, groups) = judged(&rows[2..], &there);
    assert!(!users[0].came_in_span && !groups[0].came_in_span);
}

#[test]
fn what_a_request_created_and_removed_itself_does_not_come_back() {
    let mut there = present();
    let rows =
        of_one_request([row(105, Kind::User, "ada", "create"), user(110, "delete", "active")]);
    assert_eq!(fate(&rows, &there), None);
    there.groups.clear();
    let rows = of_one_request([row(105, Kind::Group, "staff", "create"), group_deleted(110)]);
    assert_eq!(judged(&rows, &there).1, vec![]);
}

#[test]
fn of_two_groups_of_one_name_the_one_from_before_comes_back() {
    let mut there = present();
    there.groups.clear();
    let unique = [(id("staff"), "staff".to_owned()), (id("crew"), "staff".to_owned())];
    there.unique_names = BTreeMap::from(unique);
    let crew = |row: LogRow| LogRow { subject_id: "crew".to_owned(), ..row };
    let rows = [
        group_deleted(110),
        crew(row(120, Kind::Group, "crew", "create")),
        crew(group_deleted(130)),
    ];
    let (_, groups) = judged(&rows, &there);
    let fates: BTreeMap<&str, &GroupFate> =
        groups.iter().map(|group| (group.id.as_str(), &group.fate)).collect();
    assert_eq!(fates["crew"], &GroupFate::NameTaken);
    assert!(matches!(fates["staff"], GroupFate::Create(..)), "{fates:?}");
    // Names that several groups may have.
    there.unique_names.clear();
    let (_, groups) = judged(&rows, &there);
    assert!(groups.iter().all(|group| matches!(group.fate, GroupFate::Create(..))));
}

#[test]
fn a_group_that_cannot_be_read_is_listed() {
    let mut there = present();
    there.unreadable.insert(id("staff"), "use the newer release".to_owned());
    let group = staff(&[members(110, "patch", &[], &["bob"])], &there);
    assert_eq!(group.fate, GroupFate::Unreadable("use the newer release".to_owned()));
    assert!(!group.changes());
}

#[test]
fn the_newest_row_is_one_that_is_undone() {
    let newest = |rows: &[LogRow]| {
        let mut trails = Trails::default();
        rows.iter().for_each(|row| trails.take_in(&selection(), row));
        trails.newest_selected
    };
    let rows = [
        user(110, "delete", "active"),
        user(115, "restore", "deleted.9"),
        by("other", user(120, "delete", "active")),
        row(130, Kind::User, "bob", "create"),
        user(300, "patch", "active"),
    ];
    assert_eq!(newest(&rows), Some(115));
    assert_eq!(newest(&rows[3..]), None);
    assert_eq!(newest(&[group_deleted(120)]), Some(120));
    assert_eq!(newest(&[members(130, "patch", &[], &["ada"])]), Some(130));
}
