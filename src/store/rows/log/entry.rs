//! What is said in a new row of the log.

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use super::attributes::{GROUPS_REMOVE, MEMBERS_ADD, MEMBERS_REMOVE};
use crate::store::engine::error::StoreError;
use crate::store::model::change::{MemberChange, Transition};
use crate::store::model::collection::Kind;
use crate::store::model::log_row::Subject;
use crate::store::model::stage::Standing;
use crate::store::model::tenant_key::TenantKey;

/// The id of the tenant in its own rows of the log.
const TENANT: &str = "tenant";

/// What a row of the log tells, in addition to its audit.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(super) subject: Subject,
    pub(super) id: &'a str,
    pub(super) version: Option<u64>,
    changes: Vec<String>,
    pub(super) was: Option<Standing>,
    pub(super) added: Vec<&'a ResourceId>,
    pub(super) removed: Vec<&'a ResourceId>,
    pub(super) left: &'a [ResourceId],
    pub(super) document: Option<String>,
}

impl<'a> Entry<'a> {
    /// Something about this resource.
    pub(crate) fn resource(kind: &Kind, id: &'a ResourceId) -> Self {
        Self::about(Subject::Resource(kind.clone()), id.as_str())
    }

    /// Something about the tenant.
    pub(crate) fn tenant() -> Self {
        Self::about(Subject::Tenant, TENANT)
    }

    /// Something about a token, by its key id.
    pub(crate) fn token(key_id: &'a str) -> Self {
        Self::about(Subject::Token, key_id)
    }

    fn about(subject: Subject, id: &'a str) -> Self {
        let (changes, left) = (Vec::new(), &[][..]);
        let (added, removed) = (Vec::new(), Vec::new());
        let (version, was, document) = (None, None, None);
        Self { subject, id, version, changes, was, added, removed, left, document }
    }

    /// The version that the change made.
    pub(crate) fn version(self, version: Option<u64>) -> Self {
        Self { version, ..self }
    }

    /// The standing that a user had, if it has another one now.
    pub(crate) fn was(self, was: Option<Standing>) -> Self {
        Self { was, ..self }
    }

    /// The names of changed attributes and a keyed digest of each new value, never a value.
    pub(crate) fn attributes(
        mut self,
        tenant: &TenantKey,
        before: &Attributes,
        after: &Attributes,
    ) -> Self {
        let digest = |name: &str| {
            let value = match name.rsplit_once(':') {
                Some((urn, name)) => after.get(urn).and_then(|extension| extension.get(name)),
                None => after.get(name),
            };
            value.map(|value| tenant.log_digest(&value.to_string())).unwrap_or_default()
        };
        let changed = before.changed(after).into_iter();
        self.changes.extend(changed.map(|name| format!("{name}={}", digest(&name))));
        self
    }

    /// The names of settings, or words.
    pub(crate) fn words(mut self, words: impl IntoIterator<Item = String>) -> Self {
        self.changes.extend(words);
        self
    }

    /// The members that a group gets and loses.
    pub(crate) fn members(mut self, changes: &'a [MemberChange]) -> Self {
        for change in changes {
            match change {
                MemberChange::Add(_) | MemberChange::AddUnknown(_) => &mut self.added,
                MemberChange::Remove(_) => &mut self.removed,
            }
            .push(change.member());
        }
        self
    }

    /// The groups that a resource leaves.
    pub(crate) fn left(self, left: &'a [ResourceId]) -> Self {
        Self { left, ..self }
    }

    /// What a change of a resource tells: of a group that it removes, all that is needed to create
    /// the group again.
    pub(crate) fn transition(
        id: &'a ResourceId,
        transition: &Transition<'a>,
        after: &Attributes,
    ) -> Result<Self, StoreError> {
        let Transition { collection, from, members, .. } = transition;
        let nothing = Attributes::default();
        let before = from.map_or(&nothing, |from| &from.resource.attributes);
        let removed = transition.group_removed();
        let document = removed.map(|group| serde_json::to_string(group.attributes.as_object()));
        let document = document.transpose();
        let document = document.map_err(|_| StoreError::broken("a document cannot be written"))?;
        let entry = Self::resource(&collection.kind, id)
            .version(transition.version())
            .was(transition.standing_left())
            .attributes(&collection.tenant, before, after)
            .members(members);
        Ok(Self { document, ..entry })
    }

    /// The changes, with a word for each kind of ids that the row has.
    pub(super) fn changes(&self) -> impl Iterator<Item = String> {
        let words = [
            (MEMBERS_ADD, self.added.is_empty()),
            (MEMBERS_REMOVE, self.removed.is_empty()),
            (GROUPS_REMOVE, self.left.is_empty()),
        ];
        let words = words.into_iter().filter(|(_, is_empty)| !is_empty);
        self.changes.iter().cloned().chain(words.map(|(word, _)| word.to_owned()))
    }
}
