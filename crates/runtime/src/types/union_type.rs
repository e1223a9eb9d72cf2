//! `typing.Union`.
use crate::object::Value;
use crate::vm::{Res, Vm};
pub fn or(_: &Vm, _: &Value, _: &Value) -> Res<Value> {
    Ok(Value::NOT_IMPLEMENTED)
}
