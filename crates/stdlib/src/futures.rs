//! `_lisle_futures`: the base of `concurrent.futures.Future`, so that a future that nobody has to wait for costs neither a condition nor Python code.
//!
//! Invariant: as long as `_condition` was never asked for, nobody waits for the future or holds its lock, and the methods here do what the library's
//! own would, under the object's lock. The condition is made at its first use and put in place under the same lock: what was done before is seen
//! by those who take it, and from then on, as in every case that is not a plain one, the methods call the library's (`_slow_*`). Those are also what
//! subclasses get. Left out: waiting, and telling of mistakes.

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::sync::Locked;
use lisle_runtime::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use lisle_runtime::types::list::List;

/// The address of the library's class, which its module keeps; 0 before it is made.
static SETTLED: AtomicUsize = AtomicUsize::new(0);

/// A future's attributes; what is not there is None, or an empty list.
#[derive(Trace, Default)]
struct Fields {
    condition: Option<Value>,
    state: Option<Value>,
    result: Option<Value>,
    exception: Option<Value>,
    waiters: Option<Value>,
    callbacks: Option<Value>,
    /// Callbacks that were added before anybody looked at `callbacks`.
    added: Vec<Value>,
}

impl Fields {
    fn new() -> Fields {
        Fields {
            state: Some(intern!("PENDING").to_value()),
            ..Fields::default()
        }
    }

    fn is(&self, state: &Py<Str>) -> bool {
        self.state.as_ref().is_some_and(|mine| mine.is(state.as_value()))
    }

    fn is_open(&self) -> bool {
        self.is(intern!("PENDING")) || self.is(intern!("RUNNING"))
    }

    fn is_cancelled(&self) -> bool {
        self.is(intern!("CANCELLED")) || self.is(intern!("CANCELLED_AND_NOTIFIED"))
    }

    fn is_finished(&self) -> bool {
        self.is(intern!("FINISHED"))
    }

    fn set(&mut self, state: &Py<Str>) {
        // States are immortal strings, or the program's: those that are open are ours.
        self.state = Some(state.to_value());
    }

    fn has_callbacks(&self) -> bool {
        !self.added.is_empty() || !is_empty_list(self.callbacks.as_ref())
    }
}

fn is_empty_list(list: Option<&Value>) -> bool {
    list.is_none_or(|list| list.downcast_exact::<List>().is_some_and(|list| list.is_empty()))
}

/// The base of futures.
#[pyclass(
    name = "Future",
    module = "_lisle_futures",
    basetype,
    doc = "What concurrent.futures.Future is made of."
)]
pub struct Future {
    fields: Locked<Fields>,
}

impl Future {
    /// What `f` makes of the fields; `None` if it gives nothing, or the future is not a plain one: then the library's method is to be called.
    #[inline]
    fn quickly<R>(this: &Py<Future>, f: impl FnOnce(&mut Fields) -> Option<R>) -> Option<R> {
        if std::ptr::from_ref(&**this.class()).addr() != SETTLED.load(Relaxed) {
            return None;
        }
        this.fields.with(this.header(), |fields| {
            if fields.condition.is_some() {
                return None;
            }
            f(fields)
        })
    }

    /// One of the fields, or what takes its place.
    fn field(this: &Py<Future>, pick: impl FnOnce(&mut Fields) -> &mut Option<Value>) -> Value {
        this.fields
            .with(this.header(), |fields| pick(fields).clone())
            .unwrap_or(Value::NONE)
    }

    fn set_field(this: &Py<Future>, value: Option<&Value>, pick: impl FnOnce(&mut Fields) -> &mut Option<Value>) {
        let value = value.cloned();
        // Dropped when nothing is locked.
        drop(
            this.fields
                .with(this.header(), |fields| std::mem::replace(pick(fields), value)),
        );
    }

    /// One of the fields, which gets `fresh` if it has no value.
    fn field_or(this: &Py<Future>, fresh: Value, pick: impl FnOnce(&mut Fields) -> &mut Option<Value>) -> Value {
        let mut fresh = Some(fresh);
        let value = this.fields.with(this.header(), |fields| {
            let place = pick(fields);
            if place.is_none() {
                *place = fresh.take();
            }
            place.clone()
        });
        value.unwrap_or(Value::NONE)
    }

