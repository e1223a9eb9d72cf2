//! Signals: their exceptions, and the mappings that show which are set.
//!
//! Invariant: signals are bits of [`super::number`]; `InvalidOperation` stands for several of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;
use lisle_runtime::types::tuple::Tuple;

use super::Shared;
use super::number::{
    ANY_INVALID, CLAMPED, CONVERSION_SYNTAX, DIVISION_BY_ZERO, DIVISION_IMPOSSIBLE, DIVISION_UNDEFINED,
    FLOAT_OPERATION, INEXACT, INVALID_CONTEXT, INVALID_OPERATION, OVERFLOW, ROUNDED, SUBNORMAL, UNDERFLOW,
};

/// The bits of the signals, in the order in which they are raised.
pub const SIGNALS: [u32; 9] = [
    ANY_INVALID,
    FLOAT_OPERATION,
    DIVISION_BY_ZERO,
    OVERFLOW,
    UNDERFLOW,
    SUBNORMAL,
    INEXACT,
    ROUNDED,
    CLAMPED,
];

const CONDITIONS: [u32; 5] = [
    INVALID_OPERATION,
    CONVERSION_SYNTAX,
    DIVISION_IMPOSSIBLE,
    DIVISION_UNDEFINED,
    INVALID_CONTEXT,
];

/// The classes of exceptions, which are ordinary Python classes.
pub struct Exceptions {
    base: Py<Type>,
    /// As [`SIGNALS`].
    signals: [Py<Type>; 9],
    /// As [`CONDITIONS`].
    conditions: [Py<Type>; 5],
}

impl Exceptions {
    pub fn make(vm: &Vm) -> Res<Exceptions> {
        let make = |name: &str, bases: &[&Py<Type>]| -> Res<Py<Type>> {
            let dict = Dict::new_empty();
            dict.set_str(&Str::intern("__module__"), Value::from("decimal"));
            let bases = Tuple::new(bases.iter().map(|base| base.to_value()).collect());
            let arguments = [Value::from(name), bases.into_value(), dict.into_value()];
            vm.call(Type::ty().as_value(), &arguments)?
                .try_into_py::<Type>()
                .map_err(|_| vm.type_error("type() did not return a class"))
        };
        let base = make("DecimalException", &[exceptions::ARITHMETIC_ERROR.get()])?;
        let zero = exceptions::ZERO_DIVISION_ERROR.get();
        let invalid = make("InvalidOperation", &[&base])?;
        let float = make("FloatOperation", &[&base, exceptions::TYPE_ERROR.get()])?;
        let by_zero = make("DivisionByZero", &[&base, zero])?;
        let inexact = make("Inexact", &[&base])?;
        let rounded = make("Rounded", &[&base])?;
        let subnormal = make("Subnormal", &[&base])?;
        let overflow = make("Overflow", &[&inexact, &rounded])?;
        let underflow = make("Underflow", &[&inexact, &rounded, &subnormal])?;
        let clamped = make("Clamped", &[&base])?;
        let conditions = [
            invalid.clone(),
            make("ConversionSyntax", &[&invalid])?,
            make("DivisionImpossible", &[&invalid])?,
            make("DivisionUndefined", &[&invalid, zero])?,
            make("InvalidContext", &[&invalid])?,
        ];
        Ok(Exceptions {
            base,
            signals: [
                invalid, float, by_zero, overflow, underflow, subnormal, inexact, rounded, clamped,
            ],
            conditions,
        })
    }

    pub fn named(&self) -> Vec<(&'static str, &Py<Type>)> {
        const SIGNAL_NAMES: [&str; 9] = [
            "InvalidOperation",
            "FloatOperation",
            "DivisionByZero",
            "Overflow",
            "Underflow",
            "Subnormal",
            "Inexact",
            "Rounded",
            "Clamped",
        ];
        const CONDITION_NAMES: [&str; 4] = [
            "ConversionSyntax",
            "DivisionImpossible",
            "DivisionUndefined",
            "InvalidContext",
        ];
        let signals = SIGNAL_NAMES.into_iter().zip(&self.signals);
        let conditions = CONDITION_NAMES.into_iter().zip(&self.conditions[1..]);
        std::iter::once(("DecimalException", &self.base))
            .chain(signals)
            .chain(conditions)
            .collect()
    }

