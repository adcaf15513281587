//! What an undo decides, from rows of the log and from what is there.

mod newcomers;
mod targets;

use std::collections::{BTreeMap, BTreeSet};

use scim_core::ResourceId;
use scim_core::resource::Attributes;
use serde_json::json;

use super::judge::{Judge, Present, PresentUser};
use super::plan::{GroupFate, Obstacle, PlannedGroup, PlannedUser, UserFate};
use super::selection::Selection;
use super::trail::Trails;
use crate::store::{Kind, LogRow, Stage, Standing, Subject};

/// The span is from 100 to 200, and `key` is the actor.
fn selection() -> Selection {
    Selection { since: 100, until: 200, actors: Some(BTreeSet::from(["key".to_owned()])) }
}

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn ids(texts: &[&str]) -> Vec<ResourceId> {
    texts.iter().map(|text| id(text)).collect()
}

fn standing(word: &str) -> Standing {
    Standing::of_word(word).unwrap()
}

fn row(at: i64, kind: Kind, subject: &str, operation: &str) -> LogRow {
    LogRow {
        id: at.to_string(),
        milliseconds: at,
        operation: operation.to_owned(),
        subject: Some(Subject::Resource(kind)),
        subject_id: subject.to_owned(),
        version: Some(2),
        actor: "key".to_owned(),
        request: at.to_string(),
        changed: Vec::new(),
        was: None,
        added: Some(Vec::new()),
        removed: Some(Vec::new()),
        left: Some(Vec::new()),
        document: None,
        count: None,
    }
}

/// A change of a user's standing.
fn user(at: i64, operation: &str, was: &str) -> LogRow {
    LogRow { was: Standing::of_word(was), ..row(at, Kind::User, "ada", operation) }
}

/// The end of Ada's memberships.
fn left(at: i64, groups: &[&str]) -> LogRow {
    LogRow { version: None, left: Some(ids(groups)), ..row(at, Kind::User, "ada", "delete") }
}

/// A change of a group's members.
fn members(at: i64, operation: &str, added: &[&str], removed: &[&str]) -> LogRow {
    let (added, removed) = (Some(ids(added)), Some(ids(removed)));
    LogRow { version: None, added, removed, ..row(at, Kind::Group, "staff", operation) }
}

fn group_deleted(at: i64) -> LogRow {
    let object = json!({ "displayName": "Staff" }).as_object().unwrap().clone();
    let document = Some(Attributes::from_stored(object));
    LogRow { document, version: Some(7), ..row(at, Kind::Group, "staff", "delete") }
}

fn by(actor: &str, row: LogRow) -> LogRow {
    LogRow { actor: actor.to_owned(), ..row }
}

/// A row as an earlier release wrote it.
fn old(row: LogRow, changed: &[&str]) -> LogRow {
    let changed = changed.iter().map(|name| (*name).to_owned()).collect();
    LogRow { subject: None, was: None, document: None, changed, ..row }
}

/// What is there, for the tests to change: Ada is deleted and was in no group.
fn present() -> Present {
    let ada = PresentUser {
        name: Some("ada".to_owned()),
        standing: standing("deleted.9"),
        version: 5,
        past: Some(BTreeSet::new()),
        leaving: BTreeSet::new(),
        is_name_taken: false,
    };
    let bob =
        PresentUser { name: Some("bob".to_owned()), standing: standing("active"), ..ada.clone() };
    let users = BTreeMap::from([(id("ada"), ada), (id("bob"), bob)]);
    let groups = BTreeMap::from([(id("staff"), Some("Staff".to_owned()))]);
    Present { users, groups, ..Present::default() }
}

fn ada(present: &mut Present) -> &mut PresentUser {
    present.users.get_mut(&id("ada")).unwrap()
}

fn judged(rows: &[LogRow], present: &Present) -> (Vec<PlannedUser>, Vec<PlannedGroup>) {
    let mut trails = Trails::default();
    rows.iter().for_each(|row| trails.take_in(&selection(), row));
    Judge { trails: &trails, present }.plan()
}

/// The fate of Ada, if she has one.
fn fate(rows: &[LogRow], present: &Present) -> Option<UserFate> {
    let (mut users, _) = judged(rows, present);
    assert!(users.len() < 2, "{users:?}");
    users.pop().map(|user| user.fate)
}

/// The standing with which Ada comes back.
fn comes_back(rows: &[LogRow], present: &Present) -> String {
    match fate(rows, present) {
        Some(UserFate::Restore(comeback)) => comeback.standing.word(),
        fate => panic!("{fate:?}"),
    }
}

/// The only group, which is Staff.
fn staff(rows: &[LogRow], present: &Present) -> PlannedGroup {
    let (_, mut groups) = judged(rows, present);
    assert_eq!(groups.len(), 1, "{groups:?}");
    groups.remove(0)
}

fn names(of: &[super::plan::Named]) -> Vec<&str> {
    of.iter().map(|named| named.id.as_str()).collect()
}

