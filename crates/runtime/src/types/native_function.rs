//! Functions and methods that are implemented in Rust, as Python sees them.
//!
//! Invariant: a native method is called only with a receiver that its class accepts, a class method only with a class (see
//! [`crate::native::NativeFn`]).

use std::mem::MaybeUninit;

use crate::native::{Args, FnDef, FnKind, Known, PayloadInfo, Signature, Style, pyclass, pymethods};
use crate::object::{Obj, Py, Type, TypeFlags, Value};
use crate::types::classmethod::StaticMethod;
use crate::types::descriptors::{accepts, address, address_hash, does_not_apply, qualified, reduce_as_attribute};
use crate::types::module::Module;
use crate::types::object::Object;
use crate::types::str::Str;
use crate::vm::{Res, Vm};
use lisle_bytecode::opcode::CmpOp;

/// Calls `call` with `receiver` put before the arguments. Nothing is counted for up to seven arguments.
#[inline(always)]
pub(crate) fn prepended<R>(receiver: &Value, args: Args<'_>, call: impl FnOnce(Args<'_>) -> R) -> R {
    joined(std::slice::from_ref(receiver), args, call)
}

/// Calls `call` with `first` before the arguments, without counting references.
#[inline]
pub fn joined<R>(first: &[Value], args: Args<'_>, call: impl FnOnce(Args<'_>) -> R) -> R {
    const N: usize = 8;
    let n = args.values.len();
    let total = first.len() + n;
    let mut array = [const { MaybeUninit::<Value>::uninit() }; N];
    let mut vector: Vec<MaybeUninit<Value>> = Vec::new();
    let place: &mut [MaybeUninit<Value>] = if total <= N {
        &mut array
    } else {
        vector.resize_with(total, MaybeUninit::uninit);
        &mut vector
    };
    // SAFETY: `place` has room for `total` values. The copies are borrows: `MaybeUninit` never drops them, and the originals outlive the call.
    let values = unsafe {
        let to = place.as_mut_ptr().cast::<Value>();
        std::ptr::copy_nonoverlapping(first.as_ptr(), to, first.len());
        std::ptr::copy_nonoverlapping(args.values.as_ptr(), to.add(first.len()), n);
        std::slice::from_raw_parts(to.cast_const(), total)
    };
    call(Args {
        values,
        kwnames: args.kwnames,
    })
}

/// A native function, or a native method bound to its receiver.
#[pyclass(name = "builtin_function_or_method", late_end, no_new, weakref)]
pub struct NativeFunction {
    pub def: &'static FnDef,
    /// Passed before the arguments, if any.
    pub(crate) receiver: Option<Value>,
    /// The module of a function, the class of a static method.
    pub(crate) module: Option<Value>,
}

impl NativeFunction {
    /// A function of a module, or a method bound to `receiver`.
    pub fn new_value(def: &'static FnDef, receiver: Option<Value>, module: Option<Value>) -> Value {
        Py::new(NativeFunction { def, receiver, module }).into_value()
    }

    /// `__self__`.
    fn owner(&self) -> Option<&Value> {
        self.receiver.as_ref().or(self.module.as_ref())
    }

    /// Whether this is a function of a module rather than a method.
    fn is_function(&self) -> bool {
        // A module that is still to be made is known by its name.
        let named = self.receiver.is_none() && self.module.as_ref().is_some_and(|m| m.downcast::<Str>().is_some());
        named || self.owner().is_none_or(|owner| owner.downcast::<Module>().is_some())
    }
}

#[pymethods]
impl NativeFunction {
    #[slot]
    fn __call__(vm: &Vm, this: &Py<NativeFunction>, args: Args<'_>) -> Res<Value> {
        match &this.receiver {
            None => (this.def.func)(vm, args),
            Some(receiver) => prepended(receiver, args, |args| (this.def.func)(vm, args)),
        }
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<NativeFunction>) -> String {
        let name = this.def.name;
        match this.owner() {
            Some(owner) if !this.is_function() => {
                format!(
                    "<built-in method {name} of {} object at {:#x}>",
                    owner.ty().name(),
                    address(owner)
                )
            }
            _ => format!("<built-in function {name}>"),
        }
    }

