//! Filters (RFC 7644, 3.4.2.2), resolved against the schema when they are parsed, so that
//! evaluating one cannot fail.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::canonical;
use crate::error::Error;
use crate::filter::parse;
use crate::patch::path::{AttributeRef, elements};
use crate::resource::admit::parse_date_time;
use crate::schema::resource_type::{Dialect, ResourceType};

/// A filter that is known to fit its resource type.
#[derive(Debug, Clone)]
pub struct Filter<'s> {
    pub(crate) root: Node<'s>,
}

/// One expression. The parser bounds the depth, so walking and dropping it is bounded too.
#[derive(Debug, Clone)]
pub(crate) enum Node<'s> {
    And(Vec<Node<'s>>),
    Or(Vec<Node<'s>>),
    Not(Box<Node<'s>>),
    Compare {
        at: AttributeRef<'s>,
        operator: Operator,
        operand: Operand,
        /// The value as JSON.
        literal: String,
        /// Whether a value that does not say is false: `primary` in a multi-valued attribute.
        absent_is_false: bool,
    },
    Present {
        at: AttributeRef<'s>,
    },
    /// `emails[type eq "work"]`: some element passes the inner filter.
    Element {
        at: AttributeRef<'s>,
        inner: Box<Node<'s>>,
    },
    /// An attribute that nobody defines: "no match". The comparison as it was written.
    Never(String),
}

/// The attribute operators of RFC 7644 table 3; `pr` is [`Node::Present`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What an attribute is compared with, in the form in which it is compared.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    /// `eq null` asks for an attribute without value.
    Null,
    Boolean(bool),
    Number(f64),
    Instant(OffsetDateTime),
    Text {
        as_sent: String,
        folded: String,
        rule: Fold,
    },
}

/// How two strings of an attribute are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    /// `caseExact` is true.
    Exact,
    /// `caseExact` is false.
    IgnoreCase,
    /// userName: RFC 7644 section 5.
    UserName,
}

impl Fold {
    pub(crate) fn of(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => text.into(),
            Self::IgnoreCase if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) => {
                text.into()
            }
            Self::IgnoreCase => text.to_lowercase().into(),
            Self::UserName => {
                canonical::user_name(text).unwrap_or_else(|_| text.to_lowercase()).into()
            }
        }
    }
}

impl<'s> Filter<'s> {
    /// Reads a filter for resources of this type. With [`Dialect::TOLERANT`], an attribute that no
    /// schema defines matches nothing and values need no quotes; with [`Dialect::STRICT`], the
    /// grammar is followed to the letter.
    ///
    /// # Errors
    /// `invalidFilter` if the text does not follow RFC 7644 figure 1, passes a bound of its (8 KiB,
    /// 20 deep, 200 comparisons), or compares an attribute in a way its type does not have.
    pub fn parse(
        text: &str,
        resource_type: &'s ResourceType,
        dialect: Dialect,
    ) -> Result<Self, Error> {
        parse::parse(text, resource_type, dialect)
    }

    /// Whether a resource, seen whole ([`ResourceType::view`]), passes.
    pub fn matches(&self, view: &Map<String, Value>) -> bool {
        let mut left = usize::MAX;
        self.judge(view, &mut left).unwrap_or_default()
    }

    /// As [`Filter::matches`], for a caller who bounds what judging may take. `left` is how many
    /// comparisons of a short value are still allowed; each one is taken from it before it is made.
    ///
    /// # Errors
    /// [`OutOfWork`] if they do not suffice.
    pub fn judge(&self, view: &Map<String, Value>, left: &mut usize) -> Result<bool, OutOfWork> {
        let mut judging = Judging { left: *left, spent: false, user_name: None };
        let passes = self.root.matches(view, &mut judging);
        *left = judging.left;
        if judging.spent { Err(OutOfWork) } else { Ok(passes) }
    }

    /// How many comparisons the filter makes at most.
    pub(crate) fn comparisons(&self) -> usize {
        self.root.comparisons()
    }
}

/// The comparisons that a caller allowed did not suffice; the outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the filter compares more than it may")]
pub struct OutOfWork;

/// One look at one resource.
struct Judging {
    /// How many comparisons are still allowed.
    left: usize,
    /// Whether they did not suffice.
    spent: bool,
    /// The userName in the form in which it is compared, and where it stands: many terms may ask
    /// for it, and PRECIS takes its time.
    user_name: Option<(usize, String)>,
}

