//! Changes of a tenant's record, which holds the digests of its tokens, in the secret that it
//! shares.
//!
//! A change is made in place, or it moves the tenant to a secret with a greater number. It starts
//! again if another one came first, so operators who work at once lose nothing:
//!
//! * A secret is replaced only if its version is the one that was read.
//! * A move first says in the tenant's row that the tenant moves. An operator who changes the record
//!   in place looks at the row again afterwards, and repeats the change if it says so. The move
//!   reads the record after it has said so, so it carries every change that is not repeated.
//! * A move ends by a change of the row that only one of several moves at once can make.

use super::deployment::Operator;
use super::error::OperatorError;
use super::pause::{self, Attempts, TRIES};
use super::room::MAX_VERSIONS_FOR_REMOVAL;
use crate::auth::records::TenantRecord;
use crate::auth::secrets_manager::SecretsError;
use crate::auth::shared_records::{RecordState, SharedRecords};
use crate::auth::shared_secrets::SharedSecret;
use crate::store::{SecretNumber, TenantCode, TenantRow};

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
    pub(super) leave: Option<SecretNumber>,
}

/// A tenant in the secret that its row names.
struct Source {
    number: SecretNumber,
    secret: SharedSecret,
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
        for attempt in 0..TRIES {
            pause::before(attempt).await;
            let row = self.row(tenant).await?;
            let Some(number) = row.secret else { return Ok(None) };
            match self.secrets.shared(number).await.map_err(OperatorError::from) {
                Ok(secret) => match self.usable(&row, number, &secret, Unusable::Refuse) {
                    // The tenant may have moved before the secret was read.
                    Err(error) if self.row(tenant).await?.secret == Some(number) => {
                        return Err(error);
                    }
                    Err(_) => {}
                    Ok(record) => return Ok(Some(record)),
                },
                Err(error) => self.recover(error).await?,
            }
        }
        Err(OperatorError::TokensKeepChanging(tenant.name.clone()))
    }

    /// Changes a tenant's record.
    ///
    /// # Errors
    /// Those of the change, or if the table or the secrets do not respond.
    pub(super) async fn change_record<T>(
        &self,
        tenant: &TenantRow,
        mut change: RecordChange<impl FnMut(&mut TenantRecord) -> Result<T, OperatorError>>,
    ) -> Result<T, OperatorError> {
        let mut attempts = Attempts::default();
        for attempt in 0..TRIES {
            pause::before(attempt).await;
            match self.try_change(tenant, &mut change, &mut attempts).await {
                Ok(Some(done)) => return Ok(done),
                Ok(None) => {}
                Err(error) => self.recover(error).await?,
            }
        }
        Err(OperatorError::TokensKeepChanging(tenant.name.clone()))
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
            return self.place(&row, None, change, attempts).await;
        };
        let source = Source { number, secret: self.secrets.shared(number).await? };
        if row.moving {
            return self.place(&row, Some(source), change, attempts).await;
        }
        if change.leave != Some(number) {
            let code = row.code();
            let mut records = source.secret.records.clone();
            let mut record = self.usable(&row, number, &source.secret, change.unusable)?;
            let done = (change.change)(&mut record)?;
            if records.record(code) == RecordState::Good(record.clone()) {
                return Ok(Some(done));
            }
            set(&mut records, code, &record)?;
            if self.takes(number, &source.secret, &records).await? {
                let attempt = attempts.next(source.secret.version());
                match self.secrets.put_shared(number, &source.secret, attempt, &records).await {
                    Err(SecretsError::Full(_)) => {}
                    put => {
                        put?;
                        let row = self.row(tenant).await?;
                        let is_done = row.secret == Some(number) && !row.moving;
                        return Ok(is_done.then_some(done));
                    }
                }
            }
        }
        // The next try finds the row so, and reads the record once more.
        self.store.begin_move(row.code(), number).await?;
        Ok(None)
    }

    /// Writes the record of a tenant that moves, or that has no secret, into another secret.
    async fn place<T>(
        &self,
        row: &TenantRow,
        source: Option<Source>,
        change: &mut RecordChange<impl FnMut(&mut TenantRecord) -> Result<T, OperatorError>>,
        attempts: &mut Attempts,
    ) -> Result<Option<T>, OperatorError> {
        let (code, own) = (row.code(), source.as_ref().map(|source| source.number));
        let (target, secret) = self.roomy_secret(own).await?;
        let mut record = match &source {
            Some(Source { number, secret }) => {
                self.usable(row, *number, secret, change.unusable)?
            }
            // Another operator may mint the tenant's first token at the same time.
            None => match secret.records.record(code) {
                RecordState::Good(record) => record,
                RecordState::Missing | RecordState::Malformed => TenantRecord::default(),
            },
        };
        let done = (change.change)(&mut record)?;
        let is_written =
            self.write_placed((target, &secret), (code, &record), own.is_some(), attempts).await?;
        if !is_written {
            self.store.begin_secret(Some(target)).await?;
            return Ok(None);
        }
        let is_unchanged = match &source {
            Some(source) => self.is_unchanged(source, code).await?,
            None => true,
        };
        if !is_unchanged || !self.store.end_move(code, own, target).await? {
            return Ok(None);
        }
        if let Some(own) = own {
            // If this fails, the record stays where nobody looks for it.
            let _ = self.clear(own, code).await;
        }
        Ok(Some(done))
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

    /// Writes a tenant's record into a secret that its row does not name; `false` if another secret
    /// must be begun for it.
    async fn write_placed(
        &self,
        (target, secret): (SecretNumber, &SharedSecret),
        (code, record): (&TenantCode, &TenantRecord),
        moves: bool,
        attempts: &mut Attempts,
    ) -> Result<bool, OperatorError> {
        let mut records = secret.records.clone();
        set(&mut records, code, record)?;
        let before = secret.records.text(code);
        if before == records.text(code) {
            return Ok(true);
        }
        if moves && before.is_some() {
            // A move that did not end has left another record. An instance of the service may have
            // read it, so it must not be taken for the tenant's own.
            return Ok(false);
        }
        let attempt = attempts.next(secret.version());
        match self.secrets.put_shared(target, secret, attempt, &records).await {
            Err(SecretsError::Full(_)) => Ok(false),
            put => Ok(put.map(|()| true)?),
        }
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

    /// The record of a tenant in the secret that its row names.
    fn usable(
        &self,
        row: &TenantRow,
        number: SecretNumber,
        secret: &SharedSecret,
        unusable: Unusable,
    ) -> Result<TenantRecord, OperatorError> {
        let (tenant, secret_name) = (row.name.clone(), self.secrets.shared_name(number));
        match secret.records.record(row.code()) {
            RecordState::Good(record) => Ok(record),
            _ if unusable == Unusable::Replace => Ok(TenantRecord::default()),
            RecordState::Missing => {
                Err(OperatorError::MissingRecord { tenant, secret: secret_name })
            }
            RecordState::Malformed => {
                let code = row.code().as_str().to_owned();
                Err(OperatorError::BadRecord { tenant, code, secret: secret_name })
            }
        }
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
