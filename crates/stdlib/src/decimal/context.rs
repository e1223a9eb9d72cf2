//! `Context`, the current context, and `localcontext`.
//!
//! Invariant: each field is an atomic of its own. Threads that share a context see each other's settings and flags, field by field.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::int::Int;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;
use lisle_runtime::vm::attributes::generic_setattr;

use super::Shared;
use super::number::{Dec, Env, MAX_EMAX, MAX_PREC, MIN_EMIN, Rounding};
use super::signals::{self, SignalDictMixin};
use crate::contextvars::ContextVar;

pub const IEEE_MAX_BITS: i64 = 512;

#[pyclass(
    name = "Context",
    late_end,
    module = "decimal",
    basetype,
    doc = "The context affects almost all operations and controls rounding, Over/Underflow, raising of exceptions and much more."
)]
pub struct Context {
    prec: AtomicI64,
    emin: AtomicI64,
    emax: AtomicI64,
    rounding: AtomicU8,
    capitals: AtomicU8,
    clamp: AtomicU8,
    flags: Opaque<Arc<AtomicU32>>,
    traps: Opaque<Arc<AtomicU32>>,
    /// The mappings that show them, once they were asked for.
    flags_view: Slot,
    traps_view: Slot,
}

impl Context {
    pub fn with(prec: i64, rounding: Rounding, traps: u32) -> Context {
        Context {
            prec: AtomicI64::new(prec),
            emin: AtomicI64::new(-999_999),
            emax: AtomicI64::new(999_999),
            rounding: AtomicU8::new(rounding as u8),
            capitals: AtomicU8::new(1),
            clamp: AtomicU8::new(0),
            flags: Opaque(Arc::new(AtomicU32::new(0))),
            traps: Opaque(Arc::new(AtomicU32::new(traps))),
            flags_view: Slot::empty(),
            traps_view: Slot::empty(),
        }
    }

    /// The settings as they are now; no flags.
    #[inline]
    pub fn env(&self) -> Env {
        Env {
            prec: self.prec.load(Relaxed),
            emin: self.emin.load(Relaxed),
            emax: self.emax.load(Relaxed),
            rounding: self.rounding_mode(),
            clamp: self.clamp.load(Relaxed) != 0,
            status: 0,
        }
    }

    fn rounding_mode(&self) -> Rounding {
        let at = usize::from(self.rounding.load(Relaxed));
        Rounding::ALL.get(at).copied().unwrap_or(Rounding::HalfEven)
    }

    pub fn capitals(&self) -> bool {
        self.capitals.load(Relaxed) != 0
    }

    /// Sets flags; raises those that are trapped.
    #[inline(always)]
    pub fn signal(&self, vm: &Vm, status: u32) -> Res<()> {
        if status == 0 {
            return Ok(());
        }
        self.signal_slow(vm, status)
    }

    fn signal_slow(&self, vm: &Vm, status: u32) -> Res<()> {
        if self.flags.0.load(Relaxed) & status != status {
            self.flags.0.fetch_or(status, Relaxed);
        }
        let raised = status & self.traps.0.load(Relaxed);
        if raised == 0 {
            return Ok(());
        }
        Err(Shared::get(vm)?.exceptions.raise(vm, raised))
    }

    /// Sets flags that raise nothing.
    pub fn note(&self, status: u32) {
        // Mostly they are set already.
        if self.flags.0.load(Relaxed) & status != status {
            self.flags.0.fetch_or(status, Relaxed);
        }
    }

    /// Takes over what another context has, but for the flags if they are not wanted.
    fn assign(&self, other: &Context, with_flags: bool) {
        self.prec.store(other.prec.load(Relaxed), Relaxed);
        self.emin.store(other.emin.load(Relaxed), Relaxed);
        self.emax.store(other.emax.load(Relaxed), Relaxed);
        self.rounding.store(other.rounding.load(Relaxed), Relaxed);
        self.capitals.store(other.capitals.load(Relaxed), Relaxed);
        self.clamp.store(other.clamp.load(Relaxed), Relaxed);
        self.traps.0.store(other.traps.0.load(Relaxed), Relaxed);
        let flags = if with_flags { other.flags.0.load(Relaxed) } else { 0 };
        self.flags.0.store(flags, Relaxed);
    }

