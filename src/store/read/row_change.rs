//! What a record of the table's stream tells about a row that the product hears of.

use scim_core::ResourceId;
use scim_core::members::MemberType;
use serde_json::{Map, Value};

use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, KIND};
use crate::store::engine::stream::StreamRecord;
use crate::store::model::collection::Kind;
use crate::store::model::resync::Resync;
use crate::store::model::stored::Stored;
use crate::store::model::tenant_key::TenantCode;
use crate::store::model::trace::Trace;
use crate::store::rows::kind::RowKind;
use crate::store::rows::seats_and_brake::{BrakeRow, SeatsRow};
use crate::store::rows::tenant::TenantRow;
use crate::store::rows::trace::RESYNC;
use crate::store::rows::{member, membership, resource, resync, trace};

/// Something before a change and after it.
#[derive(Debug, Clone)]
pub struct BeforeAfter<T> {
    /// Before; `None` if it did not exist.
    pub before: Option<T>,
    /// After; `None` if it no longer exists.
    pub after: Option<T>,
}

/// A change of one row, in its place among those of the row.
#[derive(Debug)]
pub struct RowChange {
    /// The tenant that owns the row; `None` for a row of no tenant.
    pub tenant: Option<TenantCode>,
    /// The key of the row: its partition and its sort key.
    pub key: (String, String),
    /// The letter of the row's kind; empty if the row has none.
    pub kind: String,
    /// The place of the change among those of the row, a decimal number of up to 40 digits.
    pub sequence_number: String,
    /// When DynamoDB made the record, in seconds since 1970.
    pub time: i64,
    /// Whether DynamoDB removed the row because its TTL had passed.
    pub by_ttl: bool,
    /// What changed; `None` for a row of a kind that the product does not hear of.
    ///
    /// # Errors
    /// If this release cannot read the row.
    pub content: Result<Option<Content>, StoreError>,
}

/// What a row that the product hears of is about.
#[derive(Debug)]
pub enum Content {
    /// A user, a group, or a resource of another type.
    Resource(Kind, Box<BeforeAfter<ResourceImage>>),
    /// A member of a group.
    Membership(Membership, BeforeAfter<MembershipImage>),
    /// The tenant itself.
    Tenant(Box<BeforeAfter<TenantRow>>),
    /// The seats of its active users; without a limit, nothing.
    Seats(BeforeAfter<(SeatsRow, Trace)>),
    /// Its brake on deactivations.
    Brake(BeforeAfter<(BrakeRow, Trace)>),
    /// A resync.
    Resync(Box<BeforeAfter<(Resync, Trace)>>),
}

/// A resource in one image.
#[derive(Debug, Clone)]
pub struct ResourceImage {
    /// The resource; a group without its members, whose version is that of its row.
    pub stored: Stored,
    /// The version of the row.
    pub version: u64,
    /// What wrote the row.
    pub trace: Trace,
    /// The id of the resync that touched it last.
    pub resync: Option<String>,
}

/// A group and one of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: ResourceId,
    /// The member.
    pub member: ResourceId,
    /// The type of the member; `None` if it does not name a resource.
    pub kind: Option<MemberType>,
}

/// A membership in one image.
#[derive(Debug, Clone)]
pub struct MembershipImage {
    /// What wrote the row.
    pub trace: Trace,
    /// The id of the resync that touched it last.
    pub resync: Option<String>,
}

impl RowChange {
    /// Reads a record of the stream, and takes its images out of it; `None` if it lacks what every
    /// record has.
    pub fn read(record: &mut Value) -> Option<Self> {
        let StreamRecord { key, old, new, sequence_number, time, by_ttl } =
            StreamRecord::read(record)?;
        let (tenant, mark) = key.p.split_once('#').unwrap_or_default();
        let tenant = tenant.parse().ok();
        let kind = kind(new.as_ref()).or_else(|| kind(old.as_ref())).unwrap_or_default();
        let content = content(&kind, mark, BeforeAfter { before: old, after: new });
        Some(Self { tenant, key: (key.p, key.s), kind, sequence_number, time, by_ttl, content })
    }
}

