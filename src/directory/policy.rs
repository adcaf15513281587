//! What a tenant's profile says of a request before and beside the store: what is switched off,
//! seats, the brake, and when somebody expires.

use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::resource::Attributes;
use scim_core::{Error, ErrorKind, ResourceId};
use serde_json::Value;
use tokio::time::Instant;

use super::life::{Event, State};
use super::limits::ERASED_AT_ONCE;
use super::{Call, Directory};
use crate::budget::{self, Limits};
use crate::store::is_active;
use crate::store::{Audit, Collection, Kind, Note, Operation, Progress, StoreError, Stored};
use crate::tenant::profile::{BrakeAnswer, InactiveCreate, OnDelete, Profile, WhenFull};
use crate::tenant::{ServedType, unanswered};

/// A time that never comes: the last second of the year 9999.
const NEVER: i64 = 253_402_300_799;
const DAY: i64 = 24 * 60 * 60;
/// How many of them at a time.
const CONCURRENCY: usize = 5;
/// How long a request tidies in addition to its own work; twice as long if DynamoDB does not
/// answer.
const MAX_TIDYING: Duration = Duration::from_secs(2);

/// `active` of a new user, as the profile has it.
///
/// # Errors
/// 403 if users may not be created; 400 if they may not be created inactive.
pub(super) fn admit_create(
    resource_type: &ServedType,
    profile: &Profile,
    attributes: &mut Attributes,
) -> Result<(), Error> {
    if resource_type.kind != Kind::User {
        return Ok(());
    }
    if !profile.operations.create.is_on() {
        return Err(switched_off("creates no users"));
    }
    match (attributes.get("active"), profile.create.inactive) {
        (Some(Value::Bool(false)), InactiveCreate::Refuse) => {
            return Err(Error::invalid_value(
                "A new user must be active: active is false; create the user when it is assigned, \
                with active true.",
            ));
        }
        (Some(_), InactiveCreate::IgnoreActive) | (None, _) => {
            attributes.set("active", Value::Bool(true))
        }
        (Some(_), _) => {}
    }
    Ok(())
}

/// # Errors
/// 403 for a change of a user that the profile switches off.
pub(super) fn admit_change(
    resource_type: &ServedType,
    profile: &Profile,
    before: &Attributes,
    after: &Attributes,
) -> Result<(), Error> {
    if resource_type.kind != Kind::User {
        return Ok(());
    }
    if !profile.operations.update.is_on() {
        // What the profile shapes, nobody asked for.
        let mut before = before.clone();
        resource_type.shape(&mut before)?;
        if before.changed(after).iter().any(|name| name != "active") {
            return Err(switched_off("changes no users but for active"));
        }
    }
    if !profile.operations.deactivate.is_on() && is_active(before) && !is_active(after) {
        return Err(switched_off("deactivates no users"));
    }
    Ok(())
}

/// # Errors
/// 403 or 400 if users are not deleted here.
pub(super) fn admit_delete(resource_type: &ServedType, profile: &Profile) -> Result<(), Error> {
    if resource_type.kind != Kind::User {
        return Ok(());
    }
    if !profile.operations.delete.is_on() {
        return Err(switched_off("deletes no users"));
    }
    match profile.deprovision.on_delete {
        OnDelete::Deactivate if !profile.operations.deactivate.is_on() => {
            Err(switched_off("deactivates no users"))
        }
        OnDelete::Refuse => Err(Error::new(
            ErrorKind::BadRequest,
            "Users are not deleted here, since what they wrote stays: set active to false instead.",
        )),
        _ => Ok(()),
    }
}

fn switched_off(what: &str) -> Error {
    Error::new(
        ErrorKind::Forbidden,
        format!(
            "This service provider {what} through SCIM: switch that off in the identity provider, \
            or ask the operator of this service to allow it."
        ),
    )
}

/// What is to become of somebody for whom no seat is left.
///
/// # Errors
/// 403 unless the profile creates such users inactive.
pub(super) fn without_seat(profile: &Profile, attributes: &mut Attributes) -> Result<(), Error> {
    if profile.seats.when_full == WhenFull::Refuse {
        return Err(no_seat());
    }
    attributes.set("active", Value::Bool(false));
    Ok(())
}

pub(super) fn no_seat() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "No seat is left for one more active user: deactivate somebody, or buy more seats, and \
        send it again.",
    )
}

impl Directory {
    /// When a deleted user is erased, in seconds since 1970.
    pub(super) fn deleted_until(&self, call: Call<'_>, now: i64) -> i64 {
        match call.tenant.profile.deprovision.on_delete {
            OnDelete::Deactivate => NEVER,
            _ => now.saturating_add(self.retention_of(call)),
        }
    }

    fn retention_of(&self, call: Call<'_>) -> i64 {
        let days = call.tenant.profile.deprovision.retention_days;
        days.map_or(i64::try_from(self.retention.as_secs()).unwrap_or(i64::MAX), |days| {
            i64::from(days) * DAY
        })
    }

