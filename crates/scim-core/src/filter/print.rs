//! Filters and paths as text again, in one form: names as the schema spells them, operators in
//! lower case, parentheses only where they are needed. What is printed reads back as the same
//! filter.

use std::fmt;

use crate::filter::ast::{Filter, Node, Operator};
use crate::patch::path::{Path, Place};

impl fmt::Display for Filter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.place, &self.filter) {
            (Place::Extension(extension), _) => f.write_str(&extension.id),
            (Place::Attribute(at), None) => f.write_str(&at.wire()),
            (Place::Attribute(at), Some(filter)) => {
                write!(f, "{}[{filter}]", at.whole().wire())?;
                at.sub.map_or(Ok(()), |sub| write!(f, ".{}", sub.name))
            }
        }
    }
}

impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(any) => join(f, any, " or "),
            Self::And(all) => join(f, all, " and "),
            Self::Not(node) => write!(f, "not ({node})"),
            Self::Present { at } => write!(f, "{} pr", at.wire()),
            Self::Compare { at, operator, literal, .. } => {
                write!(f, "{} {} {literal}", at.wire(), operator.as_str())
            }
            Self::Element { at, inner } => write!(f, "{}[{inner}]", at.wire()),
            Self::Never(text) => f.write_str(text),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, nodes: &[Node<'_>], between: &str) -> fmt::Result {
    for (index, node) in nodes.iter().enumerate() {
        f.write_str(if index > 0 { between } else { "" })?;
        match node {
            // "and" binds closer than "or".
            Node::Or(_) if between == " and " => write!(f, "({node})")?,
            node => write!(f, "{node}")?,
        }
    }
    Ok(())
}

impl Operator {
    fn as_str(self) -> &'static str {
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
}
