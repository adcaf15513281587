//! The writes of a user: user, claim, pointers, counter and log in one transaction each.

use aws_sdk_dynamodb::types::AttributeValue;
use scim_core::resource::Attributes;
use scim_core::{Resource, ResourceId};
use time::OffsetDateTime;

use super::item::{Item, Row};
use super::log::{self, Act};
use super::transaction::{Condition, Outcome, Role, Transaction, number, text};
use super::users::{self, Names, StoredUser, is_active};
use super::{Store, StoreError, TenantKey, counters};

/// A row that nobody holds: there is none, or it has expired.
const UNHELD: &str = "attribute_not_exists(p) OR x <= :now";
/// As [`UNHELD`], or the holder was deleted: its rows carry an expiry.
const UNHELD_OR_DELETED: &str = "attribute_not_exists(p) OR attribute_exists(x)";
const OWN: &str = "i = :id";

/// Whose names a write may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taking {
    /// Take the userName of a deleted user that can still be restored.
    pub user_name: bool,
    /// Be one more owner of the externalId, beside its first.
    pub external_id: bool,
}

/// What became of a new (or restored) user.
#[derive(Debug)]
pub enum Created {
    /// It is stored.
    Stored,
    /// Nothing was written: these names are held.
    Held {
        /// The owner of the userName and whether it was deleted.
        user_name: Option<(ResourceId, bool)>,
        /// The first owner of the externalId and whether it was deleted.
        external_id: Option<(ResourceId, bool)>,
    },
    /// Nothing was written: the row of that id is not what it was.
    Changed,
}

/// What became of a change.
#[derive(Debug)]
pub enum Updated {
    /// It is stored.
    Stored,
    /// Nothing was written: the userName has another owner.
    UserNameHeld,
    /// Nothing was written: the externalId has a first owner; take it beside that one.
    ExternalIdHeld,
    /// Nothing was written: the user changed meanwhile; read it and decide again.
    Changed,
}

