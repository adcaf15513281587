//! Changes of a tenant's record, which holds the digests of its tokens, in the secret that it
//! shares.
//!
//! A change is made in place, or it moves the tenant to a secret with a greater number. It starts
//! again if another one came first, so operators who work at once lose nothing:
//!
//! * A secret is replaced only if its version is the one that was read.
//! * A move first sets `moving` in the tenant's row. An operator who changes the record
//!   in place looks at the row again afterwards, and repeats the change if it says so. The move
//!   reads the record after it has said so, so it carries every change that is not repeated.
//! * A move ends by a change of the row that only one of several moves at once can make.

use super::deployment::Operator;
use super::error::OperatorError;
use super::pause::Attempts;
use super::room::MAX_VERSIONS_FOR_REMOVAL;
use crate::auth::records::TenantRecord;
use crate::auth::secrets_manager::SecretsError;
use crate::auth::shared_records::{RecordState, SharedRecords};
use crate::auth::shared_secrets::SharedSecret;
use crate::store::{Operation, SecretNumber, TenantCode, TenantRow};

/// What a change does with a record that is missing or not in the expected form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It fails.
    Refuse,
    /// It begins with an empty record.
    Replace,
}

/// A change that is made to a tenant's record.
pub(super) struct RecordChange<C> {
    /// The change. It may be made several times, to the record as it is then, and must give the
    /// same result.
    pub(super) change: C,
    pub(super) unusable: Unusable,
    /// The secret that the tenant is to leave, if it is to leave one.
    pub(super) leaves: Option<SecretNumber>,
    /// Whether a try has written the changed record to a secret, or may have.
    pub(super) is_written: bool,
}

impl<C> RecordChange<C> {
    /// A change of the record wherever the tenant is.
    pub(super) fn new(change: C, unusable: Unusable) -> Self {
        Self { change, unusable, leaves: None, is_written: false }
    }

    /// Takes note of an attempt to write the changed record.
    fn note(&mut self, written: &Result<(), SecretsError>) {
        self.is_written |= !matches!(written, Err(SecretsError::Changed | SecretsError::Full(_)));
    }
}

/// A tenant in the secret that its row names.
struct Source {
    number: SecretNumber,
    secret: SharedSecret,
}

/// What became of a change in place.
enum InPlace<T> {
    /// It is made.
    Done(T),
    /// It must be tried again.
    Again,
    /// The secret has no room for it.
    NoRoom,
}

impl Operator {
    /// The row of a tenant as it is now.
    pub(super) async fn row(&self, tenant: &TenantRow) -> Result<TenantRow, OperatorError> {
        let row = self.store.tenant(tenant.code()).await?;
        row.ok_or_else(|| OperatorError::TenantGone(tenant.name.clone()))
    }

    /// The tenant's record; `None` if no token was ever minted.
    pub(super) async fn record(
        &self,
        tenant: &TenantRow,
    ) -> Result<Option<TenantRecord>, OperatorError> {
        let read = async || {
            let row = self.row(tenant).await?;
            let Some(number) = row.secret else { return Ok(Some(None)) };
            let source = Source { number, secret: self.secrets.shared(number).await? };
            Ok(self.present_record(&row, &source, Unusable::Refuse).await?.map(Some))
        };
        match self.tried(read).await? {
            Some(record) => Ok(record),
            None => Err(self.secret_keeps_changing(tenant).await),
        }
    }

    /// Changes a tenant's record.
    ///
    /// # Errors
    /// Those of the change, or if the table or the secrets do not respond.
    pub(super) async fn change_record<T>(
        &self,
        tenant: &TenantRow,
        change: &mut RecordChange<impl FnMut(&mut TenantRecord) -> Result<T, OperatorError>>,
    ) -> Result<T, OperatorError> {
        let mut attempts = Attempts::default();
        let done = self.tried(async || self.try_change(tenant, change, &mut attempts).await);
        match done.await? {
            Some(done) => Ok(done),
            None => Err(self.secret_keeps_changing(tenant).await),
        }
    }