    fn copied(&self, with_flags: bool) -> Py<Context> {
        let copy = Context::with(28, Rounding::HalfEven, 0);
        copy.assign(self, with_flags);
        Py::new(copy)
    }
}

/// The context of the thread, or of the task that runs in it.
pub fn current(vm: &Vm) -> Res<Py<Context>> {
    let shared = Shared::get(vm)?;
    if let Some(value) = ContextVar::value(vm, &shared.current)?
        && let Ok(context) = value.try_into_py::<Context>()
    {
        return Ok(context);
    }
    let context = shared.default.copied(false);
    store(vm, shared, &context)?;
    Ok(context)
}

fn store(vm: &Vm, shared: &Shared, context: &Py<Context>) -> Res<()> {
    vm.call_method(shared.current.as_value(), intern!("set"), &[context.to_value()])?;
    Ok(())
}

pub fn set_current(vm: &Vm, value: &Value) -> Res<()> {
    let Some(context) = value.downcast::<Context>() else {
        return Err(vm.type_error("argument must be a context"));
    };
    let shared = Shared::get(vm)?;
    // The templates stay as they are.
    let template = [&shared.default, &shared.basic, &shared.extended]
        .iter()
        .any(|template| template.is(context));
    if template {
        return store(vm, shared, &context.copied(false));
    }
    store(vm, shared, context)
}

/// The argument `context` of a method: the current context if it is none.
#[inline]
pub fn optional(vm: &Vm, value: Option<&Value>) -> Res<Py<Context>> {
    match value {
        Some(value) if !value.is_none() => match value.downcast::<Context>() {
            Some(context) => Ok(context.clone()),
            None => Err(vm.type_error("optional argument must be a context")),
        },
        _ => current(vm),
    }
}

pub fn local(vm: &Vm, ctx: Option<&Value>, kwargs: KwArgs<'_>) -> Res<Value> {
    let outer = current(vm)?;
    let inner = match ctx {
        Some(value) if !value.is_none() => match value.downcast::<Context>() {
            Some(context) => context.copied(true),
            None => return Err(vm.type_error("optional argument must be a context")),
        },
        _ => outer.copied(true),
    };
    for (name, value) in kwargs.iter() {
        let known = FIELDS.iter().find(|field| name.is_text(field));
        let Some(field) = known else {
            let name = name.to_string_lossy();
            return Err(vm.type_error(format!("this function got an unexpected keyword argument '{name}'")));
        };
        if !value.is_none() {
            set_argument(vm, &inner, field, value)?;
        }
    }
    Ok(Py::new(ContextManager { inner, outer }).into_value())
}

pub fn ieee(vm: &Vm, bits: &Value) -> Res<Value> {
    let bits = ssize(vm, bits)?;
    if bits <= 0 || bits > IEEE_MAX_BITS || bits % 32 != 0 {
        return Err(vm.value_error(format!(
            "argument must be a multiple of 32, with a maximum of {IEEE_MAX_BITS}"
        )));
    }
    let context = Context::with(9 * (bits / 32) - 2, Rounding::HalfEven, 0);
    let emax = 3 << (bits / 16 + 3);
    context.emax.store(emax, Relaxed);
    context.emin.store(1 - emax, Relaxed);
    context.clamp.store(1, Relaxed);
    Ok(Py::new(context).into_value())
}

/// The parameters of `Context`.
const FIELDS: [&str; 8] = [
    "prec", "rounding", "Emin", "Emax", "capitals", "clamp", "flags", "traps",
];

