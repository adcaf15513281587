//! The value of a comparison, read according to the type of the attribute.

use crate::error::Error;
use crate::filter::ast::{Operand, Operator};
use crate::filter::fold::Fold;
use crate::filter::lexer::Literal;
use crate::schema::attribute::Type;
use crate::schema::place::AttributeRef;
use crate::value::parse_date_time;

/// The operand in the form in which the attribute is compared.
pub(super) fn operand(
    place: &AttributeRef<'_>,
    operator: Operator,
    literal: Literal,
) -> Result<Operand, Error> {
    read(place, operator, literal).map_err(|problem| {
        Error::invalid_filter(format!("{} {problem}.", place.path())).at(place.path())
    })
}

/// The error says what is wrong with the comparison.
fn read(
    place: &AttributeRef<'_>,
    operator: Operator,
    Literal { text, quoted }: Literal,
) -> Result<Operand, &'static str> {
    if !quoted && text == "null" {
        return if operator.is_equality() {
            Ok(Operand::Null)
        } else {
            Err("can be compared with null only by eq and ne")
        };
    }
    match place.compared_leaf().kind {
        Type::Complex => Err("is complex; compare one of its sub-attributes"),
        Type::Boolean => boolean(operator, &text),
        Type::Integer | Type::Decimal => number(operator, &text),
        Type::DateTime => instant(operator, &text),
        Type::Binary if !operator.is_equality() => Err("is binary; compare it with eq or ne"),
        Type::String | Type::Reference | Type::Binary => {
            let rule = Fold::of(place);
            Ok(Operand::Text { folded: rule.apply(&text).into_owned(), as_sent: text, rule })
        }
    }
}

/// "Boolean and Binary attributes SHALL cause a failed response (HTTP status code 400) with
/// "scimType" of "invalidFilter"." (RFC 7644, table 3, on gt, ge, lt and le)
fn boolean(operator: Operator, text: &str) -> Result<Operand, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" if operator.is_equality() => Ok(Operand::Boolean(true)),
        "false" if operator.is_equality() => Ok(Operand::Boolean(false)),
        _ => Err("is a boolean; use eq or ne with true or false"),
    }
}

fn number(operator: Operator, text: &str) -> Result<Operand, &'static str> {
    if operator.is_of_text() {
        return Err("is a number; co, sw and ew work only on strings");
    }
    text.parse().map(Operand::Number).map_err(|_| "is a number; compare it with a number")
}

fn instant(operator: Operator, text: &str) -> Result<Operand, &'static str> {
    if operator.is_of_text() {
        return Err("is a date and time; co, sw and ew work only on strings");
    }
    parse_date_time(text)
        .map(Operand::Instant)
        .ok_or("is a date and time; compare it with one such as \"2011-05-13T04:42:34Z\"")
}
