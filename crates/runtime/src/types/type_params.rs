//! Type parameters.
use crate::object::Value;
use crate::vm::{Res, Vm};
pub fn type_var(vm: &Vm, _: &Value, _: Option<&Value>, _: Option<&Value>) -> Res<Value> {
    Err(vm.not_implemented_error("type parameters"))
}
pub fn param_spec(vm: &Vm, a: &Value) -> Res<Value> {
    type_var(vm, a, None, None)
}
pub fn type_var_tuple(vm: &Vm, a: &Value) -> Res<Value> {
    type_var(vm, a, None, None)
}
pub fn subscript_generic(vm: &Vm, a: &Value) -> Res<Value> {
    type_var(vm, a, None, None)
}
pub fn type_alias(vm: &Vm, a: &Value) -> Res<Value> {
    type_var(vm, a, None, None)
}
pub fn set_default(vm: &Vm, a: &Value, _: &Value) -> Res<Value> {
    type_var(vm, a, None, None)
}
