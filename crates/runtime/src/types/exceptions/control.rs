//! `StopIteration` and `SystemExit`: exceptions that carry a value.
//!
//! Invariant: the value is what the last `__init__` computed from the arguments, unless the program replaced it.

use super::{BaseException, Exception, no_keywords, object_members};
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Py, Slot, Type, TypeFlags, Value};
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// Signals the end of an iterator.
#[pyclass(
    name = "StopIteration",
    base = Exception,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Signal the end from iterator.__next__()."
)]
pub struct StopIteration {
    pub base: Exception,
    pub value: Slot,
}

impl StopIteration {
    /// A new `StopIteration(value)`, or without arguments.
    pub fn new(value: Option<Value>) -> Py<StopIteration> {
        let args = match &value {
            None => Tuple::empty(),
            Some(value) => Tuple::new(vec![value.clone()]),
        };
        Py::new(StopIteration {
            base: BaseException::payload(args).into(),
            value: Slot::from_option(value),
        })
    }
}

object_members!(StopIteration, define_members: value "value" "generator return value";);

#[pymethods(parts(define_members))]
impl StopIteration {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let base = BaseException::payload_of(args).into();
        Ok(Py::with_class(
            cls,
            StopIteration {
                base,
                value: Slot::empty(),
            },
        )
        .into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<StopIteration>, args: Args<'_>) -> Res<()> {
        no_keywords(vm, this.as_value(), args)?;
        this.base.store_args(args.values);
        drop(this.value.swap(args.values.first().cloned()));
        Ok(())
    }
}

/// Ends the program.
#[pyclass(
    name = "SystemExit",
    base = BaseException,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Request to exit from the interpreter."
)]
pub struct SystemExit {
    pub base: BaseException,
    pub code: Slot,
}

object_members!(SystemExit, define_members: code "code" "exception code";);

#[pymethods(parts(define_members))]
impl SystemExit {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        Ok(Py::with_class(
            cls,
            SystemExit {
                base: BaseException::payload_of(args),
                code: Slot::empty(),
            },
        )
        .into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<SystemExit>, args: Args<'_>) -> Res<()> {
        no_keywords(vm, this.as_value(), args)?;
        this.base.store_args(args.values);
        let code = match args.values {
            [] => None,
            [one] => Some(one.clone()),
            _ => Some(this.base.args().into_value()),
        };
        drop(this.code.swap(code));
        Ok(())
    }
}