/// The letter in an image.
fn kind(image: Option<&Map<String, Value>>) -> Option<String> {
    image?.get(KIND)?.get("S")?.as_str().map(str::to_owned)
}

/// The row before and after a change, as the stream has it.
type Images = BeforeAfter<Map<String, Value>>;

/// What the images tell. `mark` is the part of the partition behind the tenant's code.
fn content(letter: &str, mark: &str, images: Images) -> Result<Option<Content>, StoreError> {
    let Some(kind) = RowKind::of(letter) else { return Ok(None) };
    Ok(match kind {
        RowKind::User => Some(resource(Kind::User, images)?),
        RowKind::Group => Some(resource(Kind::Group, images)?),
        RowKind::Other => {
            let name = mark.split_once('#').map_or("", |(_, name)| name);
            Some(resource(Kind::of(name), images)?)
        }
        RowKind::Membership => membership(images)?,
        RowKind::Tenant => {
            let read = |row: &Item| TenantRow::read(row, false);
            Some(Content::Tenant(Box::new(images.read(read)?)))
        }
        RowKind::Seats => Some(seats(images)?),
        RowKind::Brake => {
            let read = |row: &Item| Ok((BrakeRow::read(row)?, trace::read(row)));
            Some(Content::Brake(images.read(read)?))
        }
        RowKind::Resync => {
            let read = |row: &Item| Ok((resync::read(row)?, trace::read(row)));
            Some(Content::Resync(Box::new(images.read(read)?)))
        }
        RowKind::Claim
        | RowKind::Head
        | RowKind::Member
        | RowKind::ExternalId
        | RowKind::UniqueValue
        | RowKind::Email
        | RowKind::Due
        | RowKind::Counters
        | RowKind::Log
        | RowKind::TenantName
        | RowKind::Token
        | RowKind::NewestSecret
        | RowKind::Unfinished
        | RowKind::Refusals
        | RowKind::Past => None,
    })
}

impl Images {
    /// Both images, each read in the same way.
    fn read<T>(
        self,
        read: impl Fn(&Item) -> Result<T, StoreError>,
    ) -> Result<BeforeAfter<T>, StoreError> {
        let image = |image: Option<Map<String, Value>>| {
            image.map(|image| read(&Item::of_image(image)?)).transpose()
        };
        Ok(BeforeAfter { before: image(self.before)?, after: image(self.after)? })
    }
}

fn resource(kind: Kind, images: Images) -> Result<Content, StoreError> {
    Ok(Content::Resource(kind, Box::new(images.read(resource_image)?)))
}

fn membership(images: Images) -> Result<Option<Content>, StoreError> {
    let BeforeAfter { before, after } = images.read(membership_image)?;
    let named = after.as_ref().or(before.as_ref()).map(|(membership, _)| membership.clone());
    let image = |(_, image)| image;
    let (before, after) = (before.map(image), after.map(image));
    Ok(named.map(|named| Content::Membership(named, BeforeAfter { before, after })))
}

/// A row without a limit counts as no row.
fn seats(images: Images) -> Result<Content, StoreError> {
    let read = |row: &Item| Ok(SeatsRow::read(row)?.map(|seats| (seats, trace::read(row))));
    let BeforeAfter { before, after } = images.read(read)?;
    Ok(Content::Seats(BeforeAfter { before: before.flatten(), after: after.flatten() }))
}

fn resource_image(row: &Item) -> Result<ResourceImage, StoreError> {
    let stored = resource::read(row)?;
    let resync = row.text(RESYNC).map(str::to_owned);
    Ok(ResourceImage { version: stored.row_version, stored, trace: trace::read(row), resync })
}

fn membership_image(row: &Item) -> Result<(Membership, MembershipImage), StoreError> {
    let (group, member) = (membership::group(row)?, membership::member(row)?);
    let kind = member::kind(row);
    let resync = row.text(RESYNC).map(str::to_owned);
    Ok((Membership { group, member, kind }, MembershipImage { trace: trace::read(row), resync }))
}
