//! The tokens of a filter: words, literals and brackets.

use serde_json::Value;

use crate::error::Error;
use crate::filter::ast::Operator;

/// The part of a filter's text that has not been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexer<'t> {
    rest: &'t str,
    /// Whether there was a space before `rest`.
    blank: bool,
    /// Whether the text must follow the grammar to the letter.
    strict: bool,
}

/// A value that an attribute is compared with, as the client wrote it.
pub(super) struct Literal {
    pub(super) text: String,
    pub(super) quoted: bool,
}

impl Literal {
    /// The value as JSON. A string that was written without quotes stays without them.
    pub(super) fn printed(&self) -> String {
        if self.quoted { Value::from(self.text.as_str()).to_string() } else { self.text.clone() }
    }
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, strict: bool) -> Self {
        Self { rest: text.trim(), blank: false, strict }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The text between an earlier state of this lexer and now.
    pub(super) fn since(&self, before: Self) -> String {
        let length = before.rest.len() - self.rest.len();
        before.rest.get(..length).unwrap_or_default().trim_end().to_owned()
    }

    /// Reads `bracket` if it is next.
    pub(super) fn bracket(&mut self, bracket: char) -> bool {
        let rest = self.rest.strip_prefix(bracket);
        rest.into_iter().for_each(|rest| self.go_to(rest));
        rest.is_some()
    }

    /// Reads `bracket`, which must be next.
    pub(super) fn expect(&mut self, bracket: char) -> Result<(), Error> {
        if self.bracket(bracket) {
            return Ok(());
        }
        Err(Error::invalid_filter(format!("The filter is missing a closing {bracket}.")))
    }

    /// Reads the dot between `]` and a sub-attribute if it is next. No space may precede it.
    pub(super) fn dot(&mut self) -> bool {
        let rest = self.rest.strip_prefix('.').filter(|_| !self.blank);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Reads an attribute name. The name is empty if something else is next.
    pub(super) fn name(&mut self) -> &'t str {
        self.take(|c| c.is_ascii_alphanumeric() || "-_$.:".contains(c))
    }

    /// Reads a logical operator or `pr` if it is next. "logExp = FILTER SP ("and" / "or") SP
    /// FILTER": only the strict dialect insists on the spaces where the operator is next to a
    /// bracket.
    pub(super) fn word(&mut self, word: &str) -> Result<bool, Error> {
        let before = self.blank;
        if !self.keyword(word) {
            return Ok(false);
        }
        let after = self.blank || word == "pr";
        self.check_blanks(before && after)?;
        Ok(true)
    }

    /// Reads `word` if it is next, as a whole word and ignoring case.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let Some(head) = self.rest.get(..word.len()) else { return false };
        let after = self.rest.get(word.len()..).unwrap_or_default();
        let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || "()[]\"".contains(c));
        if ends && head.eq_ignore_ascii_case(word) {
            self.go_to(after);
            return true;
        }
        false
    }

    /// Reads the operator of a comparison.
    pub(super) fn operator(&mut self) -> Result<Operator, Error> {
        let before = self.blank;
        let word = self.take(|c| c.is_ascii_alphabetic());
        self.check_blanks(before && self.blank)?;
        Operator::parse(word).ok_or_else(|| {
            Error::invalid_filter(
                "The filter is missing an operator; use eq, ne, co, sw, ew, gt, ge, lt, le or pr.",
            )
        })
    }

    /// Reads a JSON string, or a bare word that ends at a space or bracket.
    pub(super) fn literal(&mut self) -> Result<Literal, Error> {
        if self.rest.starts_with('"') {
            return self.quoted();
        }
        let word = self.take(|c| !c.is_whitespace() && !"()[]\"".contains(c));
        if word.is_empty() {
            return Err(Error::invalid_filter(
                "The filter is missing a value after its operator; put strings in quotes.",
            ));
        }
        // "compValue = false / null / true / number / string", rules from JSON.
        let json = serde_json::from_str::<Value>(word);
        let is_value = json.is_ok_and(|json| !json.is_object() && !json.is_array());
        if !is_value && self.strict {
            return Err(Error::invalid_filter("A string in the filter must be in quotes."));
        }
        Ok(Literal { text: word.to_owned(), quoted: false })
    }

    fn quoted(&mut self) -> Result<Literal, Error> {
        let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        let Some(Ok(text)) = stream.next() else {
            return Err(Error::invalid_filter(
                "A quoted value in the filter is not a JSON string; close its quotes.",
            ));
        };
        let length = stream.byte_offset();
        self.go_to(self.rest.get(length..).unwrap_or_default());
        Ok(Literal { text, quoted: true })
    }

    fn check_blanks(&self, are_there: bool) -> Result<(), Error> {
        if self.strict && !are_there {
            return Err(Error::invalid_filter(
                "The filter needs a space before and after each operator.",
            ));
        }
        Ok(())
    }

    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (head, tail) = self.rest.split_at(end);
        self.go_to(tail);
        head
    }

    /// Continues at `rest`, after its leading spaces.
    fn go_to(&mut self, rest: &'t str) {
        self.rest = rest.trim_start();
        self.blank = self.rest.len() < rest.len();
    }
}