#[test]
fn a_deleted_user_comes_back_with_the_standing_before_the_first_change() {
    let present = present();
    assert_eq!(comes_back(&[user(110, "delete", "active")], &present), "active");
    assert_eq!(comes_back(&[user(110, "delete", "inactive.7")], &present), "inactive.7");
    let twice = [user(110, "patch", "active"), user(120, "delete", "inactive")];
    assert_eq!(comes_back(&twice, &present), "active");
    let created = [row(110, Kind::User, "ada", "create"), user(120, "delete", "active")];
    assert_eq!(comes_back(&created, &present), "active", "a creation is not undone");
}

#[test]
fn only_what_the_actor_did_in_the_span_is_undone() {
    let present = present();
    assert_eq!(fate(&[user(99, "delete", "active")], &present), None);
    assert_eq!(fate(&[user(200, "delete", "active")], &present), None);
    assert_eq!(fate(&[by("other", user(110, "delete", "active"))], &present), None);
    assert_eq!(fate(&[user(110, "restore", "deleted.9")], &present), None);
    assert_eq!(fate(&[user(110, "patch", "inactive")], &present), None, "an activation");
    assert_eq!(fate(&[user(110, "expire", "inactive.9")], &present), None);
    assert_eq!(fate(&[user(110, "undo", "active")], &present), None);
}

#[test]
fn what_somebody_else_changed_since_stays_unless_it_is_as_it_was() {
    let mut there = present();
    let deleted = [user(110, "delete", "active"), by("other", user(120, "restore", "deleted.9"))];
    let again = by("other", user(210, "patch", "active"));
    ada(&mut there).standing = standing("active");
    assert_eq!(fate(&deleted, &there), Some(UserFate::AlreadySo));
    ada(&mut there).standing = standing("inactive");
    let rows = [&deleted[..], &[again]].concat();
    let Some(UserFate::ChangedSince(later)) = fate(&rows, &there) else { panic!() };
    assert_eq!((later.milliseconds, later.actor.as_str()), (210, "other"));
    // The same by the actor after the span.
    let late = [user(110, "delete", "active"), user(210, "restore", "deleted.9")];
    assert!(matches!(fate(&late, &there), Some(UserFate::ChangedSince(_))));
    // An earlier undo is not somebody else.
    let undone = [user(110, "delete", "active"), by("operator", user(220, "undo", "deleted.9"))];
    assert_eq!(fate(&undone, &there), Some(UserFate::Activate(5)));
}

#[test]
fn an_undo_deactivates_nobody() {
    let mut present = present();
    ada(&mut present).standing = standing("active");
    let rows = [user(110, "delete", "inactive"), user(120, "restore", "deleted.9")];
    assert_eq!(fate(&rows, &present), Some(UserFate::AlreadySo));
    // If she was deleted again, she comes back as before the first deletion.
    ada(&mut present).standing = standing("deleted.9");
    let rows = [&rows[..], &[user(130, "delete", "active")]].concat();
    assert_eq!(comes_back(&rows, &present), "inactive");
}

#[test]
fn a_user_of_whom_nothing_is_kept_or_whose_name_is_taken_is_listed() {
    let mut present = present();
    let rows = [user(110, "delete", "active")];
    ada(&mut present).is_name_taken = true;
    assert_eq!(fate(&rows, &present), Some(UserFate::NameTaken));
    present.users.remove(&id("ada"));
    assert_eq!(fate(&rows, &present), Some(UserFate::Lost));
    let expired = [user(110, "patch", "active"), by("expiry", user(300, "expire", "inactive.9"))];
    assert_eq!(fate(&expired, &present), Some(UserFate::Lost));
    let deleted = [user(110, "patch", "active"), by("other", user(300, "delete", "inactive"))];
    assert!(matches!(fate(&deleted, &present), Some(UserFate::ChangedSince(_))));
}

#[test]
fn rows_of_an_earlier_release_do_not_tell() {
    let mut present = present();
    let rows = [old(user(110, "delete", ""), &[])];
    assert_eq!(fate(&rows, &present), Some(UserFate::NotTold));
    let rows = [old(user(110, "patch", ""), &["active"])];
    ada(&mut present).standing = standing("inactive");
    assert_eq!(fate(&rows, &present), Some(UserFate::NotTold));
    ada(&mut present).standing = standing("active");
    assert_eq!(fate(&rows, &present), Some(UserFate::AlreadySo));
    assert_eq!(fate(&[old(user(110, "patch", ""), &["title"])], &present), None);
    let hidden = LogRow { removed: None, ..members(110, "patch", &[], &[]) };
    let group = staff(&[old(hidden, &["members.remove"])], &present);
    assert!(group.hides_members && !group.changes());
    present.groups.clear();
    let group = staff(&[old(group_deleted(110), &["displayName"])], &present);
    assert_eq!(group.fate, GroupFate::NotTold);
}

