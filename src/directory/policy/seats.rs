//! Seats: how many users may be active.

use scim_core::resource::Attributes;
use scim_core::{Error, ErrorKind};
use serde_json::Value;

use crate::tenant::profile::{Profile, WhenFull};

/// What is to become of somebody for whom no seat is left.
///
/// # Errors
/// 403 unless the profile creates such users inactive.
pub(in crate::directory) fn without_seat(
    profile: &Profile,
    attributes: &mut Attributes,
) -> Result<(), Error> {
    if profile.seats.when_full == WhenFull::Refuse {
        return Err(no_seat());
    }
    attributes.set("active", Value::Bool(false));
    Ok(())
}

pub(in crate::directory) fn no_seat() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "No seat is left for one more active user: deactivate somebody, or buy more seats, and \
        send it again.",
    )
}
