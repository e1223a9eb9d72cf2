//! `types.FunctionType`: a Python function.

use lisle_bytecode::CodeFlags;

use crate::native::{Args, pyclass, pymethods};
use crate::object::{Py, PySlot, Slot, Type, TypeFlags, Value};
use crate::types::cell::Cell;
use crate::types::code::Code;
use crate::types::common::replace_shared;
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// A function.
#[pyclass(name = "function", late_end, dict, weakref, flags = TypeFlags::METHOD_DESCRIPTOR, doc = "Create a function object.\n\n  code\n    a code object\n  globals\n    the globals dictionary\n  name\n    a string that overrides the name from the code object\n  argdefs\n    a tuple that specifies the default argument values\n  closure\n    a tuple that supplies the bindings for free variables\n  kwdefaults\n    a dictionary that specifies the default keyword argument values")]
pub struct Function {
    pub code: PySlot<Code>,
    pub globals: Py<Dict>,
    pub builtins: Py<Dict>,
    pub name: PySlot<Str>,
    pub qualname: PySlot<Str>,
    pub defaults: PySlot<Tuple>,
    pub kwdefaults: PySlot<Dict>,
    pub closure: Option<Py<Tuple>>,
    /// Empty until it is asked for: what the code says.
    doc: Slot,
    pub module: Slot,
    pub annotations: Slot,
    pub annotate: Slot,
    pub type_params: Slot,
}

impl Function {
    /// A function of `code` with `globals`.
    pub fn new(vm: &Vm, code: Py<Code>, globals: Py<Dict>, closure: Option<Py<Tuple>>) -> Py<Function> {
        let (builtins, module) = vm.parts_of_globals(&globals);
        let nested = code.has(CodeFlags::NESTED);
        let function = Py::new(Function {
            name: PySlot::new(code.name.clone()),
            qualname: PySlot::new(code.qualname.clone()),
            defaults: PySlot::empty(),
            kwdefaults: PySlot::empty(),
            closure,
            doc: Slot::empty(),
            module: Slot::from_option(module),
            annotations: Slot::empty(),
            annotate: Slot::empty(),
            type_params: Slot::empty(),
            code: PySlot::new(code),
            globals,
            builtins,
        });
        if !nested && crate::sync::parallel() {
            crate::memory::distributed::distribute(function.header());
        }
        function
    }
}

impl Function {
    fn docstring(&self) -> Value {
        if let Some(doc) = self.doc.get() {
            return doc;
        }
        let code = self.code.get();
        let code = code.filter(|code| code.has(CodeFlags::HAS_DOCSTRING));
        let doc = code
            .and_then(|code| code.consts.first().cloned())
            .unwrap_or(Value::NONE);
        match self.doc.set_if_empty(doc.clone()) {
            Ok(()) => doc,
            // Another thread was faster.
            Err(_) => self.doc.get().unwrap_or(doc),
        }
    }
}

#[pymethods]
impl Function {
    #[slot(sig = "(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)")]
    fn __new__(
        vm: &Vm,
        _cls: &Py<Type>,
        code: &Py<Code>,
        globals: &Py<Dict>,
        name: Option<&Py<Str>>,
        argdefs: Option<&Value>,
        closure: Option<&Value>,
        kwdefaults: Option<&Value>,
    ) -> Res<Value> {
        let closure = match closure {
            None if code.freevars.is_empty() => None,
            Some(c) if c.downcast::<Tuple>().is_some() => c.clone().try_into_py::<Tuple>().ok(),
            _ => return Err(vm.type_error("arg 5 (closure) must be tuple")),
        };
        let have = closure.as_ref().map_or(0, |c| c.as_slice().len());
        if have != code.freevars.len() {
            let (name, need) = (code.name.to_string_lossy(), code.freevars.len());
            return Err(vm.value_error(format!("{name} requires closure of length {need}, not {have}")));
        }
        if let Some(bad) = closure
            .iter()
            .flat_map(|c| c.as_slice())
            .find(|c| c.downcast::<Cell>().is_none())
        {
            return Err(vm.type_error(format!("arg 5 (closure) expected cell, found {}", bad.ty().name())));
        }
        crate::audit::audit(vm, "function.__new__", || [code.to_value()])?;
        let f = Function::new(vm, code.clone(), globals.clone(), closure);
        if let Some(name) = name {
            f.name.set(name.clone());
        }
        if let Some(defaults) = argdefs {
            match defaults.clone().try_into_py::<Tuple>() {
                Ok(d) => f.defaults.set(d),
                Err(_) => return Err(vm.type_error("arg 4 (defaults) must be None or tuple")),
            }
        }
        if let Some(kw) = kwdefaults {
            match kw.clone().try_into_py::<Dict>() {
                Ok(d) => f.kwdefaults.set(d),
                Err(_) => return Err(vm.type_error("arg 6 (kwdefaults) must be None or dict")),
            }
        }
        Ok(f.into_value())
    }

