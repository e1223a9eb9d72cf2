//! Weak references.
use crate::object::Value;
/// The reference that `__weakref__` shows.
pub fn first_reference(_: &Value) -> Option<Value> {
    None
}
pub fn clear_for(_: &Value) {}
pub fn clear_for_garbage(_: &[Value]) {}
