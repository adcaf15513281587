//! The audit log: one row for each change, in its transaction.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use scim_core::ResourceId;
use scim_core::resource::Attributes;
use uuid::{Timestamp, Uuid};

use super::identity::ID;
use super::ids;
use super::kind::RowKind;
use super::resource::DOCUMENT;
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{EXPIRES, Item, Key, Row, number, signed};
use crate::store::model::audit::Audit;
use crate::store::model::change::{MemberChange, Transition};
use crate::store::model::collection::Kind;
use crate::store::model::log_row::{LogRow, Subject};
use crate::store::model::stage::Standing;
use crate::store::model::tenant_key::{TenantCode, TenantKey};

/// What was done.
const OPERATION: &str = "op";
/// What the row is about: the letter of the collection, `T` for the tenant, `A` for a token.
const SUBJECT: &str = "ty";
/// The version that the change made.
const VERSION: &str = "v";
/// When, in seconds since 1970.
const TIME: &str = "at";
/// Token id.
const ACTOR: &str = "ac";
/// Request id.
const REQUEST: &str = "rq";
/// Changed attributes as `name=digest`, changed settings by their names, and [`MEMBERS_ADD`],
/// [`MEMBERS_REMOVE`] and [`GROUPS_REMOVE`].
const CHANGES: &str = "ch";
/// The standing of a user before a change that ends it.
const WAS: &str = "was";
/// The members that a group got.
const ADDED: &str = "ma";
/// The members that a group lost.
const REMOVED: &str = "mr";
/// The groups that a resource left.
pub(crate) const GROUPS: &str = "gr";
/// How many users an export wrote.
const COUNT: &str = "n";

/// The word for members that a group got.
const MEMBERS_ADD: &str = "members.add";
/// The word for members that a group lost.
const MEMBERS_REMOVE: &str = "members.remove";
/// The word for groups that a resource left.
const GROUPS_REMOVE: &str = "groups.remove";

/// The id of the tenant in its own rows of the log.
const TENANT: &str = "tenant";

/// Bits of the counter in a row's key.
const COUNTER_BITS: u8 = 42;
/// Orders the rows of one millisecond. It begins with a random half of its range, so that two
/// processes seldom have the same numbers.
static COUNTER: LazyLock<AtomicU64> = LazyLock::new(|| {
    let random = crate::random::bytes().map_or(0, u64::from_be_bytes);
    AtomicU64::new(random >> (65 - COUNTER_BITS))
});

/// What a row of the log tells, in addition to its audit.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    subject: Subject,
    id: &'a str,
    version: Option<u64>,
    changes: Vec<String>,
    was: Option<Standing>,
    added: Vec<&'a ResourceId>,
    removed: Vec<&'a ResourceId>,
    left: &'a [ResourceId],
    document: Option<String>,
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
    fn changes(&self) -> impl Iterator<Item = String> {
        let words = [
            (MEMBERS_ADD, self.added.is_empty()),
            (MEMBERS_REMOVE, self.removed.is_empty()),
            (GROUPS_REMOVE, self.left.is_empty()),
        ];
        let words = words.into_iter().filter(|(_, is_empty)| !is_empty);
        self.changes.iter().cloned().chain(words.map(|(word, _)| word.to_owned()))
    }
}

/// Adds a row of the log.
pub(crate) fn add(
    transaction: &mut Transaction,
    tenant: &TenantCode,
    audit: &Audit,
    entry: Entry<'_>,
) -> Result<(), StoreError> {
    add_with_id(transaction, tenant, audit, entry).map(drop)
}

/// Adds a row of the log, if there is an audit.
pub(crate) fn add_if(
    transaction: &mut Transaction,
    tenant: &TenantCode,
    audit: Option<&Audit>,
    entry: Entry<'_>,
) -> Result<(), StoreError> {
    audit.map_or(Ok(()), |audit| add(transaction, tenant, audit, entry))
}

/// Adds a row of the log and returns its id. The key is at the time of the audit: keys are in the
/// order of time, and those that one process makes in a millisecond are in the order in which it
/// makes them.
pub(crate) fn add_with_id(
    transaction: &mut Transaction,
    tenant: &TenantCode,
    audit: &Audit,
    entry: Entry<'_>,
) -> Result<String, StoreError> {
    let key = Key::new(tenant.log(), unique_id(audit.milliseconds));
    let id = key.s.clone();
    transaction.put(Role::Other, row(key, audit, entry), None)?;
    Ok(id)
}

/// A row of the log under this key.
fn row(key: Key, audit: &Audit, entry: Entry<'_>) -> Row {
    let row = RowKind::Log
        .row(key)
        .text(OPERATION, audit.operation.as_str())
        .text(SUBJECT, &entry.subject.mark())
        .text(ID, entry.id)
        .number(TIME, audit.now)
        .text(ACTOR, &audit.actor)
        .text(REQUEST, &audit.request_id)
        .texts(CHANGES, entry.changes())
        .number(EXPIRES, audit.log_expires)
        .number_if(VERSION, entry.version.map(signed))
        .text_if(WAS, entry.was.map(Standing::word).as_deref())
        .text_if(DOCUMENT, entry.document.as_deref());
    let row = ids::put(row, ADDED, entry.added);
    let row = ids::put(row, REMOVED, entry.removed);
    ids::put(row, GROUPS, entry.left)
}