    #[slot]
    fn __hash__(_: &Vm, this: &Py<NativeFunction>) -> Res<i64> {
        let owner = this.owner().map_or(0, Value::bits);
        Ok(address_hash(owner, this.def.func as usize as u64))
    }

    #[slot]
    fn __richcompare__(_: &Vm, this: &Py<NativeFunction>, other: &Value, op: CmpOp) -> Value {
        let Some(other) = other.downcast_exact::<NativeFunction>() else {
            return Value::NOT_IMPLEMENTED;
        };
        let owner = |f: &NativeFunction| f.owner().map(Value::bits);
        let equal = owner(this) == owner(other) && std::ptr::eq(this.def, other.def);
        match op {
            CmpOp::Eq => Value::from_bool(equal),
            CmpOp::Ne => Value::from_bool(!equal),
            _ => Value::NOT_IMPLEMENTED,
        }
    }

    #[getter]
    fn __name__(_: &Vm, this: &Py<NativeFunction>) -> Py<Str> {
        Str::intern(this.def.name)
    }
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<NativeFunction>) -> Value {
        match this.owner() {
            Some(owner) if !this.is_function() => {
                qualified(owner.downcast::<Type>().unwrap_or_else(|| owner.ty()), this.def.name)
            }
            _ => Str::intern(this.def.name).into_value(),
        }
    }
    #[getter]
    fn __doc__(_: &Vm, this: &Py<NativeFunction>) -> Option<&'static str> {
        this.def.doc
    }
    #[getter]
    fn __text_signature__(_: &Vm, this: &Py<NativeFunction>) -> Option<&'static str> {
        this.def.text_signature()
    }
    #[getter]
    fn __module__(_: &Vm, this: &Py<NativeFunction>) -> Value {
        match this.is_function() {
            true if !this.def.module.is_empty() => Str::intern(this.def.module).into_value(),
            _ => Value::NONE,
        }
    }
    #[getter]
    fn __self__(_: &Vm, this: &Py<NativeFunction>) -> Option<Value> {
        this.owner().cloned()
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<NativeFunction>) -> Res<Value> {
        let name = Str::intern(this.def.name).into_value();
        match this.owner() {
            Some(owner) if !this.is_function() => reduce_as_attribute(vm, owner.clone(), name),
            _ => Ok(name),
        }
    }
}

/// A native method as an attribute of its class.
#[pyclass(name = "method_descriptor", no_new, method_descriptor)]
pub struct MethodDescriptor {
    pub(crate) owner: Py<Type>,
    pub(crate) def: &'static FnDef,
}

impl MethodDescriptor {
    /// Whether `this` is an instance of the owner itself, for which no further check is needed.
    #[inline(always)]
    pub(crate) fn takes(&self, this: &Value) -> bool {
        this.has_type(&self.owner)
    }
}

/// The descriptor of `owner`'s method.
pub fn method_descriptor(owner: &Py<Type>, def: &'static FnDef) -> Value {
    let descriptor = Py::new(MethodDescriptor {
        owner: owner.clone(),
        def,
    });
    // As the types of native methods are.
    let descriptor = descriptor.into_value();
    descriptor.make_immortal();
    descriptor
}

#[pymethods]
impl MethodDescriptor {
    #[slot]
    fn __call__(vm: &Vm, this: &Py<MethodDescriptor>, args: Args<'_>) -> Res<Value> {
        let Some(receiver) = args.positional().first() else {
            let (owner, name) = (this.owner.name(), this.def.name);
            return Err(vm.type_error(format!("unbound method {owner}.{name}() needs an argument")));
        };
        if !accepts(&this.owner, receiver) {
            return Err(does_not_apply(vm, this.def.name, &this.owner, receiver));
        }
        (this.def.func)(vm, args)
    }

    #[slot]
    fn __get__(vm: &Vm, this: &Py<MethodDescriptor>, obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        let Some(obj) = obj else { return Ok(this.to_value()) };
        if !accepts(&this.owner, obj) {
            return Err(does_not_apply(vm, this.def.name, &this.owner, obj));
        }
        Ok(NativeFunction::new_value(this.def, Some(obj.clone()), None))
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<MethodDescriptor>) -> String {
        format!("<method '{}' of '{}' objects>", this.def.name, this.owner.name())
    }

