//! What the form of a filter shows before any resource is read: which index can answer it, and
//! which values it looks for.

use serde_json::{Map, Value};

use crate::filter::ast::{Comparison, Filter, Node, Operand, Operator};
use crate::schema::attribute::Attribute;
use crate::schema::place::AttributeRef;

/// An equality that an index can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equality {
    /// The attribute path, which is one of those that the caller listed.
    pub attribute: String,
    /// The value, as the client wrote it.
    pub value: String,
}

/// What a filter needs to know about the values of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interest {
    /// Nothing: its result does not depend on them.
    None,
    /// Whether the values include these. They are values of the sub-attribute `value`, as the
    /// client wrote them.
    Values(Vec<String>),
    /// All of them.
    All,
}

impl Interest {
    fn add(&mut self, more: Vec<String>) {
        match self {
            Self::None => *self = Self::Values(more),
            Self::Values(values) => values.extend(more),
            Self::All => {}
        }
    }
}

impl Filter<'_> {
    /// A set of equalities such that every matching resource satisfies at least one of them; `None`
    /// if the form of the filter does not imply such a set. All of them are of attributes in
    /// `indexed`, which lists paths such as `userName` or `emails.value`, the most selective one
    /// first.
    pub fn equalities(&self, indexed: &[String]) -> Option<Vec<Equality>> {
        self.root.equalities(indexed)
    }

    /// What the filter needs to know about the values of a core attribute.
    pub fn interest(&self, attribute: &str) -> Interest {
        let mut interest = Interest::None;
        self.root.interest(attribute, &mut interest);
        interest
    }

    /// The strings, as the client wrote them, one of which the sub-attribute of a matching element must equal,
    /// in the filter of a value path such as `members[value eq "2819c223"]`; `None` if the filter
    /// has another form.
    pub(crate) fn one_of(&self, sub_attribute: &str) -> Option<Vec<String>> {
        self.root.one_of(sub_attribute)
    }

    /// The values that a matching element must have, if the filter consists of equalities joined by
    /// `and`, such as `type eq "work"`; `None` if it has another form.
    pub(crate) fn template(&self) -> Option<Map<String, Value>> {
        let mut element = Map::new();
        self.root.fill(&mut element).then_some(element)
    }
}

impl Node<'_> {
    fn equalities(&self, indexed: &[String]) -> Option<Vec<Equality>> {
        match self {
            Self::And(all) => {
                // The smallest set wins. Among sets of equal size, the one with the most selective
                // attributes wins, in the order of `indexed`.
                let rank = |one: &Equality| indexed.iter().position(|name| *name == one.attribute);
                let sets = all.iter().filter_map(|node| node.equalities(indexed));
                sets.min_by_key(|set| (set.len(), set.iter().map(rank).max()))
            }
            Self::Or(any) => flat(any.iter().map(|node| node.equalities(indexed))),
            Self::Compare(comparison) => {
                let attribute = &comparison.place;
                equality(indexed, attribute, attribute.compared(), comparison)
            }
            Self::Element { place, inner } => match inner.as_ref() {
                Self::And(all) => all.iter().find_map(|node| node.in_element(indexed, place)),
                node => node.in_element(indexed, place),
            },
            Self::Never(_) => Some(Vec::new()),
            Self::Not(_) | Self::Present(_) => None,
        }
    }

    /// The equality of a node in a value path on `attribute`.
    fn in_element(
        &self,
        indexed: &[String],
        attribute: &AttributeRef<'_>,
    ) -> Option<Vec<Equality>> {
        match self {
            Self::Compare(inner) => {
                equality(indexed, attribute, Some(inner.place.attribute), inner)
            }
            _ => None,
        }
    }

    fn interest(&self, attribute: &str, interest: &mut Interest) {
        let concerns = |place: &AttributeRef<'_>| {
            place.extension.is_none() && place.attribute.name == attribute
        };
        match self {
            Self::And(nodes) | Self::Or(nodes) => {
                nodes.iter().for_each(|node| node.interest(attribute, interest))
            }
            Self::Not(node) => node.interest(attribute, interest),
            Self::Compare(comparison) if concerns(&comparison.place) => {
                let is_of_value =
                    comparison.place.compared().is_some_and(|sub| sub.name == "value");
                match comparison.equal_text().filter(|_| is_of_value) {
                    Some(text) => interest.add(vec![text.to_owned()]),
                    None => *interest = Interest::All,
                }
            }
            Self::Element { place, inner } if concerns(place) => match inner.one_of("value") {
                Some(more) => interest.add(more),
                None => *interest = Interest::All,
            },
            Self::Present(place) if concerns(place) => *interest = Interest::All,
            Self::Compare(_) | Self::Present(_) | Self::Element { .. } | Self::Never(_) => {}
        }
    }

    fn one_of(&self, sub_attribute: &str) -> Option<Vec<String>> {
        match self {
            Self::Or(any) => flat(any.iter().map(|node| node.one_of(sub_attribute))),
            Self::Compare(comparison) if comparison.place.attribute.name == sub_attribute => {
                comparison.equal_text().map(|text| vec![text.to_owned()])
            }
            _ => None,
        }
    }

    /// Adds the values that [`Filter::template`] describes; `false` if the node has another form.
    fn fill(&self, element: &mut Map<String, Value>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|node| node.fill(element)),
            Self::Compare(Comparison { place, operator: Operator::Equal, operand, .. }) => {
                let value = match operand {
                    Operand::Text { as_sent, .. } => Value::String(as_sent.clone()),
                    Operand::Boolean(value) => Value::Bool(*value),
                    Operand::Number(_) | Operand::Instant(_) | Operand::Null => return false,
                };
                element.insert(place.attribute.name.clone(), value);
                true
            }
            _ => false,
        }
    }
}

/// All lists joined into one, if all of them exist.
fn flat<T>(lists: impl Iterator<Item = Option<Vec<T>>>) -> Option<Vec<T>> {
    let lists: Option<Vec<Vec<T>>> = lists.collect();
    Some(lists?.into_iter().flatten().collect())
}

/// The comparison as an equality of `attribute` and `sub`, if an index can answer it.
fn equality(
    indexed: &[String],
    attribute: &AttributeRef<'_>,
    sub: Option<&Attribute>,
    comparison: &Comparison<'_>,
) -> Option<Vec<Equality>> {
    let value = comparison.equal_text()?.to_owned();
    Some(vec![Equality { attribute: find(indexed, attribute, sub)?, value }])
}

/// The path in `indexed` of an attribute and its sub-attribute.
fn find(
    indexed: &[String],
    attribute: &AttributeRef<'_>,
    sub: Option<&Attribute>,
) -> Option<String> {
    if attribute.extension.is_some() {
        return None;
    }
    let wanted = (attribute.attribute.name.as_str(), sub.map(|sub| sub.name.as_str()));
    let found = indexed.iter().find(|path| match path.split_once('.') {
        Some((name, sub)) => wanted == (name, Some(sub)),
        None => wanted == (path.as_str(), None),
    });
    found.cloned()
}
