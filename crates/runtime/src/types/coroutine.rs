//! Coroutines, what `await` makes of an object, and the warning about coroutines that nobody awaited.
//!
//! Invariant: as in `generator`.

use lisle_bytecode::CodeFlags;

use super::generator::{CREATED, Generator, GeneratorBody, Input, RUNNING, SUSPENDED, repr_of};
use super::tuple::Tuple;
use crate::intern;
use crate::native::{pyclass, pymethods};
use crate::object::{Py, Type, Value};
use crate::types::exceptions;
use crate::vm::{Res, Vm};

/// A coroutine.
#[pyclass(name = "coroutine", no_new, weakref)]
#[repr(C)]
pub struct Coroutine {
    pub body: GeneratorBody,
}

impl Coroutine {
    /// Sets `cr_origin`, if that is wanted.
    pub(super) fn note_origin(&self, vm: &Vm) {
        let depth = vm.origin_depth.get();
        if depth > 0 {
            self.body.origin.set(origin(vm, depth));
        }
    }
}

/// `cr_origin`: file, line and function of the callers. The innermost frame is the coroutine's own.
fn origin(vm: &Vm, depth: usize) -> Value {
    let mut rows = Vec::new();
    for level in 1..=depth {
        let Some(frame) = vm.frames.nth(level) else { break };
        let code = frame.code();
        let line = code.location(frame.pc().saturating_sub(1)).line;
        rows.push(
            Tuple::new(vec![
                code.filename.to_value(),
                Value::int(line.into()),
                code.name.to_value(),
            ])
            .into_value(),
        );
    }
    Tuple::new(rows).into_value()
}

/// The iterator that awaiting the object runs; `None` if it cannot be awaited.
pub fn get_awaitable(vm: &Vm, value: &Value) -> Res<Option<Value>> {
    if value.downcast_exact::<Coroutine>().is_some() || is_iterable_coroutine(value) {
        return Ok(Some(value.clone()));
    }
    let Some(f) = value.ty().slots().await_ else {
        return Ok(None);
    };
    let iter = f(vm, value)?;
    if iter.downcast_exact::<Coroutine>().is_some() || is_iterable_coroutine(&iter) {
        return Err(vm.type_error("__await__() returned a coroutine"));
    }
    if iter.ty().slots().next.is_none() {
        let found = iter.ty().name();
        return Err(vm.type_error(format!("__await__() returned non-iterator of type '{found}'")));
    }
    Ok(Some(iter))
}

/// Whether this is a generator that `types.coroutine` made awaitable.
pub fn is_iterable_coroutine(value: &Value) -> bool {
    value
        .downcast_exact::<Generator>()
        .is_some_and(|g| g.body.code.has(CodeFlags::ITERABLE_COROUTINE))
}

/// "coroutine 'f' was never awaited", through `warnings._warn_unawaited_coroutine` where that can be had.
fn warn_never_awaited(vm: &Vm, this: &Py<Coroutine>) {
    let warn = || -> Res<()> {
        let warnings = vm.import_module("warnings").ok();
        let hook = match &warnings {
            Some(module) => vm.getattr_opt(module, intern!("_warn_unawaited_coroutine"))?,
            None => None,
        };
        if let Some(hook) = hook {
            return vm.call(&hook, &[this.to_value()]).map(drop);
        }
        let name = this.body.qualname().to_string_lossy();
        let message = format!("coroutine '{name}' was never awaited");
        vm.warn(exceptions::RUNTIME_WARNING.get(), &message, 1)
    };
    if let Err(exc) = warn() {
        vm.unraisable_while(exc, "finalizing coroutine", this.as_value());
    }
}

