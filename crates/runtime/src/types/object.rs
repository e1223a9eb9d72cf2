//! `object`: the base of all classes.

use lisle_bytecode::opcode::CmpOp;

use crate::intern;
use crate::native::{Args, GetSetDef, pyclass, pymethods};
use crate::object::attrs::Attrs;
use crate::object::{Native, Py, Type, TypeFlags, Value};
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::attributes::{generic_getattr, generic_setattr};
use crate::vm::{Res, Vm};

/// The payload of plain instances: nothing.
#[pyclass(
    name = "object",
    late_end,
    basetype,
    gc = false,
    doc = "The base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns a new featureless\ninstance that has no instance attributes and cannot be given any.\n"
)]
pub struct Object {}

/// A new instance of a class whose payload is that of `object`.
#[inline]
pub fn new_instance(cls: &Py<Type>) -> Value {
    Py::with_class(cls, Object {}).into_value()
}

/// Whether `__init__` is `object`'s.
fn has_object_init(vm: &Vm, cls: &Py<Type>) -> bool {
    let _ = vm;
    cls.slots().init.map(|f| f as usize) == Object::ty().slots().init.map(|f| f as usize)
}

fn has_object_new(cls: &Py<Type>) -> bool {
    cls.slots().new.map(|f| f as usize) == Object::ty().slots().new.map(|f| f as usize)
}

/// `object.__new__`.
pub fn object_new(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
    if !args.values.is_empty() {
        if !has_object_new(cls) {
            return Err(vm.type_error("object.__new__() takes exactly one argument (the type to instantiate)"));
        }
        if has_object_init(vm, cls) {
            return Err(vm.type_error(format!("{}() takes no arguments", cls.name())));
        }
    }
    if cls.has_flag(TypeFlags::ABSTRACT) {
        return Err(abstract_error(vm, cls));
    }
    // Classes whose payload adds nothing are made alike.
    if cls.info.size != Object::info().size {
        // The class behind the last one that has a `__new__` written in Python.
        let mut base = cls.name();
        let mut behind = false;
        for class in cls.mro.get().iter().flat_map(|mro| mro.iter()) {
            let Some(class) = class.downcast::<Type>() else {
                continue;
            };
            if behind {
                base = class.name();
            }
            behind = class.has_flag(TypeFlags::HEAP) && class.dict().get_str(intern!("__new__")).is_some();
        }
        let name = cls.name();
        return Err(vm.type_error(format!("object.__new__({name}) is not safe, use {base}.__new__()")));
    }
    Ok(new_instance(cls))
}

fn abstract_error(vm: &Vm, cls: &Py<Type>) -> crate::vm::Exc {
    let mut names: Vec<String> = Vec::new();
    if let Some(set) = cls.dict().get_str(intern!("__abstractmethods__"))
        && let Ok(items) = vm.collect(&set)
    {
        names = items
            .iter()
            .filter_map(|v| v.downcast::<Str>().map(|s| s.to_string_lossy()))
            .collect();
    }
    names.sort();
    let plural = if names.len() == 1 { "" } else { "s" };
    let list: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
    vm.type_error(format!(
        "Can't instantiate abstract class {} without an implementation for abstract method{plural} {}",
        cls.name(),
        list.join(", ")
    ))
}

/// Whether the dict of instances comes from a native class.
fn native_dict(ty: &Py<Type>) -> bool {
    let mut at = ty.clone();
    while at.has_flag(TypeFlags::HEAP) {
        match at.base.get() {
            Some(base) => at = base,
            None => return false,
        }
    }
    at.attr_offset() != 0
}

/// `obj.__dict__ = value`.
pub fn set_instance_dict(vm: &Vm, this: &Value, value: Option<&Value>) -> Res<()> {
    // Classes and modules have dicts that are theirs.
    if this.downcast::<Type>().is_some() {
        return Err(vm.attribute_error("attribute '__dict__' of 'type' objects is not writable"));
    }
    if this.downcast::<crate::types::module::Module>().is_some() {
        return Err(vm.attribute_error("readonly attribute"));
    }
    let Some(attrs) = Attrs::of(this) else {
        return Err(vm.attribute_error("This object has no __dict__"));
    };
    let dict = match value {
        None if !native_dict(this.ty()) => Dict::new_empty(),
        None => return Err(vm.type_error("cannot delete __dict__")),
        Some(v) => v.clone().try_into_py::<Dict>().map_err(|v| {
            vm.type_error(format!(
                "__dict__ must be set to a dictionary, not a '{}'",
                v.ty().name()
            ))
        })?,
    };
    attrs.replace_dict(Some(dict));
    Ok(())
}

