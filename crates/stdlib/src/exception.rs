//! Exception classes of native modules: `struct.error`, `binascii.Error`.
//!
//! Invariant: a class is made once a process, at its first use; it is an ordinary class, as if a program had made it.

use std::sync::OnceLock;

use lisle_runtime::native::{Exc, Native, Py, Res, Str, Type, Value, Vm};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions::ExcType;
use lisle_runtime::types::tuple::Tuple;

/// A class that derives from a built-in exception; a `static` of its module.
pub struct ExceptionClass {
    module: &'static str,
    name: &'static str,
    doc: Option<&'static str>,
    base: &'static ExcType,
    parent: Option<&'static ExceptionClass>,
    cell: OnceLock<Py<Type>>,
}

impl ExceptionClass {
    pub const fn new(module: &'static str, name: &'static str, base: &'static ExcType) -> ExceptionClass {
        ExceptionClass {
            module,
            name,
            doc: None,
            base,
            parent: None,
            cell: OnceLock::new(),
        }
    }

    /// The class derives from another class of the kind, which derives from `base` in turn.
    pub const fn derived_from(mut self, parent: &'static ExceptionClass) -> ExceptionClass {
        self.parent = Some(parent);
        self
    }

    pub const fn with_doc(mut self, doc: &'static str) -> ExceptionClass {
        self.doc = Some(doc);
        self
    }

    /// The class.
    pub fn get(&'static self, vm: &Vm) -> Res<&'static Py<Type>> {
        if let Some(class) = self.cell.get() {
            return Ok(class);
        }
        // Made outside of the cell, whose lock no Python code may run under; the first one stays.
        let dict = Dict::new_empty();
        dict.set_str(&Str::intern("__module__"), Value::from(self.module));
        if let Some(doc) = self.doc {
            dict.set_str(&Str::intern("__doc__"), Value::from(doc));
        }
        let base = match self.parent {
            Some(parent) => parent.get(vm)?.to_value(),
            None => self.base.get().to_value(),
        };
        let bases = Tuple::new(vec![base]).into_value();
        let made = vm.call(
            Type::ty().as_value(),
            &[Value::from(self.name), bases, dict.into_value()],
        )?;
        let class = made
            .try_into_py::<Type>()
            .map_err(|_| vm.type_error("type() did not return a class"))?;
        Ok(self.cell.get_or_init(|| class))
    }

    /// An exception of this class with a message.
    #[cold]
    pub fn error(&'static self, vm: &Vm, message: impl AsRef<str>) -> Exc {
        match self.get(vm) {
            Ok(class) => vm.new_exception(class, vec![Value::from(message.as_ref())]),
            Err(exc) => exc,
        }
    }

    /// An exception of this class with these arguments.
    #[cold]
    pub fn exception(&'static self, vm: &Vm, args: Vec<Value>) -> Exc {
        match self.get(vm) {
            Ok(class) => vm.new_exception(class, args),
            Err(exc) => exc,
        }
    }
}
