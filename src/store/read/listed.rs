//! A resource as lists show it.

use scim_core::resource::Attributes;
use scim_core::{Meta, Resource, ResourceId};

use crate::store::engine::error::StoreError;
use crate::store::engine::item::{EXPIRES, Item};
use crate::store::model::collection::Collection;
use crate::store::model::stage::Standing;
use crate::store::model::stored::Stored;
use crate::store::rows::heads::{Head, is_head};
use crate::store::rows::resource::{self, ACTIVE, DOCUMENT, attributes};

/// A resource without the names by which it is found, so no write can be based on it. Its document
/// is parsed only when it is needed, because a parsed document takes many times as much memory and
/// lists are long.
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
    /// The facts that its state in `docs/LIFE.md` follows from.
    pub standing: Standing,
    document: Document,
}

#[derive(Debug, Clone)]
enum Document {
    /// As it is stored.
    Text(String),
    /// Parsed, with the length of its text.
    Attributes(Attributes, usize),
}

/// Once parsed, documents up to this many bytes stay parsed. A parsed document takes about twenty
/// times as much memory.
const SMALL_DOCUMENT: usize = 1_024;

impl Listed {
    /// The resource of a row, a group without its heads.
    pub(in crate::store) fn read(mut row: Item) -> Result<Self, StoreError> {
        Ok(Self {
            key: row.s().to_owned(),
            id: resource::id(&row)?,
            meta: resource::meta(&row)?,
            members: 0,
            standing: Standing {
                state: resource::state(&row),
                expires: row.number(EXPIRES),
                active: row.is(ACTIVE),
            },
            document: Document::Text(row.take_text(DOCUMENT)?),
        })
    }

    /// What lists show of a resource of this collection.
    pub fn of(collection: &Collection, stored: Stored) -> Self {
        let standing = stored.standing();
        let Stored { resource: Resource { id, meta, attributes }, members, bytes, .. } = stored;
        let text = (bytes > SMALL_DOCUMENT)
            .then(|| serde_json::to_string(attributes.as_object()).ok())
            .flatten();
        let document = text.map_or(Document::Attributes(attributes, bytes), Document::Text);
        Self { key: collection.key(&id), id, meta, members, standing, document }
    }

    /// Adds what a row says about the members of this group, if the row is one of the group's
    /// heads.
    pub(in crate::store) fn join(&mut self, head: &Item) -> Result<(), StoreError> {
        if is_head(head, &self.id) {
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
    /// [`StoreError::Broken`] if the document cannot be parsed.
    pub fn resource(&self) -> Result<Resource, StoreError> {
        let attributes = match &self.document {
            Document::Text(text) => attributes(&self.id, text)?,
            Document::Attributes(attributes, _) => attributes.clone(),
        };
        Ok(Resource { id: self.id.clone(), meta: self.meta.clone(), attributes })
    }

    /// Like [`Listed::resource`], for a caller that needs nothing else.
    ///
    /// # Errors
    /// [`StoreError::Broken`] if the document cannot be parsed.
    pub fn into_resource(self) -> Result<Resource, StoreError> {
        let attributes = match self.document {
            Document::Text(text) => attributes(&self.id, &text)?,
            Document::Attributes(attributes, _) => attributes,
        };
        Ok(Resource { id: self.id, meta: self.meta, attributes })
    }
}
