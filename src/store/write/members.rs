//! Changes of members alone.

use scim_core::ResourceId;

use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::Key;
use crate::store::engine::transaction::Condition;
use crate::store::model::audit::Audit;
use crate::store::model::change::MemberChange;
use crate::store::model::collection::Collection;
use crate::store::model::refusal::Outcome;
use crate::store::rows::heads::{self, Step};
use crate::store::rows::log::{self, Entry};
use crate::store::rows::member;
use crate::store::rows::role::{Role, Transaction};
use crate::store::rows::unfinished::{self, Cause, Work};

impl Store {
    /// Changes members of a group that is not changed itself. One call, whatever the size of the
    /// group, for as many changes as [`crate::store::that_fit`].
    pub async fn change_members(
        &self,
        collection: &Collection,
        group: &ResourceId,
        changes: &[MemberChange],
        audit: &Audit,
    ) -> Result<Outcome, StoreError> {
        let mut transaction = Transaction::on(self);
        change(&mut transaction, collection, group, (changes, &[]), audit)?;
        self.commit_members(transaction, collection, group, changes, audit).await
    }

    /// Writes members of a group that is about to be created: no client sees them before that. The
    /// first part notes that the creation is unfinished. One call.
    pub async fn prepare_members(
        &self,
        collection: &Collection,
        group: &ResourceId,
        changes: &[MemberChange],
        is_first: bool,
        audit: &Audit,
    ) -> Result<Outcome, StoreError> {
        let mut transaction = Transaction::on(self);
        if is_first {
            let work = Work { cause: Cause::Creation, deletion: None };
            unfinished::begin(&mut transaction, collection, group, work, audit.now)?;
        }
        member::change(&mut transaction, &collection.tenant, group, changes, audit)?;
        self.commit_members(transaction, collection, group, changes, audit).await
    }

    /// Commits changes of members with their log row.
    pub(in crate::store) async fn commit_members(
        &self,
        mut transaction: Transaction,
        collection: &Collection,
        group: &ResourceId,
        changes: &[MemberChange],
        audit: &Audit,
    ) -> Result<Outcome, StoreError> {
        let entry = Entry::resource(&collection.kind, group).members(changes);
        log::add(&mut transaction, collection.tenant.code(), audit, entry)?;
        self.conclude(transaction).await
    }
}

/// Adds changes of members. The heads in `seen` must still have these versions.
pub(crate) fn change(
    transaction: &mut Transaction,
    collection: &Collection,
    group: &ResourceId,
    (changes, seen): (&[MemberChange], &[(String, u64)]),
    audit: &Audit,
) -> Result<(), StoreError> {
    member::change(transaction, &collection.tenant, group, changes, audit)?;
    let deltas = heads::deltas(group, changes);
    let partition = collection.partition();
    for (s, delta) in &deltas {
        let step = Step {
            role: Role::Head,
            head: Key::new(&partition, s),
            members: *delta,
            seen: seen.iter().find(|(head, _)| head == s).map(|(_, version)| *version),
            milliseconds: audit.milliseconds,
        };
        heads::step(transaction, step)?;
    }
    for (s, version) in seen.iter().filter(|(s, _)| !deltas.contains_key(s)) {
        let head = Key::new(&partition, s);
        transaction.check(Role::Head, head, Condition::version(*version))?;
    }
    Ok(())
}
