//! Users and groups as the oracle keeps them, and as an answer shows them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::support::{BASE_URL, GROUP, USER};

/// What a client says about a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub external_id: Option<String>,
    pub title: Option<String>,
    pub active: Option<bool>,
    pub emails: Vec<String>,
}

impl Person {
    pub fn form(&self) -> String {
        self.name.to_lowercase()
    }

    /// The addresses by which the user is found, in addition to its name, sorted.
    pub fn pointers(&self) -> BTreeSet<String> {
        self.emails
            .iter()
            .map(|email| email.to_lowercase())
            .filter(|email| *email != self.form())
            .collect()
    }

    /// Whether a POST of it asks for a seat.
    pub fn is_active(&self) -> bool {
        self.active != Some(false)
    }

    pub fn is_same(&self, other: &Self) -> bool {
        (self.form(), &self.external_id) == (other.form(), &other.external_id)
    }

    pub fn json(&self) -> Value {
        let mut json = json!({ "userName": self.name });
        let emails: Vec<Value> =
            self.emails.iter().map(|email| json!({ "value": email })).collect();
        for (name, value) in [
            ("externalId", self.external_id.clone().map(Value::from)),
            ("title", self.title.clone().map(Value::from)),
            ("active", self.active.map(Value::from)),
            ("emails", (!emails.is_empty()).then(|| emails.into())),
        ] {
            if let Some(value) = value {
                json[name] = value;
            }
        }
        json
    }
}

/// When something was created and changed, in milliseconds since 1970, and how many times.
#[derive(Debug, Clone)]
pub struct History {
    pub created: i64,
    pub modified: i64,
    pub version: u64,
}

impl History {
    pub fn begun(now: i64) -> Self {
        Self { created: now, modified: now, version: 1 }
    }

    pub fn goes_on(&mut self, now: i64) {
        self.modified = now;
        self.version += 1;
    }

    fn meta(&self, resource_type: &str, id: &str) -> Value {
        let date = |milliseconds: i64| {
            let at =
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
                    .unwrap();
            scim_core::value::date_time(at)
        };
        json!({
            "resourceType": resource_type, "created": date(self.created), "lastModified": date(self.modified),
            "location": format!("{BASE_URL}/{resource_type}s/{id}"), "version": format!("W/\"{}\"", self.version),
        })
    }
}

/// Where a user is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Imported, but not provisioned yet.
    Unmanaged,
    /// Visible.
    Live,
    /// Deleted, but kept until it expires.
    Deleted,
    /// Erased while it was visible.
    Gone,
}

#[derive(Debug, Clone)]
pub struct User {
    pub id: String,
    pub is: Person,
    pub history: History,
    pub life: Life,
    /// When it is lost for good, in seconds since 1970, if it was deleted or suspended with expiry.
    pub expires: Option<i64>,
    /// The addresses that the import said were verified, in the form in which they are compared.
    pub verified: BTreeSet<String>,
    /// How it was before it was deleted, if it is.
    pub before: Option<Before>,
}

/// A user before its deletion.
#[derive(Debug, Clone)]
pub struct Before {
    pub active: bool,
    pub expires: Option<i64>,
    pub groups: BTreeSet<String>,
}

impl User {
    pub fn lives(&self) -> bool {
        self.life == Life::Live
    }

    pub fn is_active(&self) -> bool {
        self.is.active == Some(true)
    }

    /// The addresses by which it is found.
    pub fn pointers(&self) -> BTreeSet<String> {
        if self.life == Life::Unmanaged { self.verified.clone() } else { self.is.pointers() }
    }

    pub fn json(&self) -> Value {
        let mut json = self.is.json();
        json["schemas"] = json!([USER]);
        json["id"] = self.id.as_str().into();
        json["meta"] = self.history.meta("User", &self.id);
        json
    }
}

/// What a client says about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crew {
    pub name: String,
    pub external_id: Option<String>,
    pub members: BTreeSet<String>,
}

impl Crew {
    /// As a client sends it, without members.
    pub fn json(&self) -> Value {
        let mut json = json!({ "displayName": self.name });
        if let Some(external_id) = &self.external_id {
            json["externalId"] = external_id.as_str().into();
        }
        json
    }
}

#[derive(Debug, Clone)]
pub struct Group {
    pub id: String,
    pub is: Crew,
    pub history: History,
}

impl Group {
    pub fn json(&self, is_user: impl Fn(&str) -> bool) -> Value {
        let Self { id, is, history } = self;
        let mut json = is.json();
        json["schemas"] = json!([GROUP]);
        json["id"] = id.as_str().into();
        json["meta"] = history.meta("Group", id);
        let members = is.members.iter().map(|member| {
            let kind = if is_user(member) { "User" } else { "Group" };
            json!({ "value": member, "type": kind, "$ref": format!("{BASE_URL}/{kind}s/{member}") })
        });
        json["members"] = members.collect();
        json
    }
}
