//! Tables for people: a header, and columns that are as wide as their widest cell.

use unicode_width::UnicodeWidthStr;

use crate::output::visible;

/// A table.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table with these names of columns.
    pub(crate) fn new(header: [&str; N]) -> Self {
        Self { rows: vec![header.map(str::to_uppercase)] }
    }

    /// Adds a row. Control characters are shown, and an empty cell is a dash.
    pub(crate) fn push(&mut self, cells: [&str; N]) {
        let cell = |text: &str| if text.is_empty() { "-".to_owned() } else { visible(text) };
        self.rows.push(cells.map(cell));
    }

    /// The lines of the table.
    pub(crate) fn lines(&self) -> String {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let line = |row: &[String; N]| {
            let padded = row.iter().zip(widths).map(|(cell, width)| {
                let blanks = width.saturating_sub(cell.width());
                format!("{cell}{}", " ".repeat(blanks))
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_the_script() {
        let mut table = Table::new(["name", "state"]);
        table.push(["Zoë", "active"]);
        table.push(["日本", ""]);
        table.push(["a\u{1b}b", "x"]);
        let lines = table.lines();
        assert_eq!(lines, "NAME      STATE\nZoë       active\n日本      -\na\\u{1b}b  x");
    }
}
