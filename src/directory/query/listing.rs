//! Lists all resources, without a filter or a sort.

use scim_core::Error;

use super::cursor::Cursor;
use super::page::{Page, Start};
use super::position::{Hit, Position};
use super::represent::too_much_to_read;
use super::search::Scope;
use crate::directory::context::{Call, Directory};
use crate::store::{Collection, Portion};

impl Directory {
    /// Fills a page with all resources, in the order of scopes and of their keys.
    pub(super) async fn list_all(
        &self,
        call: Call<'_>,
        scopes: &[Scope<'_>],
        mut page: Page,
    ) -> Result<Page, Error> {
        let mut total = 0;
        for (index, scope) in scopes.iter().enumerate() {
            // In a walk, one resource more than the page shows reveals whether more follow.
            let spare = usize::from(!matches!(page.start, Start::Index(_)));
            let is_done = page.more || page.resume.is_some();
            let count = if is_done { 0 } else { page.count + spare - page.hits.len() };
            let portion = match &page.start {
                Start::After(cursor) => {
                    let collection = call.collection(&scope.resource_type.kind);
                    self.list_after(&collection, cursor, index, count).await?
                }
                Start::First => self.list_from(call, scope, 0, count, &mut total).await?,
                Start::Index(skip) => {
                    let from = skip.saturating_sub(total);
                    let portion = self.list_from(call, scope, from, count, &mut total).await?;
                    let is_cut = portion.resources.is_empty() && portion.rest.is_some();
                    if is_cut && page.hits.is_empty() {
                        return Err(too_much_to_read());
                    }
                    portion
                }
            };
            for row in portion.resources {
                page.keep(Hit { scope: index, sort_key: None, row });
            }
            page.resume = portion.rest.map(|rest| Position::of_key(index, rest)).or(page.resume);
        }
        page.total = match &page.start {
            Start::After(cursor) => cursor.total,
            Start::First | Start::Index(_) => Some(total),
        };
        Ok(page)
    }

    /// The resources of a scope that come after a cursor. The walk knows the total from its first
    /// request.
    async fn list_after(
        &self,
        collection: &Collection,
        cursor: &Cursor,
        scope: usize,
        count: usize,
    ) -> Result<Portion, Error> {
        if scope < cursor.scope || count == 0 {
            return Ok(Portion::default());
        }
        let after = if scope == cursor.scope { cursor.after.as_str() } else { "" };
        Ok(self.store.after(collection, after, count, self.clock.seconds()).await?)
    }

    /// The resources of a scope after the first `from`. It adds the number of all resources of the
    /// scope to `total`.
    async fn list_from(
        &self,
        call: Call<'_>,
        scope: &Scope<'_>,
        from: usize,
        count: usize,
        total: &mut usize,
    ) -> Result<Portion, Error> {
        let collection = call.collection(&scope.resource_type.kind);
        let overdue = if scope.resource_type.is_user() { self.overdue(call).await? } else { &[] };
        let now = self.clock.seconds();
        let found = self.store.page(&collection, from, count, now, overdue).await?;
        *total += found.total + self.erased_since(call, overdue).await?;
        Ok(found.portion)
    }
}
