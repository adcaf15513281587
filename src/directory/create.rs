//! POST.

use scim_core::members::{Member, MemberType};
use scim_core::{Draft, Error, Resource, ResourceId, members};

use super::context::{Call, Directory};
use super::groups::expand::{Expanded, View};
use super::groups::members::changes_of;
use super::groups::shown::{members_bytes, set_members};
use super::lifecycle::conflict::{Attempt, Terms, taken};
use super::lifecycle::identity::Assertion;
use super::lifecycle::post_conflict::Resolution;
use super::limits::MAX_ANSWER_BYTES;
use super::policy::admit::admit_create;
use super::resource::{contended, names_of};
use crate::store::{
    Kind, MemberChange, Names, Operation, Outcome, StoreError, Target, Transition, that_fit,
};
use crate::tenant::ServedType;

/// Where the resource in the answer to a POST comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was created.
    Created,
    /// It is a user who was deleted or about to expire, and who is restored.
    Restored,
    /// It is an imported user, who is now provisioned.
    Adopted,
}

/// The answer to a POST.
#[derive(Debug)]
pub struct Creation {
    /// Where the resource comes from.
    pub origin: Origin,
    /// The resource.
    pub expanded: Expanded,
}

/// A resource to be created.
struct Newcomer {
    resource: Resource,
    names: Names,
    /// Members that are written with the group.
    members: Vec<MemberChange>,
    /// Members that are written before the group, because they do not all fit in one transaction.
    prepared: Vec<MemberChange>,
}

/// Why a resource was not created.
enum Failure {
    /// It was not created.
    Refused(Error),
    /// It is not known whether it was created.
    Unknown(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Unknown(error.into())
    }
}

impl Directory {
    /// Creates a resource, a group with its members. If a user who was deleted, or is suspended
    /// with expiry, is the same person, that user is restored instead: the same person has an equal
    /// externalId, or an equal userName if neither has an externalId. A restored user has the id,
    /// the creation time and the data they had before, overlaid by what the message asserts. A user
    /// whose userName was taken in the meantime comes back without it. If several users had the
    /// externalId, only the one with the same userName is restored, or otherwise its first owner,
    /// if that user was deleted.
    ///
    /// `active` of a user is true unless the message says otherwise.
    ///
    /// # Errors
    /// 409 `uniqueness` if a visible resource has the name; `invalidValue` for a member that does
    /// not exist; 413 for more than 1,000 members; 403 for what the profile does not allow; 503.
    pub async fn create(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        draft: Draft,
        view: View<'_>,
    ) -> Result<Creation, Error> {
        let mut attributes = draft.attributes;
        admit_create(resource_type, &call.tenant.profile, &mut attributes)?;
        resource_type.shape(&mut attributes)?;
        let named = match resource_type.kind {
            Kind::Group => members::take(&mut attributes)?,
            Kind::User | Kind::Other(_) => Vec::new(),
        };
        let names = names_of(resource_type, &attributes)?;
        let post = Assertion { call, resource_type, names: &names, attributes: &attributes };
        if let Some(user) = Box::pin(self.adopt_imported(post)).await? {
            return Ok(Creation { origin: Origin::Adopted, expanded: Expanded::alone(user) });
        }
        let resource =
            self.new_resource(&call.collection(&resource_type.kind), &names, attributes)?;
        let mut terms = Terms::new(call, resource_type);
        let delta = named.into_iter().map(|member| (member.value.clone(), Some(member))).collect();
        let members = changes_of(delta, &resource.id)?;
        let mut members = self.looked_up(call, members, &mut terms.known).await?;
        let prepared = members.split_off(that_fit(&members));
        let newcomer = Newcomer { resource, names, members, prepared };
        self.create_or_undo(&mut terms, newcomer, view).await
    }

    /// Creates a resource. If it is not created, the members that were written before it are
    /// removed.
    async fn create_or_undo(
        &self,
        terms: &mut Terms<'_>,
        mut new: Newcomer,
        view: View<'_>,
    ) -> Result<Creation, Error> {
        let (call, resource_type) = (terms.call, terms.resource_type);
        if !new.prepared.is_empty() {
            self.require_free_name(call, resource_type, &new.names).await?;
        }
        match self.prepare_and_store(terms, &mut new).await {
            Ok(Some(user)) => {
                Ok(Creation { origin: Origin::Restored, expanded: Expanded::alone(user) })
            }
            Ok(None) => {
                let expanded = shown(call, resource_type, new, view);
                Ok(Creation { origin: Origin::Created, expanded })
            }
            Err(Failure::Unknown(error)) => Err(error),
            Err(Failure::Refused(error)) => {
                if !new.prepared.is_empty() {
                    self.undo_preparation(call, &new.resource.id).await;
                }
                Err(error)
            }
        }
    }

