//! Compares filters and PATCH paths with another implementation of the grammar, the crate
//! `scim_v2`. Both must accept the same texts and read the same structure. This file explains the
//! exceptions.
//!
//! `ORACLE_CASES` sets the number of texts; the default is 20,000 of each kind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use scim_core::patch::Path;
use scim_core::{Dialect, Filter, ResourceType};
use scim_v2::filter as oracle;

/// Attributes that are compared with strings.
const TEXTS: [&str; 12] = [
    "userName",
    "title",
    "displayName",
    "USERNAME",
    "externalId",
    "id",
    "name.familyName",
    "emails.value",
    "emails",
    "urn:ietf:params:scim:schemas:core:2.0:User:nickName",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "meta.resourceType",
];
/// Attributes that can have a filter in brackets.
const COMPLEX: [&str; 4] =
    ["emails", "phoneNumbers", "addresses", "urn:ietf:params:scim:schemas:core:2.0:User:photos"];

fn text_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9@. ()\\[\\]é-]{0,12}".prop_map(|text| serde_json::Value::from(text).to_string()),
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        Just("\"\\u0041\\n\"".to_owned()),
        Just("null".to_owned()),
    ]
}

fn comparison(names: Vec<&'static str>) -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec![
        "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "EQ", "Co",
    ]);
    let equality = prop::sample::select(vec!["eq", "ne"]);
    let name = prop::sample::select(names);
    prop_oneof![
        4 => (name.clone(), operator, text_value())
            .prop_map(|(name, operator, value)| match value.as_str() {
                "null" => format!("{name} eq null"),
                _ => format!("{name} {operator} {value}"),
            }),
        2 => (name, prop::sample::select(vec!["pr", "PR"]))
            .prop_map(|(name, pr)| format!("{name} {pr}")),
        1 => (equality, any::<bool>())
            .prop_map(|(operator, value)| format!("active {operator} {value}")),
        1 => Just("meta.created gt \"2011-05-13T04:42:34Z\"".to_owned()),
    ]
}

fn inner() -> impl Strategy<Value = String> {
    let names = vec!["value", "type", "display", "TYPE"];
    let leaf = prop_oneof![
        3 => comparison(names).prop_filter("only sub-attributes", |text| {
            !text.starts_with("active") && !text.starts_with("meta")
        }),
        1 => Just("primary eq true".to_owned()),
        1 => Just("primary eq false".to_owned()),
    ];
    joined(leaf.boxed(), 2)
}

fn joined(leaf: BoxedStrategy<String>, depth: u32) -> BoxedStrategy<String> {
    let blank = || prop::sample::select(vec![" ", "  ", "\t"]);
    let word = || prop::sample::select(vec!["and", "or", "AND"]);
    leaf.prop_recursive(depth, 12, 3, move |inner| {
        prop_oneof![
            3 => (inner.clone(), word(), blank(), inner.clone())
                .prop_map(|(a, word, blank, b)| format!("{a}{blank}{word} {b}")),
            1 => inner.clone().prop_map(|one| format!("({one})")),
            1 => inner.prop_map(|one| format!("not ({one})")),
        ]
    })
    .boxed()
}

fn filter() -> impl Strategy<Value = String> {
    let value_path = (prop::sample::select(COMPLEX.to_vec()), inner())
        .prop_filter_map("addresses lack value and display", |(name, inner)| {
            (name != "addresses").then(|| format!("{name}[{inner}]"))
        });
    joined(prop_oneof![4 => comparison(TEXTS.to_vec()), 1 => value_path].boxed(), 4)
}

fn path() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> =
        TEXTS.iter().chain(&COMPLEX).copied().filter(|name| !name.starts_with("meta")).collect();
    let sub = prop::sample::select(vec!["", ".value", ".type", ".DISPLAY"]);
    prop_oneof![
        1 => prop::sample::select(names).prop_map(str::to_owned),
        3 => (prop::sample::select(vec!["emails", "phoneNumbers"]), inner(), sub)
            .prop_map(|(name, inner, sub)| format!("{name}[{inner}]{sub}")),
    ]
}

/// A text, often with a few small changes.
fn mutated(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let edit = (
        any::<prop::sample::Index>(),
        prop::sample::select(vec![
            "", "(", ")", "[", "]", "\"", " ", ".", ":", "not", "and", "eq", "1", "-", "\\", "{}",
        ]),
    );
    (text, prop::collection::vec((edit, any::<bool>()), 0..3)).prop_map(|(mut text, edits)| {
        for ((index, replacement), replaces) in edits {
            let mut starts: Vec<usize> = text.char_indices().map(|(start, _)| start).collect();
            starts.push(text.len());
            let from = starts[index.index(starts.len())];
            let to = text[from..]
                .chars()
                .next()
                .filter(|_| replaces)
                .map_or(from, |c| from + c.len_utf8());
            text.replace_range(from..to, replacement);
        }
        text
    })
}