    /// The exception for signals of which at least one is raised.
    #[cold]
    pub fn raise(&self, vm: &Vm, raised: u32) -> Exc {
        let first = SIGNALS.iter().position(|bits| raised & bits != 0).unwrap_or(0);
        let conditions = CONDITIONS.iter().zip(&self.conditions);
        let signals = SIGNALS.iter().zip(&self.signals).skip(1);
        let all = conditions
            .chain(signals)
            .filter(|(bits, _)| raised & **bits != 0)
            .map(|(_, class)| class.to_value())
            .collect();
        vm.new_exception(&self.signals[first], vec![List::new(all).into_value()])
    }

    /// The signals of these bits, as a list.
    pub fn list(&self, flags: u32) -> Value {
        let set = SIGNALS
            .iter()
            .zip(&self.signals)
            .filter(|(bits, _)| flags & **bits != 0);
        List::new(set.map(|(_, class)| class.to_value()).collect()).into_value()
    }

    /// The bits of a signal's class.
    fn bits(&self, vm: &Vm, class: &Value) -> Res<u32> {
        let known = SIGNALS
            .iter()
            .zip(&self.signals)
            .chain(CONDITIONS.iter().zip(&self.conditions));
        for (bits, signal) in known {
            if signal.as_value().is(class) {
                return Ok(if bits & ANY_INVALID != 0 { ANY_INVALID } else { *bits });
            }
        }
        let message = "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n   Overflow, Underflow, \
                       Subnormal, Inexact, Rounded,\n   Clamped]";
        Err(vm.key_error(Value::from(message)))
    }

    /// As [`Exceptions::bits`], of signals alone.
    fn signal_bits(&self, vm: &Vm, class: &Value) -> Res<u32> {
        if self.conditions[1..]
            .iter()
            .any(|condition| condition.as_value().is(class))
        {
            return self.bits(vm, &Value::NONE);
        }
        self.bits(vm, class)
    }

    /// The bits of a list of signals.
    pub fn bits_of_list(&self, vm: &Vm, list: &Py<List>) -> Res<u32> {
        list.snapshot()
            .iter()
            .try_fold(0, |flags, class| Ok(flags | self.bits(vm, class)?))
    }

    /// The bits that a mapping of all signals sets.
    pub fn bits_of_mapping(&self, vm: &Vm, value: &Value) -> Res<u32> {
        if let Some(dict) = value.downcast::<SignalDictMixin>() {
            return Ok(dict.flags(vm)?.load(Relaxed));
        }
        let Some(dict) = value.downcast::<Dict>() else {
            return Err(vm.type_error("argument must be a signal dict"));
        };
        if dict.len() != SIGNALS.len() {
            return Err(vm.key_error(Value::from("invalid signal dict")));
        }
        let mut flags = 0;
        for (class, set) in dict.snapshot() {
            let bits = self.signal_bits(vm, &class)?;
            if vm.truth(&set)? {
                flags |= bits;
            }
        }
        Ok(flags)
    }
}

/// The names of the signals of these bits, as contexts show them.
pub fn names(flags: u32) -> String {
    const NAMES: [(u32, &str); 9] = [
        (CLAMPED, "Clamped"),
        (ANY_INVALID, "InvalidOperation"),
        (DIVISION_BY_ZERO, "DivisionByZero"),
        (INEXACT, "Inexact"),
        (FLOAT_OPERATION, "FloatOperation"),
        (OVERFLOW, "Overflow"),
        (ROUNDED, "Rounded"),
        (SUBNORMAL, "Subnormal"),
        (UNDERFLOW, "Underflow"),
    ];
    let set: Vec<&str> = NAMES
        .iter()
        .filter(|(bits, _)| flags & bits != 0)
        .map(|(_, name)| *name)
        .collect();
    format!("[{}]", set.join(", "))
}

/// The native part of `SignalDict`: a view of the flags or traps of a context.
#[pyclass(name = "SignalDictMixin", module = "decimal", basetype, mapping, unhashable)]
pub struct SignalDictMixin {
    bits: Opaque<Option<Arc<AtomicU32>>>,
}

