//! From records of the table's stream to events.

use std::sync::Arc;

use scim_core::Error;
use serde_json::{Value, json};

use super::difference::ResourceView;
use super::draft::{Data, EventDraft, EventSubject};
use super::envelope::{MAX_ANSWER_BYTES, envelope, fit_together, record_digest};
use super::event_type::EventType;
use super::resources::Moment;
use super::{limits, members, resources, resyncs, tenants, users};
use crate::settings::EventSettings;
use crate::store::{BeforeAfter, Content, Kind, ResourceImage, RowChange, StoreError, TenantCode};
use crate::telemetry::{self, Counter};
use crate::tenant::{ServedType, Tenant, TenantError, Tenants};

/// The events of all tenants.
#[derive(Debug)]
pub struct Events {
    tenants: Arc<Tenants>,
    /// The base URL of tenants without their own, if the deployment has one.
    base_url: Option<String>,
    settings: EventSettings,
}

/// Why a record gives no event of its own type.
struct Unshaped(String);

impl From<StoreError> for Unshaped {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// The tenants of a batch.
struct Batch<'e> {
    tenants: &'e Tenants,
    /// How many reads of tenants had begun when the batch came.
    reads: u64,
}

impl Events {
    /// The events of these tenants.
    pub fn new(tenants: Arc<Tenants>, base_url: Option<String>, settings: EventSettings) -> Self {
        Self { tenants, base_url, settings }
    }

    /// The events of these records of the stream, in their order, at most one for each. A record
    /// that cannot be read gives `record.unshaped` and stops no other. Tenants are read from the
    /// table, and remembered for a minute.
    ///
    /// # Errors
    /// If the table does not answer: the same records can be sent again later.
    pub async fn of_records(&self, records: Vec<Value>) -> Result<Vec<Value>, Error> {
        let batch = Batch { tenants: &self.tenants, reads: self.tenants.reads() };
        let (mut events, mut weight) = (Vec::with_capacity(records.len()), 0);
        for mut record in records {
            match RowChange::read(&mut record) {
                Some(change) => {
                    let event = self.of_change(&batch, change).await?;
                    weight += event.as_ref().map_or(0, |(_, weight)| *weight);
                    events.extend(event.map(|(event, _)| event));
                }
                None => events.push(self.unreadable(record_digest(&record))),
            }
        }
        if weight > MAX_ANSWER_BYTES / 2 {
            fit_together(&mut events);
        }
        Ok(events)
    }

    /// The event of one change, and its weight.
    async fn of_change(
        &self,
        batch: &Batch<'_>,
        mut change: RowChange,
    ) -> Result<Option<(Value, usize)>, Error> {
        let content = match std::mem::replace(&mut change.content, Ok(None)) {
            Ok(None) => return Ok(None),
            Ok(Some(content)) => Ok(content),
            Err(error) => Err(Unshaped::from(error)),
        };
        let tenant = match &change.tenant {
            Some(code) => batch.tenant(code, content.as_ref().ok()).await?,
            None => Err(Unshaped("no tenant owns the row".into())),
        };
        let known = tenant.as_ref().ok().and_then(Option::as_deref);
        let draft = match (content, &tenant) {
            (Err(why), _) => Some(unshaped(&change, &why)),
            (Ok(content), Ok(tenant)) => self
                .draft(&change, content, tenant.as_deref())
                .unwrap_or_else(|why| Some(unshaped(&change, &why))),
            (Ok(_), Err(why)) => Some(unshaped(&change, why)),
        };
        Ok(draft.map(|draft| {
            let weight = draft.weight;
            (envelope(draft, &change, known, &self.settings), weight)
        }))
    }

    /// What a change says; `None` if it does not concern the product.
    fn draft(
        &self,
        change: &RowChange,
        content: Content,
        tenant: Option<&Tenant>,
    ) -> Result<Option<EventDraft>, Unshaped> {
        let code = change.tenant.as_ref().ok_or_else(|| Unshaped("no tenant".into()))?;
        Ok(match content {
            Content::Resource(kind, resource) => {
                self.of_resource(change, &kind, *resource, tenant)?
            }
            Content::Membership(membership, images) => {
                members::event(pair(&change.key), &membership, images)
            }
            Content::Tenant(tenant) => tenants::event(code, &tenant),
            Content::Seats(seats) => limits::of_seats(code, &seats),
            Content::Brake(brake) => limits::of_brake(code, &brake),
            Content::Resync(resync) => resyncs::event(&resync),
        })
    }

