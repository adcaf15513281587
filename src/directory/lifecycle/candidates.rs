//! The stored users who may be the same person as a new user, by the names that they share.
//!
//! A POST and an import both use this: a POST adopts the imported user who matches, and an import
//! leaves out the records of users that the tenant already has.

use scim_core::ResourceId;

use crate::store::{Collection, MatchBy, Names, Store, StoreError, Stored};
use crate::tenant::Profile;
use crate::tenant::profile::{Existing, LinkOn};

/// What two users share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The id that the product gives the user.
    Id,
    /// `userName`.
    UserName,
    /// `userName`, of a user that has another externalId.
    UserNameOfAnother,
    /// `externalId`.
    ExternalId,
    /// An e-mail address that the product has verified.
    VerifiedEmail,
}

impl Key {
    /// The wording for an operator.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::UserName => "userName",
            Self::UserNameOfAnother => "userName, but another externalId",
            Self::ExternalId => "externalId",
            Self::VerifiedEmail => "verified e-mail",
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A new user of the product, before it is stored.
#[derive(Debug, Clone, Copy)]
pub struct NewUser<'a> {
    /// Its names.
    pub names: &'a Names,
    /// The id that the product gives the user, if it gives one.
    pub id: Option<&'a ResourceId>,
}

/// The stored users who may be the same person as a new user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidates {
    /// The tenant has no such user.
    None,
    /// An imported user who is not provisioned yet has the same userName.
    Imported(ResourceId),
    /// Such a user has the same externalId or e-mail address, but another userName.
    ImportedNamesake(ResourceId),
    /// A visible user shares this key.
    Provisioned(Key, ResourceId),
    /// Several visible users share keys; these are two of them.
    TwoProvisioned([(Key, ResourceId); 2]),
    /// A deleted user who can be restored has one of the names.
    Deleted(ResourceId),
    /// The id belongs to another user.
    IdTaken,
    /// A group names the id, so a user with this id would be a member that no one has added.
    IdInGroup,
}

/// The keys by which a POST adopts an imported user, the best first.
pub fn link_keys(profile: &Profile) -> &[LinkOn] {
    match profile.create.existing {
        Existing::Link => &profile.create.link_on,
        Existing::Conflict => &[],
    }
}

/// The imported users whom a POST with these names may adopt, found by the first key that finds
/// one.
pub(super) async fn adoptable(
    store: &Store,
    profile: &Profile,
    collection: &Collection,
    names: &Names,
) -> Result<Vec<Stored>, StoreError> {
    let keys: Vec<MatchBy> = link_keys(profile).iter().map(match_by).collect();
    store.unmanaged(collection, names, &keys).await
}

/// The attribute by which a POST with `names` adopts the imported user with the names `known`.
pub(super) fn matched_on(profile: &Profile, known: &Names, names: &Names) -> &'static str {
    let matches = |key: &&LinkOn| match key {
        LinkOn::ExternalId => known.shares_external_id(names),
        LinkOn::UserName => known.name().is_some() && known.name() == names.name(),
        LinkOn::Email => true,
    };
    match link_keys(profile).iter().find(matches) {
        Some(LinkOn::ExternalId) => "externalId",
        Some(LinkOn::UserName) => "userName",
        Some(LinkOn::Email) | None => "email",
    }
}