impl Store {
    /// Stores a new user. One call: user, claim, externalId, e-mails, counter, log.
    ///
    /// Losing a race shows as [`Created::Held`]; a claim that is this user's own already (a lost
    /// answer, sent again) counts as stored.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn create_user(
        &self,
        tenant: &TenantKey,
        user: &Resource,
        names: &Names,
        taking: Taking,
        act: &Act,
    ) -> Result<Created, StoreError> {
        self.put_user(tenant, user, names, taking, act, free(act.now), None).await
    }

    /// Stores a deleted user anew, live and whole. Rows are put, not updated: TTL may have removed
    /// any of them meanwhile.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn restore_user(
        &self,
        tenant: &TenantKey,
        old: &StoredUser,
        user: &Resource,
        names: &Names,
        taking: Taking,
        act: &Act,
    ) -> Result<Created, StoreError> {
        let seen = Condition("attribute_not_exists(p) OR v = :seen", vec![(":seen", version(&old.resource))]);
        self.put_user(tenant, user, names, taking, act, seen, Some(old)).await
    }

    #[expect(clippy::too_many_arguments, reason = "the two callers above name them")]
    async fn put_user(
        &self,
        tenant: &TenantKey,
        user: &Resource,
        names: &Names,
        taking: Taking,
        act: &Act,
        condition: Condition,
        old: Option<&StoredUser>,
    ) -> Result<Created, StoreError> {
        let mut transaction = Transaction::on(self);
        let external_id_key = external_id_key(tenant, &user.id, names, taking.external_id);
        let row = users::row(tenant, user, names, external_id_key.as_deref(), act)?;
        transaction.put(Role::User, row, Some(condition))?;
        let claim = if taking.user_name { free_even_if_deleted() } else { free(act.now) };
        self.put_claim(&mut transaction, tenant, &user.id, names, claim)?;
        if let Some(key) = &external_id_key {
            let free = free_or_own(act.now, &user.id);
            self.put_owner(&mut transaction, Role::ExternalId, &tenant.external_ids(), key, &user.id, Some(free))?;
        }
        let left = old.and_then(|old| old.external_id_key.as_ref()).filter(|key| external_id_key.as_ref() != Some(key));
        if let Some(key) = left {
            let own = Condition("attribute_not_exists(p) OR i = :id", vec![(":id", text(user.id.as_str()))]);
            transaction.delete(Role::Other, Row::new(&tenant.external_ids(), key), Some(own))?;
        }
        for email in &names.emails {
            let key = tenant.email(email, &user.id);
            self.put_owner(&mut transaction, Role::Other, &tenant.emails(), &key, &user.id, None)?;
        }
        let active = i64::from(is_active(&user.attributes));
        let nothing = Attributes::default();
        let before = old.map_or(&nothing, |old| &old.resource.attributes);
        self.account(&mut transaction, tenant, act, user, before, (1, active))?;

        let Outcome::Refused(refused) = transaction.commit(self).await? else { return Ok(Created::Stored) };
        let holder = |role| refused.iter().find(|(of, _)| *of == role).and_then(|(_, item)| holder(item.as_ref()?));
        match (holder(Role::Claim), holder(Role::ExternalId)) {
            (Some((owner, _)), _) if owner == user.id && old.is_none() => Ok(Created::Stored),
            (None, None) => Ok(Created::Changed),
            (user_name, external_id) => Ok(Created::Held { user_name, external_id }),
        }
    }

    /// Stores a changed user if it is still as `old`. One call; claims, pointers and counters only
    /// where they change.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn update_user(
        &self,
        tenant: &TenantKey,
        old: &StoredUser,
        user: &Resource,
        names: &Names,
        taking: Taking,
        act: &Act,
    ) -> Result<Updated, StoreError> {
        let mut transaction = Transaction::on(self);
        let same_external_id = old.names.external_id == names.external_id;
        let external_id_key = match same_external_id {
            true => old.external_id_key.clone(),
            false => external_id_key(tenant, &user.id, names, taking.external_id),
        };
        let row = users::row(tenant, user, names, external_id_key.as_deref(), act)?;
        transaction.put(Role::User, row, Some(as_seen(old)))?;
        if old.names.user_name != names.user_name {
            let claim = Row::new(&tenant.users(), &tenant.user_name_claim(&old.names.user_name));
            transaction.delete(Role::Other, claim, None)?;
            self.put_claim(&mut transaction, tenant, &user.id, names, free_even_if_deleted())?;
        }
        if !same_external_id {
            if let Some(key) = &old.external_id_key {
                transaction.delete(Role::Other, Row::new(&tenant.external_ids(), key), None)?;
            }
            if let Some(key) = &external_id_key {
                let free = free_or_own(act.now, &user.id);
                self.put_owner(&mut transaction, Role::ExternalId, &tenant.external_ids(), key, &user.id, Some(free))?;
            }
        }
        for email in old.names.emails.iter().filter(|email| !names.emails.contains(email)) {
            let key = Row::new(&tenant.emails(), &tenant.email(email, &user.id));
            transaction.delete(Role::Other, key, None)?;
        }
        for email in names.emails.iter().filter(|email| !old.names.emails.contains(email)) {
            let key = tenant.email(email, &user.id);
            self.put_owner(&mut transaction, Role::Other, &tenant.emails(), &key, &user.id, None)?;
        }
        let active = i64::from(is_active(&user.attributes)) - i64::from(is_active(&old.resource.attributes));
        self.account(&mut transaction, tenant, act, user, &old.resource.attributes, (0, active))?;

        match transaction.commit(self).await? {
            Outcome::Committed => Ok(Updated::Stored),
            Outcome::Refused(rows) if rows.iter().any(|(role, _)| *role == Role::User) => Ok(Updated::Changed),
            Outcome::Refused(rows) if rows.iter().any(|(role, _)| *role == Role::Claim) => Ok(Updated::UserNameHeld),
            Outcome::Refused(_) => Ok(Updated::ExternalIdHeld),
        }
    }

    /// Deletes a user softly if it is still as `old`: the user, its claim and its pointers get
    /// `expires`, in seconds since 1970. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn delete_user(
        &self,
        tenant: &TenantKey,
        old: &StoredUser,
        expires: i64,
        act: &Act,
    ) -> Result<Updated, StoreError> {
        let id = &old.resource.id;
        let mut transaction = Transaction::on(self);
        let mut user = old.resource.clone();
        user.meta.version = user.meta.version.next();
        user.meta.last_modified = OffsetDateTime::from_unix_timestamp(act.now).unwrap_or(user.meta.last_modified);
        let row = users::row(tenant, &user, &old.names, old.external_id_key.as_deref(), act)?
            .text("st", "deleted")
            .number("x", expires);
        transaction.put(Role::User, row, Some(as_seen(old)))?;
        let mut pointers = vec![(tenant.users(), tenant.user_name_claim(&old.names.user_name))];
        pointers.extend(old.external_id_key.clone().map(|key| (tenant.external_ids(), key)));
        pointers.extend(old.names.emails.iter().map(|email| (tenant.emails(), tenant.email(email, id))));
        for (p, s) in pointers {
            let values = vec![(":x", number(expires)), (":id", text(id.as_str()))];
            transaction.update(Role::Other, Row::new(&p, &s), "SET x = :x", values, Some(OWN))?;
        }
        let active = -i64::from(is_active(&old.resource.attributes));
        self.account(&mut transaction, tenant, act, &user, &old.resource.attributes, (-1, active))?;
        match transaction.commit(self).await? {
            Outcome::Committed => Ok(Updated::Stored),
            Outcome::Refused(_) => Ok(Updated::Changed),
        }
    }

    /// What every write adds: the counters by (live, active) users more, and the log row.
    fn account(
        &self,
        transaction: &mut Transaction,
        tenant: &TenantKey,
        act: &Act,
        user: &Resource,
        before: &Attributes,
        (live, active): (i64, i64),
    ) -> Result<(), StoreError> {
        counters::add(transaction, tenant, &user.id, live, active)?;
        let changes = log::changes(tenant, before, &user.attributes);
        log::add(transaction, tenant, act, &user.id, user.meta.version.0, &changes)
    }

    fn put_claim(
        &self,
        transaction: &mut Transaction,
        tenant: &TenantKey,
        id: &ResourceId,
        names: &Names,
        condition: Condition,
    ) -> Result<(), StoreError> {
        let key = tenant.user_name_claim(&names.user_name);
        self.put_owner(transaction, Role::Claim, &tenant.users(), &key, id, Some(condition))
    }

    /// A row that says whose a name is.
    fn put_owner(
        &self,
        transaction: &mut Transaction,
        role: Role,
        p: &str,
        s: &str,
        owner: &ResourceId,
        condition: Option<Condition>,
    ) -> Result<(), StoreError> {
        transaction.put(role, Row::new(p, s).text("i", owner.as_str()), condition)
    }
}