/// Prints the trees of the oracle in the form in which this crate prints its own.
mod printed {
    use super::oracle::{AttrExp, AttrPath, CompValue, CompareOp, Filter, PatchPath, ValFilter};
    use scim_core::schema::{AttributeRef, Place};
    use scim_core::{Attribute, ResourceType};

    fn name(
        path: &AttrPath,
        resource_type: &ResourceType,
        scope: Option<&Attribute>,
    ) -> Option<String> {
        let sub = path.sub_attr.as_ref().map(|sub| format!(".{sub}")).unwrap_or_default();
        let uri = path.uri.as_ref().map(|uri| format!("{uri}:")).unwrap_or_default();
        let whole = format!("{uri}{}{sub}", path.name);
        match scope {
            Some(scope) => Some(scope.sub_attribute(&whole)?.name.clone()),
            None => match resource_type.resolve(&whole)? {
                Place::Attribute(place) => Some(place.path()),
                Place::Extension(extension) => Some(extension.id.clone()),
            },
        }
    }

    fn expression(
        one: &AttrExp,
        resource_type: &ResourceType,
        scope: Option<&Attribute>,
    ) -> Option<String> {
        Some(match one {
            AttrExp::Present(path) => format!("{} pr", name(path, resource_type, scope)?),
            AttrExp::Comparison(path, operator, value) => {
                let operator = match operator {
                    CompareOp::Eq => "eq",
                    CompareOp::Ne => "ne",
                    CompareOp::Co => "co",
                    CompareOp::Sw => "sw",
                    CompareOp::Ew => "ew",
                    CompareOp::Gt => "gt",
                    CompareOp::Lt => "lt",
                    CompareOp::Ge => "ge",
                    CompareOp::Le => "le",
                };
                let value = match value {
                    CompValue::True => "true".into(),
                    CompValue::False => "false".into(),
                    CompValue::Null => "null".into(),
                    CompValue::Number(number) => number.to_string(),
                    CompValue::Str(text) => serde_json::Value::from(text.as_str()).to_string(),
                };
                format!("{} {operator} {value}", name(path, resource_type, scope)?)
            }
        })
    }

    /// A text, and whether it is an "or" expression.
    type Printed = Option<(String, bool)>;

    fn joined(parts: Vec<(String, bool)>, or: bool) -> Printed {
        let parts = parts
            .into_iter()
            .map(|(text, is_or)| if is_or && !or { format!("({text})") } else { text });
        Some((parts.collect::<Vec<_>>().join(if or { " or " } else { " and " }), or))
    }

    pub fn filter(one: &Filter, resource_type: &ResourceType) -> Printed {
        match one {
            Filter::And(all) => {
                joined(all.iter().map(|f| filter(f, resource_type)).collect::<Option<_>>()?, false)
            }
            Filter::Or(any) => {
                joined(any.iter().map(|f| filter(f, resource_type)).collect::<Option<_>>()?, true)
            }
            Filter::Not(inner) => {
                Some((format!("not ({})", filter(inner, resource_type)?.0), false))
            }
            Filter::Attr(one) => Some((expression(one, resource_type, None)?, false)),
            Filter::ValuePath(path) => {
                let name = name(&path.attr, resource_type, None)?;
                let Some(Place::Attribute(AttributeRef { attribute, .. })) =
                    resource_type.resolve(&name)
                else {
                    return None;
                };
                Some((
                    format!("{name}[{}]", within(&path.filter, resource_type, attribute)?.0),
                    false,
                ))
            }
        }
    }

    fn within(one: &ValFilter, resource_type: &ResourceType, scope: &Attribute) -> Printed {
        match one {
            ValFilter::And(all) => joined(
                all.iter().map(|f| within(f, resource_type, scope)).collect::<Option<_>>()?,
                false,
            ),
            ValFilter::Or(any) => joined(
                any.iter().map(|f| within(f, resource_type, scope)).collect::<Option<_>>()?,
                true,
            ),
            ValFilter::Not(inner) => {
                Some((format!("not ({})", within(inner, resource_type, scope)?.0), false))
            }
            ValFilter::Attr(one) => Some((expression(one, resource_type, Some(scope))?, false)),
        }
    }

    pub fn path(one: &PatchPath, resource_type: &ResourceType) -> Option<String> {
        match one {
            PatchPath::Attr(path) => name(path, resource_type, None),
            PatchPath::Value(path) => {
                let name = name(&path.attr, resource_type, None)?;
                let Some(Place::Attribute(AttributeRef { attribute, .. })) =
                    resource_type.resolve(&name)
                else {
                    return None;
                };
                let sub = match &path.sub_attr {
                    Some(sub) => format!(".{}", attribute.sub_attribute(sub)?.name),
                    None => String::new(),
                };
                Some(format!("{name}[{}]{sub}", within(&path.filter, resource_type, attribute)?.0))
            }
        }
    }
}

