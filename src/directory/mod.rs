//! The service provider: what create, retrieve, query, replace, patch and delete mean for a tenant.

mod cursor;
mod lifecycle;
mod precondition;
mod search;

use std::time::Duration;

use scim_core::resource::Attributes;
use scim_core::{Draft, Error, ErrorKind, Meta, PatchRequest, Resource, ResourceId, ResourceType, Version};

use crate::clock::Clock;
use crate::store::users::{MAX_DOCUMENT_BYTES, Names, StoredUser};
use crate::store::{Act, Operation, Store, TenantKey, Updated};
use crate::tenant::{Tenant, unanswered};
pub use precondition::Precondition;
pub use search::Found;

/// How often a change is decided anew because the user changed meanwhile.
const TRIES: usize = 20;

/// On whose behalf something is done, and under which names the log shall know it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Whose directory.
    pub tenant: &'a Tenant,
    /// A token's key id, or the operator.
    pub by: &'a str,
    /// The id of the request.
    pub request: &'a str,
}

/// The users of all tenants.
#[derive(Debug)]
pub struct Directory {
    store: Store,
    clock: Clock,
    retention: Duration,
    audit_retention: Duration,
    /// The User resource type as this service knows it.
    pub users: ResourceType,
    /// The Group resource type as this service knows it.
    pub groups: ResourceType,
}

impl Directory {
    /// A directory in `store`; deleted users are kept for `retention`, the log for
    /// `audit_retention`.
    ///
    /// # Errors
    /// Never, while the schema files are well formed.
    pub fn new(
        store: Store,
        clock: Clock,
        retention: Duration,
        audit_retention: Duration,
    ) -> Result<Self, serde_json::Error> {
        let (users, groups) = (ResourceType::user()?, ResourceType::group()?);
        Ok(Self { store, clock, retention, audit_retention, users, groups })
    }

    /// The user with this id.
    ///
    /// # Errors
    /// 404 if there is none, it was deleted, or the text is no id of ours.
    pub async fn retrieve(&self, call: Call<'_>, id: &str) -> Result<Resource, Error> {
        Ok(self.visible(&call.tenant.key(), id).await?.resource)
    }

    /// Replaces what the client asserted of a user. An absent `active` stays as it is: a message
    /// that does not speak of it must let nobody in.
    ///
    /// # Errors
    /// 404; 409 `uniqueness` if the userName belongs to another user; 412 if the precondition does
    /// not hold; 503.
    pub async fn replace(
        &self,
        call: Call<'_>,
        id: &str,
        draft: Draft,
        precondition: &Precondition,
    ) -> Result<Resource, Error> {
        self.change(call, Operation::Replace, id, precondition, |old| {
            let mut attributes = draft.attributes.clone();
            if let (None, Some(active)) = (attributes.get("active"), old.get("active")) {
                attributes.set("active", active.clone());
            }
            Ok(attributes)
        })
        .await
    }

    /// Applies a PATCH request to a user, all of it or nothing.
    ///
    /// # Errors
    /// As [`Directory::replace`], and what [`PatchRequest::apply`] says.
    pub async fn patch(
        &self,
        call: Call<'_>,
        id: &str,
        patch: &PatchRequest<'_>,
        precondition: &Precondition,
    ) -> Result<Resource, Error> {
        self.change(call, Operation::Patch, id, precondition, |old| patch.apply(&self.users, old)).await
    }

    /// Changes a user by a rule that is applied to the newest version until it is stored. A change
    /// that changes nothing is not written, and the version stays.
    async fn change(
        &self,
        call: Call<'_>,
        operation: Operation,
        id: &str,
        precondition: &Precondition,
        rule: impl Fn(&Attributes) -> Result<Attributes, Error>,
    ) -> Result<Resource, Error> {
        let key = call.tenant.key();
        let mut taking = lifecycle::any_name();
        for _ in 0..TRIES {
            let old = self.visible(&key, id).await?;
            // The write carries the version that was judged here.
            check(precondition, &old)?;
            let attributes = rule(&old.resource.attributes)?;
            if attributes == old.resource.attributes {
                return Ok(old.resource);
            }
            let names = checked(&attributes)?;
            let user = self.next_version(&old, attributes);
            let act = self.act(call, operation);
            match self.store.update_user(&key, &old, &user, &names, taking, &act).await.map_err(unanswered)? {
                Updated::Stored => return Ok(user),
                Updated::UserNameHeld => return Err(user_name_taken()),
                Updated::ExternalIdHeld => taking.external_id = true,
                Updated::Changed => {}
            }
        }
        Err(busy())
    }

    async fn visible(&self, key: &TenantKey, id: &str) -> Result<StoredUser, Error> {
        let now = self.clock.seconds();
        let not_found = || Error::not_found("There is no user with this id in this tenant.");
        let id: ResourceId = id.parse().map_err(|()| not_found())?;
        let user = self.store.user(key, &id, now).await.map_err(unanswered)?;
        user.filter(|user| user.is_visible(now)).ok_or_else(not_found)
    }

    fn new_user(&self, key: &TenantKey, names: &Names, attributes: &Attributes) -> Result<Resource, Error> {
        let now = self.clock.now();
        Ok(Resource {
            id: key.new_user_id(names.user_name())?,
            meta: Meta { created: now, last_modified: now, version: Version(1) },
            attributes: attributes.clone(),
        })
    }

    /// `old` with other attributes, changed now.
    fn next_version(&self, old: &StoredUser, attributes: Attributes) -> Resource {
        let meta = Meta {
            last_modified: self.clock.now(),
            version: old.resource.meta.version.next(),
            ..old.resource.meta.clone()
        };
        Resource { id: old.resource.id.clone(), meta, attributes }
    }

    fn act(&self, call: Call<'_>, operation: Operation) -> Act {
        let now = self.clock.seconds();
        let kept = i64::try_from(self.audit_retention.as_secs()).unwrap_or(i64::MAX);
        Act {
            operation,
            by: call.by.to_owned(),
            request: call.request.to_owned(),
            now,
            log_expires: now.saturating_add(kept),
        }
    }
}

/// The names in the attributes of a user that is to be stored, and its size.
fn checked(attributes: &Attributes) -> Result<Names, Error> {
    let size = serde_json::to_string(attributes.as_object()).map_or(usize::MAX, |document| document.len());
    if size > MAX_DOCUMENT_BYTES {
        return Err(Error::new(
            ErrorKind::PayloadTooLarge,
            format!("The user would take more than {MAX_DOCUMENT_BYTES} bytes; map fewer attributes."),
        ));
    }
    Names::of(attributes)
}

/// 412 unless the client knows the newest version.
fn check(precondition: &Precondition, user: &StoredUser) -> Result<(), Error> {
    match precondition.matches(user.resource.meta.version) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::PreconditionFailed,
            "The user has changed since the version in If-Match; retrieve it and decide again.",
        )),
    }
}

fn user_name_taken() -> Error {
    Error::uniqueness("userName belongs to another user of this tenant; look that user up by a filter and update it.")
}

fn busy() -> Error {
    Error::unavailable("The user is being changed by other requests; send the request again in a moment.")
}
