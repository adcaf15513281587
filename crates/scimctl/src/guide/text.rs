//! Texts that others wrote, in a page of Markdown.

use crate::output::visible;

/// Characters that have a meaning within a line of Markdown.
const MARKS: &[char] = &['\\', '`', '*', '_', '[', ']', '<', '>', '|', '~', '&', '#', '!'];

/// A text that stands for itself: it is neither Markdown nor HTML.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in visible(text).chars() {
        if MARKS.contains(&c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// A text as code, which fits into a cell of a table.
pub(super) fn code(text: &str) -> String {
    let text = visible(text).replace('|', "\\|");
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

/// Names as code, in a sentence.
pub(super) fn codes<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    texts.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

/// A sentence that begins with this text.
pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// A table of Markdown.
pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: String| format!("| {cells} |");
    let mut lines = vec![line(header.join(" | ")), format!("|{}", "---|".repeat(header.len()))];
    lines.extend(rows.into_iter().map(|row| line(row.join(" | "))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_stand_for_themselves() {
        assert_eq!(plain("<b>*a*</b> | [x](y)"), "\\<b\\>\\*a\\*\\</b\\> \\| \\[x\\](y)");
        assert_eq!(plain("a\nb\u{202e}"), "a\\\\u{a}b\\\\u{202e}");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(capitalized("the product"), "The product");
    }
}
