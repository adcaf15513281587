//! The resource types of a tenant, each with the place where its resources are kept.

use scim_core::resource::Attributes;
use scim_core::schema::Returned;
use scim_core::schema::registry::{self, Additions, Overlay, Rules};
use scim_core::{Attribute, Error, ResourceType, Schema};
use serde_json::json;

use super::profile::{Email, Profile, ProfileError, ShownGroups, advice};
use crate::store::Kind;
use crate::store::resources::MAX_UNIQUE_VALUES;

/// A resource type as the service provider serves it.
#[derive(Debug)]
pub struct ServedType {
    /// Where its resources are kept.
    pub kind: Kind,
    /// What they are.
    pub definition: ResourceType,
    /// The attributes by which the store finds a resource, by their wire names; those first that
    /// stand for the fewest.
    pub indexed: Vec<String>,
    /// The paths of the attributes that are kept, if not all are.
    kept: Vec<String>,
    email: Email,
}

impl ServedType {
    /// Whether its resources are users.
    pub fn is_user(&self) -> bool {
        self.kind == Kind::User
    }

    /// Brings a resource that is to be stored into the form that the profile wants: values that are
    /// not kept go, e-mail addresses come from where they should.
    ///
    /// # Errors
    /// Never: the profile was checked when it was set.
    pub fn shape(&self, attributes: &mut Attributes) -> Result<(), Error> {
        if self.kind != Kind::User {
            return Ok(());
        }
        if self.email == Email::FromUserName
            && let Some(name) = attributes.text("userName").map(str::to_owned)
        {
            attributes.set("emails", json!([{ "value": name, "type": "work", "primary": true }]));
        }
        self.definition.retain(&self.kept, attributes)
    }
}

/// Has the error of a required attribute say what to map to it.
fn advise(attribute: &mut Attribute, prefix: &str, advice: &impl Fn(&str) -> String) {
    let path = format!("{prefix}{}", attribute.name);
    attribute.advice = attribute.required.then(|| advice(&path));
    attribute.sub_attributes.iter_mut().for_each(|sub| advise(sub, &format!("{path}."), advice));
}

/// When `groups` is returned, as `/Schemas` tells it.
fn returned(groups: ShownGroups) -> Returned {
    match groups {
        ShownGroups::Request => Returned::Request,
        ShownGroups::Default => Returned::Default,
    }
}

/// All resource types of a tenant.
#[derive(Debug)]
pub struct ServedTypes(Vec<ServedType>);

impl ServedTypes {
    /// User, Group and the additions, as a profile has them.
    ///
    /// # Errors
    /// As [`registry::all`]; [`ProfileError`] for a path in the profile that names no
    /// attribute.
    pub fn new(profile: &Profile, additions: &Additions) -> Result<Self, ProfileError> {
        let policy = &profile.attributes;
        let advice = |path: &str| advice(profile.dialect.idp.as_deref(), path);
        let (mut extensions, mut overlay) = (policy.extensions.clone(), policy.overlay.clone());
        for Schema { id, attributes, .. } in &mut extensions {
            attributes
                .iter_mut()
                .for_each(|attribute| advise(attribute, &format!("{id}:"), &advice));
        }
        for Overlay { schema, attribute } in &mut overlay {
            let prefix = schema.as_ref().map(|id| format!("{id}:")).unwrap_or_default();
            advise(attribute, &prefix, &advice);
        }
        let additions = additions.clone().and(extensions, overlay);
        let all = registry::all(
            &additions,
            Rules {
                unique_display_name: profile.groups.unique_display_name,
                max_unique: MAX_UNIQUE_VALUES,
            },
        );
        let mut all = all.map_err(|unusable| ProfileError(unusable.to_string()))?;
        let wrong = |error: Error| ProfileError(error.detail);
        if let Some(user) =
            all.iter_mut().find(|resource_type| Kind::of(&resource_type.name) == Kind::User)
        {
            if !profile.groups.enabled {
                user.schema.attributes.retain(|attribute| attribute.name != "groups");
            }
            if !policy.kept.is_empty() {
                user.keep(&policy.kept).map_err(wrong)?;
            }
            for path in &policy.required {
                user.require(path, &advice(path)).map_err(wrong)?;
            }
            let groups =
                user.schema.attributes.iter_mut().find(|attribute| attribute.name == "groups");
            groups.into_iter().for_each(|groups| groups.returned = returned(policy.groups));
            let emails =
                user.schema.attributes.iter_mut().find(|attribute| attribute.name == "emails");
            emails
                .into_iter()
                .for_each(|emails| emails.derived = policy.email == Email::FromUserName);
        }
        let types: Vec<ServedType> = all
            .into_iter()
            .map(|definition| {
                let kind = Kind::of(&definition.name);
                let mut indexed = vec!["id".to_owned()];
                indexed.extend(definition.name_attribute().map(|attribute| attribute.name.clone()));
                indexed.push("externalId".to_owned());
                indexed.extend(match kind {
                    Kind::User => vec!["emails.value".to_owned(), "groups.value".to_owned()],
                    Kind::Group => vec!["members.value".to_owned()],
                    Kind::Other(_) => Vec::new(),
                });
                ServedType {
                    kind,
                    definition,
                    indexed,
                    kept: policy.kept.clone(),
                    email: policy.email,
                }
            })
            .collect();
        // What is kept must do for every resource.
        types
            .iter()
            .try_for_each(|resource_type| resource_type.shape(&mut Attributes::default()))
            .map_err(wrong)?;
        Ok(Self(types))
    }

    /// In the order of `/ResourceTypes`.
    pub fn iter(&self) -> impl Iterator<Item = &ServedType> {
        self.0.iter()
    }

    /// The type served at `/name`, in any case.
    pub fn at(&self, name: &str) -> Option<&ServedType> {
        let is = |resource_type: &&ServedType| {
            resource_type
                .definition
                .endpoint
                .strip_prefix('/')
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        };
        self.0.iter().find(is)
    }
}
