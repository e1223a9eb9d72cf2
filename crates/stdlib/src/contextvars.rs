//! `_contextvars`: contexts, context variables, tokens.
//!
//! Invariant: a context's variables are in a dict that only the thread that has entered the context changes; copying a context shares the dict,
//! and whoever writes to a shared one makes a copy of its own first. The current context is the thread's (`Vm::context`), made when first needed.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::native::{Args, CmpOp, Native, Py, PySlot, Res, Slot, Str, Type, Value, Vm};
use lisle_runtime::native::{pyclass, pymethods, pymodule};
use lisle_runtime::sync::swap_flag;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::generic_alias::GenericAlias;
use lisle_runtime::types::list::List;
use lisle_runtime::types::object::identity_hash;
use lisle_runtime::types::tuple::Tuple;

use crate::asyncio::group::task_done;

/// The variables of a context: nothing for none yet.
#[pyclass(name = "Context", late_end, module = "_contextvars", weakref, mapping, unhashable)]
pub struct Context {
    /// Values by variable.
    vars: PySlot<Dict>,
    /// Another context has the same dict.
    shared: AtomicBool,
    /// A thread is in it.
    entered: AtomicBool,
}

impl Context {
    fn with(vars: PySlot<Dict>) -> Context {
        Context {
            shared: AtomicBool::new(!vars.is_empty()),
            vars,
            entered: AtomicBool::new(false),
        }
    }

    /// Calls `f` in this context.
    pub fn within<R>(vm: &Vm, this: &Py<Context>, f: impl FnOnce() -> Res<R>) -> Res<R> {
        if swap_flag(&this.entered, true) {
            let shown = vm.repr(this.as_value())?.to_string_lossy();
            return Err(vm.runtime_error(format!("cannot enter context: {shown} is already entered")));
        }
        let outer = vm.context.swap(Some(this.to_value()));
        vm.context_memo.forget();
        let result = f();
        let inner = vm.context.swap(outer);
        vm.context_memo.forget();
        drop(inner);
        this.entered.store(false, Relaxed);
        result
    }

    fn lookup(&self, vm: &Vm, var: &Value) -> Res<Option<Value>> {
        match self.vars.get() {
            // Variables are the same when they are identical.
            Some(vars) => vars.get_hashed(vm, var, identity_hash(var)),
            None => Ok(None),
        }
    }

    /// The dict, to be changed.
    fn own_vars(&self, vm: &Vm) -> Res<Py<Dict>> {
        vm.context_memo.forget();
        let vars = match self.vars.get() {
            Some(vars) if !self.shared.load(Relaxed) => return Ok(vars),
            Some(vars) => vars.copy(vm)?,
            None => Dict::new_empty(),
        };
        drop(self.vars.swap(Some(vars.clone())));
        self.shared.store(false, Relaxed);
        Ok(vars)
    }

    fn entries(&self) -> Vec<(Value, Value)> {
        self.vars.get().map_or_else(Vec::new, |vars| vars.snapshot())
    }

    /// A context with the same variables.
    fn copied(&self) -> Context {
        self.shared.store(true, Relaxed);
        Context::with(self.vars.get().map_or_else(PySlot::empty, PySlot::new))
    }
}

/// The context that the thread is in.
fn current(vm: &Vm) -> Py<Context> {
    if let Some(context) = vm.context.get()
        && let Ok(context) = context.try_into_py::<Context>()
    {
        return context;
    }
    let context = Py::new(Context::with(PySlot::empty()));
    context.entered.store(true, Relaxed);
    vm.context.set(context.to_value());
    vm.context_memo.forget();
    context
}

/// A copy of the thread's context, as `contextvars.copy_context()`.
pub fn copy_current(vm: &Vm) -> Value {
    Py::new(current(vm).copied()).into_value()
}

fn check_key(vm: &Vm, key: &Value) -> Res<()> {
    if key.downcast::<ContextVar>().is_some() {
        return Ok(());
    }
    let shown = vm.repr(key)?.to_string_lossy();
    Err(vm.type_error(format!("a ContextVar key was expected, got {shown}")))
}

