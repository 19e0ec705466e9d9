//! The set of values one field of a schedule allows, and its shortest regular spelling.

/// The values that one field may take, as a set of small numbers.
///
/// Minutes are 0–59, hours 0–23, days of the month 1–31, months 1–12 and
/// weekdays 0–6 with 0 as Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Values(u64);

/// A part of a [`Values`] set that can be written without listing each member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// A single value.
    One(u8),
    /// Every value from `first` to `last`, both included.
    Range {
        /// The lowest value.
        first: u8,
        /// The highest value.
        last: u8,
    },
    /// Every `step`-th value from `first` to `last`; both are members.
    Steps {
        /// The lowest value.
        first: u8,
        /// The highest value.
        last: u8,
        /// The distance between two members, at least 2.
        step: u8,
    },
}

/// Fewer members than this are listed one by one: `1,2` reads better than `1-2`.
const SHORTEST_RUN: usize = 3;

impl Values {
    /// The set without members, from which others are built.
    pub(super) const EMPTY: Self = Self(0);

    /// Every value from `first` to `last`, both included. Values above 63 are left out.
    pub(super) fn range(first: u8, last: u8) -> Self {
        Self::steps(first, last, 1)
    }

    /// `first`, `first + step`, … up to `last`. A step of 0 counts as 1.
    pub(super) fn steps(first: u8, last: u8, step: u32) -> Self {
        let stride = usize::try_from(step).unwrap_or(usize::MAX).max(1);
        (first..=last).step_by(stride).fold(Self::EMPTY, Self::with)
    }

    /// The set with `value` added. Values above 63 are left out.
    pub(super) fn with(self, value: u8) -> Self {
        Self(self.0 | 1_u64.checked_shl(u32::from(value)).unwrap_or(0))
    }

    /// The set without `value`.
    pub(super) fn without(self, value: u8) -> Self {
        Self(self.0 & !1_u64.checked_shl(u32::from(value)).unwrap_or(0))
    }

    /// The members of either set.
    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The members of `self` that are not in `other`.
    pub(super) fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every member of `self` is in `other`.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.minus(other).is_empty()
    }

    /// Whether the set has no member.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `value` is a member.
    pub fn contains(self, value: u8) -> bool {
        self.0.checked_shr(u32::from(value)).unwrap_or(0) & 1 == 1
    }

    /// The members in rising order.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = u8> {
        (0..64_u8).filter(move |value| self.contains(*value))
    }

    /// The lowest member.
    pub fn first(self) -> Option<u8> {
        self.iter().next()
    }

    /// The highest member.
    pub fn last(self) -> Option<u8> {
        self.iter().next_back()
    }

    /// The set as single values, ranges and steps, in rising order.
    ///
    /// A set that is one regular progression of three or more values becomes one
    /// piece; anything else becomes runs of neighbours and single values. Equal
    /// sets give equal pieces, so text made from them is canonical.
    pub fn pieces(self) -> Vec<Piece> {
        let members: Vec<u8> = self.iter().collect();
        if let Some(steps) = progression(&members) {
            return vec![steps];
        }
        members.chunk_by(|left, right| left + 1 == *right).flat_map(run).collect()
    }
}

/// The whole list as one piece with a step of 2 or more.
fn progression(members: &[u8]) -> Option<Piece> {
    let (&[first, second], &last) = (members.first_chunk::<2>()?, members.last()?);
    let step = second - first;
    let regular = members.windows(2).all(|pair| matches!(pair, [left, right] if right - left == step));
    (members.len() >= SHORTEST_RUN && step > 1 && regular).then_some(Piece::Steps { first, last, step })
}

/// A run of neighbours: one range, or its one or two values.
fn run(members: &[u8]) -> Vec<Piece> {
    match members {
        [first, .., last] if members.len() >= SHORTEST_RUN => {
            vec![Piece::Range { first: *first, last: *last }]
        }
        few => few.iter().copied().map(Piece::One).collect(),
    }
}