#[test]
fn memberships_are_as_before_the_span() {
    let mut present = present();
    present.members.insert(id("staff"), BTreeSet::from([id("bob")]));
    ada(&mut present).standing = standing("active");
    let group = staff(&[members(110, "replace", &["bob"], &["ada"])], &present);
    assert_eq!((names(&group.add), names(&group.remove)), (vec!["ada"], vec!["bob"]));
    let created = row(105, Kind::User, "bob", "create");
    let rows = [created, members(110, "patch", &["bob"], &["ada"])];
    let group = staff(&rows, &present);
    assert_eq!((names(&group.add), group.remove.len()), (vec!["ada"], 0), "new users stay");
    let restored = members(110, "restore", &["bob"], &[]);
    assert!(judged(&[restored], &present).1.is_empty(), "a restore is not undone");
    let rows = [
        members(110, "patch", &[], &["ada"]),
        by("other", members(120, "patch", &["ada"], &[])),
        by("other", members(130, "patch", &[], &["ada"])),
    ];
    assert!(matches!(staff(&rows, &present).kept[0].1, Obstacle::ChangedSince(_)));
    let group = staff(&rows[..1], &with_member(present));
    assert_eq!((group.already_so, group.changes()), (1, false));
}

/// Ada is a member.
fn with_member(mut present: Present) -> Present {
    present.members.entry(id("staff")).or_default().insert(id("ada"));
    present
}

#[test]
fn a_restored_user_comes_back_into_the_groups_of_before_the_span() {
    let mut present = present();
    ada(&mut present).past = Some(BTreeSet::from([id("staff"), id("gone")]));
    let deleted = [user(120, "delete", "active"), left(121, &["staff", "gone"])];
    let (users, groups) = judged(&deleted, &present);
    let UserFate::Restore(comeback) = &users[0].fate else { panic!("{users:?}") };
    assert_eq!(comeback.groups, Some(BTreeSet::from([id("staff")])));
    assert_eq!(groups.len(), 1, "{groups:?}");
    assert_eq!(groups[0].kept[0].1, Obstacle::GroupGone);
    // She had joined in the span.
    let rows = [&[members(110, "patch", &["ada"], &[])], &deleted[..]].concat();
    let (users, _) = judged(&rows, &present);
    let UserFate::Restore(comeback) = &users[0].fate else { panic!("{users:?}") };
    assert_eq!(comeback.except, BTreeSet::from([id("staff")]));
    // A POST brought her back into no group.
    ada(&mut present).standing = standing("active");
    ada(&mut present).past = Some(BTreeSet::new());
    let rows = [&deleted[..], &[user(130, "restore", "deleted.9")]].concat();
    let (users, groups) = judged(&rows, &present);
    assert_eq!(users[0].fate, UserFate::AlreadySo);
    let group = groups.iter().find(|group| group.id == id("staff")).unwrap();
    assert_eq!(names(&group.add), ["ada"]);
}

#[test]
fn memberships_that_end_in_the_span_by_an_earlier_deletion_stay_so() {
    let present = present();
    assert_eq!(judged(&[left(110, &["staff"])], &present), (vec![], vec![]));
    let disbanded = members(110, "delete", &[], &["ada"]);
    assert_eq!(judged(&[disbanded], &present), (vec![], vec![]), "or of a group");
    let given_up = [members(110, "create", &["bob"], &[]), members(111, "create", &[], &["bob"])];
    assert_eq!(judged(&given_up, &present), (vec![], vec![]), "or by a failed creation");
}

#[test]
fn a_deleted_group_is_created_again_with_its_members() {
    let mut present = present();
    present.groups.clear();
    // Another request removed the last members.
    let rows = [
        group_deleted(110),
        members(110, "delete", &[], &["ada"]),
        by("other", members(300, "delete", &[], &["bob", "eve"])),
    ];
    let group = staff(&rows, &present);
    let GroupFate::Create(attributes, 7) = &group.fate else { panic!("{group:?}") };
    assert_eq!(attributes.text("displayName"), Some("Staff"));
    assert_eq!(names(&group.add), ["bob"], "the others are gone");
    assert_eq!(group.kept.len(), 2);
    // It exists again, since an undo was interrupted.
    let rows = [&rows[..], &[by("operator", row(400, Kind::Group, "staff", "undo"))]].concat();
    present.groups.insert(id("staff"), Some("Staff".to_owned()));
    let group = staff(&rows, &present);
    assert_eq!((&group.fate, names(&group.add)), (&GroupFate::AlreadySo, vec!["bob"]));
    present.groups.clear();
    present.taken_names.insert(id("staff"));
    assert_eq!(staff(&rows, &present).fate, GroupFate::NameTaken);
    let rows = [group_deleted(110), by("other", group_deleted(300))];
    assert!(matches!(staff(&rows, &present).fate, GroupFate::ChangedSince(_)));
}

#[test]
fn an_unmanaged_user_is_not_what_was_deleted() {
    let mut present = present();
    ada(&mut present).standing = Standing { state: Stage::Unmanaged, ..standing("active") };
    assert_eq!(fate(&[user(110, "delete", "active")], &present), Some(UserFate::Lost));
}