static DICT_GETSET: GetSetDef = GetSetDef {
    name: "__dict__",
    qualname: "__dict__",
    doc: Some("dictionary for instance variables"),
    get: |vm, this| match crate::vm::attributes::instance_dict(this) {
        Some(dict) => Ok(dict.into_value()),
        // What a metaclass has from a class that is none.
        None => match this.downcast::<Type>() {
            Some(class) => Ok(crate::types::mappingproxy::MappingProxy::new_value(
                class.dict().into_value(),
            )),
            None => Err(vm.attribute_error("This object has no __dict__")),
        },
    },
    set: Some(set_instance_dict),
    member: false,
};

static WEAKREF_GETSET: GetSetDef = GetSetDef {
    name: "__weakref__",
    qualname: "__weakref__",
    doc: Some("list of weak references to the object"),
    get: |_, this| {
        Ok(crate::types::weakref::references(this)
            .into_iter()
            .next()
            .unwrap_or(Value::NONE))
    },
    set: None,
    member: false,
};

/// The `__dict__` attribute of a class whose instances are the first in their hierarchy to have one.
pub fn dict_getset(ty: &Py<Type>) -> Value {
    crate::types::descriptors::getset(ty, &DICT_GETSET)
}

/// Likewise `__weakref__`.
pub fn weakref_getset(ty: &Py<Type>) -> Value {
    crate::types::descriptors::getset(ty, &WEAKREF_GETSET)
}

/// The module and qualified name of a class, as reprs show them.
pub fn qualified_name(ty: &Py<Type>) -> String {
    let qualname = ty.qualname.get().map_or_else(|| ty.name(), |q| q.to_string_lossy());
    let module = ty.dict().get_str(intern!("__module__"));
    match module.as_ref().and_then(|m| m.downcast::<Str>()) {
        Some(m) if !m.is_text("builtins") => format!("{}.{qualname}", m.to_string_lossy()),
        _ => qualname,
    }
}