    #[getter(member)]
    fn __objclass__(_: &Vm, this: &Py<MethodDescriptor>) -> Value {
        this.owner.to_value()
    }
    #[getter]
    fn __name__(_: &Vm, this: &Py<MethodDescriptor>) -> Py<Str> {
        Str::intern(this.def.name)
    }
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<MethodDescriptor>) -> Value {
        qualified(&this.owner, this.def.name)
    }
    #[getter]
    fn __doc__(_: &Vm, this: &Py<MethodDescriptor>) -> Option<&'static str> {
        this.def.doc
    }
    #[getter]
    fn __text_signature__(_: &Vm, this: &Py<MethodDescriptor>) -> Option<&'static str> {
        this.def.text_signature()
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<MethodDescriptor>) -> Res<Value> {
        reduce_as_attribute(vm, this.owner.to_value(), Str::intern(this.def.name).into_value())
    }
}

/// A native class method as an attribute of its class.
#[pyclass(name = "classmethod_descriptor", no_new)]
pub struct ClassMethodDescriptor {
    pub(crate) owner: Py<Type>,
    pub(crate) def: &'static FnDef,
}

/// The descriptor of `owner`'s class method.
pub fn classmethod_descriptor(owner: &Py<Type>, def: &'static FnDef) -> Value {
    Py::new(ClassMethodDescriptor {
        owner: owner.clone(),
        def,
    })
    .into_value()
}

impl ClassMethodDescriptor {
    /// An error unless the value is a class that the method can be called on.
    pub(crate) fn check_class(&self, vm: &Vm, class: &Value) -> Res<()> {
        let (name, owner) = (self.def.name, &self.owner);
        let Some(class) = class.downcast::<Type>() else {
            let (owner, found) = (owner.name(), class.ty().name());
            return Err(vm.type_error(format!(
                "descriptor '{name}' for type '{owner}' needs a type, not a '{found}' as arg 2"
            )));
        };
        if !class.is_subclass(owner) {
            let (owner, found) = (owner.name(), class.name());
            return Err(vm.type_error(format!(
                "descriptor '{name}' requires a subtype of '{owner}' but received '{found}'"
            )));
        }
        Ok(())
    }
}

#[pymethods]
impl ClassMethodDescriptor {
    #[slot]
    fn __call__(vm: &Vm, this: &Py<ClassMethodDescriptor>, args: Args<'_>) -> Res<Value> {
        let Some(class) = args.positional().first() else {
            let (name, owner) = (this.def.name, this.owner.name());
            return Err(vm.type_error(format!("descriptor '{name}' of '{owner}' object needs an argument")));
        };
        this.check_class(vm, class)?;
        (this.def.func)(vm, args)
    }

    #[slot]
    fn __get__(vm: &Vm, this: &Py<ClassMethodDescriptor>, obj: Option<&Value>, owner: Option<&Value>) -> Res<Value> {
        let class = match (owner, obj) {
            (Some(class), _) => class.clone(),
            (None, Some(obj)) => obj.ty().to_value(),
            (None, None) => {
                let (name, owner) = (this.def.name, this.owner.name());
                return Err(vm.type_error(format!(
                    "descriptor '{name}' for type '{owner}' needs either an object or a type"
                )));
            }
        };
        this.check_class(vm, &class)?;
        Ok(NativeFunction::new_value(this.def, Some(class), None))
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<ClassMethodDescriptor>) -> String {
        format!("<method '{}' of '{}' objects>", this.def.name, this.owner.name())
    }

    #[getter(member)]
    fn __objclass__(_: &Vm, this: &Py<ClassMethodDescriptor>) -> Value {
        this.owner.to_value()
    }
    #[getter]
    fn __name__(_: &Vm, this: &Py<ClassMethodDescriptor>) -> Py<Str> {
        Str::intern(this.def.name)
    }
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<ClassMethodDescriptor>) -> Value {
        qualified(&this.owner, this.def.name)
    }
    #[getter]
    fn __doc__(_: &Vm, this: &Py<ClassMethodDescriptor>) -> Option<&'static str> {
        this.def.doc
    }
    #[getter]
    fn __text_signature__(_: &Vm, this: &Py<ClassMethodDescriptor>) -> Option<&'static str> {
        this.def.text_signature()
    }
}

