//! What all steps of an import share: the tenant, its profile, and a record that is ready.

use scim_core::{Additions, Resource};

use crate::clock::Clock;
use crate::directory::candidates;
use crate::operator::audit;
use crate::operator::deployment::Operator;
use crate::operator::error::OperatorError;
use crate::operator::session::user_type;
use crate::operator::waiting::Pause;
use crate::settings::AUDIT_RETENTION;
use crate::store::{Audit, Collection, Kind, Names, Operation, Store, TenantRow};
use crate::tenant::profile::LinkOn;
use crate::tenant::{Profile, ServedType, ServedTypes};

/// An import into one tenant.
#[derive(Debug)]
pub struct Import {
    pub(super) store: Store,
    pub(super) users: Collection,
    pub(super) profile: Profile,
    pub(super) audit: Audit,
    pub(super) clock: Clock,
    pub(super) pause: Pause,
    types: ServedTypes,
}

/// A record that can be stored.
pub(super) struct Ready {
    /// Its place among the records that are judged with it.
    pub(super) index: usize,
    pub(super) resource: Resource,
    pub(super) names: Names,
    /// Whether the record provides the id. An id that was generated here belongs to no other user.
    pub(super) own_id: bool,
}

impl Operator {
    /// An import into this tenant.
    ///
    /// # Errors
    /// If the tenant's profile cannot be read.
    pub fn import(&self, tenant: &TenantRow) -> Result<Import, OperatorError> {
        let import = Import::new(self.store.clone(), tenant, self.clock.clone(), &self.request)?;
        let audit = self.audit_under(&import.profile, Operation::Import);
        Ok(Import { audit, pause: self.pause.clone(), ..import })
    }
}

impl Import {
    /// An import into this tenant, whose changes have the id `request` in the log, which keeps them
    /// as long as one without settings.
    ///
    /// # Errors
    /// If the tenant's profile cannot be read.
    pub fn new(
        store: Store,
        row: &TenantRow,
        clock: Clock,
        request: &str,
    ) -> Result<Self, OperatorError> {
        let mut profile = Profile::read(&row.profile)?;
        // The product's own users need not have the attributes that the identity provider must
        // send.
        profile.attributes.required.clear();
        let types = ServedTypes::new(&profile, &Additions::default())?;
        let users = Collection { tenant: row.key(), kind: Kind::User };
        let audit = audit::audit(&profile, Operation::Import, request, &clock, AUDIT_RETENTION);
        Ok(Self { store, users, types, profile, audit, clock, pause: Pause::system() })
    }

    pub(super) fn user_type(&self) -> Result<&ServedType, OperatorError> {
        user_type(&self.types)
    }

    /// The keys by which a POST adopts an imported user, the best first.
    pub(super) fn link_keys(&self) -> &[LinkOn] {
        candidates::link_keys(&self.profile)
    }
}
