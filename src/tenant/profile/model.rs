//! A profile, and what other rooms derive from it as a whole.

use scim_core::{Dialect, Unknown};
use serde::{Deserialize, Serialize};

use super::attributes::{AttributePolicy, UnknownAttributes, UnknownPaths};
use super::dialect::{DialectPolicy, Discovery, Messages, NoMatch};
use super::service::{Address, Audit, Groups, Token};
use super::users::{Brake, Create, Deprovision, Operations, Seats};
use crate::store::Bounds;

/// How the service behaves for one tenant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The preset that it was made from.
    pub preset: String,
    /// What happens to users who are deleted or made inactive.
    pub deprovision: Deprovision,
    /// What a POST of a user does.
    pub create: Create,
    /// How many users can be active.
    pub seats: Seats,
    /// Which attributes a user has.
    pub attributes: AttributePolicy,
    /// How closely messages must follow the RFCs.
    pub dialect: DialectPolicy,
    /// What `/ServiceProviderConfig` says.
    pub discovery: Discovery,
    /// When too many users are deactivated at once.
    pub brake: Brake,
    /// Whether groups are served.
    pub groups: Groups,
    /// Which operations the identity provider may use.
    pub operations: Operations,
    /// How tokens are minted.
    pub token: Token,
    /// Where the tenant is served.
    pub address: Address,
    /// How long the log is kept.
    pub audit: Audit,
}

impl Profile {
    /// The limits that the table enforces for a tenant under this profile, which replaces another
    /// one.
    pub fn bounds(&self, before: &Profile) -> Bounds {
        let brake = before.brake.is_set() && self.brake.is_set();
        Bounds { expiring: self.deprovision.is_expiring(), seats: self.seats.limit, brake }
    }

    /// How messages are read.
    pub fn dialect(&self) -> Dialect {
        let unknown = |refuse| if refuse { Unknown::Refuse } else { Unknown::Ignore };
        Dialect {
            strict: self.dialect.messages == Messages::Strict,
            unknown: unknown(self.attributes.unknown == UnknownAttributes::Refuse),
            unknown_path: unknown(self.attributes.unknown_patch_path == UnknownPaths::Refuse),
            replace_creates: self.dialect.replace_without_match == NoMatch::Create,
        }
    }
}
