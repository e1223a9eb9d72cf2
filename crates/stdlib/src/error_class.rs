//! Exception classes that belong to a native module: `signal.ItimerError`, `socket.gaierror`.

use lisle_runtime::intern;
use lisle_runtime::native::{Native, Py, PySlot, Res, Str, Type, Value, Vm};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::exceptions::ExcType;
use lisle_runtime::types::tuple::Tuple;
use lisle_runtime::vm::Exc;

/// A class made on first use; a `static` of its module.
pub struct ErrorClass {
    name: &'static str,
    module: &'static str,
    doc: &'static str,
    base: &'static ExcType,
    made: PySlot<Type>,
}

impl ErrorClass {
    pub const fn new(
        name: &'static str,
        module: &'static str,
        doc: &'static str,
        base: &'static ExcType,
    ) -> ErrorClass {
        ErrorClass {
            name,
            module,
            doc,
            base,
            made: PySlot::empty(),
        }
    }

    /// The class.
    pub fn get(&'static self, vm: &Vm) -> Res<Py<Type>> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let attrs = Dict::new_empty();
        attrs.set_str(intern!("__module__"), Value::from(self.module));
        if !self.doc.is_empty() {
            attrs.set_str(intern!("__doc__"), Value::from(self.doc));
        }
        let bases = Tuple::new(vec![self.base.get().to_value()]).into_value();
        let name = Str::intern(self.name).into_value();
        let class = vm.call(Type::ty().as_value(), &[name, bases, attrs.into_value()])?;
        // Of two threads that come first, one wins.
        let _ = self.made.raw().set_if_empty(class.clone());
        match self.made.get() {
            Some(made) => Ok(made),
            None => Err(vm.system_error("an exception class is no class")),
        }
    }

    /// An exception of the class.
    pub fn exception(&'static self, vm: &Vm, args: Vec<Value>) -> Exc {
        match self.get(vm) {
            Ok(class) => vm.new_exception(&class, args),
            Err(exc) => exc,
        }
    }
}
