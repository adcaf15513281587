//! Seats limit how many users may be active.

use scim_core::Error;
use scim_core::resource::Attributes;
use serde_json::Value;

use crate::reason::Reason;
use crate::tenant::profile::{Profile, WhenFull};

/// Makes a user inactive if no seat is left and the profile says so.
///
/// # Errors
/// 403 if the profile does not say so.
pub(in crate::directory) fn without_seat(
    profile: &Profile,
    attributes: &mut Attributes,
) -> Result<(), Error> {
    match profile.seats.when_full {
        WhenFull::Refuse => Err(no_seat()),
        WhenFull::CreateInactive => {
            attributes.set("active", Value::Bool(false));
            Ok(())
        }
    }
}

/// 403 for an activation without a seat.
pub(in crate::directory) fn no_seat() -> Error {
    Reason::NoSeat.error().at("active")
}
