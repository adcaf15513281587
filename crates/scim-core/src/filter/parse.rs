//! From filter text to [`Filter`]: the grammar of RFC 7644 figure 1 by recursive descent.
//!
//! Length, depth and number of terms are charged before the parser goes deeper, so no text can
//! exhaust the stack. Beyond the grammar, clients' habits are understood: names and operators in
//! any case, extra blanks, unquoted values, `"True"` against a boolean.

use crate::error::Error;
use crate::filter::ast::{Filter, Fold, Node, Operand, Operator};
use crate::patch::path::{AttributeRef, Place};
use crate::resource::admit::parse_date_time;
use crate::schema::attribute::{Attribute, Type};
use crate::schema::resource_type::{Dialect, ResourceType};

/// Longest filter, in bytes.
pub const MAX_BYTES: usize = 8 * 1_024;
/// Deepest nesting of parentheses, `not` and value paths.
pub const MAX_DEPTH: usize = 20;
/// Most comparisons in a filter.
pub const MAX_TERMS: usize = 200;

/// Parses the filter of a query.
pub(crate) fn parse<'s>(
    text: &str,
    resource_type: &'s ResourceType,
    dialect: Dialect,
) -> Result<Filter<'s>, Error> {
    Parser::new(text, resource_type, None, dialect)?.whole()
}

/// Parses the filter inside the brackets of a value path on `attribute`.
pub(crate) fn inner<'s>(
    text: &str,
    resource_type: &'s ResourceType,
    attribute: &'s Attribute,
    dialect: Dialect,
) -> Result<Filter<'s>, Error> {
    Parser::new(text, resource_type, Some(attribute), dialect)?.whole()
}