#[pymethods]
impl Context {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if !args.values.is_empty() {
            return Err(vm.type_error("Context() does not accept any arguments"));
        }
        Ok(Py::with_class(cls, Context::with(PySlot::empty())).into_value())
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Context>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(second) = other.downcast::<Context>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let equal = match (this.vars.get(), second.vars.get()) {
            (Some(a), Some(b)) => a.is(&b) || a.equals(vm, &b)?,
            (a, b) => a.or(b).is_none_or(|vars| vars.is_empty()),
        };
        Ok(Value::from_bool(equal == (op == CmpOp::Eq)))
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &Py<Context>) -> Res<Value> {
        vm.iter(&Context::keys(vm, this))
    }

    #[slot]
    fn __len__(_: &Vm, this: &Py<Context>) -> Res<usize> {
        Ok(this.vars.get().map_or(0, |vars| vars.len()))
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Context>, key: &Value) -> Res<Value> {
        check_key(vm, key)?;
        this.lookup(vm, key)?.ok_or_else(|| vm.key_error(key.clone()))
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<Context>, key: &Value) -> Res<bool> {
        check_key(vm, key)?;
        Ok(this.lookup(vm, key)?.is_some())
    }

    /// Return the value for `key` if `key` has the value in the context object.
    ///
    /// If `key` does not exist, return `default`. If `default` is not given,
    /// return None.
    #[pymethod(sig = "($self, key, default=None, /)")]
    fn get(vm: &Vm, this: &Py<Context>, key: &Value, default: Option<&Value>) -> Res<Value> {
        check_key(vm, key)?;
        let found = this.lookup(vm, key)?;
        Ok(found.or_else(|| default.cloned()).unwrap_or(Value::NONE))
    }

    /// Return all variables and their values in the context object.
    ///
    /// The result is returned as a list of 2-tuples (variable, value).
    #[pymethod(sig = "($self, /)")]
    fn items(_: &Vm, this: &Py<Context>) -> Value {
        let pairs = this.entries().into_iter();
        List::new(pairs.map(|(var, value)| Tuple::pair(var, value).into_value()).collect()).into_value()
    }

    /// Return a list of all variables in the context object.
    #[pymethod(sig = "($self, /)")]
    fn keys(_: &Vm, this: &Py<Context>) -> Value {
        List::new(this.vars.get().map_or_else(Vec::new, |vars| vars.snapshot_keys())).into_value()
    }

    /// Return a list of all variables' values in the context object.
    #[pymethod(sig = "($self, /)")]
    fn values(_: &Vm, this: &Py<Context>) -> Value {
        List::new(this.vars.get().map_or_else(Vec::new, |vars| vars.snapshot_values())).into_value()
    }

    /// Return a shallow copy of the context object.
    #[pymethod(sig = "($self, /)")]
    fn copy(_: &Vm, this: &Py<Context>) -> Value {
        Py::new(this.copied()).into_value()
    }

    #[pymethod]
    fn run(vm: &Vm, this: &Py<Context>, args: Args<'_>) -> Res<Value> {
        let Some((callable, rest)) = args.split_receiver() else {
            return Err(vm.type_error("run() missing 1 required positional argument"));
        };
        Context::within(vm, this, || match task_done(vm, callable, rest) {
            Some(ended) => ended.map(|()| Value::NONE),
            None => vm.call_args(callable, rest),
        })
    }
}

/// A context variable.
#[pyclass(name = "ContextVar", late_end, module = "_contextvars")]
pub struct ContextVar {
    name: Py<Str>,
    default: Option<Value>,
}

impl ContextVar {
    /// A variable without default.
    pub fn new(name: &str) -> Py<ContextVar> {
        Py::new(ContextVar {
            name: Str::intern(name),
            default: None,
        })
    }

    /// The value in the thread's context, or the default.
    pub fn value(vm: &Vm, this: &Py<ContextVar>) -> Res<Option<Value>> {
        let found = ContextVar::lookup(vm, this)?;
        Ok(found.or_else(|| this.default.clone()))
    }

