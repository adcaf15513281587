//! A customer to whom anything happens, done by two tokens and by the operator.

use std::collections::BTreeMap;
use std::sync::Arc;

use scim_lambda::auth::token::PlainToken;
use scim_lambda::directory::RestoreOptions;
use scim_lambda::operator::tokens::Lifetime;
use serde_json::{Value, json};

use super::oracle::{Standing, State, Step};
use crate::model::dice::Dice;
use crate::support::connectors::Fault;
use crate::support::handles::{members, set, values};
use crate::support::{Answer, World, customer::Customer};

/// The label of the second token.
pub const LABEL: &str = "second";
/// The actors: both tokens and the operator.
const ACTORS: usize = 3;
const OPERATOR: usize = 2;

/// A directory at work, and all that has happened to it.
pub struct Storm {
    pub customer: Customer,
    pub dice: Dice,
    tokens: [PlainToken; 2],
    pub state: State,
    /// The userNames and displayNames.
    pub names: BTreeMap<String, String>,
    pub steps: Vec<Step>,
    hard: bool,
    number: usize,
    /// Whether a restore of the operator was interrupted, so that groups of an earlier deletion are
    /// still kept.
    flawed: bool,
    /// Whether memberships of something deleted have perhaps not ended yet.
    is_late: bool,
}

impl Storm {
    pub async fn new(world: &Arc<World>, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let ways = ["soft_delete", "soft_delete", "soft_delete", "deactivate", "hard_delete"];
        let way = ways[dice.below(ways.len())];
        let inactive = if dice.chance(30) { "suspend_with_expiry" } else { "suspend" };
        let settings = [("deprovision.on_delete", way), ("deprovision.on_inactive", inactive)];
        let customer = Customer::of(world, "default", &settings).await;
        let second = world
            .operator()
            .issue_token(&customer.row, Lifetime::Unlimited, Some(LABEL))
            .await
            .unwrap();
        let tokens = [customer.token.clone(), second.token];
        let (state, names, steps) = (State::default(), BTreeMap::new(), Vec::new());
        let hard = way == "hard_delete";
        Self {
            customer,
            dice,
            tokens,
            state,
            names,
            steps,
            hard,
            number: 0,
            flawed: false,
            is_late: false,
        }
    }

    /// Sees to it that there are people and groups to whom something can happen.
    pub async fn fill(&mut self) {
        while self.visible().len() < 3 {
            self.create_user(0, None).await;
        }
        while self.state.groups.len() < 2 {
            self.create_group(0, None).await;
        }
    }

    /// The actor as the log names it.
    pub fn actor(&self, who: usize) -> String {
        match self.tokens.get(who) {
            Some(token) => token.key_id().as_str().to_owned(),
            None => "operator".to_owned(),
        }
    }

    /// Anything happens.
    pub async fn step(&mut self) {
        let who = self.dice.below(ACTORS);
        self.number += 1;
        if std::mem::take(&mut self.is_late) {
            self.write().await;
        }
        self.customer.world.clock.advance(1);
        if who == OPERATOR && self.dice.chance(70) {
            return self.operate().await;
        }
        let who = who % OPERATOR;
        match self.dice.below(20) {
            0..4 => self.delete_user(who).await,
            4..7 => self.activate(who).await,
            7 => self.delete_all(who).await,
            8..10 => self.come_back(who).await,
            10 => self.create_user(who, None).await,
            11..15 => self.change_members(who).await,
            15..17 => self.put_group(who).await,
            17 => self.delete_group(who).await,
            18 => self.replace_group(who).await,
            _ => self.create_group(who, None).await,
        }
    }

    /// Takes note of a step that has led to this state.
    fn note(&mut self, who: usize, restores: bool, after: State) {
        let before = std::mem::replace(&mut self.state, after);
        let (time, actor) = (self.customer.world.clock.milliseconds(), self.actor(who));
        self.steps.push(Step { time, actor, restores, before, after: self.state.clone() });
    }

    pub async fn send(
        &self,
        who: usize,
        method: &str,
        path: &str,
        body: impl Into<Option<Value>>,
    ) -> Answer {
        self.customer.world.send_as(&self.tokens[who], method, path, body).await
    }

    pub fn visible(&self) -> Vec<String> {
        let users = self.state.users.iter().filter(|(_, user)| user.is_visible());
        users.map(|(id, _)| id.clone()).collect()
    }

    fn groups(&self) -> Vec<String> {
        self.state.groups.iter().cloned().collect()
    }

    /// Users and groups that can be members, perhaps all of them.
    fn candidates(&mut self, group: Option<&str>) -> Vec<String> {
        let mut all = self.visible();
        all.extend(self.groups().into_iter().filter(|id| Some(id.as_str()) != group));
        if self.dice.chance(20) { all } else { self.dice.some(all, 3) }
    }