/// An int that fits into 64 bits; what is no int is refused, whatever `__index__` it has.
pub fn ssize(vm: &Vm, value: &Value) -> Res<i64> {
    if !value.has_type(Int::ty()) && value.downcast::<Int>().is_none() && !value.is_bool() {
        return Err(vm.type_error("an integer is required"));
    }
    match vm.int_value(value).and_then(|n| n.to_i64()) {
        Some(n) => Ok(n),
        None => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
    }
}

fn bounded(vm: &Vm, value: &Value, low: i64, high: i64, message: &str) -> Res<i64> {
    let n = ssize(vm, value)?;
    if n < low || n > high {
        return Err(vm.value_error(message));
    }
    Ok(n)
}

/// The rounding of this name.
pub fn rounding(vm: &Vm, value: &Value) -> Res<Rounding> {
    let name = value.downcast::<Str>();
    let found = Rounding::ALL
        .into_iter()
        .find(|rounding| name.is_some_and(|name| name.is_text(rounding.name())));
    found.ok_or_else(|| {
        vm.type_error(
            "valid values for rounding are:\n  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n   ROUND_HALF_UP, ROUND_HALF_DOWN, \
             ROUND_HALF_EVEN,\n   ROUND_05UP]",
        )
    })
}

/// Sets a field as an assignment does.
fn set_field(vm: &Vm, this: &Context, name: &str, value: &Value) -> Res<()> {
    match name {
        "prec" => {
            let n = bounded(vm, value, 1, MAX_PREC, "valid range for prec is [1, MAX_PREC]")?;
            this.prec.store(n, Relaxed);
        }
        "Emin" => {
            let n = bounded(vm, value, MIN_EMIN, 0, "valid range for Emin is [MIN_EMIN, 0]")?;
            this.emin.store(n, Relaxed);
        }
        "Emax" => {
            let n = bounded(vm, value, 0, MAX_EMAX, "valid range for Emax is [0, MAX_EMAX]")?;
            this.emax.store(n, Relaxed);
        }
        "rounding" => this.rounding.store(rounding(vm, value)? as u8, Relaxed),
        "capitals" => {
            let n = bounded(vm, value, 0, 1, "valid values for capitals are 0 or 1")?;
            this.capitals.store(n as u8, Relaxed);
        }
        "clamp" => {
            let n = bounded(vm, value, 0, 1, "valid values for clamp are 0 or 1")?;
            this.clamp.store(n as u8, Relaxed);
        }
        "flags" => {
            let bits = Shared::get(vm)?.exceptions.bits_of_mapping(vm, value)?;
            this.flags.0.store(bits, Relaxed);
        }
        _ => {
            let bits = Shared::get(vm)?.exceptions.bits_of_mapping(vm, value)?;
            this.traps.0.store(bits, Relaxed);
        }
    }
    Ok(())
}

/// Sets a field as an argument does: signals may be a list.
fn set_argument(vm: &Vm, this: &Context, name: &str, value: &Value) -> Res<()> {
    let signals = match name {
        "flags" => &this.flags.0,
        "traps" => &this.traps.0,
        _ => return set_field(vm, this, name, value),
    };
    let Some(list) = value.downcast::<List>() else {
        return set_field(vm, this, name, value);
    };
    let bits = Shared::get(vm)?.exceptions.bits_of_list(vm, list)?;
    signals.store(bits, Relaxed);
    Ok(())
}

fn required<'a>(vm: &Vm, value: Option<&'a Value>) -> Res<&'a Value> {
    value.ok_or_else(|| vm.attribute_error("context attributes cannot be deleted"))
}

type This = Py<Context>;