    /// The error after the last try. It names the tenant's secret, or the newest one.
    async fn secret_keeps_changing(&self, tenant: &TenantRow) -> OperatorError {
        let number = match self.row(tenant).await {
            Ok(TenantRow { secret: Some(number), .. }) => Ok(number),
            Ok(_) => {
                self.store.newest_secret().await.map(|newest| newest.unwrap_or(SecretNumber::FIRST))
            }
            Err(error) => return error,
        };
        number.map_or_else(Into::into, |number| {
            OperatorError::SecretKeepsChanging(self.secrets.shared_name(number))
        })
    }

    /// Tries a change once; `None` if it must be tried again.
    async fn try_change<T>(
        &self,
        tenant: &TenantRow,
        change: &mut RecordChange<impl FnMut(&mut TenantRecord) -> Result<T, OperatorError>>,
        attempts: &mut Attempts,
    ) -> Result<Option<T>, OperatorError> {
        let row = self.row(tenant).await?;
        let Some(number) = row.secret else {
            return self.move_or_admit(&row, None, change, attempts).await;
        };
        let source = Source { number, secret: self.secrets.shared(number).await? };
        if row.moving {
            return self.move_or_admit(&row, Some(source), change, attempts).await;
        }
        if change.leaves != Some(number) {
            match self.change_in_place(&row, &source, change, attempts).await? {
                InPlace::Done(done) => return Ok(Some(done)),
                InPlace::Again => return Ok(None),
                InPlace::NoRoom => {}
            }
        }
        // The next try sees the flag and reads the record again.
        self.store.begin_move(row.code(), number).await?;
        Ok(None)
    }

    /// Changes a tenant's record in the secret that it is in.
    async fn change_in_place<T>(
        &self,
        row: &TenantRow,
        source: &Source,
        change: &mut RecordChange<impl FnMut(&mut TenantRecord) -> Result<T, OperatorError>>,
        attempts: &mut Attempts,
    ) -> Result<InPlace<T>, OperatorError> {
        let (code, Source { number, secret }) = (row.code(), source);
        let mut records = secret.records.clone();
        let Some(mut record) = self.present_record(row, source, change.unusable).await? else {
            return Ok(InPlace::Again);
        };
        let done = (change.change)(&mut record)?;
        if records.record(code) == RecordState::Good(record.clone()) {
            return Ok(InPlace::Done(done));
        }
        set(&mut records, code, &record)?;
        if !self.has_room_for(*number, secret, &records).await? {
            return Ok(InPlace::NoRoom);
        }
        let attempt = attempts.next(secret.version());
        let put = self.secrets.put_shared(*number, secret, attempt, &records).await;
        change.note(&put);
        if matches!(put, Err(SecretsError::Full(_))) {
            return Ok(InPlace::NoRoom);
        }
        put?;
        let row = self.row(row).await?;
        let is_done = row.secret == Some(*number) && !row.moving;
        Ok(if is_done { InPlace::Done(done) } else { InPlace::Again })
    }

    /// Writes the record of a tenant that moves, or that has no secret, into another secret.
    async fn move_or_admit<T>(
        &self,
        row: &TenantRow,
        source: Option<Source>,
        change: &mut RecordChange<impl FnMut(&mut TenantRecord) -> Result<T, OperatorError>>,
        attempts: &mut Attempts,
    ) -> Result<Option<T>, OperatorError> {
        let (code, own) = (row.code(), source.as_ref().map(|source| source.number));
        let (target, secret) = self.roomy_secret(own).await?;
        let mut record = match &source {
            Some(source) => match self.present_record(row, source, change.unusable).await? {
                Some(record) => record,
                None => return Ok(None),
            },
            None => self.record_left_behind(row, &secret).await?,
        };
        let done = (change.change)(&mut record)?;
        let target_secret = (target, &secret);
        let written =
            self.write_target(target_secret, (code, &record), own.is_some(), attempts).await;
        change.note(&written);
        if matches!(written, Err(SecretsError::Full(_))) {
            self.store.begin_secret(Some(target)).await?;
            return Ok(None);
        }
        written?;
        let is_unchanged = match &source {
            Some(source) => self.is_unchanged(source, code).await?,
            None => true,
        };
        if !is_unchanged || !self.end_move(row, own, target).await? {
            return Ok(None);
        }
        if let Some(own) = own {
            // If this fails, the record stays where nobody looks for it.
            let _ = self.clear(own, code).await;
        }
        Ok(Some(done))
    }

