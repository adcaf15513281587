//! A resource type: a schema, its extensions, and the door between JSON and checked resources.

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::message::list as message;
use crate::patch::path::{AttributeRef, Place};
use crate::resource::admit;
use crate::resource::attributes::{Attributes, Draft, Representation, Resource, date_time};
use crate::resource::projection::Projection;
use crate::schema::attribute::{Attribute, Schema};
use crate::schema::near_miss::{self, Noted};

/// How closely messages must follow the RFCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Whether messages must be of the letter of the RFCs: quotes around the values of filters,
    /// blanks around operators, something there to remove, values of the types that the schemas
    /// say, `schemas` that name them.
    pub strict: bool,
    /// What becomes of an attribute that no schema defines: `invalidSyntax` if it is refused.
    pub unknown: Unknown,
    /// The same for the path of a PATCH operation: `invalidPath`.
    pub unknown_path: Unknown,
    /// Whether a PATCH `replace` creates the value that its filter does not find; else `noTarget`.
    pub replace_creates: bool,
}

/// What becomes of something that no schema defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It is left out silently.
    Ignore,
    /// The message is refused.
    Refuse,
}

impl Default for Dialect {
    fn default() -> Self {
        Self::TOLERANT
    }
}

impl Dialect {
    /// What identity providers send is understood.
    pub const TOLERANT: Self = Self {
        strict: false,
        unknown: Unknown::Ignore,
        unknown_path: Unknown::Refuse,
        replace_creates: true,
    };
    /// The letter of the RFCs.
    pub const STRICT: Self = Self {
        strict: true,
        unknown: Unknown::Refuse,
        unknown_path: Unknown::Refuse,
        replace_creates: false,
    };
}

/// "The metadata about a resource type" (RFC 7643, 6) and the schemas it names.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    /// "The resource type name", e.g. `User`.
    pub name: String,
    /// "The resource type's HTTP-addressable endpoint relative to the Base URL", e.g. `/Users`.
    pub endpoint: String,
    /// "The resource type's human-readable description."
    pub description: String,
    /// "The resource type's primary/base schema".
    pub schema: Schema,
    /// "A list of URIs of the resource type's schema extensions", as schemas.
    pub extensions: Vec<Schema>,
    /// The URIs of those extensions that a resource of this type "MUST include".
    pub required_extensions: Vec<String>,
    /// `id`, `externalId`, `meta`, `schemas`: "common attributes", which no schema lists.
    pub(crate) common: Vec<Attribute>,
    /// Attributes that clients send and that are dropped unread, never stored, shown or logged; the
    /// schema has them, for clients that make their users from it.
    pub(crate) dropped: Vec<String>,
}

impl ResourceType {
    /// The User resource type of RFC 7643 section 4.1 with the enterprise extension.
    ///
    /// # Errors
    /// Never, while the schema files of this crate are well formed; a test holds it.
    pub fn user() -> Result<Self, serde_json::Error> {
        let mut user = Self::plain(
            "User",
            "/Users",
            "User Account",
            serde_json::from_str(include_str!("definitions/user.json"))?,
        )?;
        user.extensions =
            vec![serde_json::from_str(include_str!("definitions/enterprise_user.json"))?];
        user.dropped = vec!["password".into()];
        Ok(user)
    }

    /// The Group resource type of RFC 7643 section 4.2.
    ///
    /// # Errors
    /// As [`ResourceType::user`].
    pub fn group() -> Result<Self, serde_json::Error> {
        Self::plain(
            "Group",
            "/Groups",
            "Group",
            serde_json::from_str(include_str!("definitions/group.json"))?,
        )
    }