#[pymethods(parts(define_context_one, define_context_two, define_context_tests, define_context_more))]
impl Context {
    #[slot(sig = "(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)")]
    fn __new__(
        vm: &Vm,
        cls: &Py<Type>,
        _prec: Option<&Value>,
        _rounding: Option<&Value>,
        _emin: Option<&Value>,
        _emax: Option<&Value>,
        _capitals: Option<&Value>,
        _clamp: Option<&Value>,
        _flags: Option<&Value>,
        _traps: Option<&Value>,
    ) -> Res<Value> {
        let context = Context::with(28, Rounding::HalfEven, 0);
        context.assign(&Shared::get(vm)?.default, false);
        context.capitals.store(1, Relaxed);
        Ok(Py::with_class(cls, context).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &This, args: Args<'_>) -> Res<()> {
        let positional = args.positional();
        let given = positional.len() + args.keyword_count();
        if given > FIELDS.len() {
            let count = FIELDS.len();
            return Err(vm.type_error(format!("function takes at most {count} arguments ({given} given)")));
        }
        let mut values: [Option<&Value>; 8] = [None; 8];
        for (place, value) in values.iter_mut().zip(positional) {
            *place = Some(value);
        }
        for (name, value) in args.keywords() {
            let Some(at) = FIELDS.iter().position(|field| name.is_text(field)) else {
                let name = name.to_string_lossy();
                return Err(vm.type_error(format!("this function got an unexpected keyword argument '{name}'")));
            };
            if values[at].is_some() {
                let name = FIELDS[at];
                let position = at + 1;
                return Err(vm.type_error(format!(
                    "argument for function given by name ('{name}') and position ({position})"
                )));
            }
            values[at] = Some(value);
        }
        for (name, value) in FIELDS.iter().zip(values) {
            if let Some(value) = value.filter(|value| !value.is_none()) {
                set_argument(vm, this, name, value)?;
            }
        }
        Ok(())
    }

    #[slot]
    fn __setattr__(vm: &Vm, this: &Value, name: &Py<Str>, value: Option<&Value>) -> Res<()> {
        if value.is_none() && FIELDS.iter().any(|field| name.is_text(field)) {
            return Err(vm.attribute_error("context attributes cannot be deleted"));
        }
        generic_setattr(vm, this, name, value)
    }

    #[slot]
    fn __repr__(_: &Vm, this: &This) -> String {
        let env = this.env();
        format!(
            "Context(prec={}, rounding={}, Emin={}, Emax={}, capitals={}, clamp={}, flags={}, traps={})",
            env.prec,
            env.rounding.name(),
            env.emin,
            env.emax,
            this.capitals.load(Relaxed),
            u8::from(env.clamp),
            signals::names(this.flags.0.load(Relaxed)),
            signals::names(this.traps.0.load(Relaxed)),
        )
    }

    #[getter]
    fn prec(_: &Vm, this: &This) -> i64 {
        this.prec.load(Relaxed)
    }

    #[setter(name = "prec")]
    fn set_prec(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_field(vm, this, "prec", required(vm, value)?)
    }

    #[getter(name = "Emin")]
    fn emin(_: &Vm, this: &This) -> i64 {
        this.emin.load(Relaxed)
    }

    #[setter(name = "Emin")]
    fn set_emin(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_field(vm, this, "Emin", required(vm, value)?)
    }

    #[getter(name = "Emax")]
    fn emax(_: &Vm, this: &This) -> i64 {
        this.emax.load(Relaxed)
    }

    #[setter(name = "Emax")]
    fn set_emax(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_field(vm, this, "Emax", required(vm, value)?)
    }

    #[getter]
    fn rounding(_: &Vm, this: &This) -> Py<Str> {
        Str::intern(this.rounding_mode().name())
    }

    #[setter(name = "rounding")]
    fn set_rounding(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_field(vm, this, "rounding", required(vm, value)?)
    }

    #[getter(name = "capitals")]
    fn get_capitals(_: &Vm, this: &This) -> i64 {
        this.capitals.load(Relaxed).into()
    }

    #[setter(name = "capitals")]
    fn set_capitals(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_field(vm, this, "capitals", required(vm, value)?)
    }

    #[getter]
    fn clamp(_: &Vm, this: &This) -> i64 {
        this.clamp.load(Relaxed).into()
    }

    #[setter(name = "clamp")]
    fn set_clamp(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_field(vm, this, "clamp", required(vm, value)?)
    }

    #[getter]
    fn flags(vm: &Vm, this: &This) -> Res<Value> {
        view(vm, &this.flags_view, &this.flags.0)
    }

    #[setter(name = "flags")]
    fn set_flags(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_field(vm, this, "flags", required(vm, value)?)
    }

    #[getter]
    fn traps(vm: &Vm, this: &This) -> Res<Value> {
        view(vm, &this.traps_view, &this.traps.0)
    }

    #[setter(name = "traps")]
    fn set_traps(vm: &Vm, this: &This, value: Option<&Value>) -> Res<()> {
        set_field(vm, this, "traps", required(vm, value)?)
    }

    /// Return a value equal to Emin - prec + 1, which is the minimum exponent value for subnormal results.
    #[pymethod(name = "Etiny", sig = "($self, /)")]
    fn etiny(_: &Vm, this: &This) -> i64 {
        this.env().etiny()
    }

    /// Return a value equal to Emax - prec + 1.
    #[pymethod(name = "Etop", sig = "($self, /)")]
    fn etop(_: &Vm, this: &This) -> i64 {
        this.env().etop()
    }

    /// Return Decimal(10).
    #[pymethod(sig = "($self, /)")]
    fn radix(_: &Vm, _this: &This) -> Value {
        super::class::wrap(Dec::int(10))
    }

    /// Reset all flags to False.
    #[pymethod(sig = "($self, /)")]
    fn clear_flags(_: &Vm, this: &This) {
        this.flags.0.store(0, Relaxed);
    }

    /// Set all traps to False.
    #[pymethod(sig = "($self, /)")]
    fn clear_traps(_: &Vm, this: &This) {
        this.traps.0.store(0, Relaxed);
    }

    /// Return a duplicate of the context with all flags cleared.
    #[pymethod(sig = "($self, /)")]
    fn copy(_: &Vm, this: &This) -> Py<Context> {
        this.copied(true)
    }

    #[pymethod(sig = "($self, /)")]
    fn __copy__(_: &Vm, this: &This) -> Py<Context> {
        this.copied(true)
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &This) -> Res<Py<Tuple>> {
        let env = this.env();
        let exceptions = &Shared::get(vm)?.exceptions;
        let state = vec![
            Value::int(env.prec),
            Str::intern(env.rounding.name()).into_value(),
            Value::int(env.emin),
            Value::int(env.emax),
            Value::int(this.capitals.load(Relaxed).into()),
            Value::int(env.clamp.into()),
            exceptions.list(this.flags.0.load(Relaxed)),
            exceptions.list(this.traps.0.load(Relaxed)),
        ];
        Ok(Tuple::pair(this.class().to_value(), Tuple::new(state).into_value()))
    }
}

/// The mapping that shows signals, always the same one.
fn view(vm: &Vm, slot: &Slot, bits: &Arc<AtomicU32>) -> Res<Value> {
    if let Some(known) = slot.get() {
        return Ok(known);
    }
    let made = SignalDictMixin::of(vm, bits)?;
    // Of two threads that make one at the same time, the first gets a view of its own.
    drop(slot.swap(Some(made.clone())));
    Ok(made)
}

/// What `localcontext()` returns.
#[pyclass(name = "ContextManager", module = "decimal", no_new)]
pub struct ContextManager {
    inner: Py<Context>,
    outer: Py<Context>,
}

#[pymethods]
impl ContextManager {
    #[pymethod(sig = "($self, /)")]
    fn __enter__(vm: &Vm, this: &Py<ContextManager>) -> Res<Value> {
        set_current(vm, this.inner.as_value())?;
        Ok(this.inner.to_value())
    }

    #[pymethod]
    fn __exit__(vm: &Vm, this: &Py<ContextManager>, _args: Args<'_>) -> Res<bool> {
        set_current(vm, this.outer.as_value())?;
        Ok(false)
    }
}