#[pymethods]
impl Object {
    #[slot(text = "()")]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        object_new(vm, cls, args)
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Value) -> String {
        format!("<{} object at {:#x}>", qualified_name(this.ty()), this.bits())
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Value) -> Res<Value> {
        vm.repr(this).map(Py::into_value)
    }

    #[slot]
    fn __hash__(_: &Vm, this: &Value) -> Res<i64> {
        Ok(identity_hash(this))
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Value, other: &Value, op: CmpOp) -> Res<Value> {
        match op {
            CmpOp::Eq => Ok(if this.is(other) {
                Value::TRUE
            } else {
                Value::NOT_IMPLEMENTED
            }),
            CmpOp::Ne => {
                // The inverse of __eq__, unless that is not implemented.
                let Some(f) = this.ty().slots().richcompare else {
                    return Ok(Value::NOT_IMPLEMENTED);
                };
                let result = f(vm, this, other, CmpOp::Eq)?;
                if result.is_not_implemented() {
                    return Ok(result);
                }
                Ok(Value::from_bool(!vm.truth(&result)?))
            }
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    /// Default object formatter.
    ///
    /// Return str(self) if format_spec is empty. Raise TypeError otherwise.
    #[pymethod(sig = "($self, format_spec, /)")]
    fn __format__(vm: &Vm, this: &Value, format_spec: &Py<Str>) -> Res<Value> {
        if !format_spec.is_empty() {
            let name = this.ty().name();
            return Err(vm.type_error(format!("unsupported format string passed to {name}.__format__")));
        }
        vm.str(this).map(Py::into_value)
    }

    /// Helper for pickle.
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Value) -> Res<Value> {
        let copyreg = vm.import_module("copyreg")?;
        let f = vm.getattr(&copyreg, intern!("_reduce_ex"))?;
        vm.call(&f, &[this.clone(), Value::int(0)])
    }

    /// Helper for pickle.
    #[pymethod(sig = "($self, protocol, /)")]
    fn __reduce_ex__(vm: &Vm, this: &Value, protocol: i64) -> Res<Value> {
        let own = this.ty().lookup(vm, intern!("__reduce__"));
        let base = Object::ty().lookup(vm, intern!("__reduce__"));
        if let (Some(own), Some(base)) = (&own, &base)
            && !own.is(base)
        {
            return vm.call_method(this, intern!("__reduce__"), &[]);
        }
        if protocol >= 2 {
            return reduce_newobj(vm, this);
        }
        let copyreg = vm.import_module("copyreg")?;
        let f = vm.getattr(&copyreg, intern!("_reduce_ex"))?;
        vm.call(&f, &[this.clone(), Value::int(protocol)])
    }

    /// Helper for pickle.
    #[pymethod(sig = "($self, /)")]
    fn __getstate__(vm: &Vm, this: &Value) -> Res<Value> {
        object_getstate(vm, this)
    }

    /// Default dir() implementation.
    #[pymethod(sig = "($self, /)")]
    fn __dir__(vm: &Vm, this: &Value) -> Res<Value> {
        let names = Dict::new_empty();
        if let Some(dict) = vm.getattr_opt(this, intern!("__dict__"))?
            && let Some(dict) = dict.downcast::<Dict>()
        {
            for (key, _) in dict.snapshot() {
                names.set(vm, &key, Value::NONE)?;
            }
        }
        if let Some(class) = vm.getattr_opt(this, intern!("__class__"))? {
            crate::types::type_::merge_class_names(vm, &class, &names)?;
        }
        Ok(crate::types::list::List::new(names.snapshot_keys()).into_value())
    }

    /// Size of object in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_: &Vm, this: &Value) -> i64 {
        let ty = this.ty();
        let attrs = if ty.attr_offset() != 0 {
            16 + ty.inline_slots() * 8
        } else {
            0
        };
        (ty.fixed_size() + attrs) as i64
    }

    /// This method is called when a class is subclassed.
    ///
    /// The default implementation does nothing. It may be
    /// overridden to extend subclasses.
    #[classmethod(sig = "($type, /)")]
    fn __init_subclass__(_vm: &Vm, _cls: &Py<Type>) -> Res<()> {
        Ok(())
    }

    /// Abstract classes can override this to customize issubclass().
    ///
    /// This is invoked early on by abc.ABCMeta.__subclasscheck__().
    /// It should return True, False or NotImplemented.  If it returns
    /// NotImplemented, the normal algorithm is used.  Otherwise, it
    /// overrides the normal algorithm (and the outcome is cached).
    #[classmethod(sig = "($type, object, /)")]
    fn __subclasshook__(_vm: &Vm, _cls: &Py<Type>, _object: &Value) -> Value {
        Value::NOT_IMPLEMENTED
    }

    /// the object's class
    #[getter]
    fn __class__(_: &Vm, this: &Value) -> Value {
        this.ty().to_value()
    }

    #[setter(name = "__class__")]
    fn set_class(vm: &Vm, this: &Value, value: Option<&Value>) -> Res<()> {
        let Some(value) = value else {
            return Err(vm.type_error("can't delete __class__ attribute"));
        };
        crate::audit::audit(vm, "object.__setattr__", || {
            [this.clone(), Value::from("__class__"), value.clone()]
        })?;
        let Some(new) = value.downcast::<Type>() else {
            let name = value.ty().name();
            return Err(vm.type_error(format!("__class__ must be set to a class, not '{name}' object")));
        };
        crate::types::type_::assign_class(vm, this, new)
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Value, args: Args<'_>) -> Res<()> {
        let cls = this.ty();
        if !args.values.is_empty() {
            if !has_object_init(vm, cls) {
                return Err(vm.type_error("object.__init__() takes exactly one argument (the instance to initialize)"));
            }
            if has_object_new(cls) {
                return Err(vm.type_error(format!(
                    "{}.__init__() takes exactly one argument (the instance to initialize)",
                    cls.name()
                )));
            }
        }
        Ok(())
    }

    #[slot]
    fn __getattribute__(vm: &Vm, this: &Value, name: &Py<Str>) -> Res<Value> {
        generic_getattr(vm, this, name)
    }

    #[slot]
    fn __setattr__(vm: &Vm, this: &Value, name: &Py<Str>, value: Option<&Value>) -> Res<()> {
        generic_setattr(vm, this, name, value)
    }
}

/// Hash by address, as `object.__hash__`.
pub fn identity_hash(this: &Value) -> i64 {
    crate::types::float::hash_identity(this.bits())
}

/// The instance state that pickle and copy use by default.
pub fn object_getstate(vm: &Vm, this: &Value) -> Res<Value> {
    let dict = match vm.getattr_opt(this, intern!("__dict__"))? {
        Some(d) => match d.downcast::<Dict>() {
            Some(dict) if !dict.is_empty() => dict.copy(vm)?.into_value(),
            _ => Value::NONE,
        },
        None => Value::NONE,
    };
    let slots = slot_state(vm, this)?;
    match slots {
        None => Ok(dict),
        Some(slots) => Ok(Tuple::new(vec![dict, slots]).into_value()),
    }
}

