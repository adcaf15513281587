//! Handles: a resource that a test made, a row of the table, and what tests do with both.

use std::collections::{BTreeSet, HashMap};
use std::ops::Deref;

use aws_sdk_dynamodb::types::AttributeValue;
use scim_lambda::auth::token::PlainToken;
use serde_json::{Value, json};

use super::{Answer, World};

/// The id of a resource.
#[track_caller]
pub fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap_or_else(|| panic!("a resource has an id: {resource}"))
}

/// The path of a user.
#[track_caller]
pub fn user_path(user: &Value) -> String {
    format!("/Users/{}", id(user))
}

/// The path of a group.
#[track_caller]
pub fn group_path(group: &Value) -> String {
    format!("/Groups/{}", id(group))
}

/// The body of a PATCH of these operations.
pub fn patch(operations: Value) -> Value {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
    json!({ "schemas": schemas, "Operations": operations })
}

/// The body of a PATCH that sets one attribute.
pub fn set(path: &str, value: impl Into<Value>) -> Value {
    patch(json!([{ "op": "replace", "path": path, "value": value.into() }]))
}

/// The body of a PATCH of one operation on members.
pub fn members(op: &str, value: impl Into<Value>) -> Value {
    patch(json!([{ "op": op, "path": "members", "value": value.into() }]))
}

/// The value of `members` that names these ids.
pub fn values(ids: &[String]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

/// The ids of the members that a group shows, sorted.
pub fn member_ids(group: &Value) -> Vec<String> {
    let members = group["members"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<_> =
        members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// These ids, sorted.
pub fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids
}

/// A user or a group, as its creation was answered, with the token that created it.
pub struct Handle<'w> {
    world: &'w World,
    token: &'w PlainToken,
    path: String,
    body: Value,
}

impl Deref for Handle<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.body
    }
}

impl<'w> Handle<'w> {
    /// Creates a resource with a POST to `endpoint`.
    pub fn of(world: &'w World, token: &'w PlainToken, endpoint: &str, answer: Answer) -> Self {
        assert_eq!(answer.status, 201, "{}", answer.body);
        let path = format!("{endpoint}/{}", id(&answer.body));
        Self { world, token, path, body: answer.body }
    }

    pub fn id(&self) -> &str {
        id(&self.body)
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub async fn read(&self) -> Answer {
        self.send("GET", "", None).await
    }

    /// Reads the resource with a query, for instance `attributes=groups`.
    pub async fn read_with(&self, query: &str) -> Answer {
        self.send("GET", &format!("?{query}"), None).await
    }

    pub async fn put(&self, body: Value) -> Answer {
        self.send("PUT", "", Some(body)).await
    }

    /// Sends a PATCH of these operations.
    pub async fn patch(&self, operations: Value) -> Answer {
        self.send("PATCH", "", Some(patch(operations))).await
    }

    /// Sends a PATCH that sets one attribute.
    pub async fn set(&self, path: &str, value: impl Into<Value>) -> Answer {
        self.send("PATCH", "", Some(set(path, value))).await
    }

    pub async fn delete(&self) -> Answer {
        self.send("DELETE", "", None).await
    }

    /// Adds users or groups to a group.
    pub async fn add(&self, ids: &[String]) -> Answer {
        self.send("PATCH", "", Some(members("add", values(ids)))).await
    }

    /// Removes users or groups from a group.
    pub async fn remove(&self, ids: &[String]) -> Answer {
        self.send("PATCH", "", Some(members("remove", values(ids)))).await
    }

    /// The ids of a group's members, sorted.
    pub async fn members(&self) -> Vec<String> {
        let answer = self.read().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        member_ids(&answer.body)
    }

    async fn send(&self, method: &str, query: &str, body: Option<Value>) -> Answer {
        self.world.send_as(self.token, method, &format!("{}{query}", self.path), body).await
    }
}

impl World {
    /// Creates a user.
    pub async fn user(&self, body: Value) -> Handle<'_> {
        self.user_as(&self.token, body).await
    }

    /// Creates a user of the tenant whose token this is.
    pub async fn user_as<'w>(&'w self, token: &'w PlainToken, body: Value) -> Handle<'w> {
        let answer = self.send_as(token, "POST", "/Users", body).await;
        Handle::of(self, token, "/Users", answer)
    }

    /// Creates a group of these members.
    pub async fn group(&self, name: &str, ids: &[String]) -> Handle<'_> {
        let body = json!({ "displayName": name, "members": values(ids) });
        self.group_as(&self.token, body).await
    }

    /// Creates a group of the tenant whose token this is.
    pub async fn group_as<'w>(&'w self, token: &'w PlainToken, body: Value) -> Handle<'w> {
        let answer = self.send_as(token, "POST", "/Groups", body).await;
        Handle::of(self, token, "/Groups", answer)
    }

    /// Creates a group and returns its path, for tests that share it between tasks.
    pub async fn make_group(&self, name: &str, ids: &[String]) -> String {
        self.group(name, ids).await.path
    }

    /// Creates users called `prefix0`, `prefix1`, ... and returns their ids.
    pub async fn people(&self, prefix: &str, number: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for n in 0..number {
            let user = self.create(json!({ "userName": format!("{prefix}{n}@example.com") })).await;
            ids.push(id(&user).to_owned());
        }
        ids
    }

    /// Deletes a user.
    pub async fn delete_user(&self, id: &str) {
        let answer = self.send("DELETE", &format!("/Users/{id}"), None).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    /// The displayNames of a user's groups, sorted.
    pub async fn groups_of(&self, id: &str) -> Vec<String> {
        let user = self.send("GET", &format!("/Users/{id}?attributes=groups"), None).await.body;
        let groups = user["groups"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<_> =
            groups.iter().map(|group| group["display"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub HashMap<String, AttributeValue>);

impl Row {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_s().ok().map(String::as_str)
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_n().ok()?.parse().ok()
    }

    pub fn texts(&self, name: &str) -> BTreeSet<String> {
        let list = self.0.get(name).and_then(|value| value.as_l().ok());
        list.into_iter().flatten().map(|value| value.as_s().unwrap().clone()).collect()
    }

    /// The partition key.
    pub fn p(&self) -> &str {
        self.text("p").unwrap()
    }

    /// The sort key.
    pub fn s(&self) -> &str {
        self.text("s").unwrap()
    }

    /// The kind of row: what follows the tenant's code in the partition key, nothing for the
    /// tenant's own row.
    pub fn kind(&self) -> &str {
        self.p().split_once('#').map_or("", |(_, kind)| kind)
    }

    /// The id of the resource that the row is about; `in_key` is the part of its key that stands
    /// for it.
    pub fn about<'r>(&'r self, in_key: &'r str) -> &'r str {
        self.text("i").unwrap_or(in_key)
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool().ok().copied()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Everything that looks like an id.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let texts = self.0.values().filter_map(|value| value.as_s().ok());
        let words = texts.flat_map(|text| text.split(|c: char| c != '-' && !c.is_ascii_hexdigit()));
        words.filter(|word| word.len() == 36)
    }

    /// When the row expires, in seconds since 1970.
    pub fn expires(&self) -> Option<i64> {
        self.number("x")
    }
}