    /// When a visible user is erased: none for an active user, unchanged for one already inactive;
    /// a user who becomes inactive gets a clock if the profile says so.
    pub(super) fn visible_until(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        old: &Stored,
        after: &Attributes,
    ) -> Option<i64> {
        if resource_type.kind != Kind::User {
            return None;
        }
        let now = self.clock.seconds();
        let state = State::of(Some(old.standing()), now);
        let event = match (is_active(&old.resource.attributes), is_active(after)) {
            (false, true) => Event::Activate,
            (true, false) => Event::Deactivate,
            _ => Event::Change,
        };
        match state.after(state.step(event), &call.tenant.profile) {
            State::SuspendedWithExpiry => {
                old.expires.or(Some(now.saturating_add(self.retention_of(call))))
            }
            _ => None,
        }
    }

    /// Erases some of the users whose time has come; for a request that `writes`, also goes on with
    /// what earlier requests left unfinished. Nobody sees either, so the request is answered
    /// whatever becomes of this. One call for tenants that may have users whose time comes, and for
    /// a write one more where something is unfinished; then as many as it takes, within a share of
    /// the request's budget.
    pub async fn tidy(&self, call: Call<'_>, writes: bool) {
        let call = Call { until: call.until.min(Instant::now() + MAX_TIDYING), ..call };
        let work = async {
            self.erase_overdue(call).await?;
            if writes { self.finish_earlier(call).await } else { Ok(()) }
        };
        let work = budget::within(Limits::SHARE_OF_TIDYING, work);
        match tokio::time::timeout(2 * MAX_TIDYING, work).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "what is to be tidied is left for another request")
            }
            Err(_) => tracing::warn!("tidying takes long, and is left for another request"),
        }
    }

    /// Erases some of the visible users whose time has come.
    async fn erase_overdue(&self, call: Call<'_>) -> Result<(), Error> {
        if !call.tenant.is_expiring() {
            return Ok(());
        }
        let collection = call.collection(&Kind::User);
        let audit = Audit { actor: "expiry".into(), ..self.audit(call, Operation::Expire) };
        let due =
            self.store.due(&collection, audit.now, ERASED_AT_ONCE).await.map_err(unanswered)?;
        let (collection, audit, count) = (&collection, &audit, due.len());
        let each = stream::iter(due).map(|(expires, id)| async move {
            let left =
                self.store.leave_all(collection, &id, Note::Nothing, audit, call.until).await?;
            // The row of the user hides the memberships that are there still, so it goes last.
            if left == Progress::Done {
                self.store.expire(collection, expires, &id, audit).await?;
            }
            Ok::<_, StoreError>(left)
        });
        let each = each.buffer_unordered(CONCURRENCY);
        let all = each
            .try_fold(true, async |all, left| Ok(all && left == Progress::Done))
            .await
            .map_err(unanswered)?;
        if all && count < ERASED_AT_ONCE {
            call.reads.nobody_is_overdue();
        }
        Ok(())
    }

    /// Lets a deactivation that was not counted try again in a new window, or stops it.
    ///
    /// # Errors
    /// 429 or 403 if too many were deactivated, until the operator lifts the brake; 503.
    pub(super) async fn brake(
        &self,
        call: Call<'_>,
        collection: &Collection,
        id: &ResourceId,
    ) -> Result<(), Error> {
        let brake = &call.tenant.profile.brake;
        let window = i64::from(brake.window_minutes) * 60;
        let audit = self.audit(call, Operation::Brake);
        let seen = self.store.brake(&collection.tenant).await.map_err(unanswered)?;
        if let Some(row) =
            seen.filter(|row| row.tripped.is_some() || row.begun > audit.now - window)
        {
            if row.tripped.is_none() && row.counted < row.most {
                return Ok(());
            }
            if row.tripped.is_none() {
                self.store
                    .trip_brake(&collection.tenant, row, id, &audit)
                    .await
                    .map_err(unanswered)?;
            }
            let kind = match brake.answer {
                BrakeAnswer::TooManyRequests => ErrorKind::TooManyRequests,
                BrakeAnswer::Forbidden => ErrorKind::Forbidden,
            };
            return Err(Error::new(
                kind,
                "So many users were deactivated in a short time that it may be a mistake; no more \
                are until the operator of this service confirms it: ask them.",
            ));
        }
        let share = match brake.share {
            Some(share) => {
                let active = self.store.active(collection).await.map_err(unanswered)?;
                Some((active.saturating_mul(i64::from(share)) / 100).max(1))
            }
            None => None,
        };
        let most =
            share.into_iter().chain(brake.deactivations.map(i64::from)).min().unwrap_or(i64::MAX);
        self.store.open_brake(&collection.tenant, seen, audit.now, most).await.map_err(unanswered)
    }
}