    /// A resource type without extensions.
    pub(crate) fn plain(
        name: &str,
        endpoint: &str,
        description: &str,
        schema: Schema,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            name: name.into(),
            endpoint: endpoint.into(),
            description: description.into(),
            schema,
            extensions: Vec::new(),
            required_extensions: Vec::new(),
            common: serde_json::from_str(include_str!("definitions/common.json"))?,
            dropped: Vec::new(),
        })
    }

    /// What a name such as `name.givenName`, `urn:...:User:department` or an extension's URI
    /// stands for; `None` if no schema of this type defines it.
    pub fn resolve(&self, name: &str) -> Option<Place<'_>> {
        // The URI of one schema may begin with that of another.
        let mut found = None;
        if let Some(rest) = strip_urn(name, &self.schema.id) {
            found = rest.and_then(|rest| self.in_schema(None, &self.schema, rest));
        }
        for extension in &self.extensions {
            found = found.or_else(|| match strip_urn(name, &extension.id)? {
                None => Some(Place::Extension(extension)),
                Some(rest) => self.in_schema(Some(extension), extension, rest),
            });
        }
        if found.is_some() {
            return found;
        }
        // Clients write `manager` for the extension's attribute where no core attribute is called
        // so.
        self.in_schema(None, &self.schema, name).or_else(|| {
            self.extensions
                .iter()
                .find_map(|extension| self.in_schema(Some(extension), extension, name))
        })
    }

    fn in_schema<'s>(
        &'s self,
        extension: Option<&'s Schema>,
        schema: &'s Schema,
        name: &str,
    ) -> Option<Place<'s>> {
        let (name, sub) = match name.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (name, None),
        };
        let attribute = schema.attribute(name).or_else(|| {
            let common = self.common.iter().find(|common| common.name.eq_ignore_ascii_case(name));
            common.filter(|_| extension.is_none())
        })?;
        let sub = match sub {
            Some(sub) => Some(attribute.sub_attribute(sub)?),
            None => None,
        };
        Some(Place::Attribute(AttributeRef { extension, attribute, sub }))
    }

    /// Reads what a client asserts with POST or PUT.
    ///
    /// `id`, `meta` and other read-only attributes are ignored: "readOnly" values "SHALL be
    /// ignored" (RFC 7644, 3.3 and 3.5.1); so is `schemas`, but in the strict dialect. null, `""`
    /// and `[]` are "no value".
    ///
    /// # Errors
    /// `invalidValue` for a value of the wrong type or outside of a closed list, or a required
    /// attribute without one; `invalidSyntax` for an attribute nobody defines, if the dialect
    /// refuses those, and for `schemas` that are missing or another type's, in the strict dialect.
    pub fn parse(&self, body: Map<String, Value>, dialect: Dialect) -> Result<Draft, Error> {
        let draft = self.read(body, dialect)?;
        self.check_required(&draft.attributes)?;
        self.check_closed(&Attributes::default(), &draft.attributes)?;
        Ok(draft)
    }

    /// As [`ResourceType::parse`], for PUT: what only this service provider requires is asked for
    /// by [`ResourceType::check_replacement`], and closed lists are held by
    /// [`ResourceType::check_immutable`].
    ///
    /// # Errors
    /// As [`ResourceType::parse`].
    pub fn parse_replacement(
        &self,
        body: Map<String, Value>,
        dialect: Dialect,
    ) -> Result<Draft, Error> {
        let draft = self.read(body, dialect)?;
        self.check_standard(&draft.attributes)?;
        Ok(draft)
    }

    fn read(&self, body: Map<String, Value>, dialect: Dialect) -> Result<Draft, Error> {
        if dialect.strict {
            self.check_schemas(&body)?;
        }
        let mut attributes = Map::new();
        let (mut cleared, mut noted) = (Vec::new(), Noted::default());
        let mut unknown = |name: &str, path: &str| {
            refuse_unknown(dialect, name, || self.resembled(path))?;
            noted.note(name, || self.resembled(path));
            Ok(())
        };
        for (name, value) in body {
            if self.is_dropped(&name) {
                continue;
            }
            match self.resolve(&name) {
                Some(Place::Extension(extension)) => {
                    let Some(object) = admit::object(value, &extension.id)? else { continue };
                    for (name, value) in object {
                        let place = extension.attribute(&name).map(|attribute| AttributeRef {
                            extension: Some(extension),
                            attribute,
                            sub: None,
                        });
                        match place {
                            Some(place) => {
                                drop(admit::assert(&mut attributes, place, value, dialect)?)
                            }
                            // Some libraries repeat it in each extension.
                            None if name.eq_ignore_ascii_case("schemas") => {}
                            None => unknown(&name, &format!("{}:{name}", extension.id))?,
                        }
                    }
                }
                Some(Place::Attribute(place)) => {
                    let asserted = admit::assert(&mut attributes, place, value, dialect)?;
                    if !asserted && place.is_core() && !place.attribute.is_read_only() {
                        cleared.push(place.attribute.name.clone());
                    }
                }
                None => unknown(&name, &name)?,
            }
        }
        Ok(Draft { attributes: Attributes(attributes), cleared, ignored: noted.misses })
    }

    /// "The "schemas" attribute for a resource MUST only contain values defined as "schema" and
    /// "schemaExtensions" for the resource's defined "resourceType"" (RFC 7643, 3), and it "MUST
    /// contain at least one value, which SHALL be the base schema for the resource" (3.3).
    fn check_schemas(&self, body: &Map<String, Value>) -> Result<(), Error> {
        let own = |uri: &str| self.schema.id.eq_ignore_ascii_case(uri);
        let known = |uri: &str| {
            own(uri) || self.extensions.iter().any(|known| known.id.eq_ignore_ascii_case(uri))
        };
        match message::schemas(body).any(own) && message::schemas(body).all(known) {
            true => Ok(()),
            false => Err(Error::invalid_syntax(format!(
                "schemas must name {} and no schema that a {} does not have; send the URIs in an \
                array.",
                self.schema.id, self.name
            ))),
        }
    }

    /// The attribute or extension that a name or path resembles which leads to none.
    pub(crate) fn resembled(&self, path: &str) -> Option<&str> {
        let path = path.split('[').next().unwrap_or(path).trim_end();
        let (urn, name) =
            path.rsplit_once(':').map_or((None, path), |(urn, name)| (Some(urn), name));
        let name = name.split('.').next().unwrap_or(name);
        let own = std::iter::once(&self.schema).chain(&self.extensions);
        let schemas =
            own.filter(|schema| urn.is_none_or(|urn| schema.id.eq_ignore_ascii_case(urn)));
        let attributes = schemas.flat_map(|schema| &schema.attributes);
        let common = self.common.iter().filter(|_| urn.is_none());
        near_miss::nearest(name, attributes.chain(common).map(|attribute| attribute.name.as_str()))
            .or_else(|| {
                near_miss::nearest(
                    path,
                    self.extensions.iter().map(|extension| extension.id.as_str()),
                )
            })
    }

    /// Whether `name` is one of the attributes that are accepted and dropped (`password`).
    pub(crate) fn is_dropped(&self, name: &str) -> bool {
        let name = name.rsplit(':').next().unwrap_or(name);
        self.dropped.iter().any(|dropped| dropped.eq_ignore_ascii_case(name))
    }

    /// As [`ResourceType::into_view`], of a resource that is still needed.
    pub fn view(&self, resource: &Resource, base_url: &str) -> Map<String, Value> {
        self.into_view(resource.clone(), base_url)
    }

    /// The resource with everything it has, `meta` and `schemas` included, as filters see it.
    /// `base_url` has no trailing slash.
    pub fn into_view(&self, resource: Resource, base_url: &str) -> Map<String, Value> {
        let location = self.location(&resource, base_url);
        let Resource { id, meta, attributes: Attributes(attributes) } = resource;
        let mut schemas = vec![json!(self.schema.id)];
        let present =
            self.extensions.iter().filter(|extension| attributes.contains_key(&extension.id));
        schemas.extend(present.map(|extension| json!(extension.id)));
        let mut view = Map::with_capacity(attributes.len() + 3);
        view.insert("schemas".into(), schemas.into());
        view.insert("id".into(), id.as_str().into());
        view.extend(attributes);
        view.insert(
            "meta".into(),
            json!({
                "resourceType": self.name,
                "created": date_time(meta.created),
                "lastModified": date_time(meta.last_modified),
                "location": location,
                "version": meta.version.to_string(),
            }),
        );
        view
    }

    /// "The URI of the resource being returned" (RFC 7643, 3.1).
    pub fn location(&self, resource: &Resource, base_url: &str) -> String {
        format!("{base_url}{}/{}", self.endpoint, resource.id)
    }

    /// The resource as a client may see it.
    pub fn represent(
        &self,
        resource: Resource,
        projection: &Projection<'_>,
        base_url: &str,
    ) -> Representation {
        Representation(projection.apply(self, self.into_view(resource, base_url)))
    }
}

