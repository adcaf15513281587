//! Settings that contradict each other.

use scim_core::Additions;

use super::super::error::ProfileError;
use super::super::model::Profile;
use super::super::presets;
use super::super::types::ServedTypes;
use super::super::users::{Existing, InactiveCreate, OnDelete, Operations, WhenFull};
use super::{address, attributes, definitions};

impl Profile {
    /// Refuses a profile that contradicts itself.
    pub(in crate::tenant::profile) fn check(&self) -> Result<(), ProfileError> {
        self.check_brake()?;
        self.check_creation()?;
        self.check_operations()?;
        if !self.preset.is_empty() {
            presets::preset(&self.preset)?;
        }
        if let Some(idp) = &self.dialect.idp {
            presets::dialect(idp)?;
        }
        address::check(&self.address)?;
        // Whether required, kept, overlay and extensions fit the schemas.
        let types = ServedTypes::new(self, &Additions::default())
            .map_err(|error| ProfileError(format!("attributes: {error}")))?;
        definitions::check(&self.attributes)?;
        types.at("Users").map_or(Ok(()), |users| attributes::check(self, &users.definition))
    }

    fn check_brake(&self) -> Result<(), ProfileError> {
        if self.brake.deactivations == Some(0) {
            return Err(ProfileError::new(
                "brake.deactivations 0 would stop every deactivation; set operations.deactivate \
                to off for that",
            ));
        }
        Ok(())
    }

    fn check_creation(&self) -> Result<(), ProfileError> {
        if self.create.existing == Existing::Link && self.create.link_on.is_empty() {
            return Err(ProfileError::new(
                "create.existing is link, but create.link_on is empty; list what to link on",
            ));
        }
        let refuses_inactive = self.create.inactive == InactiveCreate::Refuse;
        let makes_inactive =
            self.seats.limit.is_some() && self.seats.when_full == WhenFull::CreateInactive;
        if refuses_inactive && makes_inactive {
            return Err(ProfileError::new(
                "seats.when_full creates inactive users, which create.inactive refuses; change one",
            ));
        }
        Ok(())
    }

    fn check_operations(&self) -> Result<(), ProfileError> {
        let Operations { deactivate, delete, .. } = &self.operations;
        if !deactivate.is_on() && delete.is_on() && self.deprovision.on_delete == OnDelete::Refuse {
            return Err(ProfileError::new(
                "no user could be removed: operations.deactivate is off, and \
                deprovision.on_delete refuses DELETE; change one, or set operations.delete to off \
                too if that is what you want",
            ));
        }
        Ok(())
    }
}
