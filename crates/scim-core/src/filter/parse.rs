//! From the text of a filter to its tree: the grammar of RFC 7644 figure 1 by recursive descent.
//!
//! The parser checks length, depth and number of comparisons before it recurses, so that no text
//! can exhaust the stack. In addition to the grammar it accepts what clients send: names and
//! operators in any case, extra spaces, strings without quotes, `"True"` for a boolean.

use crate::error::Error;
use crate::filter::ast::{Comparison, Filter, Node};
use crate::filter::lexer::Lexer;
use crate::filter::operand::operand;
use crate::schema::attribute::Attribute;
use crate::schema::dialect::Dialect;
use crate::schema::place::{AttributeRef, Place};
use crate::schema::resource_type::ResourceType;

/// The longest filter, in bytes.
pub const MAX_BYTES: usize = 8 * 1_024;
/// The deepest nesting of parentheses, `not` and value paths.
pub const MAX_DEPTH: usize = 20;
/// The maximum number of comparisons in a filter.
pub const MAX_TERMS: usize = 200;

impl<'s> Filter<'s> {
    /// Reads a filter for resources of this type. In [`Dialect::TOLERANT`], an attribute that no
    /// schema defines matches nothing, and strings do not need quotes. [`Dialect::STRICT`] follows
    /// the grammar to the letter.
    ///
    /// # Errors
    /// `invalidFilter` if the text does not follow RFC 7644 figure 1, if it exceeds [`MAX_BYTES`],
    /// [`MAX_DEPTH`] or [`MAX_TERMS`], or if an operator or value does not fit the type of its
    /// attribute.
    pub fn parse(
        text: &str,
        resource_type: &'s ResourceType,
        dialect: Dialect,
    ) -> Result<Self, Error> {
        Parser::new(text, resource_type, None, dialect)?.filter()
    }

    /// Reads the filter between the brackets of a value path on `attribute`.
    pub(crate) fn parse_inner(
        text: &str,
        resource_type: &'s ResourceType,
        attribute: &'s Attribute,
        dialect: Dialect,
    ) -> Result<Self, Error> {
        Parser::new(text, resource_type, Some(attribute), dialect)?.filter()
    }
}

struct Parser<'t, 's> {
    lexer: Lexer<'t>,
    resource_type: &'s ResourceType,
    /// The attribute whose sub-attributes the names are; `None` outside brackets.
    scope: Option<&'s Attribute>,
    dialect: Dialect,
    depth: usize,
    terms: usize,
}

impl<'t, 's> Parser<'t, 's> {
    fn new(
        text: &'t str,
        resource_type: &'s ResourceType,
        scope: Option<&'s Attribute>,
        dialect: Dialect,
    ) -> Result<Self, Error> {
        if text.len() > MAX_BYTES {
            return Err(Error::invalid_filter(format!(
                "A filter can have at most {MAX_BYTES} bytes."
            )));
        }
        let lexer = Lexer::new(text, dialect.strict);
        Ok(Self { lexer, resource_type, scope, dialect, depth: 0, terms: 0 })
    }

