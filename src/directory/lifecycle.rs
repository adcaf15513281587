//! How resources come and, if they are users, come back.

use scim_core::members::{Member, MemberType};
use scim_core::resource::Attributes;
use scim_core::{Draft, Error, Resource, ResourceId, members};
use serde_json::Value;

use super::life::{Event, State, Step};
use super::membership::{self, Known};
use super::{Call, Directory, Shown, TRIES, Wanted, another_owner, busy, checked, policy, refuse, whole};
use crate::store::members::that_fit;
use crate::store::{
    Collection, Holders, Holding, Kind, Move, Names, New, Operation, Refusal, Seen, Stored, Taking, Wrote,
};
use crate::tenant::profile::Deleted;
use crate::tenant::{Type, unanswered};

/// A live user may take the name of a deleted one.
pub(super) fn any_name() -> Taking {
    Taking { name: true, external_id: false }
}

impl Directory {
    /// Creates a resource, a group with its members; or brings a deleted user back if it is the same
    /// person: an equal externalId, or an equal userName where neither has an externalId. Who comes
    /// back has the id, the creation time and the data it had; what the message asserts wins. Whose name
    /// another person took since is without that name, and whose externalId was not its own alone comes back
    /// by it only with its userName, or as the first who had it.
    ///
    /// `active` of a user is true unless the message says otherwise.
    ///
    /// # Errors
    /// 409 `uniqueness` if a visible resource has the name; `invalidValue` for a member that is not
    /// there; 413 for more than 1,000 members; 503.
    pub async fn create(&self, call: Call<'_>, of: &Type, draft: Draft, wanted: Wanted<'_>) -> Result<Shown, Error> {
        let mut attributes = draft.attributes;
        policy::admit_create(of, &call.tenant.profile, &mut attributes)?;
        of.shape(&mut attributes)?;
        let named = match of.kind {
            Kind::Group => members::take(&mut attributes)?,
            _ => Vec::new(),
        };
        let names = checked(of, &attributes)?;
        let at = call.collection(&of.kind);
        if let Some(user) = Box::pin(self.linked(call, of, &names, &attributes)).await? {
            return self.complete(call, of, user, 0, wanted).await;
        }
        let mut resource = self.new_resource(&at, &names, &attributes)?;
        let delta = named.into_iter().map(|member| (member.value.clone(), Some(member))).collect();
        let mut known = Known::default();
        let moves = membership::moves(delta, &resource.id)?;
        let mut moves = self.looked_up(call, moves, &mut known).await?;
        let prepared = moves.split_off(that_fit(&moves));
        if !prepared.is_empty() {
            // These members first: the group is seen when all of them are there.
            self.prepare(call, of, &resource.id, &names, &prepared).await?;
        }
        let mut taking = Taking::default();
        for _ in 0..TRIES {
            let act = self.act(call, Operation::Create);
            let new = New { resource: &resource, names: &names, taking, expires: None };
            match self.store.create(&at, new, &moves, &prepared, &act).await.map_err(unanswered)? {
                Wrote::Stored => {
                    moves.extend(prepared);
                    return self.created(call, of, resource, moves, wanted).await;
                }
                Wrote::Refused(refusal) => {
                    let decided =
                        match Box::pin(self.decide(call, of, &names, &attributes, &mut taking, &refusal)).await {
                            Ok(Some(user)) => return self.complete(call, of, user, 0, wanted).await,
                            Ok(None) if refusal.full => policy::without_seat(&call.tenant.profile, &mut attributes)
                                .map(|()| resource.attributes = attributes.clone()),
                            Ok(None) if refusal.unknown.is_empty() => Ok(()),
                            Ok(None) => self.learn(call, &moves, &mut known, &refusal, false).await,
                            Err(error) => Err(error),
                        };
                    if let Err(error) = decided {
                        if !prepared.is_empty() {
                            self.disband(call, &at, &resource.id, &act).await?;
                        }
                        return Err(error);
                    }
                    moves = known.apply(moves);
                }
            }
        }
        if !prepared.is_empty() {
            self.disband(call, &at, &resource.id, &self.act(call, Operation::Create)).await?;
        }
        Err(busy())
    }

