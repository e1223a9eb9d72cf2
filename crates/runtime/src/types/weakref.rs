//! Weak references.
use crate::object::Value;
pub fn clear_for(_: &Value) {}
pub fn clear_for_garbage(_: &[Value]) {}