    /// Ends an open future; `false` if the library's method has to.
    fn finish(
        vm: &Vm,
        this: &Py<Future>,
        value: &Value,
        pick: impl FnOnce(&mut Fields) -> &mut Option<Value>,
    ) -> Res<bool> {
        let value = value.clone();
        let done = Future::quickly(this, |fields| {
            if !fields.is_open() || !is_empty_list(fields.waiters.as_ref()) {
                return None;
            }
            fields.set(intern!("FINISHED"));
            let call = fields.has_callbacks();
            Some((pick(fields).replace(value), call))
        });
        let Some((old, call)) = done else { return Ok(false) };
        drop(old);
        if call {
            vm.call_method(this.as_value(), intern!("_invoke_callbacks"), &[])?;
        }
        Ok(true)
    }
}

#[pymethods]
impl Future {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        let fields = Locked::new(Fields::new());
        Ok(Py::with_class(cls, Future { fields }).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<Future>, args: Args<'_>) -> Res<()> {
        if !args.values.is_empty() {
            let given = args.values.len() + 1;
            return Err(vm.type_error(format!(
                "Future.__init__() takes 1 positional argument but {given} were given"
            )));
        }
        let fresh = Fields::new();
        drop(
            this.fields
                .with(this.header(), |fields| std::mem::replace(fields, fresh)),
        );
        Ok(())
    }

    #[pymethod(sig = "($self, /)")]
    fn __getstate__(vm: &Vm, _this: &Py<Future>) -> Res<Value> {
        Err(vm.type_error("cannot pickle '_thread.RLock' object"))
    }

    #[getter]
    fn _condition(vm: &Vm, this: &Py<Future>) -> Res<Value> {
        let condition = this.fields.with(this.header(), |fields| fields.condition.clone());
        if let Some(condition) = condition {
            return Ok(condition);
        }
        let class = vm.getattr(&vm.import_module("threading")?, intern!("Condition"))?;
        let fresh = vm.call(&class, &[])?;
        Ok(Future::field_or(this, fresh, |fields| &mut fields.condition))
    }

    #[setter(name = "_condition")]
    fn set_condition(_vm: &Vm, this: &Py<Future>, value: Option<&Value>) -> Res<()> {
        Future::set_field(this, value, |fields| &mut fields.condition);
        Ok(())
    }

    #[getter]
    fn _state(_vm: &Vm, this: &Py<Future>) -> Value {
        Future::field(this, |fields| &mut fields.state)
    }

    #[setter(name = "_state")]
    fn set_state(_vm: &Vm, this: &Py<Future>, value: Option<&Value>) -> Res<()> {
        Future::set_field(this, value, |fields| &mut fields.state);
        Ok(())
    }

    #[getter]
    fn _result(_vm: &Vm, this: &Py<Future>) -> Value {
        Future::field(this, |fields| &mut fields.result)
    }

    #[setter(name = "_result")]
    fn put_result(_vm: &Vm, this: &Py<Future>, value: Option<&Value>) -> Res<()> {
        Future::set_field(this, value, |fields| &mut fields.result);
        Ok(())
    }

    #[getter]
    fn _exception(_vm: &Vm, this: &Py<Future>) -> Value {
        Future::field(this, |fields| &mut fields.exception)
    }

    #[setter(name = "_exception")]
    fn put_exception(_vm: &Vm, this: &Py<Future>, value: Option<&Value>) -> Res<()> {
        Future::set_field(this, value, |fields| &mut fields.exception);
        Ok(())
    }

    #[getter]
    fn _waiters(_vm: &Vm, this: &Py<Future>) -> Value {
        Future::field_or(this, List::new(Vec::new()).into_value(), |fields| &mut fields.waiters)
    }

    #[setter(name = "_waiters")]
    fn set_waiters(_vm: &Vm, this: &Py<Future>, value: Option<&Value>) -> Res<()> {
        Future::set_field(this, value, |fields| &mut fields.waiters);
        Ok(())
    }

