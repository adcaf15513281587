//! The service provider: what create, retrieve, query, replace, patch and delete mean for a tenant.

mod context;
mod deletion;
pub mod life;
mod lifecycle;
pub mod limits;
mod linking;
mod membership;
mod policy;
mod precondition;
mod query;
mod returning;
mod size;
mod stint;
mod whole;

use std::time::Duration;

use scim_core::resource::{Attributes, Update};
use scim_core::{
    Draft, Error, ErrorKind, MembersPatch, Meta, PatchRequest, Resource, ResourceId, Version,
    members,
};

use crate::clock::Clock;
use crate::store::members::that_fit;
use crate::store::resources::MAX_DOCUMENT_BYTES;
use crate::store::{
    Act, Collection, Expect, Kind, Names, Operation, Outcome, OwnerState, Refusal, ResourceWrite,
    Store, Stored, Takeover,
};
use crate::tenant::profile::PutMembers;
use crate::tenant::{ServedType, unanswered};
pub use context::{Call, RequestReads};
use life::{Event, State, Step};
use membership::{MembersAfter, Resolved};
pub use precondition::Precondition;
pub use query::facts::judging;
pub use query::plan::Plan;
pub use query::{Found, Scope};
pub use whole::{Expanded, View};

/// How often a change is decided anew because the resource changed meanwhile.
const TRIES: usize = 20;

/// The resources of all tenants.
#[derive(Debug)]
pub struct Directory {
    store: Store,
    clock: Clock,
    retention: Duration,
    audit_retention: Duration,
}

impl Directory {
    /// A directory in `store`; deleted users are kept for `retention`, the log for
    /// `audit_retention`.
    pub fn new(store: Store, clock: Clock, retention: Duration, audit_retention: Duration) -> Self {
        Self { store, clock, retention, audit_retention }
    }

    /// Replaces what the client asserted of a resource. An absent `active` stays as it is: a
    /// message that does not speak of it must let nobody in. A group without members in the message
    /// is left by all of them, unless the profile keeps those that it does not speak of.
    ///
    /// # Errors
    /// 404; 409 `uniqueness` if a name belongs to another resource; 412 if the precondition does
    /// not hold; `mutability`; 413 for more than 1,000 changes of members; 503.
    pub async fn replace(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        mut draft: Draft,
        precondition: &Precondition,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let keeps = call.tenant.profile.dialect.put_members == PutMembers::Keep
            && !draft.mentions(members::MEMBERS);
        let named;
        let membership = match resource_type.kind == Kind::Group && !keeps {
            true => {
                named = members::take(&mut draft.attributes)?;
                MembersAfter::Exactly(&named)
            }
            false => MembersAfter::Unchanged,
        };
        let rule = |old: &Attributes| {
            let mut attributes = draft.attributes.clone();
            if let (Kind::User, None, Some(active)) =
                (&resource_type.kind, attributes.get("active"), old.get("active"))
            {
                attributes.set("active", active.clone());
            }
            resource_type.definition.check_immutable(old, &mut attributes, Update::Replace)?;
            resource_type.definition.check_replacement(&attributes)?;
            Ok(attributes)
        };
        self.change(
            call,
            resource_type,
            Operation::Replace,
            id,
            precondition,
            rule,
            membership,
            view,
        )
        .await
    }

    /// Applies a PATCH request to a resource: all of it or nothing, but for changes of more members
    /// than fit one transaction; those are checked as a whole first, and the same request completes
    /// what a failure of the platform left undone.
    ///
    /// # Errors
    /// As [`Directory::replace`], and what [`PatchRequest::apply`] says.
    pub async fn patch(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        mut patch: PatchRequest<'_>,
        precondition: &Precondition,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        patch.check_id(id)?;
        let members = if resource_type.kind == Kind::Group {
            patch.take_members()?
        } else {
            MembersPatch::default()
        };
        if patch.is_empty()
            && precondition.seen() == Expect::Row
            && let Some(delta) = members.delta().filter(|delta| !delta.is_empty())
        {
            let group = id.parse().map_err(|()| not_found(resource_type))?;
            let moves = membership::moves(delta, &group)?;
            self.move_members(
                call,
                resource_type,
                Operation::Patch,
                &group,
                moves,
                &mut Resolved::default(),
                false,
            )
            .await?;
            return self.retrieve_written(call, resource_type, id, view).await;
        }
        let rule = |old: &Attributes| {
            let mut attributes = patch.apply(&resource_type.definition, old)?;
            resource_type.definition.check_immutable(old, &mut attributes, Update::Patch)?;
            Ok(attributes)
        };
        let membership = if members.is_empty() {
            MembersAfter::Unchanged
        } else {
            MembersAfter::Patched(&members)
        };
        self.change(call, resource_type, Operation::Patch, id, precondition, rule, membership, view)
            .await
    }

