//! Filters as text, in a single form: names in the spelling of the schema, operators in lower case,
//! parentheses only where they are needed. Parsing the text returns the same filter.

use std::fmt;

use crate::filter::ast::{Comparison, Filter, Node};

impl fmt::Display for Filter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)
    }
}

impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(any) => join(f, any, " or "),
            Self::And(all) => join(f, all, " and "),
            Self::Not(node) => write!(f, "not ({node})"),
            Self::Present(place) => write!(f, "{} pr", place.path()),
            Self::Compare(Comparison { place, operator, literal, .. }) => {
                write!(f, "{} {} {literal}", place.path(), operator.as_str())
            }
            Self::Element { place, inner } => write!(f, "{}[{inner}]", place.path()),
            Self::Never(text) => f.write_str(text),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, nodes: &[Node<'_>], separator: &str) -> fmt::Result {
    for (index, node) in nodes.iter().enumerate() {
        f.write_str(if index > 0 { separator } else { "" })?;
        match node {
            // "and" binds more tightly than "or".
            Node::Or(_) if separator == " and " => write!(f, "({node})")?,
            node => write!(f, "{node}")?,
        }
    }
    Ok(())
}
