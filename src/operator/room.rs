//! Which secret has room: for the next change of a tenant in it, and for a tenant that moves to it.
//!
//! Secrets Manager keeps each version of a secret for 24 hours at least and refuses the 101st, so a
//! secret is left alone before that, and the tenants that change go to the next one.

use super::deployment::Operator;
use super::error::OperatorError;
use super::pause::{self, TRIES};
use crate::auth::secrets_manager::SecretsError;
use crate::auth::shared_records::SharedRecords;
use crate::auth::shared_secrets::{MAX_SECRET_BYTES, SharedSecret};
use crate::store::SecretNumber;

/// The size from which a secret is closed to more tenants: three quarters of what AWS allows. The
/// rest is for the growth of its tenants.
pub const ROOMY_BYTES: usize = MAX_SECRET_BYTES / 4 * 3;
/// The number of versions in 24 hours from which a secret is changed only to remove the records of
/// tenants that moved away.
pub const MAX_VERSIONS: usize = 80;
/// The number of versions in 24 hours from which a secret is not changed at all.
pub(super) const MAX_VERSIONS_FOR_REMOVAL: usize = 95;
const DAY: i64 = 24 * 60 * 60;

impl Operator {
    /// Whether a secret has room for another version, with these records.
    pub(super) async fn has_room_for(
        &self,
        number: SecretNumber,
        secret: &SharedSecret,
        records: &SharedRecords,
    ) -> Result<bool, OperatorError> {
        let fits = records.to_text().is_ok_and(|text| text.len() <= MAX_SECRET_BYTES);
        Ok(fits && self.versions(number, secret).await? < MAX_VERSIONS)
    }

    /// How many versions a secret has that were created in the last 24 hours.
    pub(super) async fn versions(
        &self,
        number: SecretNumber,
        secret: &SharedSecret,
    ) -> Result<usize, OperatorError> {
        if secret.version().is_none() {
            return Ok(0);
        }
        let (name, since) = (self.secrets.shared_name(number), self.clock.seconds() - DAY);
        Ok(self.secrets.versions_since(&name, since).await?)
    }

    /// A secret with room for a tenant that leaves this one, or that has none. It has a greater
    /// number. If the newest one has no room, the next one is begun.
    pub(super) async fn roomy_secret(
        &self,
        own: Option<SecretNumber>,
    ) -> Result<(SecretNumber, SharedSecret), OperatorError> {
        for attempt in 0..TRIES {
            pause::before(attempt).await;
            let newest = self.store.newest_secret().await?;
            if let Some(number) = newest.filter(|newest| own.is_none_or(|own| *newest > own))
                && let Some(secret) = self.roomy(number).await?
            {
                return Ok((number, secret));
            }
            // If another operator has begun one in the meantime, that one is considered next.
            self.store.begin_secret(newest).await?;
        }
        Err(OperatorError::Unexpected(
            "no secret has room for the tenant, although several were begun, perhaps by others at \
             the same time; try again",
        ))
    }

    /// A secret, if it has room for another tenant.
    async fn roomy(&self, number: SecretNumber) -> Result<Option<SharedSecret>, OperatorError> {
        let secret = match self.secrets.shared(number).await {
            // Its tenants need the operator, but a new one does not.
            Err(SecretsError::Malformed(_)) => return Ok(None),
            secret => secret?,
        };
        let is_roomy =
            secret.bytes < ROOMY_BYTES && self.versions(number, &secret).await? < MAX_VERSIONS;
        Ok(is_roomy.then_some(secret))
    }
}
