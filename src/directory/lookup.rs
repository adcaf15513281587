//! The indexes: which resources fulfil an equality, without a look at the others.

use std::collections::BTreeMap;

use scim_core::filter_plan::Equality;
use scim_core::{Error, ResourceId};

use super::{Call, Directory};
use crate::store::Listed;
use crate::tenant::{Type, unanswered};

/// Most members of a group that `groups.value eq` reads.
const MOST_OWNERS: usize = 1_000;

impl Directory {
    /// The resources that fulfil one of the equalities, in the order of lists; `None` if one of them
    /// stands for too many.
    pub(super) async fn look_up(
        &self,
        call: Call<'_>,
        of: &Type,
        equalities: Vec<Equality>,
    ) -> Result<Option<Vec<Listed>>, Error> {
        let at = call.collection(&of.kind);
        let now = self.clock.seconds();
        let mut found = BTreeMap::new();
        for Equality { attribute, value } in equalities {
            let id = || value.to_lowercase().parse::<ResourceId>();
            let form = || of.resource.name_form(&value);
            let some = match attribute.as_str() {
                "id" => match value.parse() {
                    Ok(id) => self.store.resource(&at, &id, now).await.map(|one| Some(Vec::from_iter(one))),
                    Err(()) => Ok(Some(Vec::new())),
                },
                "externalId" => self.store.by_external_id(&at, &value, now).await,
                "emails.value" => self.store.by_email(&at, &value, form().ok().as_deref(), now).await,
                "members.value" => match id() {
                    Ok(id) => Ok(self.groups_of(call, &id).await?),
                    Err(()) => Ok(Some(Vec::new())),
                },
                "groups.value" => match id() {
                    Ok(id) => {
                        let key = call.tenant.key();
                        let members = self.store.some_members(&key, &id, MOST_OWNERS + 1).await.map_err(unanswered)?;
                        if members.len() > MOST_OWNERS {
                            return Ok(None);
                        }
                        let ids = members.into_iter().map(|member| member.value).collect();
                        self.store.resources(&at, ids, now).await.map(Some)
                    }
                    Err(()) => Ok(Some(Vec::new())),
                },
                // A name that cannot be stored has no owner.
                _ => match form() {
                    Ok(form) => self.store.by_name(&at, &form, now).await,
                    Err(_) => Ok(Some(Vec::new())),
                },
            };
            let Some(some) = some.map_err(unanswered)? else { return Ok(None) };
            let visible = some.into_iter().filter(|resource| resource.is_visible(now));
            let listed = visible.map(|resource| Listed::of(&at, resource));
            found.extend(listed.map(|resource| (resource.key.clone(), resource)));
        }
        Ok(Some(found.into_values().collect()))
    }
}
