//! Groups: made, renamed, deleted; who joins and who leaves.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Model;
use super::shapes::Crew;
use crate::support::Answer;

/// An error's status and scimType.
type Refused = (u16, Option<&'static str>);
const TAKEN: Refused = (409, Some("uniqueness"));
const UNKNOWN_MEMBER: Refused = (400, Some("invalidValue"));

fn values(ids: &[String]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

fn replace(path: &str, value: Value) -> Value {
    json!({ "op": "replace", "path": path, "value": value })
}

impl Model {
    pub(super) fn group_name(&mut self) -> String {
        let name = format!("group {}", self.dice.below(8));
        self.dice.spelled(&name)
    }

    fn group_external_id(&mut self) -> Option<String> {
        let number = self.dice.below(6);
        (number < 3).then(|| format!("e{number}"))
    }

    pub(super) fn group(&mut self, who: usize) -> Option<usize> {
        let groups = self.parties[who].oracle.groups.len();
        (groups > 0).then(|| self.dice.below(groups))
    }

    pub(super) fn group_path(&self, who: usize, index: usize) -> String {
        format!("/Groups/{}", self.parties[who].oracle.groups[index].id)
    }

    /// Users and groups that could become members, a few or all of them.
    fn candidates(&mut self, who: usize) -> Vec<String> {
        let oracle = &self.parties[who].oracle;
        let users = oracle.live().into_iter().map(|index| oracle.users[index].id.clone());
        let all: Vec<String> =
            users.chain(oracle.groups.iter().map(|group| group.id.clone())).collect();
        match self.dice.below(8) {
            0 => all,
            1 => self.dice.some(all, 12),
            _ => self.dice.some(all, 3),
        }
    }

    /// An id that is not known: made up, of a deleted user, or of a user of the other tenant.
    fn nobody(&mut self, who: usize) -> String {
        let strangers = self.strangers(who);
        self.dice.pick(&strangers).unwrap()
    }

    /// Ids as some clients write them. The text of a product is shown as a client wrote it, so its
    /// case stays.
    fn odd(&mut self, ids: &[String]) -> Vec<String> {
        let odd = self.dice.chance(10);
        let written =
            |id: &String| if odd && !id.contains('.') { id.to_uppercase() } else { id.clone() };
        ids.iter().map(written).collect()
    }

    pub(super) async fn create_group(&mut self, who: usize) {
        let mut members = self.candidates(who);
        if members.len() < 12 && self.dice.chance(10) {
            members.push(self.nobody(who));
        }
        let crew = Crew {
            name: self.group_name(),
            external_id: self.group_external_id(),
            members: members.iter().cloned().collect(),
        };
        let mut body = crew.json();
        body["members"] = values(&self.odd(&members));
        let refused = self.refused(who, None, &crew);
        let answer = self.send(who, "POST", "/Groups", body).await;
        if let Some((status, scim_type)) = refused {
            return answer.is_error(status, scim_type);
        }
        let id = answer.body["id"].as_str().unwrap_or_default().to_owned();
        let oracle = &mut self.parties[who].oracle;
        assert!(
            !oracle.is_live(&id) && !oracle.gone_groups.contains(&id),
            "a new group has an id of its own: {id}"
        );
        let index = oracle.add_group(&id, crew);
        self.expect_group(who, index, 201, &answer);
    }

    /// Why a group cannot become so: a name that another has, or a new member that does not exist.
    fn refused(&self, who: usize, index: Option<usize>, crew: &Crew) -> Option<Refused> {
        let oracle = &self.parties[who].oracle;
        let none = BTreeSet::new();
        let before = index.map_or(&none, |index| &oracle.groups[index].is.members);
        let mut joining = crew.members.difference(before);
        if oracle.is_group(&crew.name, index) {
            return Some(TAKEN);
        }
        joining.any(|id| !oracle.is_live(id)).then_some(UNKNOWN_MEMBER)
    }

    fn expect_group(&self, who: usize, index: usize, status: u16, answer: &Answer) {
        let group = self.parties[who].oracle.group_json(index);
        assert_eq!((answer.status.as_u16(), &answer.body), (status, &group));
        assert_eq!(answer.header("etag"), group["meta"]["version"]);
    }

    /// A PATCH of members alone.
    pub(super) async fn move_members(&mut self, who: usize) {
        let Some(index) = self.group(who) else { return };
        let mut crew = self.parties[who].oracle.groups[index].is.clone();
        let operations =
            (0..=self.dice.below(2)).map(|_| self.members_operation(who, index, &mut crew));
        let operations: Vec<Value> = operations.collect();
        self.patch_group(who, index, operations, crew).await;
    }

    /// One operation on members, which is done to `crew`.
    fn members_operation(&mut self, who: usize, index: usize, crew: &mut Crew) -> Value {
        let own = self.parties[who].oracle.groups[index].id.clone();
        let mut ids = self.candidates(who);
        ids.retain(|id| *id != own);
        match self.dice.below(10) {
            0..5 => {
                if ids.len() < 12 && self.dice.chance(10) {
                    let nobody = if self.dice.chance(20) { own } else { self.nobody(who) };
                    ids.push(nobody);
                }
                crew.members.extend(ids.iter().cloned());
                json!({ "op": "add", "path": "members", "value": values(&self.odd(&ids)) })
            }
            5..7 => {
                // Some who are members, and some who are none.
                let members = self.parties[who].oracle.in_order(&crew.members);
                ids.truncate(2);
                ids.extend(self.dice.some(members, 2));
                crew.members.retain(|id| !ids.contains(id));
                json!({ "op": "remove", "path": "members", "value": values(&self.odd(&ids)) })
            }
            7 => {
                let members = self.parties[who].oracle.in_order(&crew.members);
                let id = self.dice.pick(&members).unwrap_or(own);
                crew.members.remove(&id);
                json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") })
            }
            8 => {
                crew.members = ids.iter().cloned().collect();
                replace("members", values(&ids))
            }
            _ => {
                json!({ "op": "add", "path": "members", "value": values(&Vec::from_iter(crew.members.clone())) })
            }
        }
    }

    /// A PATCH or PUT of the group itself, with or without its members.
    pub(super) async fn change_group(&mut self, who: usize) {
        let Some(index) = self.group(who) else { return };
        let mut crew = self.parties[who].oracle.groups[index].is.clone();
        if self.dice.chance(50) {
            let mut operations = Vec::new();
            if self.dice.chance(70) {
                crew.name = self.group_name();
                operations.push(replace("displayName", crew.name.as_str().into()));
            }
            if self.dice.chance(30) {
                operations.push(self.members_operation(who, index, &mut crew));
            }
            return self.patch_group(who, index, operations, crew).await;
        }
        if self.dice.chance(70) {
            (crew.name, crew.external_id) = (self.group_name(), self.group_external_id());
        }
        let mut body = crew.json();
        if self.dice.chance(50) {
            let mut members = self.candidates(who);
            let own = self.parties[who].oracle.groups[index].id.clone();
            members.retain(|id| *id != own);
            if members.len() < 12 && self.dice.chance(20) {
                members.push(self.nobody(who));
            }
            body["members"] = values(&members);
            crew.members = members.into_iter().collect();
        } else if self.dice.chance(20) {
            let ways = [Value::Null, json!(""), json!({}), json!([null]), json!([])];
            body["members"] = ways[self.dice.below(ways.len())].clone();
            crew.members.clear();
        } else if !self.parties[who].oracle.policy.keeps_members {
            crew.members.clear();
        }
        let refused = self.refused(who, Some(index), &crew);
        self.write_group(who, index, "PUT", body, crew, refused).await;
    }

    async fn patch_group(&mut self, who: usize, index: usize, operations: Vec<Value>, crew: Crew) {
        let own = &self.parties[who].oracle.groups[index].id;
        let refused = if crew.members.contains(own) {
            Some(UNKNOWN_MEMBER)
        } else {
            self.refused(who, Some(index), &crew)
        };
        self.write_group(who, index, "PATCH", json!({ "Operations": operations }), crew, refused)
            .await;
    }

    async fn write_group(
        &mut self,
        who: usize,
        index: usize,
        method: &str,
        body: Value,
        crew: Crew,
        refused: Option<Refused>,
    ) {
        let path = self.group_path(who, index);
        let answer = self.send(who, method, &path, body).await;
        if let Some((status, scim_type)) = refused {
            return answer.is_error(status, scim_type);
        }
        let oracle = &mut self.parties[who].oracle;
        let versions = oracle.change_group(index, crew);
        let tag = answer.header("etag").trim_start_matches("W/\"").trim_end_matches('"');
        let version = tag.parse().unwrap_or_default();
        assert!(
            versions.contains(&version),
            "version {version} is not one of {versions:?}: {}",
            answer.body
        );
        oracle.groups[index].history.version = version;
        self.expect_group(who, index, 200, &answer);
    }

    pub(super) async fn delete_group(&mut self, who: usize) {
        let Some(index) = self.group(who) else { return };
        let path = self.group_path(who, index);
        let answer = self.send(who, "DELETE", &path, None).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (204, &Value::Null));
        self.parties[who].oracle.delete_group(index);
    }

    pub(super) async fn get_group(&mut self, who: usize) {
        let Some(index) = self.group(who) else { return };
        let path = self.group_path(who, index);
        let answer = self.send(who, "GET", &path, None).await;
        self.expect_group(who, index, 200, &answer);
    }
}