/// An attribute that no schema defines: skipped or refused. `resembled` finds one that its name
/// resembles.
pub(crate) fn refuse_unknown<'k>(
    dialect: Dialect,
    name: &str,
    resembled: impl FnOnce() -> Option<&'k str>,
) -> Result<(), Error> {
    match dialect.unknown {
        Unknown::Ignore => Ok(()),
        Unknown::Refuse => Err(Error::invalid_syntax(format!(
            "The attribute {} is in no schema of this resource type; {}",
            near_miss::printable(name),
            advice(resembled())
        ))),
    }
}

/// What to do about a name that no schema defines.
pub(crate) fn advice(known: Option<&str>) -> String {
    match known {
        Some(known) => format!("did you mean {known}?"),
        None => "remove it from the mapping.".to_owned(),
    }
}

/// `None` if `name` does not start with the URI; `Some(None)` if it is the URI; else what follows
/// the colon.
fn strip_urn<'n>(name: &'n str, urn: &str) -> Option<Option<&'n str>> {
    let head = name.get(..urn.len())?;
    if !head.eq_ignore_ascii_case(urn) {
        return None;
    }
    match name.get(urn.len()..) {
        Some("") => Some(None),
        Some(rest) => rest.strip_prefix(':').map(Some),
        None => None,
    }
}
