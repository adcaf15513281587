//! Filters and PATCH paths against another implementation of the grammar, the crate `scim_v2`: both
//! accept the same texts and read the same structure. Where they differ, this file says why.
//!
//! `ORACLE_CASES` sets the number of texts, 20,000 of each kind by default.

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

/// Names of the schema, by the type of the values they are compared with.
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
        4 => (name.clone(), operator, text_value()).prop_map(|(name, operator, value)| match value.as_str() {
            "null" => format!("{name} eq null"),
            _ => format!("{name} {operator} {value}"),
        }),
        2 => (name, prop::sample::select(vec!["pr", "PR"])).prop_map(|(name, pr)| format!("{name} \
            {pr}")),
        1 => (equality, any::<bool>()).prop_map(|(operator, value)| format!("active {operator} \
            {value}")),
        1 => Just("meta.created gt \"2011-05-13T04:42:34Z\"".to_owned()),
    ]
}

fn inner() -> impl Strategy<Value = String> {
    let names = vec!["value", "type", "display", "TYPE"];
    let leaf = prop_oneof![
        3 => comparison(names).prop_filter("of the element", |text| !text.starts_with("active") && !text.starts_with("meta")),
        1 => Just("primary eq true".to_owned()),
        1 => Just("primary eq false".to_owned()),
    ];
    joined(leaf.boxed(), 2)
}

fn joined(leaf: BoxedStrategy<String>, depth: u32) -> BoxedStrategy<String> {
    let blank = || prop::sample::select(vec![" ", "  ", "\t"]);
    leaf.prop_recursive(depth, 12, 3, move |inner| {
        prop_oneof![
            3 => (inner.clone(), prop::sample::select(vec!["and", "or", "AND"]), blank(), inner.clone())
                .prop_map(|(a, word, blank, b)| format!("{a}{blank}{word} {b}")),
            1 => inner.clone().prop_map(|one| format!("({one})")),
            1 => inner.prop_map(|one| format!("not ({one})")),
        ]
    })
    .boxed()
}

fn filter() -> impl Strategy<Value = String> {
    let value_path = (prop::sample::select(COMPLEX.to_vec()), inner())
        .prop_filter_map("emails have display, addresses no value", |(name, inner)| {
            (name != "addresses").then(|| format!("{name}[{inner}]"))
        });
    joined(prop_oneof![4 => comparison(TEXTS.to_vec()), 1 => value_path].boxed(), 4)
}

fn path() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> =
        TEXTS.iter().chain(&COMPLEX).copied().filter(|name| !name.starts_with("meta")).collect();
    prop_oneof![
        1 => prop::sample::select(names).prop_map(str::to_owned),
        3 => (prop::sample::select(vec!["emails", "phoneNumbers"]), inner(), prop::sample::select(vec!["", ".value", ".type", ".DISPLAY"]))
            .prop_map(|(name, inner, sub)| format!("{name}[{inner}]{sub}")),
    ]
}

/// A text, and often one that differs from it a little.
fn mutated(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let edit = (
        any::<prop::sample::Index>(),
        prop::sample::select(vec![
            "", "(", ")", "[", "]", "\"", " ", ".", ":", "not", "and", "eq", "1", "-", "\\", "{}",
        ]),
    );
    (text, prop::collection::vec((edit, any::<bool>()), 0..3)).prop_map(|(mut text, edits)| {
        for ((at, with), replace) in edits {
            let mut places: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
            places.push(text.len());
            let from = places[at.index(places.len())];
            let to = text[from..]
                .chars()
                .next()
                .filter(|_| replace)
                .map_or(from, |c| from + c.len_utf8());
            text.replace_range(from..to, with);
        }
        text
    })
}

/// The oracle's filter in our one form.
mod shown {
    use super::oracle::{AttrExp, AttrPath, CompValue, CompareOp, Filter, PatchPath, ValFilter};
    use scim_core::schema::{AttributeRef, Place};
    use scim_core::{Attribute, ResourceType};

    fn name(path: &AttrPath, of: &ResourceType, scope: Option<&Attribute>) -> Option<String> {
        let sub = path.sub_attr.as_ref().map(|sub| format!(".{sub}")).unwrap_or_default();
        let uri = path.uri.as_ref().map(|uri| format!("{uri}:")).unwrap_or_default();
        let whole = format!("{uri}{}{sub}", path.name);
        match scope {
            Some(scope) => Some(scope.sub_attribute(&whole)?.name.clone()),
            None => match of.resolve(&whole)? {
                Place::Attribute(place) => Some(place.path()),
                Place::Extension(extension) => Some(extension.id.clone()),
            },
        }
    }

