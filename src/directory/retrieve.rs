//! GET of one resource, with all that is wanted of it.

use scim_core::members::MEMBERS;
use scim_core::{Error, ErrorKind, Projection, Resource};

use super::context::{Call, Directory};
use super::groups::expand::{Expanded, LARGE, View};
use super::lifecycle::states::Event;
use crate::store::Kind;
use crate::tenant::ServedType;

impl Directory {
    /// The resource with this id, with all that is wanted of it.
    ///
    /// # Errors
    /// 404 if there is none, it was deleted, or the text is no id of ours.
    pub async fn retrieve(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let stored = self.visible(call, resource_type, id, Event::Change).await?;
        self.complete(call, resource_type, stored.resource, stored.members, view).await
    }

    /// Whether what is shown of a resource may have changed without a new version: a group shows
    /// nobody who is gone, though their membership may be there still. One call, unless it was
    /// asked before.
    ///
    /// # Errors
    /// 503.
    pub async fn may_have_changed(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        projection: &Projection<'_>,
    ) -> Result<bool, Error> {
        match resource_type.kind == Kind::Group
            && projection.shows(&resource_type.definition, MEMBERS)
        {
            true => Ok(!self.gone(call).await?.is_empty()),
            false => Ok(false),
        }
    }

    /// As [`Directory::retrieve`], of a resource that was just written.
    pub(super) async fn retrieve_written(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let stored = self.visible(call, resource_type, id, Event::Change).await?;
        self.complete_written(call, resource_type, stored.resource, stored.members, view).await
    }

    /// As [`Directory::complete`], of a resource that was just written: what cannot be shown of it
    /// is left out.
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

    /// A resource that was read, with all that is wanted of it: the members of a group, which has
    /// about `count`, too. They are read after its version: a write that is based on both is
    /// refused if they are newer.
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
            // Many members take CPU time, and the deadline is looked at before they are written.
            tokio::task::yield_now().await;
        }
        Ok(shown)
    }
}