    /// Changes a resource by a rule that is applied to the newest version until it is stored. A
    /// change that changes nothing is not written, and the version stays.
    #[expect(clippy::too_many_arguments, reason = "replace and patch name them")]
    async fn change(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        operation: Operation,
        id: &str,
        precondition: &Precondition,
        rule: impl Fn(&Attributes) -> Result<Attributes, Error>,
        membership: MembersAfter<'_>,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let collection = call.collection(&resource_type.kind);
        let mut takeover = lifecycle::any_name();
        let mut known = Resolved::default();
        for _ in 0..TRIES {
            let old = self.visible(call, resource_type, id, Event::Change).await?;
            // The write carries the version that was judged here.
            require_match(precondition, &old)?;
            let mut attributes = rule(&old.resource.attributes)?;
            resource_type.shape(&mut attributes)?;
            policy::admit_change(
                resource_type,
                &call.tenant.profile,
                &old.resource.attributes,
                &attributes,
            )?;
            let mut moves = self.moves(call, &old, &membership, &mut known).await?;
            let same = attributes == old.resource.attributes;
            if same && moves.is_empty() {
                return self.complete(call, resource_type, old.resource, old.members, view).await;
            }
            let seen = precondition.seen();
            if same && seen == Expect::Row {
                self.move_members(
                    call,
                    resource_type,
                    operation,
                    &old.resource.id,
                    moves,
                    &mut known,
                    false,
                )
                .await?;
                return self.retrieve_written(call, resource_type, id, view).await;
            }
            let names = names_of(resource_type, &attributes)?;
            let resource = self.next_version(&old, attributes);
            let expires = self.visible_until(call, resource_type, &old, &resource.attributes);
            let new = ResourceWrite { resource: &resource, names: &names, takeover, expires };
            moves = self.looked_up(call, moves, &mut known).await?;
            let later = moves.split_off(that_fit(&moves));
            let act = self.act(call, operation);
            match self
                .store
                .update(&collection, &old, new, &moves, seen, &act)
                .await
                .map_err(unanswered)?
            {
                Outcome::Committed if resource_type.kind == Kind::Group => {
                    self.move_members(
                        call,
                        resource_type,
                        operation,
                        &old.resource.id,
                        later,
                        &mut known,
                        true,
                    )
                    .await?;
                    return self.retrieve_written(call, resource_type, id, view).await;
                }
                Outcome::Committed => {
                    return self.complete_written(call, resource_type, resource, 0, view).await;
                }
                Outcome::Refused(refusal) => {
                    uniqueness_error(resource_type, &names, &refusal)?;
                    another_owner(call, resource_type, &mut takeover, &refusal)?;
                    if refusal.no_seat {
                        return Err(policy::no_seat());
                    }
                    if refusal.brake_on {
                        Box::pin(self.brake(call, &collection, &old.resource.id)).await?;
                    }
                    if !(refusal.already_applied.is_empty() && refusal.missing_members.is_empty()) {
                        self.learn(call, &moves, &mut known, &refusal, false).await?;
                    }
                }
            }
        }
        Err(contended())
    }

    /// The resource to which an event happens, if it is there for the client.
    async fn visible(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        event: Event,
    ) -> Result<Stored, Error> {
        let now = self.clock.seconds();
        let id: ResourceId = id.parse().map_err(|()| not_found(resource_type))?;
        let stored = self
            .store
            .resource(&call.collection(&resource_type.kind), &id, now)
            .await
            .map_err(unanswered)?;
        let there =
            |stored: &Stored| State::of(Some(stored.standing()), now).step(event) != Step::NotFound;
        stored.filter(there).ok_or_else(|| not_found(resource_type))
    }