struct Parser<'t, 's> {
    rest: &'t str,
    resource_type: &'s ResourceType,
    /// The attribute whose elements the names are looked up in; `None` at the top.
    scope: Option<&'s Attribute>,
    dialect: Dialect,
    depth: usize,
    terms: usize,
    /// Whether a blank stood before `rest`.
    blank: bool,
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
                "A filter holds at most {MAX_BYTES} bytes."
            )));
        }
        Ok(Self {
            rest: text.trim(),
            resource_type,
            scope,
            dialect,
            depth: 0,
            terms: 0,
            blank: false,
        })
    }

    fn whole(mut self) -> Result<Filter<'s>, Error> {
        let root = self.or()?;
        match self.rest {
            "" => Ok(Filter { root }),
            _ => Err(Error::invalid_filter(
                "The filter goes on after its end; check parentheses and quotes.",
            )),
        }
    }

    fn or(&mut self) -> Result<Node<'s>, Error> {
        let first = self.and()?;
        let mut any = vec![first];
        while self.word("or")? {
            any.push(self.and()?);
        }
        Ok(single(any, Node::Or))
    }

    fn and(&mut self) -> Result<Node<'s>, Error> {
        let first = self.term()?;
        let mut all = vec![first];
        while self.word("and")? {
            all.push(self.term()?);
        }
        Ok(single(all, Node::And))
    }

    fn term(&mut self) -> Result<Node<'s>, Error> {
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.skip(rest);
            let node = self.deeper(Self::or)?;
            self.expect(')')?;
            return Ok(node);
        }
        let before = (self.rest, self.blank);
        if self.keyword("not") {
            if let Some(rest) = self.rest.strip_prefix('(') {
                self.skip(rest);
                let node = self.deeper(Self::or)?;
                self.expect(')')?;
                return Ok(Node::Not(Box::new(node)));
            }
            (self.rest, self.blank) = before;
        }
        self.comparison()
    }

    fn deeper(
        &mut self,
        parse: fn(&mut Self) -> Result<Node<'s>, Error>,
    ) -> Result<Node<'s>, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::invalid_filter(format!("A filter nests at most {MAX_DEPTH} deep.")));
        }
        let node = parse(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn comparison(&mut self) -> Result<Node<'s>, Error> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(Error::invalid_filter(format!(
                "A filter compares at most {MAX_TERMS} times."
            )));
        }
        let before = self.rest;
        let name = self.take(|c| c.is_ascii_alphanumeric() || "-_$.:".contains(c));
        if name.is_empty() {
            return Err(Error::invalid_filter(
                "The filter lacks an attribute name; use e.g. userName eq \"bjensen@example.com\".",
            ));
        }
        let at = self.resolve(name);
        if at.is_none() && self.dialect.strict {
            return Err(Error::invalid_filter(
                "The filter names an attribute that is in no schema of this resource type.",
            ));
        }
        if let Some(rest) = self.rest.strip_prefix('[') {
            self.skip(rest);
            return self.value_path(at);
        }
        if self.word("pr")? {
            return Ok(
                at.map_or_else(|| Node::Never(self.since(before)), |at| Node::Present { at })
            );
        }
        let operator = self.operator()?;
        let (text, quoted) = self.literal()?;
        let Some(at) = at else { return Ok(Node::Never(self.since(before))) };
        let literal =
            if quoted { serde_json::Value::from(text.as_str()).to_string() } else { text.clone() };
        // "If not specified, the value of "primary" SHALL be assumed to be "false"." (RFC 7643,
        // 2.4)
        let absent_is_false =
            (at.sub.is_some() || self.scope.is_some()) && at.leaf().name == "primary";
        Ok(Node::Compare {
            operand: operand(&at, operator, text, quoted)?,
            at,
            operator,
            literal,
            absent_is_false,
        })
    }

    /// What was read since the text was `before`.
    fn since(&self, before: &str) -> String {
        before.get(..before.len() - self.rest.len()).unwrap_or_default().trim_end().to_owned()
    }

    fn value_path(&mut self, at: Option<AttributeRef<'s>>) -> Result<Node<'s>, Error> {
        let complex = at.filter(|at| at.sub.is_none() && !at.attribute.sub_attributes.is_empty());
        let Some(at) = complex.filter(|_| self.scope.is_none()) else {
            return Err(Error::invalid_filter(
                "Only a complex attribute takes a filter in [ ], and not inside another.",
            ));
        };
        self.scope = Some(at.attribute);
        let inner = self.deeper(Self::or)?;
        self.scope = None;
        self.expect(']')?;
        if self.rest.starts_with('.') && !self.blank {
            // emails[type eq "work"].value eq "x": the inner filter and the comparison on one
            // element.
            self.rest = self.rest.get(1..).unwrap_or_default();
            self.scope = Some(at.attribute);
            let outer = self.comparison()?;
            self.scope = None;
            return Ok(Node::Element { at, inner: Box::new(Node::And(vec![inner, outer])) });
        }
        Ok(Node::Element { at, inner: Box::new(inner) })
    }

    /// An attribute that is never returned is as unknown as one that nobody defines.
    fn resolve(&self, name: &str) -> Option<AttributeRef<'s>> {
        self.named(name).filter(|at| !at.is_hidden())
    }

    fn named(&self, name: &str) -> Option<AttributeRef<'s>> {
        match self.scope {
            Some(scope) => {
                let attribute = scope.sub_attribute(name)?;
                Some(AttributeRef { extension: None, attribute, sub: None })
            }
            None => match self.resource_type.resolve(name)? {
                Place::Attribute(at) => Some(at),
                Place::Extension(_) => None,
            },
        }
    }

    fn operator(&mut self) -> Result<Operator, Error> {
        let before = self.blank;
        let word = self.take(|c| c.is_ascii_alphabetic());
        if self.dialect.strict && !(before && self.blank) {
            return Err(Error::invalid_filter("The filter lacks a blank beside an operator."));
        }
        Ok(match word.to_ascii_lowercase().as_str() {
            "eq" => Operator::Equal,
            "ne" => Operator::NotEqual,
            "co" => Operator::Contains,
            "sw" => Operator::StartsWith,
            "ew" => Operator::EndsWith,
            "gt" => Operator::Greater,
            "ge" => Operator::GreaterOrEqual,
            "lt" => Operator::Less,
            "le" => Operator::LessOrEqual,
            _ => {
                return Err(Error::invalid_filter(
                    "The filter lacks an operator; use eq, ne, co, sw, ew, gt, ge, lt, le or pr.",
                ));
            }
        })
    }

    /// A JSON string, or a bare word up to a blank or bracket; with whether it was quoted.
    fn literal(&mut self) -> Result<(String, bool), Error> {
        if self.rest.starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
            let Some(Ok(text)) = stream.next() else {
                return Err(Error::invalid_filter(
                    "A quoted value in the filter is not a JSON string; close its quotes.",
                ));
            };
            let used = stream.byte_offset();
            self.skip(self.rest.get(used..).unwrap_or_default());
            return Ok((text, true));
        }
        match self.take(|c| !c.is_whitespace() && !"()[]\"".contains(c)) {
            "" => Err(Error::invalid_filter(
                "The filter lacks a value after its operator; quote strings.",
            )),
            word => {
                // "compValue = false / null / true / number / string", rules from JSON.
                let json = serde_json::from_str::<serde_json::Value>(word);
                let is_value = json.is_ok_and(|json| !json.is_object() && !json.is_array());
                match !is_value && self.dialect.strict {
                    true => Err(Error::invalid_filter("A string in the filter lacks its quotes.")),
                    false => Ok((word.to_owned(), false)),
                }
            }
        }
    }

    /// Takes an operator if it stands here. "logExp = FILTER SP ("and" / "or") SP FILTER": the
    /// blanks around it may be missing beside a bracket, but not in the strict dialect.
    fn word(&mut self, word: &str) -> Result<bool, Error> {
        let before = self.blank;
        if !self.keyword(word) {
            return Ok(false);
        }
        let after = self.blank || word == "pr";
        match self.dialect.strict && !(before && after) {
            true => Err(Error::invalid_filter("The filter lacks a blank beside an operator.")),
            false => Ok(true),
        }
    }

    /// Takes `word` if it stands here, whole and in any case.
    fn keyword(&mut self, word: &str) -> bool {
        let Some(head) = self.rest.get(..word.len()) else { return false };
        let after = self.rest.get(word.len()..).unwrap_or_default();
        let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || "()[]\"".contains(c));
        if ends && head.eq_ignore_ascii_case(word) {
            self.skip(after);
            return true;
        }
        false
    }

    /// Goes on at `rest`, behind its blanks.
    fn skip(&mut self, rest: &'t str) {
        self.rest = rest.trim_start();
        self.blank = self.rest.len() < rest.len();
    }

    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (head, tail) = self.rest.split_at(end);
        self.skip(tail);
        head
    }

    fn expect(&mut self, close: char) -> Result<(), Error> {
        let rest = self.rest.strip_prefix(close);
        let rest = rest
            .ok_or_else(|| Error::invalid_filter(format!("The filter lacks a closing {close}.")))?;
        self.skip(rest);
        Ok(())
    }
}