    /// Writes members of a group before the group, if its name is free as it seems.
    async fn prepare(
        &self,
        call: Call<'_>,
        of: &Type,
        group: &ResourceId,
        names: &Names,
        moves: &[Move],
    ) -> Result<(), Error> {
        let at = call.collection(&of.kind);
        if let Some(name) = names.name().filter(|_| of.resource.name_attribute().is_some_and(|name| name.is_unique()))
            && let Some(mut owners) = self.store.by_name(&at, name, self.clock.seconds()).await.map_err(unanswered)?
            && let Some(owner) = owners.pop()
        {
            let held = Holders { name: Some((owner.resource.id, Holding::Live)), external_id: None };
            refuse(of, names, &Refusal { held, ..Refusal::default() })?;
        }
        let act = self.act(call, Operation::Create);
        let mut rest = moves;
        while let Some((portion, more)) =
            rest.split_at_checked(that_fit(rest)).filter(|(portion, _)| !portion.is_empty())
        {
            // They were all there a moment ago: whoever is not is being deleted.
            match self.store.prepare_members(&at, group, portion, &act).await.map_err(unanswered)? {
                Wrote::Stored => rest = more,
                Wrote::Refused(_) => {
                    self.disband(call, &at, group, &act).await?;
                    return Err(busy());
                }
            }
        }
        Ok(())
    }

    async fn created(
        &self,
        call: Call<'_>,
        of: &Type,
        mut resource: Resource,
        moves: Vec<Move>,
        wanted: Wanted<'_>,
    ) -> Result<Shown, Error> {
        if of.kind != Kind::Group || !wanted.projection.shows(&of.resource, members::MEMBERS) {
            return self.complete(call, of, resource, 0, wanted).await;
        }
        let mut joined: Vec<_> = moves
            .into_iter()
            .filter_map(|change| match change {
                Move::Join(member) => Some(Member { kind: member.kind.or(Some(MemberType::User)), ..member }),
                Move::Name(member) => Some(Member { kind: None, ..member }),
                Move::Leave(_) => None,
            })
            .collect();
        joined.sort_by(|a, b| a.value.cmp(&b.value));
        let cut = joined.len() > wanted.members || whole::set_members(call, &mut resource, joined);
        Ok(Shown { resource, cut })
    }

    /// What follows from a refused creation: somebody comes back, or it is tried again under other
    /// terms.
    async fn decide(
        &self,
        call: Call<'_>,
        of: &Type,
        names: &Names,
        attributes: &Attributes,
        taking: &mut Taking,
        refusal: &Refusal,
    ) -> Result<Option<Resource>, Error> {
        let at = call.collection(&of.kind);
        if let Some((owner, Holding::Live)) = &refusal.held.name
            && let Some(user) = Box::pin(self.returned(call, of, owner, names, attributes)).await?
        {
            return Ok(Some(user));
        }
        if refusal.unique.is_some() || matches!(refusal.held.name, Some((_, Holding::Live | Holding::Unmanaged))) {
            refuse(of, names, refusal)?;
        }
        if let Some((_, Holding::Unmanaged)) = &refusal.held.external_id {
            return Err(Error::uniqueness(
                "externalId belongs to a user whom the product had before and who is not provisioned through SCIM.",
            ));
        }
        if call.tenant.profile.create.deleted == Deleted::New {
            another_owner(call, of, taking, refusal)?;
            taking.name |= refusal.held.name.is_some();
            return Ok(None);
        }
        if of.kind == Kind::User
            && let Some(old) = self.leaver(&at, names, &refusal.held).await?
        {
            return Box::pin(self.restore(call, of, &old, attributes)).await;
        }
        another_owner(call, of, taking, refusal)?;
        taking.name |= refusal.held.name.is_some();
        Ok(None)
    }

    /// The deleted user whom a POST of these names brings back: by the externalId, or else by the userName.
    pub(super) async fn leaver(&self, at: &Collection, names: &Names, held: &Holders) -> Result<Option<Stored>, Error> {
        if let Some((owner, holding)) = &held.external_id
            && let Some(user) = self.same_external_id(at, names, owner, *holding == Holding::Deleted).await?
        {
            return Ok(Some(user));
        }
        let Some((owner, Holding::Deleted)) = &held.name else { return Ok(None) };
        let owner = self.deleted(at, owner).await?;
        // A claim that a rename left behind leads to somebody of another name.
        Ok(owner.filter(|owner| self.step_of(owner, names) == Step::Return))
    }

    /// The deleted user whom an externalId brings back: one who also had the userName, or else its first
    /// owner, if that one was deleted.
    async fn same_external_id(
        &self,
        at: &Collection,
        names: &Names,
        first: &ResourceId,
        first_is_deleted: bool,
    ) -> Result<Option<Stored>, Error> {
        let Some(external_id) = names.external_id() else { return Ok(None) };
        let same_name = |user: &Stored| user.names().name() == names.name();
        let first = if first_is_deleted { self.deleted(at, first).await? } else { None };
        let first = first.filter(|first| first.names().external_id() == Some(external_id));
        if first.as_ref().is_some_and(same_name) {
            return Ok(first);
        }
        let now = self.clock.seconds();
        let found = self.store.restorable_by_external_id(at, external_id, now).await.map_err(unanswered)?;
        let named = found.into_iter().filter(same_name).max_by_key(|user| user.resource.meta.last_modified);
        Ok(named.or(first))
    }

