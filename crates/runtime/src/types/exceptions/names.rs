//! `AttributeError`, `NameError` and `ImportError`: exceptions that know the name that was not found.
//!
//! Invariant: the fields only serve messages, suggestions and pickling; the exception's meaning is in its class.

use super::{BaseException, Exception, base_str, object_members, state_of};
use crate::intern;
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Py, Slot, Type, TypeFlags, Value};
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// The values of the keywords `names`; any other keyword is an error.
fn keywords<'a, const N: usize>(vm: &Vm, class: &str, args: Args<'a>, names: [&str; N]) -> Res<[Option<&'a Value>; N]> {
    let mut found = [None; N];
    for (given, value) in args.keywords() {
        match names.iter().position(|name| given.is_text(name)) {
            Some(at) => found[at] = Some(value),
            None => {
                let given = given.to_string_lossy();
                return Err(vm.type_error(format!("{class}() got an unexpected keyword argument '{given}'")));
            }
        }
    }
    Ok(found)
}

/// A copy of the instance's attributes with the given ones added.
fn state_with(vm: &Vm, this: &Value, more: &[(&'static Py<Str>, Option<Value>)]) -> Res<Option<Py<Dict>>> {
    let own = state_of(this);
    if own.is_none() && more.iter().all(|(_, value)| value.is_none()) {
        return Ok(None);
    }
    let state = match own.as_ref().and_then(|own| own.downcast::<Dict>()) {
        Some(own) => own.copy(vm)?,
        None => Dict::new_empty(),
    };
    for (name, value) in more {
        if let Some(value) = value {
            drop(state.replace_str(name, value.clone()));
        }
    }
    Ok(Some(state))
}

/// An attribute was not found.
#[pyclass(
    name = "AttributeError",
    base = Exception,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Attribute not found."
)]
pub struct AttributeError {
    pub base: Exception,
    pub name: Slot,
    pub obj: Slot,
}

impl AttributeError {
    /// A new exception with the message.
    pub fn new(message: Value, obj: Option<Value>, name: Option<Value>) -> Py<AttributeError> {
        let base = BaseException::payload(Tuple::new(vec![message])).into();
        Py::new(AttributeError {
            base,
            name: Slot::from_option(name),
            obj: Slot::from_option(obj),
        })
    }
}

object_members!(AttributeError, define_members:
    name "name" "attribute name";
    obj "obj" "object";
);

#[pymethods(parts(define_members))]
impl AttributeError {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let base = BaseException::payload_of(args).into();
        Ok(Py::with_class(
            cls,
            AttributeError {
                base,
                name: Slot::empty(),
                obj: Slot::empty(),
            },
        )
        .into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<AttributeError>, args: Args<'_>) -> Res<()> {
        let [name, obj] = keywords(vm, "AttributeError", args, ["name", "obj"])?;
        this.base.store_args(args.positional());
        drop(this.name.swap(name.cloned()));
        drop(this.obj.swap(obj.cloned()));
        Ok(())
    }

    #[pymethod(sig = "($self, /)")]
    fn __getstate__(vm: &Vm, this: &Py<AttributeError>) -> Res<Value> {
        // The object is left out: it can be anything, and need not be picklable.
        let more = [
            (intern!("name"), this.name.get()),
            (intern!("args"), Some(this.base.args().into_value())),
        ];
        let state = state_with(vm, this.as_value(), &more)?;
        Ok(state.map_or(Value::NONE, Py::into_value))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<AttributeError>) -> Res<Value> {
        let state = AttributeError::__getstate__(vm, this)?;
        Ok(Tuple::new(vec![this.class().to_value(), this.base.args().into_value(), state]).into_value())
    }
}

/// A variable was not found.
#[pyclass(
    name = "NameError",
    base = Exception,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Name not found globally."
)]
pub struct NameError {
    pub base: Exception,
    pub name: Slot,
}

impl NameError {
    /// A new exception of the class, `NameError` or `UnboundLocalError`.
    pub fn new_of(cls: &Py<Type>, message: Value, name: Option<Value>) -> Py<NameError> {
        let base = BaseException::payload(Tuple::new(vec![message])).into();
        Py::with_class(
            cls,
            NameError {
                base,
                name: Slot::from_option(name),
            },
        )
    }
}

object_members!(NameError, define_members: name "name" "name";);

#[pymethods(parts(define_members))]
impl NameError {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let base = BaseException::payload_of(args).into();
        Ok(Py::with_class(
            cls,
            NameError {
                base,
                name: Slot::empty(),
            },
        )
        .into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<NameError>, args: Args<'_>) -> Res<()> {
        let [name] = keywords(vm, "NameError", args, ["name"])?;
        this.base.store_args(args.positional());
        drop(this.name.swap(name.cloned()));
        Ok(())
    }
}

/// A module, or a name in it, could not be imported.
#[pyclass(
    name = "ImportError",
    base = Exception,
    basetype,
    dict,
    flags = TypeFlags::EXCEPTION_SUBCLASS,
    doc = "Import can't find module, or can't find name in module."
)]
pub struct ImportError {
    pub base: Exception,
    pub msg: Slot,
    pub name: Slot,
    pub path: Slot,
    pub name_from: Slot,
}

impl ImportError {
    /// A new exception of the class, `ImportError` or `ModuleNotFoundError`.
    pub fn new_of(cls: &Py<Type>, message: Value, name: Option<Value>, path: Option<Value>) -> Py<ImportError> {
        let base = BaseException::payload(Tuple::new(vec![message.clone()])).into();
        let (name, path) = (Slot::from_option(name), Slot::from_option(path));
        Py::with_class(
            cls,
            ImportError {
                base,
                msg: Slot::new(message),
                name,
                path,
                name_from: Slot::empty(),
            },
        )
    }
}

object_members!(ImportError, define_members:
    msg "msg" "exception message";
    name "name" "module name";
    path "path" "module path";
    name_from "name_from" "name imported from module";
);

#[pymethods(parts(define_members))]
impl ImportError {
    #[slot]
    fn __new__(_: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let payload = ImportError {
            base: BaseException::payload_of(args).into(),
            msg: Slot::empty(),
            name: Slot::empty(),
            path: Slot::empty(),
            name_from: Slot::empty(),
        };
        Ok(Py::with_class(cls, payload).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<ImportError>, args: Args<'_>) -> Res<()> {
        let [name, path, name_from] = keywords(vm, "ImportError", args, ["name", "path", "name_from"])?;
        let positional = args.positional();
        this.base.store_args(positional);
        let msg = if let [msg] = positional {
            Some(msg.clone())
        } else {
            None
        };
        drop(this.msg.swap(msg));
        drop(this.name.swap(name.cloned()));
        drop(this.path.swap(path.cloned()));
        drop(this.name_from.swap(name_from.cloned()));
        Ok(())
    }

    #[slot]
    fn __str__(vm: &Vm, this: &Py<ImportError>) -> Res<Value> {
        match this.msg.get() {
            Some(msg) if msg.downcast_exact::<Str>().is_some() => Ok(msg),
            _ => base_str(vm, &this.base),
        }
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<ImportError>) -> Res<Value> {
        let more = [
            (intern!("name"), this.name.get()),
            (intern!("path"), this.path.get()),
            (intern!("name_from"), this.name_from.get()),
        ];
        let mut parts = vec![this.class().to_value(), this.base.args().into_value()];
        parts.extend(state_with(vm, this.as_value(), &more)?.map(Py::into_value));
        Ok(Tuple::new(parts).into_value())
    }
}