fn single<'s>(mut nodes: Vec<Node<'s>>, many: fn(Vec<Node<'s>>) -> Node<'s>) -> Node<'s> {
    match (nodes.pop(), nodes.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            nodes.push(last);
            many(nodes)
        }
        (None, _) => Node::Never(String::new()),
    }
}

/// The operand in the form in which `at` is compared.
fn operand(
    at: &AttributeRef<'_>,
    operator: Operator,
    text: String,
    quoted: bool,
) -> Result<Operand, Error> {
    use Operator::{Contains, EndsWith, Equal, NotEqual, StartsWith};
    let leaf = at.compared().unwrap_or(at.attribute);
    let unfit = |why: &str| Err(Error::invalid_filter(format!("{} {why}.", at.wire())));
    if !quoted && text == "null" {
        return match operator {
            Equal | NotEqual => Ok(Operand::Null),
            _ => unfit("can be compared with null by eq and ne only"),
        };
    }
    match leaf.kind {
        Type::Complex => unfit("is complex; compare one of its sub-attributes"),
        Type::Boolean => match (operator, text.to_ascii_lowercase().as_str()) {
            (Equal | NotEqual, "true") => Ok(Operand::Boolean(true)),
            (Equal | NotEqual, "false") => Ok(Operand::Boolean(false)),
            // "Boolean and Binary attributes SHALL cause a failed response (HTTP status code 400)
            // with "scimType" of "invalidFilter"." (RFC 7644, table 3, on gt, ge, lt and le)
            _ => unfit("is a boolean; compare it by eq or ne with true or false"),
        },
        Type::Integer | Type::Decimal => match (operator, text.parse()) {
            (Contains | StartsWith | EndsWith, _) => {
                unfit("is a number; co, sw and ew compare strings")
            }
            (_, Ok(number)) => Ok(Operand::Number(number)),
            (_, Err(_)) => unfit("is a number; compare it with one"),
        },
        Type::DateTime => match (operator, parse_date_time(&text)) {
            (Contains | StartsWith | EndsWith, _) => {
                unfit("is a date and time; co, sw and ew compare strings")
            }
            (_, Some(instant)) => Ok(Operand::Instant(instant)),
            (_, None) => {
                unfit("is a date and time; compare it with one such as \"2011-05-13T04:42:34Z\"")
            }
        },
        Type::Binary if !matches!(operator, Equal | NotEqual) => {
            unfit("is binary; compare it by eq or ne")
        }
        Type::String | Type::Reference | Type::Binary => {
            let user_name = at.extension.is_none() && at.attribute.name == "userName";
            let rule = match (user_name, leaf.case_exact) {
                (true, _) => Fold::UserName,
                (false, true) => Fold::Exact,
                (false, false) => Fold::IgnoreCase,
            };
            Ok(Operand::Text { folded: rule.of(&text).into_owned(), as_sent: text, rule })
        }
    }
}
