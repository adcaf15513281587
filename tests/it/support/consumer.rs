//! A product that follows the events as `docs/EVENTS.md` says: the model of every consumer.

use std::collections::{BTreeMap, BTreeSet};

use scim_lambda::auth::token::PlainToken;
use scim_lambda::store::TenantRow;
use serde_json::{Value, json};

use super::World;
use super::handles::member_ids;

/// The type and the id of a subject.
type Subject = (String, String);
/// What orders the events of a subject.
type Order = (u64, String);

/// What is known of a subject. A subject that is gone stays known, so that a late event does not
/// bring it back.
#[derive(Debug, Clone, Default)]
struct Known {
    order: Order,
    time: String,
    /// The resyncs that have shown it.
    resyncs: BTreeSet<String>,
    /// The last event; `None` if the subject is gone.
    event: Option<Value>,
}

/// What is known of a resync.
#[derive(Debug, Clone, Default)]
struct Replay {
    started: Option<String>,
    finished: Option<Value>,
    /// The subjects that its snapshots have shown.
    seen: BTreeSet<Subject>,
    is_done: bool,
}

/// What a product holds of one tenant.
#[derive(Debug, Default)]
pub struct Consumer {
    subjects: BTreeMap<Subject, Known>,
    replays: BTreeMap<String, Replay>,
}

/// What a directory holds: users with their states, groups, and pairs of a group and a member.
#[derive(Debug, Default, PartialEq)]
pub struct Held {
    pub users: BTreeMap<String, (String, Value)>,
    pub groups: BTreeMap<String, Value>,
    pub members: BTreeSet<(String, String)>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Whether an event ends its subject.
fn is_end(event: &Value) -> bool {
    let hard = event["type"] == "user.deleted" && event["mode"] == "hard";
    let ends = ["user.purged", "user.released", "group.deleted", "group.member_removed"];
    hard || event["type"] == "resource.deleted" || ends.iter().any(|end| event["type"] == *end)
}

impl Consumer {
    /// Takes an event in, in whatever order the events come, and however often.
    pub fn apply(&mut self, event: &Value) {
        match event["type"].as_str().unwrap() {
            "resync.started" => {
                let replay = self.replays.entry(text(&event["resync"])).or_default();
                replay.started = Some(text(&event["time"]));
            }
            "resync.finished" => {
                let replay = self.replays.entry(text(&event["resync"])).or_default();
                replay.finished = Some(event.clone());
            }
            _ => self.apply_to_subject(event),
        }
        let ready: Vec<String> = self.replays.keys().cloned().collect();
        ready.iter().for_each(|id| self.finish(id));
    }

    fn apply_to_subject(&mut self, event: &Value) {
        let subject = (text(&event["subject"]["type"]), text(&event["subject"]["id"]));
        let known = self.subjects.entry(subject.clone()).or_default();
        if event["type"].as_str().unwrap().ends_with("snapshot") {
            let id = text(&event["resync"]);
            known.resyncs.insert(id.clone());
            self.replays.entry(id).or_default().seen.insert(subject.clone());
        }
        let order = (event["epoch"].as_u64().unwrap(), text(&event["seq"]));
        if order > known.order {
            known.order = order;
            known.time = text(&event["time"]);
            known.event = (!is_end(event)).then(|| event.clone());
        }
        // An event from before a resync that is late, of a subject that the resync has not shown.
        let done = self.replays.iter().filter(|(_, replay)| replay.is_done);
        if done.into_iter().any(|(id, replay)| replay.ends(id, &subject, known)) {
            known.event = None;
        }
    }

    /// Drops what a resync that is complete has not shown.
    fn finish(&mut self, id: &str) {
        let Some(replay) = self.replays.get_mut(id) else { return };
        if replay.is_done || replay.started.is_none() || !replay.is_complete() {
            return;
        }
        replay.is_done = true;
        for (subject, known) in &mut self.subjects {
            if replay.ends(id, subject, known) {
                known.event = None;
            }
        }
    }

    /// Whether each resync has come in whole.
    pub fn is_complete(&self) -> bool {
        self.replays.values().all(|replay| replay.is_done)
    }

    /// The last events of the subjects of one type that are there.
    fn there(&self, subject_type: &str) -> impl Iterator<Item = (&str, &Value)> {
        let of_type = self.subjects.iter().filter(move |((kind, _), _)| kind == subject_type);
        of_type.filter_map(|((_, id), known)| Some((id.as_str(), known.event.as_ref()?)))
    }