    /// The value in the thread's context.
    fn lookup(vm: &Vm, this: &Py<ContextVar>) -> Res<Option<Value>> {
        let known = vm.context_memo.recall(vm.context.peek_bits(), this.as_value());
        if known.is_some() {
            return Ok(known);
        }
        let Some(context) = vm.context.get() else {
            return Ok(None);
        };
        let Some(current) = context.downcast::<Context>() else {
            return Ok(None);
        };
        let found = current.lookup(vm, this.as_value())?;
        if let Some(value) = &found
            && vm.context.peek_bits() == context.bits()
        {
            vm.context_memo.keep(context.bits(), this.as_value(), value);
        }
        Ok(found)
    }
}

#[pymethods]
impl ContextVar {
    #[slot(sig = "(name=<unrepresentable>, *, default=<unrepresentable>)")]
    fn __new__(vm: &Vm, _cls: &Py<Type>, name: Option<&Value>, default: Option<&Value>) -> Res<Value> {
        let Some(name) = name else {
            return Err(vm.type_error("ContextVar() takes exactly 1 positional argument (0 given)"));
        };
        let Some(name) = name.downcast::<Str>() else {
            return Err(vm.type_error("context variable name must be a str"));
        };
        Ok(Py::new(ContextVar {
            name: name.clone(),
            default: default.cloned(),
        })
        .into_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<ContextVar>) -> Res<String> {
        let name = vm.repr(this.name.as_value())?.to_string_lossy();
        let default = match &this.default {
            Some(default) => {
                let shown = match vm.repr_enter(this.as_value()) {
                    Some(_guard) => vm.repr(default)?.to_string_lossy(),
                    None => "...".to_owned(),
                };
                format!(" default={shown}")
            }
            None => String::new(),
        };
        Ok(format!(
            "<ContextVar name={name}{default} at {:#x}>",
            this.as_value().bits()
        ))
    }

    #[getter]
    fn name(_: &Vm, this: &Py<ContextVar>) -> Value {
        this.name.to_value()
    }

    /// Return a value for the context variable for the current context.
    ///
    /// If there is no value for the variable in the current context, the method will:
    ///  * return the value of the default argument of the method, if provided; or
    ///  * return the default value for the context variable, if it was created
    ///    with one; or
    ///  * raise a LookupError.
    #[pymethod(sig = "($self, default=<unrepresentable>, /)")]
    fn get(vm: &Vm, this: &Py<ContextVar>, default: Option<&Value>) -> Res<Value> {
        if let Some(value) = ContextVar::lookup(vm, this)? {
            return Ok(value);
        }
        match default.or(this.default.as_ref()) {
            Some(value) => Ok(value.clone()),
            None => Err(vm.new_exception(exceptions::LOOKUP_ERROR.get(), vec![this.to_value()])),
        }
    }

    /// Call to set a new value for the context variable in the current context.
    ///
    /// The required value argument is the new value for the context variable.
    ///
    /// Returns a Token object that can be used to restore the variable to its previous
    /// value via the `ContextVar.reset()` method.
    #[pymethod(sig = "($self, value, /)")]
    fn set(vm: &Vm, this: &Py<ContextVar>, value: &Value) -> Res<Value> {
        let context = current(vm);
        let old = context.lookup(vm, this.as_value())?;
        context.own_vars(vm)?.set(vm, this.as_value(), value.clone())?;
        Ok(Py::new(Token {
            context: PySlot::new(context),
            var: PySlot::new(this.clone()),
            old: Slot::from_option(old),
            used: AtomicBool::new(false),
        })
        .into_value())
    }

    /// Reset the context variable.
    ///
    /// The variable is reset to the value it had before the `ContextVar.set()` that
    /// created the token was used.
    #[pymethod(sig = "($self, token, /)")]
    fn reset(vm: &Vm, this: &Py<ContextVar>, token: &Value) -> Res<()> {
        let Some(token) = token.downcast::<Token>() else {
            let shown = vm.repr(token)?.to_string_lossy();
            return Err(vm.type_error(format!("expected an instance of Token, got {shown}")));
        };
        Token::undo(vm, token, this)
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(GenericAlias::new_value(vm, cls.as_value(), object))
    }
}

/// What a variable was before it was set.
#[pyclass(name = "Token", module = "_contextvars", unhashable)]
pub struct Token {
    context: PySlot<Context>,
    var: PySlot<ContextVar>,
    old: Slot,
    used: AtomicBool,
}

impl Token {
    fn undo(vm: &Vm, this: &Py<Token>, var: &Py<ContextVar>) -> Res<()> {
        let complain =
            |what: &str| -> Res<String> { Ok(format!("{}{what}", vm.repr(this.as_value())?.to_string_lossy())) };
        if this.used.load(Relaxed) {
            return Err(vm.runtime_error(complain(" has already been used once")?));
        }
        if this.var.raw().peek_bits() != var.as_value().bits() {
            return Err(vm.value_error(complain(" was created by a different ContextVar")?));
        }
        let context = current(vm);
        if this.context.raw().peek_bits() != context.as_value().bits() {
            return Err(vm.value_error(complain(" was created in a different Context")?));
        }
        if this.used.swap(true, Relaxed) {
            return Err(vm.runtime_error(complain(" has already been used once")?));
        }
        let vars = context.own_vars(vm)?;
        match this.old.get() {
            Some(old) => vars.set(vm, var.as_value(), old),
            None => match vars.remove(vm, var.as_value())? {
                Some(_) => Ok(()),
                None => Err(vm.new_exception(exceptions::LOOKUP_ERROR.get(), vec![var.to_value()])),
            },
        }
    }
}

#[pymethods]
impl Token {
    #[slot]
    fn __new__(vm: &Vm, _cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Err(vm.runtime_error("Tokens can only be created by ContextVars"))
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Token>) -> Res<String> {
        let used = if this.used.load(Relaxed) { " used" } else { "" };
        let var = match this.var.get() {
            Some(var) => vm.repr(var.as_value())?.to_string_lossy(),
            None => "None".to_owned(),
        };
        Ok(format!("<Token{used} var={var} at {:#x}>", this.as_value().bits()))
    }