    /// Stores a new resource, after the members that do not fit in its transaction. Or returns the
    /// user who is restored instead.
    async fn prepare_and_store(
        &self,
        terms: &mut Terms<'_>,
        new: &mut Newcomer,
    ) -> Result<Option<Resource>, Failure> {
        let (call, resource_type) = (terms.call, terms.resource_type);
        // The group is visible only once all of its members are stored.
        self.prepare(call, &new.resource.id, &new.prepared).await?;
        let collection = call.collection(&resource_type.kind);
        loop {
            terms.next_try()?;
            let Newcomer { resource, names, members, prepared } = new;
            let audit = self.audit(call, Operation::Create).with(terms.detail());
            let to = Target::Live(terms.write(resource, names, None));
            let transition = Transition {
                members,
                prepared,
                ..Transition::new(&collection, None, to, &audit, self.guards(call))
            };
            let Outcome::Refused(refusal) = self.store.commit(transition).await? else {
                return Ok(None);
            };
            let attributes = &resource.attributes;
            let post = Assertion { call, resource_type, names, attributes };
            match Box::pin(self.resolve_conflict(post, &refusal)).await? {
                Resolution::Restored(user) => return Ok(Some(*user)),
                Resolution::OwnerChanged => continue,
                Resolution::OthersOwn => {}
            }
            let Resource { id, attributes, .. } = resource;
            let attempt = Attempt { id, names, members, entering: Some(attributes) };
            self.yield_to(terms, attempt, refusal).await?;
            *members = terms.known.apply(std::mem::take(members));
        }
    }

    /// Checks whether the name of a group is free, before its members are written.
    ///
    /// # Errors
    /// 409 if another group has it.
    async fn require_free_name(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        names: &Names,
    ) -> Result<(), Error> {
        let attribute = resource_type.definition.name_attribute().filter(|name| name.is_unique());
        let (Some(attribute), Some(name)) = (attribute, names.name()) else { return Ok(()) };
        let collection = call.collection(&resource_type.kind);
        let owners = self.store.by_name(&collection, name, self.clock.seconds()).await?;
        if owners.is_some_and(|owners| !owners.is_empty()) {
            return Err(taken(resource_type, &attribute.name));
        }
        Ok(())
    }

    /// Writes members of a group before the group.
    async fn prepare(
        &self,
        call: Call<'_>,
        group: &ResourceId,
        members: &[MemberChange],
    ) -> Result<(), Failure> {
        let collection = call.collection(&Kind::Group);
        let audit = self.audit(call, Operation::Create);
        let (mut rest, mut is_first) = (members, true);
        while let Some((portion, more)) =
            rest.split_at_checked(that_fit(rest)).filter(|(portion, _)| !portion.is_empty())
        {
            let written =
                self.store.prepare_members(&collection, group, portion, is_first, &audit).await;
            match written.inspect_err(|_| call.tenant.set_unfinished(true))? {
                Outcome::Committed => (rest, is_first) = (more, false),
                // All of them existed a moment ago, so one of them is being deleted.
                Outcome::Refused(_) => return Err(Failure::Refused(contended())),
            }
        }
        Ok(())
    }
}

/// What the answer shows of a new resource. The members of a group need not be read.
fn shown(call: Call<'_>, resource_type: &ServedType, new: Newcomer, view: View<'_>) -> Expanded {
    let Newcomer { mut resource, members, prepared, .. } = new;
    if resource_type.kind != Kind::Group
        || !view.projection.shows(&resource_type.definition, members::MEMBERS)
    {
        return Expanded::alone(resource);
    }
    let mut joined: Vec<Member> = members.into_iter().chain(prepared).filter_map(added).collect();
    joined.sort_by(|a, b| a.value.cmp(&b.value));
    let cut = joined.len() > view.members || members_bytes(call, &joined) > MAX_ANSWER_BYTES;
    if !cut {
        set_members(call, &mut resource, &joined);
    }
    Expanded { resource, cut }
}

/// The member that a change adds.
fn added(change: MemberChange) -> Option<Member> {
    match change {
        MemberChange::Add(member) => {
            Some(Member { kind: member.kind.or(Some(MemberType::User)), ..member })
        }
        MemberChange::AddUnknown(member) => Some(Member { kind: None, ..member }),
        MemberChange::Remove(_) => None,
    }
}
