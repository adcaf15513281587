//! Tables as text: values between separators, in quotes if a value holds a separator, a quote or a
//! line end (RFC 4180).

use std::iter::Peekable;
use std::str::Chars;

use anyhow::{anyhow, ensure};

/// The separators, the most common first. The first of these that occurs in the first line is used.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// A row of a table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The line on which it begins, from 1.
    pub(crate) line: usize,
    /// Its values, trimmed.
    pub(crate) cells: Vec<String>,
}

/// The text of a file, without a byte order mark.
pub(crate) fn text(bytes: Vec<u8>) -> anyhow::Result<String> {
    ensure!(!bytes.contains(&0), "it is in UTF-16: save it as UTF-8 (in Excel, as CSV UTF-8)");
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let good = String::from_utf8_lossy(good).replace("\r\n", "\n");
        anyhow!(
            "line {} is not UTF-8: save the file as UTF-8 (in Excel, as CSV UTF-8)",
            1 + good.matches(['\r', '\n']).count()
        )
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// The rows of a table, except the empty ones.
///
/// # Errors
/// Names the line if it is unclear where a value ends: a misplaced quote swallows the rows after
/// it.
pub(crate) fn rows(text: &str) -> Result<Vec<Row>, String> {
    let mut reader = Reader { rest: text.chars().peekable(), line: 1, separator: separator(text) };
    let mut rows = Vec::new();
    while reader.rest.peek().is_some() {
        let line = reader.line;
        let cells = reader.row()?;
        if cells.iter().any(|cell| !cell.is_empty()) {
            rows.push(Row { line, cells });
        }
    }
    Ok(rows)
}

fn separator(text: &str) -> char {
    let first = text.trim_start().split(['\r', '\n']).next().unwrap_or_default();
    let occurs =
        |separator: &char| first.split('"').step_by(2).any(|outside| outside.contains(*separator));
    SEPARATORS.into_iter().find(occurs).unwrap_or(',')
}

struct Reader<'t> {
    rest: Peekable<Chars<'t>>,
    line: usize,
    separator: char,
}

impl Reader<'_> {
    /// The next character. Every line end is `\n`.
    fn next(&mut self) -> Option<char> {
        let mut next = self.rest.next()?;
        if next == '\r' {
            self.rest.next_if_eq(&'\n');
            next = '\n';
        }
        self.line += usize::from(next == '\n');
        Some(next)
    }

    /// Whether a value ends here.
    fn is_end(&self, next: Option<char>) -> bool {
        next.is_none_or(|next| next == '\n' || next == self.separator)
    }

    fn row(&mut self) -> Result<Vec<String>, String> {
        let mut cells = Vec::new();
        loop {
            let (cell, end) = self.cell()?;
            cells.push(cell.trim().to_owned());
            if end != Some(self.separator) {
                return Ok(cells);
            }
        }
    }

    /// A value, and the character that ends it.
    fn cell(&mut self) -> Result<(String, Option<char>), String> {
        let mut cell = String::new();
        loop {
            let line = self.line;
            match self.next() {
                end if self.is_end(end) => return Ok((cell, end)),
                Some('"') if cell.trim().is_empty() => return self.quoted(line),
                Some('"') => {
                    return Err(format!(
                        "line {line}: there is a quote inside a value; put the whole value in \
                         quotes, and double each quote in it"
                    ));
                }
                next => cell.extend(next),
            }
        }
    }

    /// The rest of a value whose quote opened on this line, and the character that ends it.
    fn quoted(&mut self, opened: usize) -> Result<(String, Option<char>), String> {
        let mut cell = String::new();
        loop {
            match self.next() {
                None => {
                    return Err(format!("line {opened}: a quote that opens here is never closed"));
                }
                Some('"') if self.rest.next_if_eq(&'"').is_none() => break,
                next => cell.extend(next),
            }
        }
        let closed = self.line;
        loop {
            match self.next() {
                end if self.is_end(end) => return Ok((cell, end)),
                Some(space) if space.is_whitespace() => {}
                _ => {
                    return Err(format!(
                        "line {opened}: a quote opens here, and more text follows the quote that \
                         closes it (line {closed}); close it earlier, or double each quote in \
                         the value"
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(usize, String)> {
        rows(text).unwrap().into_iter().map(|row| (row.line, row.cells.join("|"))).collect()
    }

    #[test]
    fn a_row_has_the_number_of_its_first_line_with_every_line_end() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a, b ", "", "\"x", " \"\"y\"\",\" ,", ",,", "c,\"\"", "d,e"].join(end);
            let expected = [(1, "a|b"), (3, "x\n \"y\",|"), (6, "c|"), (7, "d|e")];
            assert_eq!(
                read(&text),
                expected.map(|(line, cells)| (line, cells.to_owned())),
                "{end:?}"
            );
        }
    }

    #[test]
    fn the_first_line_decides_the_separator() {
        for (text, expected) in [
            ("a;b\n1,5;2", ["a|b", "1,5|2"]),
            ("a\tb\n1;5\t2", ["a|b", "1;5|2"]),
            ("a;b,c\n1,5;2", ["a;b|c", "1|5;2"]),
            ("\"a,b\";c\n1,5; \"2\" ", ["a,b|c", "1,5|2"]),
            ("a\n1;5", ["a", "1;5"]),
        ] {
            assert_eq!(
                read(text).into_iter().map(|(_, cells)| cells).collect::<Vec<_>>(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_misplaced_quote_is_reported_with_its_line() {
        for (text, line, why) in [
            ("a,b\n1,\"2\n3,4\n", 2, "never closed"),
            ("a,b\r\n1,\"2\r\n3,4\r\n5,\"6\"\r\n", 2, "(line 4)"),
            ("a,b\n\n1,5\" pipe\n", 3, "inside a value"),
            ("a,b\n1,\"5\" pipe\n", 2, "(line 2)"),
            ("a,b\n1,\"\"2\"\"\n", 2, "(line 2)"),
        ] {
            let said = rows(text).unwrap_err();
            assert!(
                said.starts_with(&format!("line {line}: ")) && said.contains(why),
                "{text}: {said}"
            );
        }
    }
}
