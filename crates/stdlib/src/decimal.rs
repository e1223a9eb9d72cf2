//! The `_decimal` module: decimal floating-point arithmetic of any precision, after the General Decimal Arithmetic Specification.
//!
//! Invariant: numbers never change. [`limbs`], [`coef`], [`number`], [`functions`] and [`logic`] compute and know nothing of Python but how to raise
//! `MemoryError` and to pause; [`context`] holds what they are made under; [`class`], [`methods`] and [`format`] are what Python sees.
//! Left out: the C API of CPython's module.

mod class;
mod coef;
mod context;
mod format;
mod functions;
mod limbs;
mod logic;
mod methods;
mod number;
mod quick;
mod signals;
mod text;

use std::sync::OnceLock;

use lisle_runtime::intern;
use lisle_runtime::native::*;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::tuple::Tuple;

use crate::contextvars::ContextVar;
use class::Decimal;
use context::Context;
use number::{ANY_INVALID, DIVISION_BY_ZERO, MAX_EMAX, MAX_PREC, MIN_EMIN, MIN_ETINY, OVERFLOW, Rounding, UNDERFLOW};
use signals::Exceptions;

/// What the module has made once: classes that are ordinary Python classes, and the contexts to copy.
struct Shared {
    exceptions: Exceptions,
    signal_dict: Py<Type>,
    tuple: Value,
    rational: Value,
    /// The variable that holds the current context.
    current: Py<ContextVar>,
    default: Py<Context>,
    basic: Py<Context>,
    extended: Py<Context>,
}

impl Shared {
    fn get(vm: &Vm) -> Res<&'static Shared> {
        static SHARED: OnceLock<Shared> = OnceLock::new();
        if let Some(shared) = SHARED.get() {
            return Ok(shared);
        }
        // Made outside of the cell, whose lock no Python code may run under; the first one stays.
        let made = Shared::make(vm)?;
        Ok(SHARED.get_or_init(|| made))
    }

    fn make(vm: &Vm) -> Res<Shared> {
        let exceptions = Exceptions::make(vm)?;
        let abc = vm.import_module("collections.abc")?;
        let mapping = vm.getattr(&abc, intern!("MutableMapping"))?;
        let bases = Tuple::pair(signals::SignalDictMixin::ty().to_value(), mapping.clone());
        let dict = Dict::new_empty();
        dict.set_str(&Str::intern("__module__"), Value::from("decimal"));
        let arguments = [Value::from("SignalDict"), bases.into_value(), dict.into_value()];
        let signal_dict = vm.call(mapping.ty().as_value(), &arguments)?;
        let collections = vm.import_module("collections")?;
        let fields = [Value::from("DecimalTuple"), Value::from("sign digits exponent")];
        let tuple = vm.call_method(&collections, intern!("namedtuple"), &fields)?;
        vm.setattr(&tuple, intern!("__module__"), &Value::from("decimal"))?;
        let numbers = vm.import_module("numbers")?;
        let number = vm.getattr(&numbers, intern!("Number"))?;
        vm.call_method(&number, intern!("register"), &[Decimal::ty().to_value()])?;
        let standard = ANY_INVALID | DIVISION_BY_ZERO | OVERFLOW;
        Ok(Shared {
            exceptions,
            signal_dict: signal_dict
                .try_into_py::<Type>()
                .map_err(|_| vm.type_error("ABCMeta() did not return a class"))?,
            tuple,
            rational: vm.getattr(&numbers, intern!("Rational"))?,
            current: ContextVar::new("decimal_context"),
            default: Py::new(Context::with(28, Rounding::HalfEven, standard)),
            basic: Py::new(Context::with(
                9,
                Rounding::HalfUp,
                standard | UNDERFLOW | number::CLAMPED,
            )),
            extended: Py::new(Context::with(9, Rounding::HalfEven, 0)),
        })
    }
}

#[pymodule(name = "_decimal", doc = "C decimal arithmetic module", types(Decimal, Context))]
pub mod module {
    use super::*;
    use lisle_runtime::types::module::Module;

    #[pyattr(name = "MAX_PREC")]
    const PREC: i64 = MAX_PREC;
    #[pyattr(name = "MAX_EMAX")]
    const EMAX: i64 = MAX_EMAX;
    #[pyattr(name = "MIN_EMIN")]
    const EMIN: i64 = MIN_EMIN;
    #[pyattr(name = "MIN_ETINY")]
    const ETINY: i64 = MIN_ETINY;
    #[pyattr(name = "IEEE_CONTEXT_MAX_BITS")]
    const MAX_BITS: i64 = context::IEEE_MAX_BITS;
    #[pyattr(name = "HAVE_THREADS")]
    const HAVE_THREADS: bool = true;
    #[pyattr(name = "HAVE_CONTEXTVAR")]
    const HAVE_CONTEXTVAR: bool = true;
    #[pyattr(name = "__version__")]
    const VERSION: &str = "1.70";
    #[pyattr(name = "__libmpdec_version__")]
    const LIBRARY_VERSION: &str = "2.5.1";

    #[init]
    fn init(vm: &Vm, module: &Py<Module>) -> Res<()> {
        let shared = Shared::get(vm)?;
        for (name, class) in shared.exceptions.named() {
            module.set(name, class.to_value());
        }
        for rounding in Rounding::ALL {
            module.set(rounding.name(), Str::intern(rounding.name()).into_value());
        }
        module.set("DecimalTuple", shared.tuple.clone());
        module.set("DefaultContext", shared.default.to_value());
        module.set("BasicContext", shared.basic.to_value());
        module.set("ExtendedContext", shared.extended.to_value());
        Ok(())
    }

    /// Get the current default context.
    #[pyfunction(sig = "()")]
    fn getcontext(vm: &Vm) -> Res<Py<Context>> {
        context::current(vm)
    }

    /// Set a new default context.
    #[pyfunction(sig = "(context, /)")]
    fn setcontext(vm: &Vm, context: &Value) -> Res<()> {
        context::set_current(vm, context)
    }

    /// Return a context manager for a copy of the supplied context.
    ///
    /// That will set the default context to a copy of ctx on entry to the
    /// with-statement and restore the previous default context when exiting
    /// the with-statement. If no context is specified, a copy of the current
    /// default context is used.
    #[pyfunction(sig = "(ctx=None, **kwargs)")]
    fn localcontext(vm: &Vm, ctx: Option<&Value>, kwargs: KwArgs<'_>) -> Res<Value> {
        context::local(vm, ctx, kwargs)
    }

    /// Return a context, initialized as one of the IEEE interchange formats.
    ///
    /// The argument must be a multiple of 32 and less than
    /// IEEE_CONTEXT_MAX_BITS.
    #[pyfunction(name = "IEEEContext", sig = "(bits, /)")]
    fn ieee_context(vm: &Vm, bits: &Value) -> Res<Value> {
        context::ieee(vm, bits)
    }
}
