//! How much of a request's budget reads take.

use std::iter::Sum;
use std::ops::{Add, Mul};

use crate::budget;

/// The maximum calls and read units that a request needs for some reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) calls: usize,
    pub(super) units: usize,
}

impl Price {
    /// The price of reading nothing.
    pub(super) const FREE: Self = Self { calls: 0, units: 0 };

    pub(super) const fn new(calls: usize, units: usize) -> Self {
        Self { calls, units }
    }

    /// Whether the request has that much left.
    pub(super) fn is_affordable(self) -> bool {
        budget::left().suffices(self.calls, self.units)
    }
}

impl From<(usize, usize)> for Price {
    fn from((calls, units): (usize, usize)) -> Self {
        Self { calls, units }
    }
}

impl Add for Price {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { calls: self.calls + other.calls, units: self.units + other.units }
    }
}

impl Mul<usize> for Price {
    type Output = Self;

    fn mul(self, times: usize) -> Self {
        Self { calls: self.calls * times, units: self.units * times }
    }
}

impl Sum for Price {
    fn sum<I: Iterator<Item = Self>>(prices: I) -> Self {
        prices.fold(Self::FREE, Add::add)
    }
}