fn slot_state(vm: &Vm, this: &Value) -> Res<Option<Value>> {
    if this.ty().members() == 0 && this.ty().dict().get_str(intern!("__slotnames__")).is_none() {
        return Ok(None);
    }
    let copyreg = vm.import_module("copyreg")?;
    let f = vm.getattr(&copyreg, intern!("_slotnames"))?;
    let names = vm.call(&f, &[this.ty().to_value()])?;
    let state = Dict::new_empty();
    for name in vm.collect(&names)? {
        if let Some(n) = name.downcast::<Str>()
            && let Some(v) = vm.getattr_opt(this, n)?
        {
            state.set(vm, &name, v)?;
        }
    }
    Ok((!state.is_empty()).then(|| state.into_value()))
}

/// Whether the class has a `__getstate__` of its own, which knows all that is in an instance.
fn gives_state(vm: &Vm, cls: &Py<Type>) -> bool {
    let name = intern!("__getstate__");
    match (cls.lookup(vm, name), Object::ty().lookup(vm, name)) {
        (Some(own), Some(default)) => !own.is(&default),
        (own, _) => own.is_some(),
    }
}

/// What `__getnewargs_ex__` returned.
fn new_args_ex(vm: &Vm, pair: &Value) -> Res<(Value, Value)> {
    let Some(tuple) = pair.downcast::<Tuple>() else {
        let found = pair.ty().name();
        return Err(vm.type_error(format!("__getnewargs_ex__ should return a tuple, not '{found}'")));
    };
    let [args, kwargs] = tuple.as_slice() else {
        let n = tuple.as_slice().len();
        return Err(vm.value_error(format!("__getnewargs_ex__ should return a tuple of length 2, not {n}")));
    };
    if args.downcast::<Tuple>().is_none() {
        let found = args.ty().name();
        return Err(vm.type_error(format!(
            "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{found}'"
        )));
    }
    if kwargs.downcast::<Dict>().is_none() {
        let found = kwargs.ty().name();
        return Err(vm.type_error(format!(
            "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{found}'"
        )));
    }
    Ok((args.clone(), kwargs.clone()))
}

fn reduce_newobj(vm: &Vm, this: &Value) -> Res<Value> {
    let cls = this.ty();
    if cls.slots().new.is_none() {
        return Err(vm.type_error(format!("cannot pickle '{}' object", cls.name())));
    }
    let copyreg = vm.import_module("copyreg")?;
    let (args, kwargs) = match vm.call_special_opt(this, intern!("__getnewargs_ex__"), &[])? {
        Some(pair) => {
            let (args, kwargs) = new_args_ex(vm, &pair)?;
            (Some(args), Some(kwargs))
        }
        None => match vm.call_special_opt(this, intern!("__getnewargs__"), &[])? {
            Some(args) if args.downcast::<Tuple>().is_some() => (Some(args), None),
            Some(args) => {
                return Err(vm.type_error(format!(
                    "__getnewargs__ should return a tuple, not '{}'",
                    args.ty().name()
                )));
            }
            None => (None, None),
        },
    };
    if args.is_none()
        && !std::ptr::eq(cls.info, Object::info())
        && !cls.is_subclass(crate::types::list::List::ty())
        && !cls.is_subclass(Dict::ty())
        && cls.info.size > size_of::<crate::object::Obj<Object>>()
        && !cls.has_flag(TypeFlags::HEAP)
        && !gives_state(vm, cls)
    {
        return Err(vm.type_error(format!("cannot pickle '{}' object", cls.name())));
    }
    let state = vm.call_method(this, intern!("__getstate__"), &[])?;
    let listitems = if cls.is_subclass(crate::types::list::List::ty()) {
        vm.iter(this)?
    } else {
        Value::NONE
    };
    let dictitems = if cls.is_subclass(Dict::ty()) {
        let items = vm.call_method(this, intern!("items"), &[])?;
        vm.iter(&items)?
    } else {
        Value::NONE
    };
    let (factory, factory_args) = match kwargs {
        Some(k) if k.downcast::<Dict>().is_some_and(|d| !d.is_empty()) => {
            let f = vm.getattr(&copyreg, intern!("__newobj_ex__"))?;
            (
                f,
                vec![cls.to_value(), args.unwrap_or_else(|| Tuple::empty().into_value()), k],
            )
        }
        _ => {
            let f = vm.getattr(&copyreg, intern!("__newobj__"))?;
            let mut all = vec![cls.to_value()];
            if let Some(t) = args.as_ref().and_then(|a| a.downcast::<Tuple>()) {
                all.extend_from_slice(t.as_slice());
            }
            (f, all)
        }
    };
    let args = Tuple::new(factory_args).into_value();
    Ok(Tuple::new(vec![factory, args, state, listitems, dictitems]).into_value())
}
