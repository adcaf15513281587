//! One resource by its id.

use scim_core::ResourceId;

use crate::budget;
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::query::{KeyCondition, RowQuery};
use crate::store::model::collection::{Collection, Kind};
use crate::store::model::stored::Stored;
use crate::store::rows::resource;

impl Store {
    /// A resource, deleted or not; `None` if it does not exist or has expired. One call.
    pub async fn resource(
        &self,
        collection: &Collection,
        id: &ResourceId,
        now: i64,
    ) -> Result<Option<Stored>, StoreError> {
        let found = match collection.kind {
            Kind::Group => self.group(collection, id).await?,
            Kind::User | Kind::Other(_) => {
                let row = self.get(resource::key(collection, id)).await?;
                row.map(|row| resource::read(&row)).transpose()?
            }
        };
        Ok(found.filter(|stored| stored.is_there(now)))
    }

    /// A group with its heads, and nothing else.
    async fn group(
        &self,
        collection: &Collection,
        id: &ResourceId,
    ) -> Result<Option<Stored>, StoreError> {
        let (partition, key) = (collection.partition(), collection.key(id));
        let keys = KeyCondition::BeginsWith(&partition, &key);
        let units = Some(budget::GROUP_UNITS as usize);
        let rows = self.query(RowQuery { units, ..RowQuery::new(keys) }).await?.rows;
        Ok(resource::read_all(&rows)?.into_iter().find(|group| group.resource.id == *id))
    }
}
