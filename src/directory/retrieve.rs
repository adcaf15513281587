//! GET of one resource, and the answers of requests that have changed one.

use scim_core::members::MEMBERS;
use scim_core::{Error, ErrorKind, Projection, Resource};

use super::context::{Call, Directory};
use super::groups::expand::{Expanded, LARGE, View};
use super::lifecycle::states::Event;
use crate::store::Kind;
use crate::tenant::ServedType;

impl Directory {
    /// The resource with this id, with everything that the view shows of it.
    ///
    /// # Errors
    /// 404 if it does not exist, was deleted, or the text is not an id.
    pub async fn retrieve(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let stored = self.visible(call, resource_type, id, Event::Read).await?;
        self.complete(call, resource_type, stored.resource, stored.members, view).await
    }

    /// Whether what is shown of a resource may have changed while its version stayed the same. A
    /// group does not show members that are gone, although their memberships may still exist. Makes
    /// one call, unless the request has already made it.
    ///
    /// # Errors
    /// 503.
    pub async fn may_have_changed(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        projection: &Projection<'_>,
    ) -> Result<bool, Error> {
        let shows_members = resource_type.kind == Kind::Group
            && projection.shows(&resource_type.definition, MEMBERS);
        Ok(shows_members && !self.gone(call).await?.is_empty())
    }

    /// Like [`Directory::retrieve`], for a resource that was just written.
    pub(super) async fn retrieve_written(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let stored = self.visible(call, resource_type, id, Event::Read).await?;
        self.complete_written(call, resource_type, stored.resource, stored.members, view).await
    }

    /// Like [`Directory::complete`], for a resource that was just written: what is too large to
    /// show is left out, since the write must not look as if it had failed.
    pub(super) async fn complete_written(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        resource: Resource,
        count: usize,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        match self.complete(call, resource_type, resource.clone(), count, view).await {
            Err(error) if error.kind == ErrorKind::TooMany => Ok(Expanded { resource, cut: true }),
            completed => completed,
        }
    }

    /// A resource that was read, with everything that the view shows of it, such as the members of
    /// a group that has about `count` of them. The members are read after the version, so that a
    /// write that is based on both is refused if the members are newer.
    pub(super) async fn complete(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        resource: Resource,
        count: usize,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let beyond = self.beyond(call, resource_type, &resource.id, count, view).await?;
        let names = self.group_names(call, &beyond.groups().iter().cloned().collect()).await?;
        let shown = beyond.complete(call, resource, &names, view.projection)?;
        if count > LARGE {
            // Many members take CPU time, so the deadline is checked before they are written.
            tokio::task::yield_now().await;
        }
        Ok(shown)
    }
}
