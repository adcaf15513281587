//! What a row of the audit log tells.

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use super::collection::Kind;
use super::stage::Standing;

/// What a row of the log is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A resource of this kind.
    Resource(Kind),
    /// The tenant itself.
    Tenant,
    /// A token.
    Token,
}

impl Subject {
    /// The letters of the subject in a row.
    pub(in crate::store) fn mark(&self) -> String {
        match self {
            Self::Resource(kind) => kind.mark(),
            Self::Tenant => "T".to_owned(),
            Self::Token => "A".to_owned(),
        }
    }

    /// The subject of these letters; `None` for letters that this release does not know.
    pub(in crate::store) fn of_mark(mark: &str) -> Option<Self> {
        match mark {
            "T" => Some(Self::Tenant),
            "A" => Some(Self::Token),
            mark => Kind::of_mark(mark).map(Self::Resource),
        }
    }
}

/// A row of the audit log. What is not known, because an earlier release wrote the row, is `None`
/// where the field says so.
#[derive(Debug, Clone)]
pub struct LogRow {
    /// The id of the row, a UUID of version 7. Ids are in the order of time.
    pub id: String,
    /// When the change was made, in milliseconds since 1970.
    pub milliseconds: i64,
    /// The word of an [`Operation`](super::audit::Operation), or of one that this release does not
    /// know.
    pub operation: String,
    /// What the row is about; `None` if it is not known.
    pub subject: Option<Subject>,
    /// The id of the resource, `tenant`, or the key id of a token.
    pub subject_id: String,
    /// The version of the resource that the change made; `None` if its own row was not written.
    pub version: Option<u64>,
    /// A token's id, `operator`, or `expiry`.
    pub actor: String,
    /// The id of the request.
    pub request: String,
    /// The names of the changed attributes or settings, and `members.add`, `members.remove` and
    /// `groups.remove`.
    pub changed: Vec<String>,
    /// The standing of a user before; `None` if it did not change or is not known.
    pub was: Option<Standing>,
    /// The members that a group got; `None` if they are not known.
    pub added: Option<Vec<ResourceId>>,
    /// The members that a group lost; `None` if they are not known.
    pub removed: Option<Vec<ResourceId>>,
    /// The groups that a resource left because it was deleted; `None` if they are not known.
    pub left: Option<Vec<ResourceId>>,
    /// The attributes of a group that was deleted; `None` if it was not, or they are not known.
    pub document: Option<Attributes>,
    /// How many users an export wrote; `None` for anything else, and for an export that did not
    /// reach its end.
    pub count: Option<u64>,
}

impl LogRow {
    /// Whether the row is about this resource, or says that it joined or left a group.
    pub fn concerns(&self, id: &ResourceId) -> bool {
        let lists = [&self.added, &self.removed, &self.left];
        self.subject_id.eq_ignore_ascii_case(id.as_str())
            || lists.into_iter().flatten().any(|ids| ids.contains(id))
    }
}
