//! What follows from a filter's form: which index may answer it, which values it looks for.

use serde_json::{Map, Value};

use crate::filter::ast::{Filter, Node, Operand, Operator};
use crate::patch::path::AttributeRef;
use crate::schema::attribute::Attribute;

/// An equality that an index can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equality {
    /// The attribute's wire name, one of those that were asked for.
    pub attribute: String,
    /// The value, as the client wrote it.
    pub value: String,
}

/// What a filter asks of the values of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interest {
    /// Nothing: its outcome does not depend on them.
    None,
    /// Whether these are among them, by their sub-attribute `value`, in lower case.
    Values(Vec<String>),
    /// Anything else: all of them must be known.
    All,
}

impl Filter<'_> {
    /// Equalities of which every matching resource fulfils at least one, all of attributes in
    /// `indexed` (wire names such as `userName` or `emails.value`, the most selective first);
    /// `None` if no such set follows from the filter's form.
    pub fn equalities(&self, indexed: &[String]) -> Option<Vec<Equality>> {
        self.root.equalities(indexed)
    }

    /// What the filter asks of the values of a core attribute.
    pub fn interest(&self, attribute: &str) -> Interest {
        let mut interest = Interest::None;
        self.root.interest(attribute, &mut interest);
        interest
    }

    /// The texts of which an element's sub-attribute must equal one to pass; `None` if the filter
    /// asks for anything else. For filters of a value path such as `members[value eq "2819c223"]`.
    pub(crate) fn one_of(&self, sub_attribute: &str) -> Option<Vec<String>> {
        self.root.one_of(sub_attribute)
    }

    /// The values that an element must have to pass a filter of equalities joined by `and`, such as
    /// `type eq "work"`; `None` for any other filter.
    pub(crate) fn template(&self) -> Option<Map<String, Value>> {
        let mut element = Map::new();
        self.root.fill(&mut element).then_some(element)
    }
}

impl Node<'_> {
    fn equalities(&self, indexed: &[String]) -> Option<Vec<Equality>> {
        match self {
            Self::And(all) => {
                // Of equally many, those of an attribute that stands for fewer resources: `indexed`
                // is in that order.
                let place = |one: &Equality| indexed.iter().position(|name| *name == one.attribute);
                let plans = all.iter().filter_map(|node| node.equalities(indexed));
                plans.min_by_key(|plan| (plan.len(), plan.iter().map(place).max()))
            }
            Self::Or(any) => {
                let each: Option<Vec<_>> =
                    any.iter().map(|node| node.equalities(indexed)).collect();
                Some(each?.into_iter().flatten().collect())
            }
            Self::Compare {
                at,
                operator: Operator::Equal,
                operand: Operand::Text { as_sent, .. },
                ..
            } => {
                let attribute = find(indexed, at, at.compared())?;
                Some(vec![Equality { attribute, value: as_sent.clone() }])
            }
            Self::Element { at, inner } => match inner.as_ref() {
                Self::And(all) => all.iter().find_map(|node| element_equality(indexed, at, node)),
                node => element_equality(indexed, at, node),
            },
            Self::Never(_) => Some(Vec::new()),
            _ => None,
        }
    }

    fn interest(&self, attribute: &str, known: &mut Interest) {
        let concerns =
            |at: &AttributeRef<'_>| at.extension.is_none() && at.attribute.name == attribute;
        match self {
            Self::And(nodes) | Self::Or(nodes) => {
                nodes.iter().for_each(|node| node.interest(attribute, known))
            }
            Self::Not(node) => node.interest(attribute, known),
            Self::Compare {
                at,
                operator: Operator::Equal,
                operand: Operand::Text { as_sent, .. },
                ..
            } if concerns(at) && at.compared().is_some_and(|sub| sub.name == "value") => {
                match known {
                    Interest::None => *known = Interest::Values(vec![as_sent.to_lowercase()]),
                    Interest::Values(values) => values.push(as_sent.to_lowercase()),
                    Interest::All => {}
                }
            }
            Self::Element { at, inner } if concerns(at) => match inner.one_of("value") {
                Some(more) => match known {
                    Interest::None => *known = Interest::Values(more),
                    Interest::Values(values) => values.extend(more),
                    Interest::All => {}
                },
                None => *known = Interest::All,
            },
            Self::Compare { at, .. } | Self::Present { at } if concerns(at) => {
                *known = Interest::All
            }
            Self::Compare { .. } | Self::Present { .. } | Self::Element { .. } | Self::Never(_) => {
            }
        }
    }

    fn one_of(&self, sub_attribute: &str) -> Option<Vec<String>> {
        match self {
            Self::Or(any) => {
                let each: Option<Vec<_>> =
                    any.iter().map(|node| node.one_of(sub_attribute)).collect();
                Some(each?.into_iter().flatten().collect())
            }
            Self::Compare {
                at,
                operator: Operator::Equal,
                operand: Operand::Text { as_sent, .. },
                ..
            } if at.attribute.name == sub_attribute => Some(vec![as_sent.to_lowercase()]),
            _ => None,
        }
    }

    fn fill(&self, element: &mut Map<String, Value>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|node| node.fill(element)),
            Self::Compare { at, operator: Operator::Equal, operand, .. } => {
                let value = match operand {
                    Operand::Text { as_sent, .. } => Value::String(as_sent.clone()),
                    Operand::Boolean(b) => Value::Bool(*b),
                    Operand::Number(_) | Operand::Instant(_) | Operand::Null => return false,
                };
                element.insert(at.attribute.name.clone(), value);
                true
            }
            _ => false,
        }
    }
}

/// Which of `indexed` an attribute is.
fn find(indexed: &[String], at: &AttributeRef<'_>, sub: Option<&Attribute>) -> Option<String> {
    if at.extension.is_some() {
        return None;
    }
    let place = (at.attribute.name.as_str(), sub.map(|sub| sub.name.as_str()));
    let found = indexed.iter().find(|name| match name.split_once('.') {
        Some((name, sub)) => place == (name, Some(sub)),
        None => place == (name.as_str(), None),
    });
    found.cloned()
}

fn element_equality(
    indexed: &[String],
    at: &AttributeRef<'_>,
    node: &Node<'_>,
) -> Option<Vec<Equality>> {
    match node {
        Node::Compare {
            at: inner,
            operator: Operator::Equal,
            operand: Operand::Text { as_sent, .. },
            ..
        } => {
            let attribute = find(indexed, at, Some(inner.attribute))?;
            Some(vec![Equality { attribute, value: as_sent.clone() }])
        }
        _ => None,
    }
}