#[pymethods]
impl Coroutine {
    #[slot]
    fn __await__(_: &Vm, this: &Py<Coroutine>) -> Value {
        CoroutineWrapper::new_value(this.clone())
    }
    #[slot]
    fn __repr__(_: &Vm, this: &Py<Coroutine>) -> String {
        repr_of("coroutine", &this.body, this.as_value())
    }
    #[slot]
    fn __del__(vm: &Vm, this: &Py<Coroutine>) -> Res<()> {
        match this.body.settled_state() {
            CREATED => {
                warn_never_awaited(vm, this);
                vm.close_generator(this.as_value()).map(drop)
            }
            SUSPENDED => vm.close_generator(this.as_value()).map(drop),
            _ => Ok(()),
        }
    }
    /// send(arg) -> send 'arg' into coroutine,
    /// return next iterated value or raise StopIteration.
    #[pymethod(sig = "($self, value, /)")]
    fn send(vm: &Vm, this: &Py<Coroutine>, value: Value) -> Res<Value> {
        let output = vm.resume(this.as_value(), Input::Send(value))?;
        vm.output_to_result(output)
    }
    /// throw(value)
    /// throw(type[,value[,traceback]])
    ///
    /// Raise exception in coroutine, return next iterated value or raise
    /// StopIteration.
    #[pymethod(sig = "($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn throw(vm: &Vm, this: &Py<Coroutine>, typ: &Value, val: Option<&Value>, tb: Option<&Value>) -> Res<Value> {
        let args: Vec<Value> = [Some(typ), val, tb].into_iter().flatten().cloned().collect();
        let exc = vm.exception_to_throw(&args)?;
        let output = vm.throw_into(this.as_value(), exc)?;
        vm.output_to_result(output)
    }
    /// close() -> raise GeneratorExit inside coroutine.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<Coroutine>) -> Res<Value> {
        vm.close_generator(this.as_value())
    }
    /// name of the coroutine
    #[getter]
    fn __name__(_: &Vm, this: &Py<Coroutine>) -> Value {
        this.body.name().into_value()
    }
    #[setter(name = "__name__")]
    fn set_name(vm: &Vm, this: &Py<Coroutine>, value: Option<&Value>) -> Res<()> {
        this.body.set_name(vm, value)
    }
    /// qualified name of the coroutine
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<Coroutine>) -> Value {
        this.body.qualname().into_value()
    }
    #[setter(name = "__qualname__")]
    fn set_qualname(vm: &Vm, this: &Py<Coroutine>, value: Option<&Value>) -> Res<()> {
        this.body.set_qualname(vm, value)
    }
    #[getter]
    fn cr_code(_: &Vm, this: &Py<Coroutine>) -> Value {
        this.body.code.to_value()
    }
    #[getter]
    fn cr_frame(vm: &Vm, this: &Py<Coroutine>) -> Option<Value> {
        this.body.frame_object(vm, this.as_value()).map(Py::into_value)
    }
    #[getter]
    fn cr_running(_: &Vm, this: &Py<Coroutine>) -> bool {
        this.body.settled_state() == RUNNING
    }
    #[getter]
    fn cr_suspended(_: &Vm, this: &Py<Coroutine>) -> bool {
        this.body.settled_state() == SUSPENDED
    }
    /// object being awaited on, or None
    #[getter]
    fn cr_await(_: &Vm, this: &Py<Coroutine>) -> Option<Value> {
        this.body.delegate()
    }
    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        super::common::class_getitem(vm, cls, object)
    }
    #[getter(member)]
    fn cr_origin(_: &Vm, this: &Py<Coroutine>) -> Option<Value> {
        this.body.origin.get()
    }
}

/// What `coroutine.__await__()` returns.
#[pyclass(name = "coroutine_wrapper", no_new)]
pub struct CoroutineWrapper {
    coroutine: Py<Coroutine>,
}

impl CoroutineWrapper {
    pub fn new_value(coroutine: Py<Coroutine>) -> Value {
        Py::new(CoroutineWrapper { coroutine }).into_value()
    }
}

#[pymethods]
impl CoroutineWrapper {
    #[slot]
    fn __iter__(_: &Vm, this: &Py<CoroutineWrapper>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(vm: &Vm, this: &Py<CoroutineWrapper>) -> Res<Option<Value>> {
        Coroutine::send(vm, &this.coroutine, Value::NONE).map(Some)
    }

    /// send(arg) -> send 'arg' into coroutine
    /// return next iterated value or raise StopIteration.
    #[pymethod(sig = "($self, value, /)")]
    fn send(vm: &Vm, this: &Py<CoroutineWrapper>, value: Value) -> Res<Value> {
        Coroutine::send(vm, &this.coroutine, value)
    }

    /// throw(value)
    /// throw(type[,value[,traceback]])
    ///
    /// Raise exception in coroutine, return next iterated value or raise
    /// StopIteration.
    #[pymethod(sig = "($self, typ, val=<unrepresentable>, tb=<unrepresentable>, /)")]
    fn throw(vm: &Vm, this: &Py<CoroutineWrapper>, typ: &Value, val: Option<&Value>, tb: Option<&Value>) -> Res<Value> {
        Coroutine::throw(vm, &this.coroutine, typ, val, tb)
    }

    /// close() -> raise GeneratorExit inside coroutine.
    #[pymethod(sig = "($self, /)")]
    fn close(vm: &Vm, this: &Py<CoroutineWrapper>) -> Res<Value> {
        Coroutine::close(vm, &this.coroutine)
    }
}
