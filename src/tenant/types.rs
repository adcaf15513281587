//! The resource types of a tenant, each with the place where its resources are kept.

use scim_core::resource_types::{self, Additions, Unusable};
use scim_core::{Dialect, ResourceType};

use crate::store::Kind;

/// A resource type as the service provider serves it.
#[derive(Debug)]
pub struct Type {
    /// Where its resources are kept.
    pub kind: Kind,
    /// What they are.
    pub resource: ResourceType,
    /// The attributes by which the store finds a resource, by their wire names; those first that stand
    /// for the fewest.
    pub indexed: Vec<String>,
}

/// All resource types of a tenant.
#[derive(Debug)]
pub struct Types(Vec<Type>);

impl Types {
    /// User, Group and the additions, as a dialect has them.
    ///
    /// # Errors
    /// As [`resource_types::all`].
    pub fn new(dialect: Dialect, additions: &Additions) -> Result<Self, Unusable> {
        let types = resource_types::all(dialect, additions)?.into_iter().map(|resource| {
            let kind = Kind::of(&resource.name);
            let mut indexed = vec!["id".to_owned()];
            indexed.extend(resource.name_attribute().map(|attribute| attribute.name.clone()));
            indexed.push("externalId".to_owned());
            indexed.extend(match kind {
                Kind::User => vec!["emails.value".to_owned(), "groups.value".to_owned()],
                Kind::Group => vec!["members.value".to_owned()],
                Kind::Other(_) => Vec::new(),
            });
            Type { kind, resource, indexed }
        });
        Ok(Self(types.collect()))
    }

    /// In the order of `/ResourceTypes`.
    pub fn iter(&self) -> impl Iterator<Item = &Type> {
        self.0.iter()
    }

    /// The type served at `/name`, in any case.
    pub fn at(&self, name: &str) -> Option<&Type> {
        let is = |of: &&Type| of.resource.endpoint.strip_prefix('/').is_some_and(|own| own.eq_ignore_ascii_case(name));
        self.0.iter().find(is)
    }
}
