//! The resource types of a tenant as its profile has them, each with the place where its resources
//! are kept.

use scim_core::resource::Attributes;
use scim_core::schema::Returned;
use scim_core::schema::registry::{self, Additions, Overlay, Rules};
use scim_core::{Attribute, Error, ResourceType, Schema};
use serde_json::json;

use super::attributes::{AttributePolicy, Email, ShownGroups};
use super::error::ProfileError;
use super::model::Profile;
use super::presets::advice;
use crate::store::{Kind, MAX_UNIQUE_VALUES};

/// A resource type as the service provider serves it.
#[derive(Debug)]
pub struct ServedType {
    /// Where its resources are kept.
    pub kind: Kind,
    /// What they are.
    pub definition: ResourceType,
    /// The paths of the attributes by which the store finds a resource, the most selective first.
    pub indexed: Vec<String>,
    /// The paths of the attributes that are kept, if not all are.
    kept: Vec<String>,
    email: Email,
}

impl ServedType {
    fn new(definition: ResourceType, profile: &Profile) -> Self {
        let kind = Kind::of(&definition.name);
        let name = definition.name_attribute().map(|attribute| attribute.name.clone());
        let references: &[&str] = match kind {
            Kind::User => &["emails.value", "groups.value"],
            Kind::Group => &["members.value"],
            Kind::Other(_) => &[],
        };
        let indexed = std::iter::once("id".to_owned())
            .chain(name)
            .chain(std::iter::once("externalId".to_owned()))
            .chain(references.iter().map(|&path| path.to_owned()))
            .collect();
        let AttributePolicy { kept, email, .. } = &profile.attributes;
        Self { kind, definition, indexed, kept: kept.clone(), email: *email }
    }

    /// Whether its resources are users.
    pub fn is_user(&self) -> bool {
        self.kind == Kind::User
    }

    /// Brings a resource into the form that the profile requires before it is stored. Values that
    /// are not kept are removed, and email addresses come from where the profile says.
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

/// The additions with the extensions and overlays of a profile.
fn with_definitions(additions: Additions, profile: &Profile) -> Additions {
    let advice = |path: &str| advice(profile.dialect.idp.as_deref(), path);
    let mut extensions = profile.attributes.extensions.clone();
    let mut overlay = profile.attributes.overlay.clone();
    for Schema { id, attributes, .. } in &mut extensions {
        attributes.iter_mut().for_each(|attribute| advise(attribute, &format!("{id}:"), &advice));
    }
    for Overlay { schema, attribute } in &mut overlay {
        let prefix = schema.as_ref().map(|id| format!("{id}:")).unwrap_or_default();
        advise(attribute, &prefix, &advice);
    }
    additions.and(extensions, overlay)
}

/// Changes the type of users to what a profile says about attributes.
fn apply(profile: &Profile, user: &mut ResourceType) -> Result<(), Error> {
    let policy = &profile.attributes;
    if !profile.groups.enabled {
        user.schema.attributes.retain(|attribute| attribute.name != "groups");
    }
    if !policy.kept.is_empty() {
        user.keep(&policy.kept)?;
    }
    for path in &policy.required {
        user.require(path, &advice(profile.dialect.idp.as_deref(), path))?;
    }
    for attribute in &mut user.schema.attributes {
        match attribute.name.as_str() {
            "groups" => attribute.returned = returned(policy.groups),
            "emails" => attribute.derived = policy.email == Email::FromUserName,
            _ => {}
        }
    }
    Ok(())
}

/// Makes the error about a required attribute say what to map to it.
fn advise(attribute: &mut Attribute, prefix: &str, advice: &impl Fn(&str) -> String) {
    let path = format!("{prefix}{}", attribute.name);
    attribute.advice = attribute.required.then(|| advice(&path));
    attribute.sub_attributes.iter_mut().for_each(|sub| advise(sub, &format!("{path}."), advice));
}

/// When `groups` is returned, as `/Schemas` says it.
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
    /// User, Group and the additions, as a profile defines them.
    ///
    /// # Errors
    /// [`ProfileError`] if the definitions of the profile or the additions cannot be used, or if a
    /// path in the profile names no attribute.
    pub fn new(profile: &Profile, additions: &Additions) -> Result<Self, ProfileError> {
        let additions = with_definitions(additions.clone(), profile);
        let rules = Rules {
            unique_display_name: profile.groups.unique_display_name,
            max_unique: MAX_UNIQUE_VALUES,
        };
        let mut all =
            registry::all(&additions, rules).map_err(|error| ProfileError(error.to_string()))?;
        let is_user =
            |resource_type: &&mut ResourceType| Kind::of(&resource_type.name) == Kind::User;
        if let Some(user) = all.iter_mut().find(is_user) {
            apply(profile, user).map_err(|error| ProfileError(error.detail))?;
        }
        let types: Vec<ServedType> =
            all.into_iter().map(|definition| ServedType::new(definition, profile)).collect();
        // The kept attributes must be valid for every resource.
        types
            .iter()
            .try_for_each(|resource_type| resource_type.shape(&mut Attributes::default()))
            .map_err(|error| ProfileError(error.detail))?;
        Ok(Self(types))
    }

    /// In the order of `/ResourceTypes`.
    pub fn iter(&self) -> impl Iterator<Item = &ServedType> {
        self.0.iter()
    }

    /// The type that is served at `/name`, ignoring case.
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
