//! The groups of a tenant, as an operator looks at them.

use scim_core::members::MemberType;
use scim_core::resource::Attributes;
use scim_core::{Member, ResourceId};
use time::OffsetDateTime;

use super::deployment::Operator;
use super::error::OperatorError;
use super::session::{Session, group_type};
use super::who::only;
use crate::store::{Collection, Kind, Names, Stored, TenantRow};

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    /// Its id.
    pub id: ResourceId,
    /// Its displayName.
    pub display_name: String,
    /// Its externalId, if it has one.
    pub external_id: Option<String>,
    /// How many members it has.
    pub members: usize,
    /// When it or its members last changed.
    pub modified: OffsetDateTime,
}

/// Groups in the order of their keys.
#[derive(Debug)]
pub struct GroupList {
    /// The groups.
    pub groups: Vec<ListedGroup>,
    /// Whether these are all that there are.
    pub is_complete: bool,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownMember {
    /// Its id.
    pub id: ResourceId,
    /// What it is; `None` if it does not name a resource, which the strict profile allows.
    pub kind: Option<MemberType>,
    /// The userName of a user, or the displayName of a group.
    pub name: Option<String>,
}

/// A group with members.
#[derive(Debug)]
pub struct ShownGroup {
    /// The group.
    pub group: ListedGroup,
    /// When it was created.
    pub created: OffsetDateTime,
    /// The first of its members, in the order of their keys.
    pub members: Vec<ShownMember>,
}

impl Operator {
    /// The groups of a tenant, at most `max`. One call for about a hundred.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn groups(&self, tenant: &TenantRow, max: usize) -> Result<GroupList, OperatorError> {
        let collection = Collection { tenant: tenant.key(), kind: Kind::Group };
        let mut walk = self.store.everyone(&collection, self.clock.seconds());
        let mut groups = Vec::new();
        while groups.len() <= max {
            let Some(batch) = walk.next_batch().await? else {
                return Ok(GroupList { groups, is_complete: true });
            };
            for listed in batch {
                let (members, meta) = (listed.members, listed.meta.clone());
                let resource = listed.into_resource()?;
                groups.push(of(resource.id, &resource.attributes, members, meta.last_modified));
            }
        }
        groups.truncate(max);
        Ok(GroupList { groups, is_complete: false })
    }

    /// The group that a text names by the id, the displayName or the externalId, with at most `max`
    /// members; `None` if there is no such group. A few calls.
    ///
    /// # Errors
    /// [`OperatorError::Ambiguous`] if the text names several, or if the table does not
    /// respond.
    pub async fn group(
        &self,
        tenant: &TenantRow,
        who: &str,
        max: usize,
    ) -> Result<Option<ShownGroup>, OperatorError> {
        let Some(found) = self.find_group(tenant, who).await? else { return Ok(None) };
        let members = self.store.some_members(&tenant.key(), &found.resource.id, max).await?;
        let ids = |wanted: MemberType| {
            let of_kind = members.iter().filter(move |member| member.kind == Some(wanted));
            of_kind.map(|member| member.value.clone()).collect()
        };
        let (users, groups) = (ids(MemberType::User), ids(MemberType::Group));
        let names = self.names(&tenant.key(), users, groups).await?;
        let members = members.into_iter().map(|Member { value: id, kind, .. }| {
            let name = names.get(&id).cloned();
            ShownMember { id, kind, name }
        });
        let (id, meta) = (found.resource.id, found.resource.meta);
        let group = of(id, &found.resource.attributes, found.members, meta.last_modified);
        Ok(Some(ShownGroup { group, created: meta.created, members: members.collect() }))
    }

    async fn find_group(
        &self,
        tenant: &TenantRow,
        who: &str,
    ) -> Result<Option<Stored>, OperatorError> {
        let found = self.groups_named(tenant, who).await?;
        only("groups", who, found, |group| format!("{} members", group.members))
    }

    /// The groups that a text names by the id, or else by the displayName or the externalId.
    ///
    /// # Errors
    /// If the table does not respond.
    pub(super) async fn groups_named(
        &self,
        tenant: &TenantRow,
        who: &str,
    ) -> Result<Vec<Stored>, OperatorError> {
        let groups = Collection { tenant: tenant.key(), kind: Kind::Group };
        let now = self.clock.seconds();
        if let Some(group) = self.with_id(&groups, who).await? {
            return Ok(vec![group]);
        }
        let session = Session::open(self, tenant).await?;
        let Some(definition) = group_type(&session.tenant.types) else { return Ok(Vec::new()) };
        let mut attributes = Attributes::default();
        attributes.set("displayName", who.into());
        let names = Names::of(&definition.definition, &attributes)?;
        let named = match names.name() {
            Some(name) => self.store.by_name(&groups, name, now).await?.unwrap_or_default(),
            None => Vec::new(),
        };
        if !named.is_empty() {
            return Ok(named);
        }
        Ok(self.store.by_external_id(&groups, who, now).await?.unwrap_or_default())
    }
}

fn of(
    id: ResourceId,
    attributes: &Attributes,
    members: usize,
    modified: OffsetDateTime,
) -> ListedGroup {
    let text = |name: &str| attributes.text(name).map(str::to_owned);
    let display_name = text("displayName").unwrap_or_default();
    ListedGroup { id, display_name, external_id: text("externalId"), members, modified }
}
