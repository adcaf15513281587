//! The values by which a resource is found.

use scim_core::resource::Attributes;
use scim_core::resource::UniqueValue;
use scim_core::{Error, ResourceType, canonical};
use serde_json::Value;

use super::collection::Kind;

/// Maximum number of e-mail addresses of a user. Each is a row of the user's transaction, which has
/// a bounded number of actions (`store/write/budget.rs`).
pub const MAX_EMAILS: usize = 40;

/// The maximum number of unique attributes of a resource in addition to its name. Each value is a
/// row of the resource's transaction.
pub const MAX_UNIQUE_VALUES: usize = 3;

/// The values by which a resource is looked up, in the form in which they are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The userName of a user, the displayName of a group, or what names a resource of another
    /// type.
    pub(in crate::store) name: Option<String>,
    /// Whether other resources may have the name too.
    pub(in crate::store) shared: bool,
    pub(in crate::store) external_id: Option<String>,
    /// A user's e-mail addresses that differ from the userName, sorted.
    pub(in crate::store) emails: Vec<String>,
    /// Further values that are unique.
    pub(in crate::store) unique: Vec<UniqueValue>,
}

impl Names {
    /// The names in the attributes of a resource.
    ///
    /// # Errors
    /// `invalidValue` if a userName cannot be compared safely or there are over [`MAX_EMAILS`]
    /// e-mail addresses.
    pub fn of(resource_type: &ResourceType, attributes: &Attributes) -> Result<Self, Error> {
        let attribute = resource_type.name_attribute();
        let name = attribute.and_then(|attribute| attributes.text(&attribute.name));
        let name = name.map(|name| resource_type.canonical_name(name)).transpose()?;
        let emails = match Kind::of(&resource_type.name) {
            Kind::User => attributes.get("emails").and_then(Value::as_array),
            _ => None,
        };
        let values = emails
            .into_iter()
            .flatten()
            .filter_map(|email| email.get("value").and_then(Value::as_str));
        let mut emails: Vec<String> =
            values.map(email_form).filter(|email| Some(email) != name.as_ref()).collect();
        emails.sort_unstable();
        emails.dedup();
        if emails.len() > MAX_EMAILS {
            return Err(Error::invalid_value(format!(
                "A user can have at most {MAX_EMAILS} e-mail addresses."
            )));
        }
        Ok(Self {
            name,
            shared: attribute.is_some_and(|attribute| !attribute.is_unique()),
            external_id: attributes.text("externalId").map(str::to_owned),
            emails,
            unique: resource_type.unique_values(attributes),
        })
    }

    /// Whether both have the same externalId.
    pub fn shares_external_id(&self, other: &Self) -> bool {
        self.external_id.is_some() && self.external_id == other.external_id
    }

    /// The name in the form in which it is compared.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The externalId, as sent.
    pub fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }

    /// The e-mail addresses by which the user is found, in the form in which they are compared.
    pub fn emails(&self) -> &[String] {
        &self.emails
    }

    /// The names of an imported user, who is found by verified addresses only; one of them may be
    /// the userName.
    #[must_use]
    pub fn with_verified(mut self, verified: &[String]) -> Self {
        self.emails = verified.iter().map(|email| email_form(email)).collect();
        self.emails.sort_unstable();
        self.emails.dedup();
        self
    }

    /// The name of the attribute whose further unique value has this index.
    pub fn unique_attribute(&self, index: usize) -> Option<&str> {
        self.unique.get(index).map(|unique| unique.attribute.as_str())
    }
}

/// An e-mail address in the form in which it is compared. Addresses are stored as sent, so even an
/// address without a safe form gets a form here.
pub(crate) fn email_form(address: &str) -> String {
    canonical::email(address).unwrap_or_else(|_| address.to_lowercase())
}
