//! Comparing values without Python code, for the algorithms that do so under a lock.
//!
//! Invariant: an answer is what `a < b` and `a == b` are in Python; `None` says that only Python can tell.

use std::cmp::Ordering;

use lisle_runtime::native::{CmpOp, Value};
use lisle_runtime::types::str::Str;
use lisle_runtime::types::tuple::Tuple;

/// Tuples in tuples deeper than this are left to Python.
const MAX_DEPTH: u32 = 4;
/// Ints up to this are exact as floats.
const EXACT: i64 = 1 << 53;

/// `a < b`
#[inline]
pub fn less(a: &Value, b: &Value) -> Option<bool> {
    if let (Some(a), Some(b)) = (a.as_small_int(), b.as_small_int()) {
        return Some(a < b);
    }
    less_slow(a, b, 0)
}

/// The number of a float, or of an int that is exact as one.
fn number(value: &Value) -> Option<f64> {
    match value.as_small_int() {
        Some(int) if (-EXACT..=EXACT).contains(&int) => Some(int as f64),
        Some(_) => None,
        None => value.as_exact_float(),
    }
}

fn less_slow(a: &Value, b: &Value, depth: u32) -> Option<bool> {
    if let (Some(a), Some(b)) = (a.as_small_int(), b.as_small_int()) {
        return Some(a < b);
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return Some(a < b);
    }
    if let (Some(a), Some(b)) = (a.downcast_exact::<Str>(), b.downcast_exact::<Str>()) {
        return Some(a.view() < b.view());
    }
    let (a, b) = (a.downcast_exact::<Tuple>()?, b.downcast_exact::<Tuple>()?);
    if depth == MAX_DEPTH {
        return None;
    }
    for (mine, theirs) in a.iter().zip(b.iter()) {
        if !equal(mine, theirs, depth + 1)? {
            return less_slow(mine, theirs, depth + 1);
        }
    }
    Some(a.len() < b.len())
}

/// `a is b or a == b`
fn equal(a: &Value, b: &Value, depth: u32) -> Option<bool> {
    if a.is(b) {
        return Some(true);
    }
    if a.is_small_int() && b.is_small_int() {
        return Some(false);
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return Some(a == b);
    }
    if let (Some(a), Some(b)) = (a.downcast_exact::<Str>(), b.downcast_exact::<Str>()) {
        return Some(a.text_eq(b));
    }
    let (a, b) = (a.downcast_exact::<Tuple>()?, b.downcast_exact::<Tuple>()?);
    if depth == MAX_DEPTH {
        return None;
    }
    if a.len() != b.len() {
        return Some(false);
    }
    for (mine, theirs) in a.iter().zip(b.iter()) {
        if !equal(mine, theirs, depth + 1)? {
            return Some(false);
        }
    }
    Some(true)
}

/// What a comparison gives for an order.
pub fn ordered(order: Ordering, op: CmpOp) -> Value {
    Value::from_bool(match op {
        CmpOp::Lt => order.is_lt(),
        CmpOp::Le => order.is_le(),
        CmpOp::Eq => order.is_eq(),
        CmpOp::Ne => order.is_ne(),
        CmpOp::Gt => order.is_gt(),
        CmpOp::Ge => order.is_ge(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_exactly() {
        let (int, float) = (Value::int, Value::float);
        assert_eq!(less(&int(1), &int(2)), Some(true));
        assert_eq!(less(&int(2), &float(1.5)), Some(false));
        assert_eq!(less(&float(1.5), &int(2)), Some(true));
        assert_eq!(less(&int(EXACT + 1), &float(1.5)), None);
        assert_eq!(less(&float(0.5), &float(0.25)), Some(false));
    }
}