    #[getter]
    fn var(_: &Vm, this: &Py<Token>) -> Option<Value> {
        this.var.get().map(Py::into_value)
    }

    #[getter]
    fn old_value(vm: &Vm, this: &Py<Token>) -> Res<Value> {
        match this.old.get() {
            Some(old) => Ok(old),
            None => vm.getattr(Token::ty().as_value(), intern!("MISSING")),
        }
    }

    #[classattr]
    #[expect(non_snake_case, reason = "the name Python sees")]
    fn MISSING(_: &Vm) -> Value {
        Py::new(Missing {}).into_value()
    }

    /// Enter into Token context manager.
    #[pymethod(sig = "($self, /)")]
    fn __enter__(_: &Vm, this: &Py<Token>) -> Value {
        this.to_value()
    }

    /// Exit from Token context manager, restore the linked ContextVar.
    #[pymethod(sig = "($self, type, value, traceback, /)")]
    fn __exit__(vm: &Vm, this: &Py<Token>, _type: &Value, _value: &Value, _traceback: &Value) -> Res<()> {
        match this.var.get() {
            Some(var) => Token::undo(vm, this, &var),
            None => Ok(()),
        }
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        Ok(GenericAlias::new_value(vm, cls.as_value(), object))
    }
}

/// `Token.MISSING`: the variable had no value.
#[pyclass(name = "MISSING", module = "Token", no_new, gc = false)]
pub struct Missing {}

#[pymethods]
impl Missing {
    #[slot]
    fn __repr__(_: &Vm, _this: &Py<Missing>) -> &'static str {
        "<Token.MISSING>"
    }
}

#[pymodule(name = "_contextvars", doc = "Context Variables", types(Context, ContextVar, Token))]
pub mod module {
    use super::*;

    #[pyfunction(sig = "()")]
    fn copy_context(vm: &Vm) -> Value {
        copy_current(vm)
    }
}