/// A native static method as an attribute of its class.
pub fn static_method(owner: &Py<Type>, def: &'static FnDef) -> Value {
    debug_assert!(def.kind == FnKind::StaticMethod, "{} is not static", def.qualname);
    StaticMethod::wrapping(NativeFunction::new_value(def, None, Some(owner.to_value())))
}

static NEW_SIG: Signature = Signature {
    name: "__new__",
    full: "__new__",
    params: &[],
    text: "($type, *args, **kwargs)",
    pos_only: 0,
    positional: 0,
    required: 0,
    required_kw: 0,
    named: 0,
    var_args: true,
    var_kw: true,
    style: Style::Class,
};

static NEW: FnDef = FnDef {
    name: "__new__",
    qualname: "__new__",
    module: "",
    doc: Some("Create and return a new object.  See help(type) for accurate signature."),
    sig: &NEW_SIG,
    func: call_new,
    kind: FnKind::Function,
    known: Known::No,
};

/// The `__new__` of a class that is implemented in Rust.
pub fn tp_new(owner: &Py<Type>) -> Value {
    NativeFunction::new_value(&NEW, Some(owner.to_value()), None)
}

/// The class whose native `__new__` the value is.
pub fn tp_new_owner(value: &Value) -> Option<Py<Type>> {
    let function = value.downcast_exact::<NativeFunction>()?;
    if !std::ptr::eq(function.def, &NEW) {
        return None;
    }
    function.receiver.as_ref()?.downcast::<Type>().cloned()
}

/// Whether what makes the payload `maker` makes all of `payload`: it is the same, or one that derives from it without fields of its
/// own (`_RawIOBase` from `_IOBase`).
fn is_made_as(payload: &'static PayloadInfo, maker: &'static PayloadInfo) -> bool {
    let mut at = payload;
    while !std::ptr::eq(at, maker) {
        match at.base {
            Some(base) if base.size == payload.size => at = base,
            // Neither has a payload.
            _ => return payload.size == size_of::<Obj<Object>>() && maker.size == payload.size,
        }
    }
    true
}

/// `owner.__new__(cls, ...)`; the owner is the receiver.
fn call_new(vm: &Vm, args: Args<'_>) -> Res<Value> {
    let Some((owner, args)) = args.split_receiver() else {
        return Err(vm.system_error("__new__() without its class"));
    };
    let Some(owner) = owner.downcast::<Type>() else {
        return Err(vm.system_error("__new__() called with non-type 'self'"));
    };
    let Some((cls, args)) = args.split_receiver() else {
        return Err(vm.type_error(format!("{}.__new__(): not enough arguments", owner.name())));
    };
    let Some(cls) = cls.downcast::<Type>() else {
        let (owner, found) = (owner.name(), cls.ty().name());
        return Err(vm.type_error(format!("{owner}.__new__(X): X is not a type object ({found})")));
    };
    if !cls.is_subclass(owner) {
        let (owner, cls) = (owner.name(), cls.name());
        return Err(vm.type_error(format!("{owner}.__new__({cls}): {cls} is not a subtype of {owner}")));
    }
    // The nearest native base must make its instances the same way: another `__new__` would leave its payload unmade.
    let mut native = cls.clone();
    while native.has_flag(TypeFlags::HEAP) {
        match native.base.get() {
            Some(base) => native = base,
            None => break,
        }
    }
    let same_new = native.slots().new.map(|f| f as usize) == owner.slots().new.map(|f| f as usize);
    match owner.slots().new {
        Some(new) if same_new && is_made_as(cls.info, owner.info) => new(vm, cls, args),
        _ => {
            let (owner, cls, native) = (owner.name(), cls.name(), native.name());
            Err(vm.type_error(format!("{owner}.__new__({cls}) is not safe, use {native}.__new__()")))
        }
    }
}
