//! All that is known about one person: the answer to "why are they not in?".

use scim_core::ResourceId;
use scim_core::resource::Attributes;
use serde_json::Value;
use time::OffsetDateTime;

use super::deployment::Operator;
use super::error::OperatorError;
use super::log::{LogEntry, LogQuery};
use super::overview::Overview;
use super::refusals::{RefusalSpan, Refusals, marks};
use crate::directory::states::State;
use crate::store::{Stored, TenantRow};

/// How many rows about the person are looked for.
const ROWS: usize = 10;
/// How many pages of the log are read for them: two thousand rows.
const PAGES: usize = 20;
/// How many refusals are shown.
const REFUSALS: usize = 5;
/// How many groups are shown.
const GROUPS: usize = 100;

/// A person as an operator asks about them.
#[derive(Debug)]
pub struct Person {
    /// The user, in whatever state; `None` if the tenant has no such user.
    pub user: Option<KnownUser>,
    /// Other users whom the text names, such as a deleted one who had the same userName.
    pub others: Vec<(ResourceId, State)>,
    /// Whether the text names a group, if it names no user.
    pub is_group: bool,
    /// The newest refusals about them.
    pub refusals: Refusals,
    /// The tenant.
    pub tenant: Overview,
}

/// A user of a tenant in any state.
#[derive(Debug)]
pub struct KnownUser {
    /// Its id.
    pub id: ResourceId,
    /// Its state.
    pub state: State,
    /// When it will be erased, in seconds since 1970, if it will be.
    pub expires: Option<i64>,
    /// Its attributes.
    pub attributes: Attributes,
    /// When it was created.
    pub created: OffsetDateTime,
    /// When it was last modified.
    pub modified: OffsetDateTime,
    /// Its groups, at most a hundred, with their names.
    pub groups: Vec<(ResourceId, Option<String>)>,
    /// What was done to it, the newest first.
    pub history: Vec<LogEntry>,
    /// Whether the history is complete; otherwise older rows were not read.
    pub is_complete: bool,
}

impl KnownUser {
    /// A text attribute, such as `userName`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.text(name)
    }

    /// Its e-mail addresses.
    pub fn emails(&self) -> Vec<&str> {
        let emails = self.attributes.get("emails").and_then(Value::as_array);
        let values = emails.into_iter().flatten().filter_map(|email| email.get("value")?.as_str());
        values.collect()
    }
}

impl Operator {
    /// What is known about a person whom a text names by the id, the userName, the externalId or an
    /// e-mail address. Some sixty calls at most, whatever the size of the tenant and of its log.
    ///
    /// # Errors
    /// [`OperatorError::Ambiguous`] if the text names several users, or if the table does not
    /// respond.
    pub async fn person(&self, tenant: &TenantRow, who: &str) -> Result<Person, OperatorError> {
        let (named, groups) =
            (self.users_named(tenant, who).await?, self.groups_named(tenant, who).await?);
        let marks = marks(&tenant.key(), who, named.iter().chain(&groups));
        let (found, others) = self.pick_user(who, named)?;
        let now = self.clock.seconds();
        let standing =
            |user: Stored| (user.resource.id.clone(), State::of(Some(user.standing()), now));
        let others = others.into_iter().map(standing).collect();
        let is_group = found.is_none() && !groups.is_empty();
        let user = match found {
            Some(user) => Some(self.known(tenant, user).await?),
            None => None,
        };
        let span = RefusalSpan { since: None, limit: REFUSALS };
        let refusals = self.refusals_about(tenant, span, Some(&marks)).await?;
        let tenant = self.overview(self.listed(tenant.clone())?).await?;
        Ok(Person { user, others, is_group, refusals, tenant })
    }

    async fn known(&self, tenant: &TenantRow, user: Stored) -> Result<KnownUser, OperatorError> {
        let key = tenant.key();
        let state = State::of(Some(user.standing()), self.clock.seconds());
        let (expires, resource) = (user.expires, user.resource);
        let groups = self.store.memberships(&key, &resource.id, GROUPS).await?;
        let mut names = self.store.group_names(&key, &groups).await?;
        let groups = groups.into_iter().map(|id| {
            let name = names.remove(&id).flatten();
            (id, name)
        });
        let groups = groups.collect();
        let (history, is_complete) = self.history(tenant, &resource.id, ROWS).await?;
        Ok(KnownUser {
            id: resource.id,
            state,
            expires,
            attributes: resource.attributes,
            created: resource.meta.created,
            modified: resource.meta.last_modified,
            groups,
            history,
            is_complete,
        })
    }

    /// What was done to a resource, the newest first, at most `max` rows. Reads at most the newest
    /// two thousand rows of the log, and says whether these were all.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn history(
        &self,
        tenant: &TenantRow,
        id: &ResourceId,
        max: usize,
    ) -> Result<(Vec<LogEntry>, bool), OperatorError> {
        let query = LogQuery {
            who: Some(id.clone()),
            newest_first: true,
            limit: Some(max),
            ..LogQuery::default()
        };
        let mut reader = self.log(tenant, query).await?;
        let mut found = Vec::new();
        for _ in 0..PAGES {
            let Some(page) = reader.next_page().await? else {
                return Ok((found, true));
            };
            found.extend(page);
            if found.len() == max {
                break;
            }
        }
        Ok((found, false))
    }
}