    #[getter]
    fn _done_callbacks(_vm: &Vm, this: &Py<Future>) -> Value {
        loop {
            let taken = this.fields.with(this.header(), |fields| match &fields.callbacks {
                Some(list) => Err(list.clone()),
                None => Ok(fields.added.clone()),
            });
            let added = match taken {
                Ok(added) => added,
                Err(list) => return list,
            };
            let (count, list) = (added.len(), List::new(added).into_value());
            let done = this.fields.with(this.header(), |fields| {
                if fields.callbacks.is_some() || fields.added.len() != count {
                    return None;
                }
                fields.callbacks = Some(list.clone());
                Some(std::mem::take(&mut fields.added))
            });
            if done.is_some() {
                return list;
            }
        }
    }

    #[setter(name = "_done_callbacks")]
    fn set_callbacks(_vm: &Vm, this: &Py<Future>, value: Option<&Value>) -> Res<()> {
        let value = value.cloned();
        drop(this.fields.with(this.header(), |fields| {
            (
                std::mem::replace(&mut fields.callbacks, value),
                std::mem::take(&mut fields.added),
            )
        }));
        Ok(())
    }

    /// Cancel the future if possible.
    ///
    /// Returns True if the future was cancelled, False otherwise. A future
    /// cannot be cancelled if it is running or has already completed.
    #[pymethod(sig = "($self)")]
    fn cancel(vm: &Vm, this: &Py<Future>) -> Res<Value> {
        let known = Future::quickly(this, |fields| {
            if fields.is_cancelled() {
                return Some((true, false));
            }
            if fields.is(intern!("RUNNING")) || fields.is_finished() {
                return Some((false, false));
            }
            if !fields.is(intern!("PENDING")) {
                return None;
            }
            fields.set(intern!("CANCELLED"));
            Some((true, fields.has_callbacks()))
        });
        let Some((cancelled, call)) = known else {
            return vm.call_method(this.as_value(), intern!("_slow_cancel"), &[]);
        };
        if call {
            vm.call_method(this.as_value(), intern!("_invoke_callbacks"), &[])?;
        }
        Ok(Value::from_bool(cancelled))
    }

    /// Return True if the future was cancelled.
    #[pymethod(sig = "($self)")]
    fn cancelled(vm: &Vm, this: &Py<Future>) -> Res<Value> {
        match Future::quickly(this, |fields| Some(fields.is_cancelled())) {
            Some(cancelled) => Ok(Value::from_bool(cancelled)),
            None => vm.call_method(this.as_value(), intern!("_slow_cancelled"), &[]),
        }
    }

    /// Return True if the future is currently executing.
    #[pymethod(sig = "($self)")]
    fn running(vm: &Vm, this: &Py<Future>) -> Res<Value> {
        match Future::quickly(this, |fields| Some(fields.is(intern!("RUNNING")))) {
            Some(running) => Ok(Value::from_bool(running)),
            None => vm.call_method(this.as_value(), intern!("_slow_running"), &[]),
        }
    }

    /// Return True if the future was cancelled or finished executing.
    #[pymethod(sig = "($self)")]
    fn done(vm: &Vm, this: &Py<Future>) -> Res<Value> {
        match Future::quickly(this, |fields| Some(fields.is_finished() || fields.is_cancelled())) {
            Some(done) => Ok(Value::from_bool(done)),
            None => vm.call_method(this.as_value(), intern!("_slow_done"), &[]),
        }
    }