    fn of_resource(
        &self,
        change: &RowChange,
        kind: &Kind,
        resource: BeforeAfter<ResourceImage>,
        tenant: Option<&Tenant>,
    ) -> Result<Option<EventDraft>, Unshaped> {
        let tenant = tenant.ok_or_else(|| Unshaped("the tenant is gone".into()))?;
        let resource_type = served(tenant, kind)
            .ok_or_else(|| Unshaped("the tenant has no resource type of this name".into()))?;
        let base_url = tenant.base_url(self.base_url.as_deref().unwrap_or_default());
        let base_url = Some(&*base_url).filter(|url| url.contains("://"));
        let view = ResourceView { resource_type, base_url };
        let moment = Moment { time: change.time, by_ttl: change.by_ttl };
        Ok(match kind {
            Kind::User => users::event(view, moment, resource),
            Kind::Group | Kind::Other(_) => resources::event(view, resource),
        })
    }

    /// The event of a record that lacks even the key of its row.
    fn unreadable(&self, digest: String) -> Value {
        let change = RowChange {
            tenant: None,
            key: ("unreadable".into(), digest),
            kind: String::new(),
            sequence_number: String::new(),
            time: 0,
            by_ttl: false,
            content: Ok(None),
        };
        let why = Unshaped("it is not a record of the table's stream".into());
        envelope(unshaped(&change, &why), &change, None, &self.settings)
    }
}

impl Batch<'_> {
    /// The tenant with this code; `None` if it is gone. Before it counts as gone, or as a tenant
    /// without the type of the resource, it is read again: it may be newer than what is remembered.
    ///
    /// # Errors
    /// If the table does not answer. The inner error says that this release cannot use the tenant's
    /// row.
    async fn tenant(
        &self,
        code: &TenantCode,
        content: Option<&Content>,
    ) -> Result<Result<Option<Arc<Tenant>>, Unshaped>, Error> {
        let suits = |tenant: &Arc<Tenant>| match content {
            Some(Content::Resource(kind, _)) => served(tenant, kind).is_some(),
            _ => true,
        };
        let found = match self.tenants.get(code).await {
            Ok(Some(tenant)) if suits(&tenant) => Ok(Some(tenant)),
            Ok(_) => self.tenants.read_after(code, self.reads).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(tenant) => Ok(Ok(tenant)),
            Err(TenantError::Profile(why)) => Ok(Err(Unshaped(why.to_string()))),
            Err(TenantError::Store(
                error @ (StoreError::Broken(_) | StoreError::NewerFormat { .. }),
            )) => Ok(Err(error.into())),
            Err(TenantError::Store(
                error @ (StoreError::Unavailable(_)
                | StoreError::Throttled(_)
                | StoreError::Denied(_)
                | StoreError::OutOfBudget),
            )) => Err(error.into()),
        }
    }
}

/// The type of a tenant's resources of this kind.
fn served<'t>(tenant: &'t Tenant, kind: &Kind) -> Option<&'t ServedType> {
    tenant.types.iter().find(|served| served.kind == *kind)
}

/// A group and its member, by the keys of their rows: an id that came from elsewhere may be longer
/// than a message group of SQS.
fn pair((p, s): &(String, String)) -> String {
    format!("{s}/{}", p.rsplit('#').next().unwrap_or_default())
}

/// The event of a record that cannot be read. It names the row by its key, which holds no personal
/// data.
fn unshaped(change: &RowChange, Unshaped(why): &Unshaped) -> EventDraft {
    let (p, s) = &change.key;
    tracing::error!(%p, %s, why, "a record of the stream cannot be read");
    let tenant = change.tenant.as_ref().map_or("", TenantCode::as_str);
    telemetry::count(Counter::EventUnshaped, tenant);
    let data = json!({ "kind": change.kind, "key": { "p": p, "s": s }, "reason": why });
    let subject = EventSubject::new("Record", format!("{p}/{s}"));
    EventDraft::new(EventType::RecordUnshaped, subject).data(Data::Plain(data))
}