    fn expression(one: &AttrExp, of: &ResourceType, scope: Option<&Attribute>) -> Option<String> {
        Some(match one {
            AttrExp::Present(path) => format!("{} pr", name(path, of, scope)?),
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
                format!("{} {operator} {value}", name(path, of, scope)?)
            }
        })
    }

    /// A text and whether it is an "or".
    type Shown = Option<(String, bool)>;

    fn joined(parts: Vec<(String, bool)>, or: bool) -> Shown {
        let parts = parts
            .into_iter()
            .map(|(text, is_or)| if is_or && !or { format!("({text})") } else { text });
        Some((parts.collect::<Vec<_>>().join(if or { " or " } else { " and " }), or))
    }

    pub fn filter(one: &Filter, of: &ResourceType) -> Shown {
        match one {
            Filter::And(all) => {
                joined(all.iter().map(|f| filter(f, of)).collect::<Option<_>>()?, false)
            }
            Filter::Or(any) => {
                joined(any.iter().map(|f| filter(f, of)).collect::<Option<_>>()?, true)
            }
            Filter::Not(inner) => Some((format!("not ({})", filter(inner, of)?.0), false)),
            Filter::Attr(one) => Some((expression(one, of, None)?, false)),
            Filter::ValuePath(path) => {
                let name = name(&path.attr, of, None)?;
                let Some(Place::Attribute(AttributeRef { attribute, .. })) = of.resolve(&name)
                else {
                    return None;
                };
                Some((format!("{name}[{}]", within(&path.filter, of, attribute)?.0), false))
            }
        }
    }

    fn within(one: &ValFilter, of: &ResourceType, scope: &Attribute) -> Shown {
        match one {
            ValFilter::And(all) => {
                joined(all.iter().map(|f| within(f, of, scope)).collect::<Option<_>>()?, false)
            }
            ValFilter::Or(any) => {
                joined(any.iter().map(|f| within(f, of, scope)).collect::<Option<_>>()?, true)
            }
            ValFilter::Not(inner) => {
                Some((format!("not ({})", within(inner, of, scope)?.0), false))
            }
            ValFilter::Attr(one) => Some((expression(one, of, Some(scope))?, false)),
        }
    }

    pub fn path(one: &PatchPath, of: &ResourceType) -> Option<String> {
        match one {
            PatchPath::Attr(path) => name(path, of, None),
            PatchPath::Value(path) => {
                let name = name(&path.attr, of, None)?;
                let Some(Place::Attribute(AttributeRef { attribute, .. })) = of.resolve(&name)
                else {
                    return None;
                };
                let sub = match &path.sub_attr {
                    Some(sub) => format!(".{}", attribute.sub_attribute(sub)?.name),
                    None => String::new(),
                };
                Some(format!("{name}[{}]{sub}", within(&path.filter, of, attribute)?.0))
            }
        }
    }
}

/// Why the oracle accepts what we refuse: it knows no schema, and its bounds are wider.
fn more_than_grammar(detail: &str) -> bool {
    [
        "no schema of this resource type defines",
        "nests at most",
        "holds at most",
        "Only a complex attribute can have a filter",
        "is not a complex attribute",
        "and not inside another",
        " is complex; compare",
        " is a boolean; compare",
        " is a date and time; ",
        " is binary; compare",
        " is a number; ",
        "can be compared with null",
    ]
    .iter()
    .any(|reason| detail.contains(reason))
}

/// Why the oracle refuses what the grammar allows.
fn less_than_grammar(text: &str) -> bool {
    let lower = text.to_lowercase();
    // "*1"not" "(" FILTER ")"" has no blank; it wants one.
    lower.contains("not(")
        // `$ref` is an attribute of RFC 7643, though no ATTRNAME.
        || lower.contains('$')
        // `emails[type eq "work"].value eq "x"` in a filter is what identity providers send.
        || text.contains("].")
        // Its lexer takes " primary" for the operator " pr".
        || ["( pr", "[ pr", "(  pr", "[  pr"].iter().any(|odd| lower.contains(odd))
        // The RFC's attribute names may hold more than one dot in their URI; it splits at the
        // first.
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
            Err(format!("{text:?}: we read {ours:?}, it reads {theirs:?}"))
        }
        // No schema defines the name.
        (Ok(None), _) => Ok(()),
        (Err(error), Ok(_)) if more_than_grammar(&error.detail) => Ok(()),
        // It skips blanks between all tokens; the grammar has none beside a dot.
        (Err(_), Ok(_)) if [" .", "\t.", ". ", ".\t"].iter().any(|blank| text.contains(blank)) => {
            Ok(())
        }
        (Err(error), Ok(_)) => Err(format!("{text:?}: only it accepts; we say: {}", error.detail)),
        (Ok(_), Err(_)) if less_than_grammar(text) => Ok(()),
        (Ok(_), Err(error)) => Err(format!("{text:?}: only we accept; it says: {error}")),
        (Err(_), Err(_)) => Ok(()),
    }
}

#[test]
fn filters_are_read_as_the_oracle_reads_them() {
    let user = ResourceType::user().unwrap();
    differences(20_000, mutated(filter()), |text| {
        let ours =
            Filter::parse(text, &user, Dialect::STRICT).map(|filter| Some(filter.to_string()));
        let theirs = text.parse::<oracle::Filter>().map_err(|error| error.to_string());
        judge(text, ours, theirs.map(|filter| shown::filter(&filter, &user).map(|(text, _)| text)))
    });
}

#[test]
fn paths_are_read_as_the_oracle_reads_them() {
    let user = ResourceType::user().unwrap();
    differences(20_000, mutated(path()), |text| {
        let ours =
            Path::parse(text, &user, Dialect::STRICT).map(|path| path.map(|path| path.to_string()));
        let theirs = text.parse::<oracle::PatchPath>().map_err(|error| error.to_string());
        judge(text, ours, theirs.map(|path| shown::path(&path, &user)))
    });
}

#[test]
fn what_is_printed_reads_back_and_prints_the_same() {
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