fn free(now: i64) -> Condition {
    Condition(UNHELD, vec![(":now", number(now))])
}

/// As [`free`]; a row that the user itself left behind is free too.
fn free_or_own(now: i64, id: &ResourceId) -> Condition {
    let values = vec![(":now", number(now)), (":id", text(id.as_str()))];
    Condition("attribute_not_exists(p) OR x <= :now OR i = :id", values)
}

fn free_even_if_deleted() -> Condition {
    Condition(UNHELD_OR_DELETED, Vec::new())
}

fn as_seen(old: &StoredUser) -> Condition {
    Condition("v = :seen AND st = :live", vec![(":seen", version(&old.resource)), (":live", text("live"))])
}

/// The key of the externalId's row: its first owner holds the bare hash.
fn external_id_key(tenant: &TenantKey, id: &ResourceId, names: &Names, further: bool) -> Option<String> {
    let key = tenant.external_id(names.external_id.as_deref()?);
    Some(if further { format!("{key}#{id}") } else { key })
}

fn version(user: &Resource) -> AttributeValue {
    number(i64::try_from(user.meta.version.0).unwrap_or(i64::MAX))
}

/// Who holds a name's row, and whether that user was deleted.
fn holder(item: &Item) -> Option<(ResourceId, bool)> {
    Some((item.text("i")?.parse().ok()?, item.number("x").is_some()))
}