    /// What the product holds.
    pub fn held(&self) -> Held {
        let mut held = Held::default();
        for (id, event) in self.there("User") {
            held.users.insert(id.to_owned(), (text(&event["state"]), event["data"].clone()));
        }
        for (id, event) in self.there("Group") {
            held.groups.insert(id.to_owned(), without_meta(&event["data"]));
        }
        for (_, event) in self.there("Member") {
            let (group, member) = (&event["subject"]["group"], &event["subject"]["member"]);
            // The end of a group ends its memberships.
            if held.groups.contains_key(group.as_str().unwrap()) {
                held.members.insert((text(group), text(member)));
            }
        }
        held
    }
}

impl Replay {
    /// Whether the subject is gone because the resync has not shown it.
    fn ends(&self, id: &str, subject: &Subject, known: &Known) -> bool {
        let (Some(started), Some(finished)) = (&self.started, &self.finished) else { return false };
        let is_in_scope = is_in_scope(subject, &finished["scope"], &self.seen);
        is_in_scope && !known.resyncs.contains(id) && known.time <= *started
    }

    /// Whether as many subjects were shown as were touched.
    fn is_complete(&self) -> bool {
        let Some(finished) = &self.finished else { return false };
        let counts = &finished["data"]["counts"];
        let counted = |name: &str| counts[name].as_u64().unwrap();
        let seen = |kind: fn(&str) -> bool| {
            self.seen.iter().filter(|(subject_type, _)| kind(subject_type)).count() as u64
        };
        seen(|kind| kind == "User") >= counted("users")
            && seen(|kind| kind == "Group") >= counted("groups")
            && seen(|kind| kind == "Member") >= counted("members")
            && seen(|kind| !["User", "Group", "Member"].contains(&kind)) >= counted("resources")
    }
}

/// Whether a resync of this scope shows the subject, if it is there.
fn is_in_scope((subject_type, id): &Subject, scope: &Value, seen: &BTreeSet<Subject>) -> bool {
    let is_listed = |id: &str| {
        let ids = scope["ids"].as_array().unwrap();
        ids.iter().any(|listed| listed.as_str().unwrap().eq_ignore_ascii_case(id))
    };
    let (group, member) = id.split_once('/').unwrap_or_default();
    match (scope["kind"].as_str().unwrap(), subject_type.as_str()) {
        (_, "Tenant" | "Seats" | "Brake" | "Record") => false,
        ("all", _) => true,
        ("users", "User") | ("groups", "Group") => is_listed(id),
        ("users", "Member") => is_listed(member),
        ("groups", "Member") => is_listed(group),
        // The members of a group that changed are shown all together.
        ("since", "Member") => seen.contains(&("Group".to_owned(), group.to_owned())),
        _ => false,
    }
}

impl Held {
    /// What two directories do not have in common.
    pub fn difference(&self, other: &Self) -> Vec<String> {
        let lines = |held: &Self| -> BTreeSet<String> {
            let users = held.users.iter().map(|user| format!("{user:?}"));
            let groups = held.groups.iter().map(|group| format!("{group:?}"));
            let members = held.members.iter().map(|pair| format!("{pair:?}"));
            users.chain(groups).chain(members).collect()
        };
        let (one, two) = (lines(self), lines(other));
        one.symmetric_difference(&two).cloned().collect()
    }
}

/// A group without what its members have a part in.
fn without_meta(group: &Value) -> Value {
    let mut group = group.clone();
    group.as_object_mut().unwrap().remove("meta");
    group
}

/// What the directory of the world's first tenant holds.
pub async fn directory(world: &World) -> Held {
    directory_of(world, &world.tenant, &world.token).await
}

/// What the directory of a tenant holds.
pub async fn directory_of(world: &World, tenant: &TenantRow, token: &PlainToken) -> Held {
    let mut held = Held::default();
    let operator = world.operator();
    let mut export = operator.export(tenant, None).await.unwrap();
    while let Some(users) = export.next_batch().await.unwrap() {
        for user in users {
            let (id, state) = (text(&user.user["id"]), user.state.word().to_owned());
            // Of a deleted user an event has no data.
            let data = if state == "deleted" { Value::Null } else { user.user };
            held.users.insert(id, (state, data));
        }
    }
    for group in groups(world, token).await {
        let id = text(&group["id"]);
        let pairs = member_ids(&group).into_iter().map(|member| (id.clone(), member));
        held.members.extend(pairs);
        let mut group = without_meta(&group);
        group.as_object_mut().unwrap().remove("members");
        held.groups.insert(id, group);
    }
    held
}

/// All groups with their members.
async fn groups(world: &World, token: &PlainToken) -> Vec<Value> {
    let mut groups = Vec::new();
    loop {
        let path = format!("/Groups?count=50&startIndex={}", groups.len() + 1);
        let page = world.send_as(token, "GET", &path, None).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let some = page.body["Resources"].as_array().cloned().unwrap_or_default();
        if some.is_empty() {
            return groups;
        }
        groups.extend(some);
    }
}

/// What a resync counts of a scope, as its last event says.
pub fn counts(users: u64, groups: u64, members: u64, resources: u64) -> Value {
    json!({ "users": users, "groups": groups, "members": members, "resources": resources })
}
