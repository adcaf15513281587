//! A resource as lists give it.

use scim_core::resource::Attributes;
use scim_core::{Meta, Resource, ResourceId, Version};

use super::StoreError;
use super::item::Item;
use super::keys::{Collection, Place, id_in};
use super::resources::{Head, Standing, State, Stored, attributes, instant};

/// A resource without the names by which it is found, so that no write is built on it. Its document
/// is not understood before it is asked for: in memory it takes many times as much then, and lists
/// are long.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The sort key of its row, by which lists are ordered.
    pub key: String,
    /// Its id.
    pub id: ResourceId,
    /// Its times, and its version; those of a group count the changes of its members too.
    pub meta: Meta,
    /// How many members a group has, as in [`Stored`].
    pub members: usize,
    /// What has become of it.
    pub standing: Standing,
    document: Document,
}

#[derive(Debug, Clone)]
enum Document {
    /// As it is stored.
    Text(String),
    /// Understood, with the length of its text.
    Attributes(Attributes, usize),
}

/// Documents up to this many bytes stay understood, if they were: each takes some twenty times as
/// much.
const SMALL_DOCUMENT: usize = 1_024;

impl Listed {
    /// The resource of a row, a group without its heads.
    pub(super) fn read(mut row: Item) -> Result<Self, StoreError> {
        let id = id_in(row.s()).parse();
        let meta = Meta {
            created: instant(row.need_number("c")?)?,
            last_modified: instant(row.need_number("m")?)?,
            version: Version(row.need_number("v")?.unsigned_abs()),
        };
        Ok(Self {
            key: row.s().to_owned(),
            id: id
                .map_err(|()| StoreError::broken("a resource's row has an id that is not valid"))?,
            meta,
            members: 0,
            standing: Standing {
                state: State::of(&row),
                expires: row.number("x"),
                active: row.is("a"),
            },
            document: Document::Text(row.take_text("d")?),
        })
    }

    /// What lists give of a resource of this collection.
    pub fn of(collection: &Collection, stored: Stored) -> Self {
        let standing = stored.standing();
        let Stored { resource: Resource { id, meta, attributes }, members, bytes, .. } = stored;
        let text = (bytes > SMALL_DOCUMENT)
            .then(|| serde_json::to_string(attributes.as_object()).ok())
            .flatten();
        let document = text.map_or(Document::Attributes(attributes, bytes), Document::Text);
        Self { key: collection.key(&id), id, meta, members, standing, document }
    }

    /// Adds what a head says of the membership of this group, if it is one of its heads.
    pub(super) fn join(&mut self, head: &Item) -> Result<(), StoreError> {
        if Place::of(head.s()) == Place::Head(self.id.as_str()) {
            let head = Head::read(head)?;
            head.add_to(&mut self.meta);
            self.members += head.members;
        }
        Ok(())
    }

    /// Length of the stored document, in bytes.
    pub fn bytes(&self) -> usize {
        match &self.document {
            Document::Text(text) => text.len(),
            Document::Attributes(_, bytes) => *bytes,
        }
    }

    /// What the client sees of it; a group without its members.
    ///
    /// # Errors
    /// [`StoreError::Broken`] if the document cannot be understood.
    pub fn resource(&self) -> Result<Resource, StoreError> {
        let attributes = match &self.document {
            Document::Text(text) => attributes(&self.id, text)?,
            Document::Attributes(attributes, _) => attributes.clone(),
        };
        Ok(Resource { id: self.id.clone(), meta: self.meta.clone(), attributes })
    }

    /// As [`Listed::resource`], for a caller who needs nothing else of it.
    ///
    /// # Errors
    /// As [`Listed::resource`].
    pub fn into_resource(self) -> Result<Resource, StoreError> {
        let attributes = match self.document {
            Document::Text(text) => attributes(&self.id, &text)?,
            Document::Attributes(attributes, _) => attributes,
        };
        Ok(Resource { id: self.id, meta: self.meta, attributes })
    }
}