    /// Attaches a callable that will be called when the future finishes.
    #[pymethod(sig = "($self, fn)")]
    fn add_done_callback(vm: &Vm, this: &Py<Future>, r#fn: &Value) -> Res<Value> {
        let callback = r#fn.clone();
        let added = Future::quickly(this, |fields| {
            if !fields.is_open() || fields.callbacks.is_some() || fields.added.try_reserve(1).is_err() {
                return None;
            }
            fields.added.push(callback);
            Some(())
        });
        match added {
            Some(()) => Ok(Value::NONE),
            None => vm.call_method(
                this.as_value(),
                intern!("_slow_add_done_callback"),
                std::slice::from_ref(r#fn),
            ),
        }
    }

    /// Return the result of the call that the future represents.
    #[pymethod(sig = "($self, timeout=None)")]
    fn result(vm: &Vm, this: &Py<Future>, timeout: Option<&Value>) -> Res<Value> {
        let known = Future::quickly(this, |fields| {
            let fine = fields.is_finished() && fields.exception.as_ref().is_none_or(Value::is_none);
            fine.then(|| fields.result.clone().unwrap_or(Value::NONE))
        });
        if let Some(result) = known {
            return Ok(result);
        }
        let timeout = timeout.cloned().unwrap_or(Value::NONE);
        vm.call_method(this.as_value(), intern!("_slow_result"), &[timeout])
    }

    /// Return the exception raised by the call that the future represents.
    #[pymethod(sig = "($self, timeout=None)")]
    fn exception(vm: &Vm, this: &Py<Future>, timeout: Option<&Value>) -> Res<Value> {
        let known = Future::quickly(this, |fields| {
            fields
                .is_finished()
                .then(|| fields.exception.clone().unwrap_or(Value::NONE))
        });
        if let Some(exception) = known {
            return Ok(exception);
        }
        let timeout = timeout.cloned().unwrap_or(Value::NONE);
        vm.call_method(this.as_value(), intern!("_slow_exception"), &[timeout])
    }

    /// Mark the future as running or process any cancel notifications.
    #[pymethod(sig = "($self)")]
    fn set_running_or_notify_cancel(vm: &Vm, this: &Py<Future>) -> Res<Value> {
        let begun = Future::quickly(this, |fields| {
            let pending = fields.is(intern!("PENDING"));
            if pending {
                fields.set(intern!("RUNNING"));
            }
            pending.then_some(())
        });
        match begun {
            Some(()) => Ok(Value::TRUE),
            None => vm.call_method(this.as_value(), intern!("_slow_set_running_or_notify_cancel"), &[]),
        }
    }

    /// Sets the return value of work associated with the future.
    ///
    /// Should only be used by Executor implementations and unit tests.
    #[pymethod(sig = "($self, result)")]
    fn set_result(vm: &Vm, this: &Py<Future>, result: &Value) -> Res<Value> {
        if Future::finish(vm, this, result, |fields| &mut fields.result)? {
            return Ok(Value::NONE);
        }
        vm.call_method(
            this.as_value(),
            intern!("_slow_set_result"),
            std::slice::from_ref(result),
        )
    }

    /// Sets the result of the future as being the given exception.
    ///
    /// Should only be used by Executor implementations and unit tests.
    #[pymethod(sig = "($self, exception)")]
    fn set_exception(vm: &Vm, this: &Py<Future>, exception: &Value) -> Res<Value> {
        if Future::finish(vm, this, exception, |fields| &mut fields.exception)? {
            return Ok(Value::NONE);
        }
        vm.call_method(
            this.as_value(),
            intern!("_slow_set_exception"),
            std::slice::from_ref(exception),
        )
    }
}

#[pymodule(
    name = "_lisle_futures",
    doc = "The base of concurrent.futures.Future.",
    types(Future)
)]
pub mod module {
    use super::*;

    /// The methods that the base has; their names in the library's class lead to those of the library from now on.
    const METHODS: &[&str] = &[
        "cancel",
        "cancelled",
        "running",
        "done",
        "add_done_callback",
        "result",
        "exception",
        "set_running_or_notify_cancel",
        "set_result",
        "set_exception",
    ];

    /// Has the methods of the library's class take their places behind those of its base.
    #[pyfunction(sig = "(cls, /)")]
    fn settle(vm: &Vm, cls: &Py<Type>) -> Res<()> {
        for name in METHODS {
            let (short, long) = (Str::intern(name), Str::intern(&format!("_slow_{name}")));
            if let Some(method) = cls.dict().get_str(&short) {
                cls.set_own(vm, &long, Some(method))?;
                cls.set_own(vm, &short, None)?;
            }
        }
        cls.set_own(vm, intern!("__init__"), None)?;
        SETTLED.store(std::ptr::from_ref(&**cls).addr(), Relaxed);
        Ok(())
    }
}