    fn filter(mut self) -> Result<Filter<'s>, Error> {
        let root = self.or()?;
        if !self.lexer.is_at_end() {
            return Err(Error::invalid_filter(
                "The filter continues after its end; check parentheses and quotes.",
            ));
        }
        Ok(Filter { root })
    }

    fn or(&mut self) -> Result<Node<'s>, Error> {
        let mut any = vec![self.and()?];
        while self.lexer.word("or")? {
            any.push(self.and()?);
        }
        Ok(single(any, Node::Or))
    }

    fn and(&mut self) -> Result<Node<'s>, Error> {
        let mut all = vec![self.term()?];
        while self.lexer.word("and")? {
            all.push(self.term()?);
        }
        Ok(single(all, Node::And))
    }

    fn term(&mut self) -> Result<Node<'s>, Error> {
        if self.lexer.bracket('(') {
            return self.nested(')');
        }
        let before = self.lexer;
        if self.lexer.keyword("not") {
            if self.lexer.bracket('(') {
                return Ok(Node::Not(Box::new(self.nested(')')?)));
            }
            self.lexer = before;
        }
        self.comparison()
    }

    /// Reads an expression up to a closing bracket.
    fn nested(&mut self, close: char) -> Result<Node<'s>, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::invalid_filter(format!(
                "A filter can be nested at most {MAX_DEPTH} \
                                                      deep."
            )));
        }
        let node = self.or()?;
        self.depth -= 1;
        self.lexer.expect(close)?;
        Ok(node)
    }

    fn comparison(&mut self) -> Result<Node<'s>, Error> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(Error::invalid_filter(format!(
                "A filter can have at most {MAX_TERMS} comparisons."
            )));
        }
        let before = self.lexer;
        let place = self.attribute()?;
        if self.lexer.bracket('[') {
            return self.value_path(place);
        }
        if self.lexer.word("pr")? {
            return Ok(match place {
                Some(place) => Node::Present(place),
                None => Node::Never(self.lexer.since(before)),
            });
        }
        let operator = self.lexer.operator()?;
        let literal = self.lexer.literal()?;
        let Some(place) = place else { return Ok(Node::Never(self.lexer.since(before))) };
        // "If not specified, the value of "primary" SHALL be assumed to be "false"." (RFC 7643,
        // 2.4)
        let absent_is_false =
            (place.sub.is_some() || self.scope.is_some()) && place.leaf().name == "primary";
        Ok(Node::Compare(Comparison {
            place,
            operator,
            literal: literal.printed(),
            operand: operand(&place, operator, literal)?,
            absent_is_false,
        }))
    }

    /// Reads an attribute name; `None` if no schema defines it.
    fn attribute(&mut self) -> Result<Option<AttributeRef<'s>>, Error> {
        let name = self.lexer.name();
        if name.is_empty() {
            return Err(Error::invalid_filter(
                "The filter is missing an attribute name; use, for example, userName eq \
                 \"bjensen@example.com\".",
            ));
        }
        let place = self.resolve(name);
        if place.is_none() && self.dialect.strict {
            return Err(Error::invalid_filter(
                "The filter names an attribute that no schema of this resource type defines.",
            ));
        }
        Ok(place)
    }

    /// Reads the rest of `emails[type eq "work"]`, after the opening bracket.
    fn value_path(&mut self, place: Option<AttributeRef<'s>>) -> Result<Node<'s>, Error> {
        let is_complex = |place: &AttributeRef<'_>| {
            place.sub.is_none() && !place.attribute.sub_attributes.is_empty()
        };
        let Some(place) = place.filter(is_complex).filter(|_| self.scope.is_none()) else {
            return Err(Error::invalid_filter(
                "Only a complex attribute can have a filter in [ ], and not inside another [ ].",
            ));
        };
        self.scope = Some(place.attribute);
        let mut inner = self.nested(']')?;
        if self.lexer.dot() {
            // emails[type eq "work"].value eq "x": one element must match both the filter in the
            // brackets and the comparison.
            let outer = self.comparison()?;
            inner = Node::And(vec![inner, outer]);
        }
        self.scope = None;
        Ok(Node::Element { place, inner: Box::new(inner) })
    }

    /// The attribute with this name. An attribute that is never returned is treated like one that
    /// no schema defines, so that filters cannot reveal its value.
    fn resolve(&self, name: &str) -> Option<AttributeRef<'s>> {
        let place = match self.scope {
            Some(scope) => AttributeRef::new(None, scope.sub_attribute(name)?),
            None => match self.resource_type.resolve(name)? {
                Place::Attribute(place) => place,
                Place::Extension(_) => return None,
            },
        };
        (!place.is_hidden()).then_some(place)
    }
}

/// The only node, or all nodes joined.
fn single<'s>(mut nodes: Vec<Node<'s>>, join: fn(Vec<Node<'s>>) -> Node<'s>) -> Node<'s> {
    match (nodes.pop(), nodes.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            nodes.push(last);
            join(nodes)
        }
        (None, _) => Node::Never(String::new()),
    }
}