/// The users of a tenant, in any state, who may be the same person as a new user of the product.
/// Makes about five calls.
///
/// # Errors
/// If the table does not respond.
pub async fn candidates(
    store: &Store,
    users: &Collection,
    user: NewUser<'_>,
    now: i64,
) -> Result<Candidates, StoreError> {
    if let Some(imported) = imported(store, users, user.names).await? {
        return Ok(imported);
    }
    let owner = match user.id {
        Some(id) => store.resource(users, id, now).await?,
        None => None,
    };
    let visible = owner.as_ref().filter(|owner| owner.is_visible(now));
    match provisioned(store, users, user.names, visible, now).await?.as_slice() {
        [] => {}
        [(key, id)] => return Ok(Candidates::Provisioned(*key, id.clone())),
        [one, other, ..] => return Ok(Candidates::TwoProvisioned([one.clone(), other.clone()])),
    }
    if let Some(deleted) = store.restorable(users, user.names, now).await? {
        return Ok(Candidates::Deleted(deleted));
    }
    match user.id {
        Some(_) if owner.is_some() => Ok(Candidates::IdTaken),
        Some(id) if is_named_by_a_group(store, users, id).await? => Ok(Candidates::IdInGroup),
        Some(_) | None => Ok(Candidates::None),
    }
}

/// The imported user who has one of the names and is not provisioned yet.
async fn imported(
    store: &Store,
    users: &Collection,
    names: &Names,
) -> Result<Option<Candidates>, StoreError> {
    let id = |found: Vec<Stored>| found.into_iter().next().map(|user| user.resource.id);
    if let Some(own) = id(store.unmanaged(users, names, &[MatchBy::Name]).await?) {
        return Ok(Some(Candidates::Imported(own)));
    }
    let others = [MatchBy::ExternalId, MatchBy::Email];
    Ok(id(store.unmanaged(users, names, &others).await?).map(Candidates::ImportedNamesake))
}

/// The visible users with this id (`owner`), userName or externalId. Users with a verified address
/// count only if there are no such users, because an identity provider may give one user's address
/// to another.
async fn provisioned(
    store: &Store,
    users: &Collection,
    names: &Names,
    owner: Option<&Stored>,
    now: i64,
) -> Result<Vec<(Key, ResourceId)>, StoreError> {
    let mut matches = Vec::new();
    add(&mut matches, Key::Id, owner.map(std::slice::from_ref).unwrap_or_default());
    if let Some(name) = names.name() {
        for user in store.by_name(users, name, now).await?.unwrap_or_default() {
            add(&mut matches, name_key(names, user.names()), &[user]);
        }
    }
    if let Some(external_id) = names.external_id() {
        let found = store.by_external_id(users, external_id, now).await?.unwrap_or_default();
        // Several users may share the externalId.
        if !found.iter().any(|user| holds(&matches, user)) {
            add(&mut matches, Key::ExternalId, &found);
        }
    }
    if matches.is_empty() {
        for email in names.emails() {
            // A user that was adopted by the address may have it as userName now.
            let found = store.by_email(users, email, Some(email), now).await?;
            add(&mut matches, Key::VerifiedEmail, &found.unwrap_or_default());
        }
    }
    Ok(matches)
}

fn add(matches: &mut Vec<(Key, ResourceId)>, key: Key, users: &[Stored]) {
    for user in users {
        if !holds(matches, user) {
            matches.push((key, user.resource.id.clone()));
        }
    }
}

fn holds(matches: &[(Key, ResourceId)], user: &Stored) -> bool {
    matches.iter().any(|(_, id)| *id == user.resource.id)
}

/// Whether a group already names an id.
async fn is_named_by_a_group(
    store: &Store,
    users: &Collection,
    id: &ResourceId,
) -> Result<bool, StoreError> {
    let (groups, unfinished) = tokio::try_join!(
        store.memberships(&users.tenant, id, 1),
        store.unfinished_of(&users.tenant, &users.kind, id)
    )?;
    Ok(!groups.is_empty() || unfinished.is_some())
}

/// The key by which a new user matches the user with its userName.
fn name_key(new: &Names, user: &Names) -> Key {
    match (new.external_id(), user.external_id()) {
        (Some(own), Some(other)) if own != other => Key::UserNameOfAnother,
        _ => Key::UserName,
    }
}

fn match_by(link: &LinkOn) -> MatchBy {
    match link {
        LinkOn::ExternalId => MatchBy::ExternalId,
        LinkOn::UserName => MatchBy::Name,
        LinkOn::Email => MatchBy::Email,
    }
}