    #[slot]
    fn __call__(vm: &Vm, this: &Py<Function>, args: Args<'_>) -> Res<Value> {
        vm.call_function(this, args)
    }

    #[slot]
    fn __get__(_: &Vm, this: &Py<Function>, obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        match obj {
            None => Ok(this.to_value()),
            Some(obj) => Ok(crate::types::method::Method::new_value(this.to_value(), obj.clone())),
        }
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Function>) -> String {
        let name = this.qualname.get().map_or_else(String::new, |n| n.to_string_lossy());
        format!("<function {name} at {:#x}>", this.as_ptr() as usize)
    }

    #[getter]
    fn __name__(_: &Vm, this: &Py<Function>) -> Option<Value> {
        this.name.get().map(Py::into_value)
    }
    #[setter(name = "__name__")]
    fn set_name(vm: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        match value.and_then(|v| v.downcast::<Str>()) {
            Some(s) => this.name.set(s.clone()),
            None => return Err(vm.type_error("__name__ must be set to a string object")),
        }
        Ok(())
    }
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<Function>) -> Option<Value> {
        this.qualname.get().map(Py::into_value)
    }
    #[setter(name = "__qualname__")]
    fn set_qualname(vm: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        match value.and_then(|v| v.downcast::<Str>()) {
            Some(s) => this.qualname.set(s.clone()),
            None => return Err(vm.type_error("__qualname__ must be set to a string object")),
        }
        Ok(())
    }
    #[getter]
    fn __code__(vm: &Vm, this: &Py<Function>) -> Res<Option<Value>> {
        crate::audit::audit(vm, "object.__getattr__", || [this.to_value(), Value::from("__code__")])?;
        Ok(this.code.get().map(Py::into_value))
    }
    #[setter(name = "__code__")]
    fn set_code(vm: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        crate::audit::audit(vm, "object.__setattr__", || {
            [
                this.to_value(),
                Value::from("__code__"),
                value.cloned().unwrap_or(Value::NONE),
            ]
        })?;
        let Some(code) = value.and_then(|v| v.downcast::<Code>()) else {
            return Err(vm.type_error("__code__ must be set to a code object"));
        };
        let have = this.closure.as_ref().map_or(0, |c| c.as_slice().len());
        if have != code.freevars.len() {
            let name = this.name.get().map_or_else(String::new, |n| n.to_string_lossy());
            return Err(vm.value_error(format!(
                "{name}() requires a code object with {have} free vars, not {}",
                code.freevars.len()
            )));
        }
        const KINDS: u32 = CodeFlags::GENERATOR | CodeFlags::COROUTINE | CodeFlags::ASYNC_GENERATOR;
        if this.code.get().is_some_and(|old| (old.flags ^ code.flags) & KINDS != 0) {
            let message = "Assigning a code object of non-matching type is deprecated (e.g., from a generator to a plain function)";
            vm.warn(crate::types::exceptions::DEPRECATION_WARNING.get(), message, 1)?;
        }
        drop(this.docstring());
        // Frames borrow the code from their function: the old one stays as long as the process.
        if let Some(old) = this.code.swap(Some(code.clone())) {
            std::mem::forget(old);
        }
        Ok(())
    }
    #[getter(member)]
    fn __globals__(_: &Vm, this: &Py<Function>) -> Value {
        this.globals.to_value()
    }
    #[getter(member)]
    fn __builtins__(_: &Vm, this: &Py<Function>) -> Value {
        crate::types::mapped_builtins::MappedBuiltins::shown(&this.builtins)
    }
    #[getter(member)]
    fn __closure__(_: &Vm, this: &Py<Function>) -> Option<Value> {
        this.closure.as_ref().map(Py::to_value)
    }
    #[getter]
    fn __defaults__(_: &Vm, this: &Py<Function>) -> Option<Value> {
        this.defaults.get().map(Py::into_value)
    }
    #[setter(name = "__defaults__")]
    fn set_defaults(vm: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        let tuple = match value.filter(|v| !v.is_none()) {
            None => None,
            Some(v) => Some(
                v.clone()
                    .try_into_py::<Tuple>()
                    .map_err(|_| vm.type_error("__defaults__ must be set to a tuple object"))?,
            ),
        };
        replace_shared(this.defaults.raw(), tuple.map(Py::into_value));
        Ok(())
    }
    #[getter]
    fn __kwdefaults__(_: &Vm, this: &Py<Function>) -> Option<Value> {
        this.kwdefaults.get().map(Py::into_value)
    }
    #[setter(name = "__kwdefaults__")]
    fn set_kwdefaults(vm: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        let dict = match value.filter(|v| !v.is_none()) {
            None => None,
            Some(v) => Some(
                v.clone()
                    .try_into_py::<Dict>()
                    .map_err(|_| vm.type_error("__kwdefaults__ must be set to a dict object"))?,
            ),
        };
        drop(this.kwdefaults.swap(dict));
        Ok(())
    }
    #[getter]
    fn __doc__(_: &Vm, this: &Py<Function>) -> Option<Value> {
        Some(this.docstring())
    }
    #[setter(name = "__doc__")]
    fn set_doc(_: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        this.doc.set(value.cloned().unwrap_or(Value::NONE));
        Ok(())
    }
    #[getter]
    fn __module__(_: &Vm, this: &Py<Function>) -> Option<Value> {
        this.module.get()
    }
    #[setter(name = "__module__")]
    fn set_module(_: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        drop(this.module.swap(value.cloned()));
        Ok(())
    }
    #[getter]
    fn __annotations__(vm: &Vm, this: &Py<Function>) -> Res<Value> {
        if let Some(found) = this.annotations.get() {
            return Ok(found);
        }
        let value = match this.annotate.get().filter(|f| !f.is_none()) {
            Some(f) => {
                let value = vm.call(&f, &[Value::int(1)])?;
                if value.downcast::<Dict>().is_none() {
                    let name = value.ty().name();
                    return Err(vm.type_error(format!("__annotate__() must return a dict, not {name}")));
                }
                value
            }
            None => Dict::new_empty().into_value(),
        };
        this.annotations.set(value.clone());
        Ok(value)
    }
    #[setter(name = "__annotations__")]
    fn set_annotations(vm: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        let value = value.filter(|v| !v.is_none());
        if value.is_some_and(|v| v.downcast::<Dict>().is_none()) {
            return Err(vm.type_error("__annotations__ must be set to a dict object"));
        }
        drop(this.annotations.swap(value.cloned()));
        drop(this.annotate.swap(None));
        Ok(())
    }
    #[getter]
    fn __annotate__(_: &Vm, this: &Py<Function>) -> Option<Value> {
        this.annotate.get()
    }
    #[setter(name = "__annotate__")]
    fn set_annotate(vm: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        let Some(value) = value else {
            return Err(vm.type_error("__annotate__ cannot be deleted"));
        };
        if value.is_none() {
            drop(this.annotate.swap(None));
        } else if vm.is_callable(value) {
            this.annotate.set(value.clone());
            drop(this.annotations.swap(None));
        } else {
            return Err(vm.type_error("__annotate__ must be callable or None"));
        }
        Ok(())
    }
    #[getter]
    fn __type_params__(_: &Vm, this: &Py<Function>) -> Value {
        this.type_params.get().unwrap_or_else(|| Tuple::empty().into_value())
    }
    #[setter(name = "__type_params__")]
    fn set_type_params(vm: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        match value {
            Some(v) if v.downcast::<Tuple>().is_some() => this.type_params.set(v.clone()),
            _ => return Err(vm.type_error("__type_params__ must be set to a tuple")),
        }
        Ok(())
    }
    #[getter]
    fn __dict__(_: &Vm, this: &Py<Function>) -> Option<Value> {
        crate::vm::attributes::instance_dict(this.as_value()).map(Py::into_value)
    }
    #[setter(name = "__dict__")]
    fn set_dict(vm: &Vm, this: &Py<Function>, value: Option<&Value>) -> Res<()> {
        crate::types::object::set_instance_dict(vm, this.as_value(), value)
    }
}