    async fn create_user(&mut self, who: usize, name: Option<String>) {
        self.number += 1;
        let is_namesake = name.is_some() && self.dice.chance(30);
        let name = name.unwrap_or_else(|| format!("person{}", self.number));
        let active = self.dice.chance(80);
        let mut body = json!({ "userName": name, "active": active });
        if is_namesake {
            body["externalId"] = json!(format!("x{}", self.number));
        }
        let answer = self.send(who, "POST", "/Users", body).await;
        if answer.status == 409 {
            return;
        }
        assert_eq!(answer.status, 201, "{}", answer.body);
        let id = answer.body["id"].as_str().unwrap().to_owned();
        let mut after = self.state.clone();
        let standing = if active { Standing::Active } else { Standing::Inactive };
        after.users.insert(id.clone(), standing);
        self.names.insert(id, name);
        self.note(who, false, after);
    }

    /// A deleted user comes back by a POST, or the clock of a suspended one is stopped, or a namesake
    /// comes.
    async fn come_back(&mut self, who: usize) {
        let gone = self.state.users.iter().filter(|(_, user)| **user != Standing::Active);
        let gone: Vec<String> = gone.map(|(id, _)| id.clone()).collect();
        let Some(id) = self.dice.pick(&gone) else { return };
        let name = self.names[&id].clone();
        self.create_user(who, Some(name)).await;
    }

    fn without_user(&self, id: &str) -> State {
        let mut after = self.state.clone();
        let gone = if self.hard { Standing::Lost } else { Standing::Deleted };
        after.users.insert(id.to_owned(), gone);
        after.leave(id);
        after
    }

    /// Deletes something. Perhaps its memberships do not end with it, but later.
    async fn delete(&mut self, who: usize, path: &str) {
        if self.dice.chance(30) {
            self.is_late = true;
            self.customer.world.between.set(|called, request| {
                let actions = request["TransactItems"].as_array().cloned().unwrap_or_default();
                let ends = |action: &Value| {
                    let partition = action["Delete"]["Key"]["p"]["S"].as_str();
                    partition.is_some_and(|partition| partition.contains("#M#"))
                };
                let breaks = called == "TransactWriteItems" && actions.iter().any(ends);
                breaks.then_some(Fault::Refuse(500, "InternalServerError"))
            });
        }
        assert_eq!(self.send(who, "DELETE", path, None).await.status, 204);
        self.customer.world.between.clear();
    }

    async fn delete_user(&mut self, who: usize) {
        let Some(id) = self.dice.pick(&self.visible()) else { return };
        self.delete_this_user(who, &id).await;
    }

    /// Deletes a user, if it is visible.
    pub async fn delete_this_user(&mut self, who: usize, id: &str) {
        if self.state.is_there(id) {
            self.delete(who, &format!("/Users/{id}")).await;
            let after = self.without_user(id);
            self.note(who, false, after);
        }
    }

    /// A user leaves, and comes back by a restore that is interrupted.
    pub async fn come_back_in_part(&mut self) -> Option<String> {
        let (_, user) = self.dice.pick(&self.state.members.iter().cloned().collect::<Vec<_>>())?;
        if !self.state.users.contains_key(&user) {
            return None;
        }
        self.delete_this_user(0, &user).await;
        self.flawed = true;
        self.customer.break_after(1);
        let (operator, id) = (self.customer.world.operator(), user.parse().unwrap());
        let _ = operator.restore_user(&self.customer.row, &id, RestoreOptions::default()).await;
        self.customer.world.between.clear();
        let after = self.seen(&self.state).await;
        self.note(OPERATOR, true, after);
        Some(user)
    }

    async fn delete_all(&mut self, who: usize) {
        for id in self.visible() {
            assert_eq!(self.send(who, "DELETE", &format!("/Users/{id}"), None).await.status, 204);
            let after = self.without_user(&id);
            self.note(who, false, after);
        }
    }

    async fn activate(&mut self, who: usize) {
        let Some(id) = self.dice.pick(&self.visible()) else { return };
        let active = self.dice.chance(30);
        let path = format!("/Users/{id}");
        assert_eq!(self.send(who, "PATCH", &path, set("active", active)).await.status, 200);
        self.stands(who, &id, active);
    }

    fn stands(&mut self, who: usize, id: &str, active: bool) {
        let mut after = self.state.clone();
        let standing = if active { Standing::Active } else { Standing::Inactive };
        after.users.insert(id.to_owned(), standing);
        self.note(who, false, after);
    }

