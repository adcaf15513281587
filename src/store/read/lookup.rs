//! Visible resources by their names.

use std::collections::BTreeSet;

use scim_core::ResourceId;

use super::owners::{MAX_OWNERS, OwnerFilter, leads_to_visible};
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::collection::Collection;
use crate::store::model::names::email_form;
use crate::store::model::stored::Stored;
use crate::store::rows::identity::ID;
use crate::store::rows::resource;

/// Maximum number of rows that are searched for a name: those of its present and former owners.
const MAX_ROWS: usize = 500;

impl Store {
    /// The visible resources of this name, in the form in which names are compared: one, or several
    /// where names are not unique; `None` if there are over 50. One call, and one more for each
    /// resource that was renamed since it was created.
    pub async fn by_name(
        &self,
        collection: &Collection,
        form: &str,
        now: i64,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let claim = collection.claim(form, None);
        // Claims come first. An owner that is not among the first rows is read by its id.
        let (partition, prefix) = (collection.partition(), collection.name_prefix(form));
        let keys = KeyCondition::BeginsWith(&partition, &prefix);
        let page = self.query(RowQuery { limit: Some(MAX_ROWS), ..RowQuery::new(keys) }).await?;
        let claims = page
            .rows
            .iter()
            .filter(|row| row.s().starts_with(&claim) && leads_to_visible(row, now));
        let owners: BTreeSet<ResourceId> =
            claims.filter_map(|claim| claim.text(ID)?.parse().ok()).collect();
        if owners.len() > MAX_OWNERS {
            return Ok(None);
        }
        let mut found = resource::read_all(&page.rows)?;
        if page.next.is_some() {
            // The last group may lack some of its heads.
            found.pop();
        }
        found.retain(|resource| owners.contains(&resource.resource.id));
        let is_found = |id: &ResourceId| found.iter().any(|resource| resource.resource.id == *id);
        let others: Vec<ResourceId> = owners.into_iter().filter(|id| !is_found(id)).collect();
        found.extend(self.resources(collection, others, now).await?);
        found.retain(|resource| {
            resource.is_visible(now) && resource.names.name.as_deref() == Some(form)
        });
        Ok(Some(found))
    }

    /// The visible resources with this externalId: usually one, since the RFC does not require that
    /// it is unique; `None` if it has over 50, or has had over 200. Two calls for one resource.
    pub async fn by_external_id(
        &self,
        collection: &Collection,
        external_id: &str,
        now: i64,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let (p, s) = (collection.tenant.external_ids(), collection.external_id(external_id));
        let Some(mut found) = self.by_pointer(collection, (&p, &s), now).await? else {
            return Ok(None);
        };
        found.retain(|found| found.names.external_id.as_deref() == Some(external_id));
        Ok(Some(found))
    }

    /// The visible users with this e-mail address in any spelling: as their userName, whose form is
    /// `name`, or as one of `emails`; `None` if there are over 50. Three calls for one user, two of
    /// them in parallel.
    pub async fn by_email(
        &self,
        collection: &Collection,
        email: &str,
        name: Option<&str>,
        now: i64,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let named = async {
            match name {
                Some(name) => self.by_name(collection, name, now).await,
                None => Ok(Some(Vec::new())),
            }
        };
        let form = email_form(email);
        let (p, s) = (collection.tenant.emails(), collection.email_prefix(&form));
        let pointed = self.by_pointer(collection, (&p, &s), now);
        let (pointed, named) = tokio::try_join!(pointed, named)?;
        let (Some(mut users), Some(named)) = (pointed, named) else { return Ok(None) };
        users.retain(|user| user.names.emails.contains(&form));
        for user in named {
            if users.iter().all(|other| other.resource.id != user.resource.id) {
                users.push(user);
            }
        }
        Ok(Some(users))
    }

    /// The visible resources that pointers under this key lead to; `None` if there are over 50, or
    /// have been over 200. The caller must compare their values.
    async fn by_pointer(
        &self,
        collection: &Collection,
        (p, prefix): (&str, &str),
        now: i64,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let owners = self.owners(p, prefix, OwnerFilter::Visible(now)).await?;
        if !owners.complete || owners.ids.len() > MAX_OWNERS {
            return Ok(None);
        }
        let mut found = self.resources(collection, owners.ids, now).await?;
        found.retain(|found| found.is_visible(now));
        Ok(Some(found))
    }
}
