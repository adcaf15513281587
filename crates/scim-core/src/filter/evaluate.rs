//! Whether a resource matches a filter, within a limited number of comparisons.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::filter::ast::{Comparison, Filter, Node, Operand, Operator};
use crate::filter::fold::Fold;
use crate::schema::place::AttributeRef;
use crate::value::{elements, parse_date_time};

/// A resource needs more comparisons than the caller allows, so it is not known whether it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the filter needs more comparisons than allowed")]
pub struct OutOfWork;

impl Filter<'_> {
    /// Whether a resource matches, in the form of [`into_view`](crate::ResourceType::into_view).
    pub fn matches(&self, view: &Map<String, Value>) -> bool {
        let mut left = usize::MAX;
        self.judge(view, &mut left).unwrap_or_default()
    }

    /// Like [`Filter::matches`], with a limit on the work. `left` is the number of comparisons of a
    /// short value that are still allowed. Each comparison is subtracted before it is made.
    ///
    /// # Errors
    /// [`OutOfWork`] if `left` is not enough.
    pub fn judge(&self, view: &Map<String, Value>, left: &mut usize) -> Result<bool, OutOfWork> {
        let mut evaluation = Evaluation { left: *left, spent: false, user_name: None };
        let matches = self.root.matches(view, &mut evaluation);
        *left = evaluation.left;
        if evaluation.spent { Err(OutOfWork) } else { Ok(matches) }
    }

    /// The maximum number of comparisons that the filter makes on a resource with single values.
    pub(crate) fn comparisons(&self) -> usize {
        self.root.comparisons()
    }
}

/// The evaluation of one resource.
struct Evaluation {
    /// The number of comparisons that are still allowed.
    left: usize,
    /// Whether that number was too low.
    spent: bool,
    /// The folded userName and the address of its text. Folding by PRECIS is slow, and many terms
    /// of a filter may compare the userName.
    user_name: Option<(usize, String)>,
}

impl Evaluation {
    /// Charges some work, if the remaining allowance covers it.
    fn charge(&mut self, price: usize) -> bool {
        match self.left.checked_sub(price) {
            Some(left) => self.left = left,
            None => self.spent = true,
        }
        !self.spent
    }

    /// The folded form of a text; `None` if the remaining allowance does not cover it.
    fn folded<'t>(&'t mut self, rule: Fold, text: &'t str) -> Option<Cow<'t, str>> {
        if rule == Fold::UserName && !text.is_ascii() {
            return self.folded_user_name(text);
        }
        // Characters beyond ASCII are folded one by one.
        let is_fast = rule == Fold::Exact || text.is_ascii();
        let price = if is_fast { text.len() / 64 } else { text.len() / 16 };
        self.charge(1 + price).then(|| rule.apply(text))
    }

    fn folded_user_name(&mut self, text: &str) -> Option<Cow<'_, str>> {
        let address = text.as_ptr() as usize;
        let is_known = self.user_name.as_ref().is_some_and(|(known, _)| *known == address);
        if !self.charge(if is_known { 1 + text.len() / 64 } else { 1 + text.len() }) {
            return None;
        }
        if !is_known {
            self.user_name = Some((address, Fold::UserName.apply(text).into_owned()));
        }
        self.user_name.as_ref().map(|(_, folded)| folded.as_str().into())
    }
}

impl Node<'_> {
    fn matches(&self, root: &Map<String, Value>, evaluation: &mut Evaluation) -> bool {
        match self {
            Self::And(all) => all.iter().all(|node| node.matches(root, evaluation)),
            Self::Or(any) => any.iter().any(|node| node.matches(root, evaluation)),
            Self::Not(node) => !node.matches(root, evaluation),
            Self::Never(_) => false,
            Self::Present(_) | Self::Compare(_) if !evaluation.charge(1) => false,
            Self::Present(place) => is_present(place, root),
            Self::Compare(comparison) => comparison.matches(root, evaluation),
            Self::Element { place, inner } => elements(place.value(root))
                .iter()
                .filter_map(Value::as_object)
                .any(|element| inner.matches(element, evaluation)),
        }
    }

    fn comparisons(&self) -> usize {
        match self {
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().map(Node::comparisons).sum(),
            Self::Not(node) | Self::Element { inner: node, .. } => node.comparisons(),
            Self::Compare(_) | Self::Present(_) | Self::Never(_) => 1,
        }
    }
}

fn is_present(place: &AttributeRef<'_>, root: &Map<String, Value>) -> bool {
    match place.sub {
        Some(_) => place.values(root).next().is_some(),
        None => !elements(place.value(root)).is_empty(),
    }
}

impl Comparison<'_> {
    fn matches(&self, root: &Map<String, Value>, evaluation: &mut Evaluation) -> bool {
        let Self { place, operator, operand, .. } = self;
        let mut values = place.values(root);
        match (operand, operator) {
            (Operand::Boolean(false), Operator::Equal) if self.absent_is_false => {
                place.lacks_true(root)
            }
            (Operand::Null, Operator::NotEqual) => values.next().is_some(),
            (Operand::Null, _) => values.next().is_none(),
            (_, Operator::NotEqual) => {
                !values.any(|value| operand.fits(value, Operator::Equal, evaluation))
            }
            _ => values.any(|value| operand.fits(value, *operator, evaluation)),
        }
    }
}

impl Operand {
    /// Whether `value operator operand` is true.
    fn fits(&self, value: &Value, operator: Operator, evaluation: &mut Evaluation) -> bool {
        let ordering = match (self, value) {
            (Self::Text { folded, rule, .. }, Value::String(text)) => {
                let text = evaluation.folded(*rule, text);
                return text.is_some_and(|text| text_fits(&text, operator, folded));
            }
            (Self::Boolean(operand), Value::Bool(value)) if evaluation.charge(1) => {
                (operand == value).then_some(Ordering::Equal)
            }
            (Self::Number(operand), Value::Number(value)) if evaluation.charge(1) => {
                value.as_f64().and_then(|value| value.partial_cmp(operand))
            }
            (Self::Instant(operand), Value::String(text)) if evaluation.charge(4) => {
                parse_date_time(text).map(|value| value.cmp(operand))
            }
            _ => None,
        };
        ordering.is_some_and(|ordering| ordering_fits(ordering, operator))
    }
}

fn text_fits(text: &str, operator: Operator, operand: &str) -> bool {
    match operator {
        Operator::Contains => text.contains(operand),
        Operator::StartsWith => text.starts_with(operand),
        Operator::EndsWith => text.ends_with(operand),
        _ => ordering_fits(text.cmp(operand), operator),
    }
}

fn ordering_fits(ordering: Ordering, operator: Operator) -> bool {
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