impl Judging {
    /// Takes the price of some work, unless it is more than what is left.
    fn charge(&mut self, price: usize) -> bool {
        match self.left.checked_sub(price) {
            Some(left) => self.left = left,
            None => self.spent = true,
        }
        !self.spent
    }

    /// A text in the form in which a rule compares it; `None` if that is more than what is left.
    fn folded<'t>(&'t mut self, rule: Fold, text: &'t str) -> Option<Cow<'t, str>> {
        if rule != Fold::UserName || text.is_ascii() {
            // Letters beyond ASCII are folded one by one.
            let price = if rule == Fold::Exact || text.is_ascii() {
                text.len() / 64
            } else {
                text.len() / 16
            };
            return self.charge(1 + price).then(|| rule.of(text));
        }
        let place = text.as_ptr() as usize;
        let known = self.user_name.as_ref().is_some_and(|(known, _)| *known == place);
        if !self.charge(if known { 1 + text.len() / 64 } else { 1 + text.len() }) {
            return None;
        }
        if !known {
            self.user_name = Some((place, rule.of(text).into_owned()));
        }
        self.user_name.as_ref().map(|(_, folded)| folded.as_str().into())
    }
}

impl Node<'_> {
    fn matches(&self, root: &Map<String, Value>, judging: &mut Judging) -> bool {
        match self {
            Self::And(all) => all.iter().all(|node| node.matches(root, judging)),
            Self::Or(any) => any.iter().any(|node| node.matches(root, judging)),
            Self::Not(node) => !node.matches(root, judging),
            Self::Never(_) => false,
            Self::Present { .. } | Self::Compare { .. } if !judging.charge(1) => false,
            Self::Present { at } => match at.sub {
                Some(_) => at.values(root).next().is_some(),
                None => at
                    .home(root)
                    .is_some_and(|home| !elements(home.get(&at.attribute.name)).is_empty()),
            },
            Self::Element { at, inner } => {
                let value = at.home(root).and_then(|home| home.get(&at.attribute.name));
                elements(value)
                    .iter()
                    .filter_map(Value::as_object)
                    .any(|element| inner.matches(element, judging))
            }
            Self::Compare {
                at,
                operator: Operator::Equal,
                operand: Operand::Boolean(false),
                absent_is_false: true,
                ..
            } => at.lacks_true(root),
            Self::Compare { at, operator, operand, .. } => {
                let mut values = at.values(root);
                match (operand, operator) {
                    (Operand::Null, Operator::NotEqual) => values.next().is_some(),
                    (Operand::Null, _) => values.next().is_none(),
                    (_, Operator::NotEqual) => {
                        !values.any(|value| compare(value, Operator::Equal, operand, judging))
                    }
                    _ => values.any(|value| compare(value, *operator, operand, judging)),
                }
            }
        }
    }

    fn comparisons(&self) -> usize {
        match self {
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().map(Node::comparisons).sum(),
            Self::Not(node) | Self::Element { inner: node, .. } => node.comparisons(),
            Self::Compare { .. } | Self::Present { .. } | Self::Never(_) => 1,
        }
    }
}

fn compare(value: &Value, operator: Operator, operand: &Operand, judging: &mut Judging) -> bool {
    let ordering = match (operand, value) {
        (Operand::Text { folded, rule, .. }, Value::String(text)) => {
            let Some(text) = judging.folded(*rule, text) else { return false };
            match operator {
                Operator::Contains => return text.contains(folded.as_str()),
                Operator::StartsWith => return text.starts_with(folded.as_str()),
                Operator::EndsWith => return text.ends_with(folded.as_str()),
                _ => Some(text.as_ref().cmp(folded.as_str())),
            }
        }
        (Operand::Boolean(b), Value::Bool(value)) if judging.charge(1) => {
            (b == value).then_some(Ordering::Equal)
        }
        (Operand::Number(n), Value::Number(value)) if judging.charge(1) => {
            value.as_f64().and_then(|value| value.partial_cmp(n))
        }
        (Operand::Instant(at), Value::String(text)) if judging.charge(4) => {
            parse_date_time(text).map(|value| value.cmp(at))
        }
        _ => None,
    };
    let Some(ordering) = ordering else { return false };
    match operator {
        Operator::Equal => ordering.is_eq(),
        Operator::Greater => ordering.is_gt(),
        Operator::GreaterOrEqual => ordering.is_ge(),
        Operator::Less => ordering.is_lt(),
        Operator::LessOrEqual => ordering.is_le(),
        Operator::NotEqual | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
            false
        }
    }
}