/// A UUID of version 7 at this time, in milliseconds since 1970.
pub(crate) fn unique_id(milliseconds: i64) -> Uuid {
    let milliseconds = u64::try_from(milliseconds).unwrap_or_default();
    let nanoseconds = u32::try_from(milliseconds % 1_000).unwrap_or_default() * 1_000_000;
    let counter = COUNTER.fetch_add(1, Ordering::Relaxed) & ((1 << COUNTER_BITS) - 1);
    Uuid::new_v7(Timestamp::from_unix_time(
        milliseconds / 1_000,
        nanoseconds,
        counter.into(),
        COUNTER_BITS,
    ))
}

/// A sort key before those of all rows from this time on, and after those of all rows before it.
pub(crate) fn bound(milliseconds: i64) -> String {
    let milliseconds = u64::try_from(milliseconds).unwrap_or_default().min((1 << 48) - 1);
    format!("{:08x}-{:04x}", milliseconds >> 16, milliseconds & 0xffff)
}

/// Adds to the row of an export how many users it wrote.
pub(crate) fn set_count(
    transaction: &mut Transaction,
    key: Key,
    count: u64,
) -> Result<(), StoreError> {
    let values = [(":count", number(signed(count)))];
    transaction.update(Role::Other, key, "SET n = :count", values, "attribute_exists(p)")
}

/// What a row tells.
pub(crate) fn read(row: &Item) -> Result<LogRow, StoreError> {
    let wrong = || StoreError::broken("a row of the log has an invalid key");
    let id = row.s().to_owned();
    let time = Uuid::try_parse(&id).ok().and_then(|id| id.get_timestamp()).ok_or_else(wrong)?;
    let (seconds, nanoseconds) = time.to_unix();
    let milliseconds = seconds.saturating_mul(1_000) + u64::from(nanoseconds / 1_000_000);
    let subject_id = row.need(ID)?.to_owned();
    let changes = row.list(CHANGES);
    Ok(LogRow {
        id,
        milliseconds: i64::try_from(milliseconds).unwrap_or(i64::MAX),
        operation: row.need(OPERATION)?.to_owned(),
        subject: row.text(SUBJECT).and_then(Subject::of_mark),
        version: row.number(VERSION).map(i64::unsigned_abs),
        actor: row.need(ACTOR)?.to_owned(),
        request: row.need(REQUEST)?.to_owned(),
        was: row.text(WAS).and_then(Standing::of_word),
        added: ids_of(row, &changes, (ADDED, MEMBERS_ADD)),
        removed: ids_of(row, &changes, (REMOVED, MEMBERS_REMOVE)),
        left: ids_of(row, &changes, (GROUPS, GROUPS_REMOVE)),
        document: row.text(DOCUMENT).map(document).transpose()?,
        count: row.number(COUNT).map(i64::unsigned_abs),
        changed: names(&changes),
        subject_id,
    })
}

/// The ids in a list of a row; `None` if the row only says by a word that there are some, as an
/// earlier release did.
fn ids_of(row: &Item, changes: &[String], (list, word): (&str, &str)) -> Option<Vec<ResourceId>> {
    let names_some = || changes.iter().any(|change| name(change) == word);
    ids::read(row, list).or_else(|| (!names_some()).then(Vec::new))
}

/// The names of what changed, each once.
fn names(changes: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in changes.iter().map(|change| name(change)) {
        if names.iter().all(|known| known != name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The name in `name=digest`.
fn name(change: &str) -> &str {
    change.split_once('=').map_or(change, |(name, _)| name)
}

fn document(text: &str) -> Result<Attributes, StoreError> {
    let object = serde_json::from_str(text)
        .map_err(|_| StoreError::broken("the document of a deleted group is not JSON"))?;
    Ok(Attributes::from_stored(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_time_and_within_a_millisecond_in_the_order_they_are_made() {
        let ids: Vec<String> = [5, 5, 5, 6, 1_790_000_000_123, 1_790_000_000_123]
            .map(|milliseconds| unique_id(milliseconds).to_string())
            .to_vec();
        let mut sorted = ids.clone();
        sorted.sort();
        assert_eq!(ids, sorted);
        assert!(bound(5) < ids[0] && ids[2] < bound(6) && bound(6) < ids[3]);
        let last = Uuid::try_parse(&ids[5]).unwrap().get_timestamp().unwrap().to_unix();
        assert_eq!(last, (1_790_000_000, 123_000_000));
        assert!(bound(i64::MAX) > ids[5] && bound(-1) < ids[0]);
    }
}
