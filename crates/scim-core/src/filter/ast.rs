//! The tree of a filter (RFC 7644, 3.4.2.2). All names in it are resolved against the schema, so
//! that evaluating a filter cannot fail.

use time::OffsetDateTime;

use crate::filter::fold::Fold;
use crate::schema::place::AttributeRef;

/// A filter that has been checked against its resource type.
#[derive(Debug, Clone)]
pub struct Filter<'s> {
    pub(crate) root: Node<'s>,
}

/// One expression. The parser limits the depth of the tree, so that recursion over it is safe.
#[derive(Debug, Clone)]
pub(crate) enum Node<'s> {
    And(Vec<Node<'s>>),
    Or(Vec<Node<'s>>),
    Not(Box<Node<'s>>),
    Compare(Comparison<'s>),
    /// `title pr`
    Present(AttributeRef<'s>),
    /// `emails[type eq "work"]`: at least one element matches the inner filter.
    Element {
        place: AttributeRef<'s>,
        inner: Box<Node<'s>>,
    },
    /// A comparison, as the client wrote it, of an attribute that no schema defines. It matches
    /// nothing.
    Never(String),
}

/// `userName eq "bjensen"`
#[derive(Debug, Clone)]
pub(crate) struct Comparison<'s> {
    pub(crate) place: AttributeRef<'s>,
    pub(crate) operator: Operator,
    pub(crate) operand: Operand,
    /// The operand as JSON.
    pub(crate) literal: String,
    /// Whether an absent value counts as false, like the value of `primary` in a multi-valued
    /// attribute.
    pub(crate) absent_is_false: bool,
}

impl Comparison<'_> {
    /// The string in `place eq "string"`, as the client wrote it.
    pub(crate) fn equal_text(&self) -> Option<&str> {
        match (self.operator, &self.operand) {
            (Operator::Equal, Operand::Text { as_sent, .. }) => Some(as_sent),
            _ => None,
        }
    }
}

/// The attribute operators of RFC 7644 table 3, except `pr`, which is [`Node::Present`].
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

impl Operator {
    /// Reads the keyword of an operator, ignoring case.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "co" => Self::Contains,
            "sw" => Self::StartsWith,
            "ew" => Self::EndsWith,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }

    /// The keyword of the operator.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Contains => "co",
            Self::StartsWith => "sw",
            Self::EndsWith => "ew",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }

    /// Whether the operator looks for part of a string.
    pub(crate) fn is_of_text(self) -> bool {
        matches!(self, Self::Contains | Self::StartsWith | Self::EndsWith)
    }

    /// Whether the operator is `eq` or `ne`.
    pub(crate) fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// The value that an attribute is compared with, in the form in which it is compared.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    /// `eq null` looks for an attribute without a value.
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