    fn new_resource(
        &self,
        collection: &Collection,
        names: &Names,
        attributes: &Attributes,
    ) -> Result<Resource, Error> {
        let now = self.clock.now();
        Ok(Resource {
            id: collection.new_id(names.name())?,
            meta: Meta { created: now, last_modified: now, version: Version(1) },
            attributes: attributes.clone(),
        })
    }

    /// `old` with other attributes, changed now.
    fn next_version(&self, old: &Stored, attributes: Attributes) -> Resource {
        let meta = Meta {
            last_modified: self.clock.now(),
            version: old.resource.meta.version.next(),
            ..old.resource.meta.clone()
        };
        Resource { id: old.resource.id.clone(), meta, attributes }
    }

    fn act(&self, call: Call<'_>, operation: Operation) -> Act {
        let profile = &call.tenant.profile;
        let days = profile.audit.retention_days;
        let kept =
            days.map_or(self.audit_retention, |days| Duration::from_secs(u64::from(days) * 86_400));
        let kept = i64::try_from(kept.as_secs()).unwrap_or(i64::MAX);
        Act {
            seats: profile.seats.limit.is_some(),
            unique_external_id: profile.attributes.unique_external_id,
            brake: profile.brake.is_set().then(|| i64::from(profile.brake.window_minutes) * 60),
            ..Act::new(operation, call.by, call.request, self.clock.milliseconds(), kept)
        }
    }
}

/// The names in the attributes of a resource that is to be stored, and its size.
fn names_of(resource_type: &ServedType, attributes: &Attributes) -> Result<Names, Error> {
    let size =
        serde_json::to_string(attributes.as_object()).map_or(usize::MAX, |document| document.len());
    if size > MAX_DOCUMENT_BYTES {
        return Err(Error::new(
            ErrorKind::PayloadTooLarge,
            format!(
                "The {} would take more than {MAX_DOCUMENT_BYTES} bytes; map fewer attributes.",
                resource_type.definition.name
            ),
        ));
    }
    Names::of(&resource_type.definition, attributes)
}

/// 412 unless the client knows the newest version.
fn require_match(precondition: &Precondition, stored: &Stored) -> Result<(), Error> {
    match precondition.matches(stored.resource.meta.version) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::PreconditionFailed,
            "The resource has changed since the version in If-Match; retrieve it and decide again.",
        )),
    }
}

/// Takes an externalId beside its first owner, or in place of one who was deleted where it is
/// unique.
///
/// # Errors
/// 409 where the profile wants it unique.
fn another_owner(
    call: Call<'_>,
    resource_type: &ServedType,
    takeover: &mut Takeover,
    refusal: &Refusal,
) -> Result<(), Error> {
    let unique =
        resource_type.kind == Kind::User && call.tenant.profile.attributes.unique_external_id;
    match &refusal.owners.external_id {
        Some((_, OwnerState::Live | OwnerState::Unmanaged)) if unique => Err(Error::uniqueness(
            "externalId belongs to another User of this tenant; look that one up and update it.",
        )),
        other => {
            takeover.external_id |= other.is_some();
            Ok(())
        }
    }
}

/// 409 if a name belongs to another resource that is not deleted.
fn uniqueness_error(
    resource_type: &ServedType,
    names: &Names,
    refusal: &Refusal,
) -> Result<(), Error> {
    let taken = match (&refusal.owners.name, refusal.unique) {
        (Some((_, OwnerState::Live | OwnerState::Unmanaged)), _) => {
            resource_type.definition.name_attribute().map(|attribute| attribute.name.as_str())
        }
        (_, Some(index)) => Some(names.unique_attribute(index).unwrap_or("A value")),
        (_, None) => None,
    };
    let unseen = matches!(refusal.owners.name, Some((_, OwnerState::Unmanaged)));
    taken.map_or(Ok(()), |taken| {
        Err(Error::uniqueness(match unseen {
            false => format!(
                "{taken} belongs to another {} of this tenant; look that one up by a filter and \
                update it.",
                resource_type.definition.name
            ),
            true => format!(
                "{taken} belongs to a user whom the product had before and who is not provisioned \
                through SCIM."
            ),
        }))
    })
}

fn not_found(resource_type: &ServedType) -> Error {
    Error::not_found(format!(
        "There is no {} with this id in this tenant.",
        resource_type.definition.name
    ))
}

fn contended() -> Error {
    Error::unavailable(
        "The resource is being changed by other requests; send the request again in a moment.",
    )
}
