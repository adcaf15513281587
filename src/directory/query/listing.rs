//! All resources, without a filter and without a sort.

use scim_core::Error;

use super::page::{Page, Start};
use super::position::{Hit, Position};
use super::represent::too_much_to_read;
use super::search::Scope;
use crate::directory::context::{Call, Directory};
use crate::store::Portion;
use crate::tenant::unanswered;

impl Directory {
    /// All resources, in the order of scopes and sort keys.
    pub(super) async fn plain(
        &self,
        call: Call<'_>,
        scopes: &[Scope<'_>],
        mut page: Page,
    ) -> Result<Page, Error> {
        let now = self.clock.seconds();
        let (mut total, mut is_short) = (0, false);
        for (index, scope) in scopes.iter().enumerate() {
            let collection = call.collection(&scope.resource_type.kind);
            // One more than is shown tells a walk whether there is more.
            let (from, spare) = match &page.start {
                Start::Index(skip) => (skip.saturating_sub(total), 0),
                Start::First | Start::After(_) => (0, 1),
            };
            let count =
                if page.more || is_short { 0 } else { page.count + spare - page.hits.len() };
            let found = match &page.start {
                Start::After(cursor) if index < cursor.scope => Portion::default(),
                Start::After(cursor) if index == cursor.scope && count > 0 => self
                    .store
                    .after(&collection, &cursor.after, count, now)
                    .await
                    .map_err(unanswered)?,
                // The walk knows the total from its beginning.
                Start::After(_) if count == 0 => Portion::default(),
                Start::After(_) => {
                    self.store.after(&collection, "", count, now).await.map_err(unanswered)?
                }
                Start::First | Start::Index(_) => {
                    let overdue =
                        if scope.resource_type.is_user() { self.overdue(call).await? } else { &[] };
                    let found = self
                        .store
                        .page(&collection, from, count, now, overdue)
                        .await
                        .map_err(unanswered)?;
                    total += found.total + self.erased_since(call, overdue).await?;
                    let nothing =
                        found.portion.resources.is_empty() && found.portion.rest.is_some();
                    if nothing && page.hits.is_empty() && matches!(page.start, Start::Index(_)) {
                        return Err(too_much_to_read());
                    }
                    found.portion
                }
            };
            for row in found.resources {
                page.keep(Hit { scope: index, sort_key: None, row });
            }
            if let Some(rest) = found.rest {
                page.resume = Some(Position::of_key(index, rest));
                is_short = true;
            }
        }
        page.total = match &page.start {
            Start::After(cursor) => cursor.total,
            Start::First | Start::Index(_) => Some(total),
        };
        Ok(page)
    }
}
