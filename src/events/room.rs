//! From records of the table's stream to events.

use std::sync::Arc;

use scim_core::{Error, ErrorKind};
use serde_json::{Value, json};

use super::difference::View;
use super::draft::{Data, Draft, Subject};
use super::envelope::sealed;
use super::event_type::EventType;
use super::resources::Moment;
use super::{limits, members, resources, resyncs, tenants, users};
use crate::settings::EventSettings;
use crate::store::{
    Change, Content, Kind, ResourceImage, RowChange, Store, StoreError, TenantCode,
};
use crate::tenant::{Tenant, Tenants};

/// The events of all tenants.
#[derive(Debug)]
pub struct Events {
    store: Store,
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

impl Events {
    /// The events of the tenants in `store`.
    pub fn new(
        store: Store,
        tenants: Arc<Tenants>,
        base_url: Option<String>,
        settings: EventSettings,
    ) -> Self {
        Self { store, tenants, base_url, settings }
    }

    /// The events of these records of the stream, in their order, at most one for each. A record
    /// that cannot be read gives `record.unshaped` and stops no other. The tenants are read from
    /// the table, at most once a minute each.
    ///
    /// # Errors
    /// 503 if the table does not answer: the same records can be sent again later.
    pub async fn of_records(&self, records: Vec<Value>) -> Result<Vec<Value>, Error> {
        let mut events = Vec::with_capacity(records.len());
        for record in records {
            match RowChange::read(record) {
                Some(change) => events.extend(self.of_change(change).await?),
                None => events.push(self.unreadable()),
            }
        }
        Ok(events)
    }

    /// The event of one change.
    async fn of_change(&self, mut change: RowChange) -> Result<Option<Value>, Error> {
        let content = std::mem::replace(&mut change.content, Ok(None));
        let content = match content {
            Ok(None) => return Ok(None),
            Ok(Some(content)) => Ok(content),
            Err(error) => Err(Unshaped::from(error)),
        };
        let tenant = match &change.tenant {
            Some(code) => self.tenant(code).await?,
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
        Ok(draft.map(|draft| sealed(draft, &change, known, &self.settings)))
    }

    /// The tenant with this code; `None` if it is gone.
    ///
    /// # Errors
    /// 503 if the table does not answer. The inner error says that this release cannot use the
    /// tenant's row.
    async fn tenant(
        &self,
        code: &TenantCode,
    ) -> Result<Result<Option<Arc<Tenant>>, Unshaped>, Error> {
        match self.tenants.get(code).await {
            Ok(tenant) => Ok(Ok(tenant)),
            Err(error) if error.kind == ErrorKind::Internal => Ok(Err(Unshaped(error.detail))),
            // The table may be down, or the row or its profile may be what cannot be read.
            Err(error) => match self.store.tenant(code).await {
                Ok(_) => Ok(Err(Unshaped(error.detail))),
                Err(StoreError::Unavailable(_) | StoreError::OutOfBudget) => Err(error),
                Err(error @ (StoreError::Broken(_) | StoreError::NewerFormat { .. })) => {
                    Ok(Err(error.into()))
                }
            },
        }
    }

    /// What a change says; `None` if it does not concern the product.
    fn draft(
        &self,
        change: &RowChange,
        content: Content,
        tenant: Option<&Tenant>,
    ) -> Result<Option<Draft>, Unshaped> {
        let code = change.tenant.as_ref().ok_or_else(|| Unshaped("no tenant".into()))?;
        Ok(match content {
            Content::Resource(kind, resource) => {
                self.of_resource(change, &kind, *resource, tenant)?
            }
            Content::Membership(membership, change) => members::event(&membership, change),
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
        resource: Change<ResourceImage>,
        tenant: Option<&Tenant>,
    ) -> Result<Option<Draft>, Unshaped> {
        let tenant = tenant.ok_or_else(|| Unshaped("the tenant is gone".into()))?;
        let resource_type = tenant.types.iter().find(|served| served.kind == *kind);
        let resource_type = resource_type
            .ok_or_else(|| Unshaped("the tenant has no resource type of this name".into()))?;
        let base_url = tenant.base_url(self.base_url.as_deref().unwrap_or_default());
        let base_url = Some(&*base_url).filter(|url| url.contains("://"));
        let view = View { resource_type, base_url };
        let moment = Moment { time: change.time, by_ttl: change.by_ttl };
        Ok(match kind {
            Kind::User => users::event(view, moment, resource),
            Kind::Group | Kind::Other(_) => resources::event(view, resource),
        })
    }

    /// The event of a record that lacks even the key of its row.
    fn unreadable(&self) -> Value {
        tracing::error!("a record of the stream has no key");
        let change = RowChange {
            tenant: None,
            key: (String::new(), String::new()),
            kind: String::new(),
            sequence_number: String::new(),
            time: 0,
            by_ttl: false,
            content: Ok(None),
        };
        let why = Unshaped("it is not a record of the table's stream".into());
        sealed(unshaped(&change, &why), &change, None, &self.settings)
    }
}

/// The event of a record that cannot be read. It names the row by its key, which holds no personal
/// data.
fn unshaped(change: &RowChange, Unshaped(why): &Unshaped) -> Draft {
    let (p, s) = &change.key;
    tracing::error!(%p, %s, why, "a record of the stream cannot be read");
    let data = json!({ "kind": change.kind, "key": { "p": p, "s": s }, "reason": why });
    let subject = Subject::new("Record", format!("{p}/{s}"));
    Draft::new(EventType::RecordUnshaped, subject).data(Data::Plain(data))
}