    async fn create_group(&mut self, who: usize, name: Option<String>) {
        self.number += 1;
        let ids = self.candidates(None);
        let name = name.unwrap_or_else(|| format!("group{}", self.number));
        let body = json!({ "displayName": name, "externalId": name, "members": values(&ids) });
        let answer = self.send(who, "POST", "/Groups", body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let id = answer.body["id"].as_str().unwrap().to_owned();
        let mut after = self.state.clone();
        after.groups.insert(id.clone());
        self.names.insert(id.clone(), name);
        after.members.extend(ids.into_iter().map(|member| (id.clone(), member)));
        self.note(who, false, after);
    }

    async fn change_members(&mut self, who: usize) {
        let Some(group) = self.dice.pick(&self.groups()) else { return };
        let (ids, joins) = (self.candidates(Some(&group)), self.dice.chance(50));
        let op = if joins { "add" } else { "remove" };
        let path = format!("/Groups/{group}");
        let answer = self.send(who, "PATCH", &path, members(op, values(&ids))).await;
        assert!(answer.status.is_success(), "{}", answer.body);
        let mut after = self.state.clone();
        for pair in ids.into_iter().map(|member| (group.clone(), member)) {
            if joins {
                after.members.insert(pair);
            } else {
                after.members.remove(&pair);
            }
        }
        self.note(who, false, after);
    }

    async fn put_group(&mut self, who: usize) {
        let Some(group) = self.dice.pick(&self.groups()) else { return };
        let path = format!("/Groups/{group}");
        let name = &self.names[&group];
        let mut body = json!({ "displayName": name, "externalId": name });
        let ids = if self.dice.chance(40) { Vec::new() } else { self.candidates(Some(&group)) };
        body["members"] = values(&ids);
        assert_eq!(self.send(who, "PUT", &path, body).await.status, 200);
        let mut after = self.state.clone();
        after.members.retain(|(of, _)| *of != group);
        after.members.extend(ids.into_iter().map(|member| (group.clone(), member)));
        self.note(who, false, after);
    }

    /// Another group gets the name of one that is deleted, and is perhaps deleted too.
    async fn replace_group(&mut self, who: usize) {
        let Some(group) = self.dice.pick(&self.groups()) else { return };
        self.delete_this_group(who, &group).await;
        let before = self.state.groups.clone();
        self.create_group(who, Some(self.names[&group].clone())).await;
        let new = self.state.groups.difference(&before).next().cloned();
        if let Some(new) = new.filter(|_| self.dice.chance(70)) {
            self.delete_this_group(who, &new).await;
        }
    }

    async fn delete_group(&mut self, who: usize) {
        let Some(group) = self.dice.pick(&self.groups()) else { return };
        self.delete_this_group(who, &group).await;
    }

    async fn delete_this_group(&mut self, who: usize, group: &str) {
        self.delete(who, &format!("/Groups/{group}")).await;
        let mut after = self.state.clone();
        after.groups.remove(group);
        after.leave(group);
        self.note(who, false, after);
    }

    /// The operator changes a user, or restores one as it was before its deletion.
    async fn operate(&mut self) {
        let (operator, row) = (self.customer.world.operator(), self.customer.row.clone());
        let users: Vec<String> = self.state.users.keys().cloned().collect();
        let Some(user) = self.dice.pick(&users) else { return };
        let id = user.parse().unwrap();
        match (self.state.users[&user], self.dice.below(3)) {
            (Standing::Lost, _) => {}
            (Standing::Deleted, _) => {
                let is_interrupted = self.dice.chance(30);
                if is_interrupted {
                    self.flawed = true;
                    self.customer.break_after(self.dice.below(4));
                }
                let done = operator.restore_user(&row, &id, RestoreOptions::default()).await;
                self.customer.world.between.clear();
                // Another user may have the name.
                if self.flawed {
                    let after = self.seen(&self.state).await;
                    self.note(OPERATOR, true, after);
                } else if done.is_ok() {
                    let after = self.restored(&user);
                    self.note(OPERATOR, true, after);
                }
            }
            (_, 0) => {
                operator.delete_user(&row, &id).await.unwrap();
                let after = self.without_user(&user);
                self.note(OPERATOR, false, after);
            }
            (_, chance) => {
                let active = chance == 1;
                if active {
                    operator.activate_user(&row, &id).await.unwrap();
                } else {
                    operator.suspend_user(&row, &id).await.unwrap();
                }
                self.stands(OPERATOR, &user, active);
            }
        }
    }

    /// The state in which a user is as before its last deletion.
    fn restored(&self, user: &str) -> State {
        let deletion = self
            .steps
            .iter()
            .rev()
            .find(|step| step.before.is_there(user) && !step.after.is_there(user));
        let before = &deletion.unwrap().before;
        let mut after = self.state.clone();
        after.users.insert(user.to_owned(), before.users[user]);
        let pairs = before
            .members
            .iter()
            .filter(|(group, member)| member == user && self.state.groups.contains(group));
        after.members.extend(pairs.cloned());
        after
    }
}