    /// The user with this id, if it was deleted and can be brought back.
    pub(super) async fn deleted(&self, at: &Collection, id: &ResourceId) -> Result<Option<Stored>, Error> {
        let now = self.clock.seconds();
        let user = self.store.resource(at, id, now).await.map_err(unanswered)?;
        Ok(user.filter(|user| State::of(Some(user.standing()), false, now).step(Event::Restore) == Step::Restore))
    }

    /// What a POST of these names does to the owner of the userName.
    fn step_of(&self, owner: &Stored, names: &Names) -> Step {
        let event = if owner.names().is_same_person(names) { Event::Post } else { Event::Namesake };
        State::of(Some(owner.standing()), false, self.clock.seconds()).step(event)
    }

    /// Brings `old` back with `asserted` laid over its attributes; `None` if its row changed. Groups
    /// that it is still in, because a deletion was interrupted, it leaves first.
    async fn restore(
        &self,
        call: Call<'_>,
        of: &Type,
        old: &Stored,
        asserted: &Attributes,
    ) -> Result<Option<Resource>, Error> {
        let at = call.collection(&of.kind);
        let act = self.act(call, Operation::Restore);
        self.leave_all(call, &at, &old.resource.id, &act).await?;
        let mut attributes = old.resource.attributes.clone();
        attributes.overlay(asserted.clone());
        of.shape(&mut attributes)?;
        let names = checked(of, &attributes)?;
        let mut resource = self.next_version(old, attributes);
        let mut taking = any_name();
        for _ in 0..3 {
            let new = New { resource: &resource, names: &names, taking, expires: None };
            match self.store.restore(&at, old, new, &act).await.map_err(unanswered)? {
                Wrote::Stored => return Ok(Some(resource)),
                Wrote::Refused(refusal) => {
                    refuse(of, &names, &refusal)?;
                    another_owner(call, of, &mut taking, &refusal)?;
                    if refusal.full {
                        policy::without_seat(&call.tenant.profile, &mut resource.attributes)?;
                    } else if refusal.held.external_id.is_none() {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(None)
    }

    /// The user whose clock a POST stops: suspended with expiry, and the same person.
    async fn returned(
        &self,
        call: Call<'_>,
        of: &Type,
        owner: &ResourceId,
        names: &Names,
        asserted: &Attributes,
    ) -> Result<Option<Resource>, Error> {
        if of.kind != Kind::User || !call.tenant.is_expiring() {
            return Ok(None);
        }
        let at = call.collection(&of.kind);
        for _ in 0..TRIES {
            let old = self.store.resource(&at, owner, self.clock.seconds()).await.map_err(unanswered)?;
            let Some(old) = old.filter(|old| self.step_of(old, names) == Step::Return) else { return Ok(None) };
            let mut attributes = old.resource.attributes.clone();
            attributes.overlay(asserted.clone());
            of.shape(&mut attributes)?;
            let (names, act) = (checked(of, &attributes)?, self.act(call, Operation::Restore));
            let resource = self.next_version(&old, attributes);
            let expires = self.visible_until(call, of, &old, &resource.attributes);
            let new = New { resource: &resource, names: &names, taking: any_name(), expires };
            match self.store.update(&at, &old, new, &[], Seen::Row, &act).await.map_err(unanswered)? {
                Wrote::Stored => return Ok(Some(resource)),
                Wrote::Refused(refusal) => {
                    refuse(of, &names, &refusal)?;
                    if refusal.full {
                        return Err(policy::no_seat());
                    }
                }
            }
        }
        Err(busy())
    }

    /// Brings a deleted user back for the operator, under another name if one is given.
    ///
    /// # Errors
    /// 404 if there is no such deleted user; 409 if its name belongs to somebody else now; 403 without a seat.
    pub async fn bring_back(
        &self,
        call: Call<'_>,
        of: &Type,
        id: &ResourceId,
        user_name: Option<&str>,
    ) -> Result<Resource, Error> {
        let at = call.collection(&of.kind);
        for _ in 0..TRIES {
            let Some(old) = self.deleted(&at, id).await? else {
                return Err(Error::not_found("There is no deleted user with this id who can come back."));
            };
            let mut asserted = Attributes::default();
            asserted.set("active", Value::Bool(true));
            if let Some(name) = user_name {
                asserted.set("userName", Value::String(name.to_owned()));
            }
            if let Some(user) = self.restore(call, of, &old, &asserted).await? {
                return Ok(user);
            }
        }
        Err(busy())
    }
}
