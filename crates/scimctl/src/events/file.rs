//! The product's own table of users, as a file.

use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use scim_lambda::operator::drift::{DriftRow, DriftTable};

use crate::import::table::{self, Row};

/// Reads a table whose first line names its columns.
///
/// # Errors
/// With the line and what to type.
pub(super) fn read(path: &Path) -> anyhow::Result<DriftTable> {
    let name = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("{name} cannot be read"))?;
    let text = table::text(bytes).with_context(|| format!("{name} cannot be read"))?;
    let rows = table::rows(&text).map_err(|why| anyhow!("{name} cannot be read: {why}"))?;
    let mut rows = rows.into_iter();
    let names = rows.next().map(|row| row.cells).unwrap_or_default();
    ensure!(
        !names.is_empty(),
        "{name} is empty; its first line names the columns, one of them id, externalId or userName"
    );
    let row = |Row { line, cells }| DriftRow { line, cells };
    Ok(DriftTable { names, rows: rows.map(row).collect() })
}
