//! Numbers for native modules: views of ints, conversions, checks.
//! Invariant: views borrow from the value they are of; nothing here runs Python code but the conversions that say so.

use crate::object::Value;

pub use crate::text::float::repr_float as float_repr;
/// Large numbers, worked on with safepoints.
pub use crate::text::huge;
pub use crate::types::complex::divide as complex_divide;
/// Runs `__complex__`, `__float__` or `__index__`.
pub use crate::types::complex_methods::to_complex;
pub use crate::types::float::truncate;
pub use crate::types::int::{IntRef, view as int_view};
pub use crate::types::number_ops::{
    bigint_to_f64, check_bits as check_int_bits, div_mod_big, interruptible as interruptible_work, mul_big,
};

/// A complex from its real and imaginary part.
pub fn complex_value((re, im): (f64, f64)) -> Value {
    crate::types::complex::boxed(re, im)
}
