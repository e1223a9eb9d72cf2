//! Asynchronous generators.
use super::generator::{Coroutine, GeneratorBody};
use crate::native::pyclass;
use crate::object::{Py, Value};
use crate::vm::{Res, Vm};
/// See the module.
#[pyclass(name = "async_generator", no_new, weakref, no_methods)]
pub struct AsyncGenerator {
    pub body: GeneratorBody,
}
impl AsyncGenerator {
    pub fn new_value(body: GeneratorBody) -> Value {
        Py::new(AsyncGenerator { body }).into_value()
    }
}
/// See the module.
#[pyclass(name = "async_generator_wrapped_value", no_new, no_methods)]
pub struct WrappedValue {
    pub value: Value,
}
impl WrappedValue {
    pub fn new_value(value: Value) -> Value {
        Py::new(WrappedValue { value }).into_value()
    }
}
/// See the module.
#[pyclass(name = "coroutine_wrapper", no_new, no_methods)]
pub struct CoroutineWrapper {
    pub coroutine: Py<Coroutine>,
}
impl CoroutineWrapper {
    pub fn new_value(coroutine: Py<Coroutine>) -> Value {
        Py::new(CoroutineWrapper { coroutine }).into_value()
    }
}
pub fn record_origin(_: &Vm, _: &GeneratorBody) {}
pub fn warn_never_awaited(_: &Vm, _: &Py<Coroutine>) -> Res<()> {
    Ok(())
}
pub fn get_awaitable(_: &Vm, value: &Value) -> Res<Option<Value>> {
    Ok(value.downcast_exact::<Coroutine>().map(|c| c.to_value()))
}