impl SignalDictMixin {
    pub fn of(vm: &Vm, bits: &Arc<AtomicU32>) -> Res<Value> {
        let class = &Shared::get(vm)?.signal_dict;
        let dict = SignalDictMixin {
            bits: Opaque(Some(bits.clone())),
        };
        Ok(Py::with_class(class, dict).into_value())
    }

    fn flags(&self, vm: &Vm) -> Res<&AtomicU32> {
        match &self.bits.0 {
            Some(bits) => Ok(bits),
            None => Err(vm.value_error("invalid signal dict")),
        }
    }
}

#[pymethods]
impl SignalDictMixin {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(cls, SignalDictMixin { bits: Opaque(None) }).into_value())
    }

    #[slot]
    fn __init__(_: &Vm, _this: &Py<SignalDictMixin>, _args: Args<'_>) -> Res<()> {
        Ok(())
    }

    #[slot]
    fn __len__(vm: &Vm, this: &Py<SignalDictMixin>) -> Res<usize> {
        this.flags(vm)?;
        Ok(SIGNALS.len())
    }

    #[slot]
    fn __iter__(vm: &Vm, this: &Py<SignalDictMixin>) -> Res<Value> {
        this.flags(vm)?;
        let signals = &Shared::get(vm)?.exceptions.signals;
        let all = Tuple::new(signals.iter().map(Py::to_value).collect());
        vm.iter(all.as_value())
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<SignalDictMixin>, key: &Value) -> Res<bool> {
        let flags = this.flags(vm)?;
        let bits = Shared::get(vm)?.exceptions.signal_bits(vm, key)?;
        Ok(flags.load(Relaxed) & bits != 0)
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &Py<SignalDictMixin>, key: &Value, value: Option<&Value>) -> Res<()> {
        let flags = this.flags(vm)?;
        let Some(value) = value else {
            return Err(vm.value_error("signal keys cannot be deleted"));
        };
        let bits = Shared::get(vm)?.exceptions.signal_bits(vm, key)?;
        if vm.truth(value)? {
            flags.fetch_or(bits, Relaxed);
        } else {
            flags.fetch_and(!bits, Relaxed);
        }
        Ok(())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<SignalDictMixin>) -> Res<String> {
        let flags = this.flags(vm)?.load(Relaxed);
        let signals = &Shared::get(vm)?.exceptions.signals;
        let shown: Vec<String> = SIGNALS
            .iter()
            .zip(signals)
            .map(|(bits, class)| {
                let set = if flags & bits != 0 { "True" } else { "False" };
                format!("<class 'decimal.{}'>:{set}", class.short_name())
            })
            .collect();
        Ok(format!("{{{}}}", shown.join(", ")))
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<SignalDictMixin>, other: &Value, op: CmpOp) -> Res<Value> {
        let own = this.flags(vm)?.load(Relaxed);
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let exceptions = &Shared::get(vm)?.exceptions;
        let equal = if other.downcast::<SignalDictMixin>().is_some() {
            normalized(exceptions.bits_of_mapping(vm, other)?) == normalized(own)
        } else if other.downcast::<Dict>().is_some() {
            match exceptions.bits_of_mapping(vm, other) {
                Ok(bits) => normalized(bits) == normalized(own),
                Err(exc) if exc.is(&exceptions::KEY_ERROR) => false,
                Err(exc) => return Err(exc),
            }
        } else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        Ok(Value::from_bool(equal == (op == CmpOp::Eq)))
    }

    /// Return a copy of the signals as a dict.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<SignalDictMixin>) -> Res<Value> {
        let flags = this.flags(vm)?.load(Relaxed);
        let dict = Dict::new_empty();
        for (bits, class) in SIGNALS.iter().zip(&Shared::get(vm)?.exceptions.signals) {
            dict.set(vm, class.as_value(), Value::from_bool(flags & bits != 0))?;
        }
        Ok(dict.into_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, _this: &Py<SignalDictMixin>) -> Res<Value> {
        Err(vm.type_error("cannot pickle 'SignalDict' object"))
    }
}

/// `InvalidOperation` as one bit.
fn normalized(flags: u32) -> u32 {
    if flags & ANY_INVALID != 0 {
        flags | ANY_INVALID
    } else {
        flags
    }
}