    /// Records the secret of a tenant; `false` if the tenant's row says something else.
    async fn end_move(
        &self,
        row: &TenantRow,
        from: Option<SecretNumber>,
        to: SecretNumber,
    ) -> Result<bool, OperatorError> {
        // The first secret of a tenant is not a move.
        let audit = from.map(|_| self.audit(row, Operation::Move));
        Ok(self.store.end_move(row.code(), from, to, audit.as_ref()).await?)
    }

    /// Whether a tenant's record is the one that was read. AWS calls Secrets Manager eventually
    /// consistent, so the first answer may have come from before a change.
    async fn is_unchanged(
        &self,
        source: &Source,
        code: &TenantCode,
    ) -> Result<bool, OperatorError> {
        let now = self.secrets.shared(source.number).await?;
        Ok(now.records.text(code) == source.secret.records.text(code))
    }

    /// Writes a tenant's record into a secret that its row does not name.
    ///
    /// # Errors
    /// [`SecretsError::Full`] if another secret must be begun for it.
    async fn write_target(
        &self,
        (target, secret): (SecretNumber, &SharedSecret),
        (code, record): (&TenantCode, &TenantRecord),
        moves: bool,
        attempts: &mut Attempts,
    ) -> Result<(), SecretsError> {
        let (mut records, name) = (secret.records.clone(), self.secrets.shared_name(target));
        if records.set(code, record).is_err() {
            return Err(SecretsError::Malformed(name));
        }
        let before = secret.records.text(code);
        if before == records.text(code) {
            return Ok(());
        }
        if moves && before.is_some() {
            // A move that did not end has left another record. An instance of the service may have
            // read it, so it must not be taken for the tenant's own.
            return Err(SecretsError::Full(name));
        }
        let attempt = attempts.next(secret.version());
        self.secrets.put_shared(target, secret, attempt, &records).await
    }

    /// Removes the record of a tenant that has moved away from a secret, if that can be changed.
    async fn clear(&self, number: SecretNumber, code: &TenantCode) -> Result<(), OperatorError> {
        let secret = self.secrets.shared(number).await?;
        let mut records = secret.records.clone();
        records.remove(code);
        if secret.records.text(code).is_some()
            && self.versions(number, &secret).await? < MAX_VERSIONS_FOR_REMOVAL
        {
            self.secrets.put_shared(number, &secret, 0, &records).await?;
        }
        Ok(())
    }

    /// The record of a tenant without a secret in one that it is to share. Another operator may mint
    /// the tenant's first token at the same time, or have been interrupted while minting it. What
    /// the table does not list as valid must not come to life.
    async fn record_left_behind(
        &self,
        row: &TenantRow,
        secret: &SharedSecret,
    ) -> Result<TenantRecord, OperatorError> {
        let RecordState::Good(mut record) = secret.records.record(row.code()) else {
            return Ok(TenantRecord::default());
        };
        let rows = self.store.tokens(&row.key(), self.clock.seconds()).await?;
        let is_listed =
            |key_id: &str| rows.iter().any(|row| row.key_id == key_id && row.revoked.is_none());
        record.retain(is_listed);
        Ok(record)
    }

    /// The record of a tenant in the secret that its row names; `None` if the tenant has begun or
    /// ended a move since the row was read, so that the record may have left the secret.
    async fn present_record(
        &self,
        row: &TenantRow,
        source: &Source,
        unusable: Unusable,
    ) -> Result<Option<TenantRecord>, OperatorError> {
        let state = source.secret.records.record(row.code());
        if let RecordState::Good(record) = state {
            return Ok(Some(record));
        }
        let now = self.row(row).await?;
        if (now.secret, now.moving) != (row.secret, row.moving) {
            return Ok(None);
        }
        if unusable == Unusable::Replace {
            return Ok(Some(TenantRecord::default()));
        }
        let (tenant, secret) = (row.name.clone(), self.secrets.shared_name(source.number));
        Err(if state == RecordState::Missing {
            OperatorError::MissingRecord { tenant, secret }
        } else {
            let code = row.code().as_str().to_owned();
            OperatorError::BadRecord { tenant, code, secret }
        })
    }
}

fn set(
    records: &mut SharedRecords,
    code: &TenantCode,
    record: &TenantRecord,
) -> Result<(), OperatorError> {
    let set = records.set(code, record);
    set.map_err(|_| OperatorError::Unexpected("a record of tokens cannot be written as JSON"))
}