/// Whether this crate refuses a text for a reason that the oracle does not have: the oracle does
/// not know the schema, and its limits are wider.
fn more_than_grammar(detail: &str) -> bool {
    [
        "no schema of this resource type defines",
        "can be nested at most",
        "can have at most",
        "Only a complex attribute can have a filter",
        "is not a complex attribute",
        "and not inside another",
        " is complex; compare",
        " is a boolean; use",
        " is a date and time; ",
        " is binary; compare",
        " is a number; ",
        "can be compared with null",
    ]
    .iter()
    .any(|reason| detail.contains(reason))
}

/// Whether the oracle is known to refuse such a text, although the grammar allows it.
fn less_than_grammar(text: &str) -> bool {
    let lower = text.to_lowercase();
    // "*1"not" "(" FILTER ")"" has no space; the oracle expects one.
    lower.contains("not(")
        // `$ref` is an attribute of RFC 7643, although it is not an ATTRNAME.
        || lower.contains('$')
        // `emails[type eq "work"].value eq "x"` in a filter is what identity providers send.
        || text.contains("].")
        // The lexer of the oracle reads " primary" as the operator " pr".
        || ["( pr", "[ pr", "(  pr", "[  pr"].iter().any(|odd| lower.contains(odd))
        // A URI may contain several dots; the oracle splits the name at the first.
        || lower.contains("urn:")
}

fn differences(
    cases: u32,
    texts: impl Strategy<Value = String>,
    differs: impl Fn(&str) -> Result<(), String>,
) {
    let cases =
        std::env::var("ORACLE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_local_rejects: u32::MAX,
        ..Config::default()
    });
    runner.run(&texts, |text| differs(&text).map_err(TestCaseError::fail)).unwrap();
}

fn judge(
    text: &str,
    ours: Result<Option<String>, scim_core::Error>,
    theirs: Result<Option<String>, String>,
) -> Result<(), String> {
    match (ours, theirs) {
        (Ok(Some(ours)), Ok(Some(theirs))) if ours == theirs => Ok(()),
        (Ok(Some(ours)), Ok(theirs)) => {
            Err(format!("{text:?}: we read {ours:?}, the oracle reads {theirs:?}"))
        }
        // No schema defines the name.
        (Ok(None), _) => Ok(()),
        (Err(error), Ok(_)) if more_than_grammar(&error.detail) => Ok(()),
        // The oracle skips spaces between all tokens; the grammar allows none next to a dot.
        (Err(_), Ok(_)) if [" .", "\t.", ". ", ".\t"].iter().any(|blank| text.contains(blank)) => {
            Ok(())
        }
        (Err(error), Ok(_)) => {
            Err(format!("{text:?}: only the oracle accepts it; we say: {}", error.detail))
        }
        (Ok(_), Err(_)) if less_than_grammar(text) => Ok(()),
        (Ok(_), Err(error)) => {
            Err(format!("{text:?}: only we accept it; the oracle says: {error}"))
        }
        (Err(_), Err(_)) => Ok(()),
    }
}

#[test]
fn filters_are_parsed_as_by_the_oracle() {
    let user = ResourceType::user().unwrap();
    differences(20_000, mutated(filter()), |text| {
        let ours =
            Filter::parse(text, &user, Dialect::STRICT).map(|filter| Some(filter.to_string()));
        let theirs = text.parse::<oracle::Filter>().map_err(|error| error.to_string());
        judge(
            text,
            ours,
            theirs.map(|filter| printed::filter(&filter, &user).map(|(text, _)| text)),
        )
    });
}

#[test]
fn paths_are_parsed_as_by_the_oracle() {
    let user = ResourceType::user().unwrap();
    differences(20_000, mutated(path()), |text| {
        let ours =
            Path::parse(text, &user, Dialect::STRICT).map(|path| path.map(|path| path.to_string()));
        let theirs = text.parse::<oracle::PatchPath>().map_err(|error| error.to_string());
        judge(text, ours, theirs.map(|path| printed::path(&path, &user)))
    });
}

#[test]
fn printed_filters_and_paths_parse_to_the_same_text() {
    let user = ResourceType::user().unwrap();
    for dialect in [Dialect::STRICT, Dialect::TOLERANT] {
        differences(5_000, mutated(filter()), |text| {
            let Ok(filter) = Filter::parse(text, &user, dialect) else { return Ok(()) };
            let printed = filter.to_string();
            match Filter::parse(&printed, &user, dialect) {
                Ok(again) if again.to_string() == printed => Ok(()),
                again => Err(format!("{text:?} prints {printed:?}, which reads as {again:?}")),
            }
        });
        differences(5_000, mutated(path()), |text| {
            let Ok(Some(path)) = Path::parse(text, &user, dialect) else { return Ok(()) };
            let printed = path.to_string();
            match Path::parse(&printed, &user, dialect) {
                Ok(Some(again)) if again.to_string() == printed => Ok(()),
                again => Err(format!("{text:?} prints {printed:?}, which reads as {again:?}")),
            }
        });
    }
}
