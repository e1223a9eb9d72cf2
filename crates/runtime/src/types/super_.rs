//! `super`: attribute lookup that starts after a class in the resolution order of another.

use crate::intern;
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Py, Slot, Type, Value};
use crate::types::cell::Cell;
use crate::types::str::Str;
use crate::vm::attributes::generic_getattr;
use crate::vm::{Res, Vm};

/// A `super` object; empty until initialised.
#[pyclass(
    name = "super",
    basetype,
    doc = "super() -> same as super(__class__, <first argument>)\nsuper(type) -> unbound super object\nsuper(type, obj) -> bound super object; requires isinstance(obj, type)\nsuper(type, type2) -> bound super object; requires issubclass(type2, type)\nTypical use to call a cooperative superclass method:\nclass C(B):\n    def meth(self, arg):\n        super().meth(arg)\nThis works for class methods too:\nclass C(B):\n    @classmethod\n    def cmeth(cls, arg):\n        super().cmeth(arg)\n"
)]
pub struct Super {
    class: Slot,
    object: Slot,
    object_class: Slot,
}

impl Super {
    /// The class whose resolution order is searched for `super(cls, obj)`.
    pub fn check(vm: &Vm, cls: &Py<Type>, obj: &Value) -> Res<Py<Type>> {
        if let Some(t) = obj.downcast::<Type>()
            && t.is_subclass(cls)
        {
            return Ok(t.clone());
        }
        if obj.ty().is_subclass(cls) {
            return Ok(obj.ty().clone());
        }
        if let Some(class) = vm.getattr_opt(obj, intern!("__class__"))?
            && let Some(t) = class.downcast::<Type>()
            && t.is_subclass(cls)
        {
            return Ok(t.clone());
        }
        let what = match obj.downcast::<Type>() {
            Some(t) => format!("type {}", t.name()),
            None => format!("instance of {}", obj.ty().name()),
        };
        Err(vm.type_error(format!(
            "super(type, obj): obj ({what}) is not an instance or subtype of type ({}).",
            cls.name()
        )))
    }

    /// `super(cls, obj)`.
    pub fn new_checked(vm: &Vm, cls: &Py<Type>, obj: &Value) -> Res<Value> {
        let start = Super::check(vm, cls, obj)?;
        Ok(Super::make(cls, obj, &start))
    }

    /// `super(cls, obj)` where the relation is known and `obj` is a class.
    pub fn new_bound(cls: &Py<Type>, obj: &Value) -> Value {
        let start = obj.downcast::<Type>().unwrap_or(obj.ty()).clone();
        Super::make(cls, obj, &start)
    }

    fn make(cls: &Py<Type>, obj: &Value, start: &Py<Type>) -> Value {
        Py::new(Super {
            class: Slot::new(cls.to_value()),
            object: Slot::new(obj.clone()),
            object_class: Slot::new(start.to_value()),
        })
        .into_value()
    }

    /// `__class__` and the first argument of the calling function.
    fn from_frame(vm: &Vm) -> Res<(Value, Value)> {
        let Some(f) = vm.frames.current() else {
            return Err(vm.runtime_error("super(): no current frame"));
        };
        let code = f.code();
        if code.argcount == 0 {
            return Err(vm.runtime_error("super(): no arguments"));
        }
        let first = f.reg(0).clone();
        let first = match first {
            Some(v) if code.is_cell(0) => v.downcast_exact::<Cell>().and_then(|c| c.contents.get()),
            other => other,
        };
        let Some(first) = first else {
            return Err(vm.runtime_error("super(): arg[0] deleted"));
        };
        for (i, name) in code.freevars.iter().enumerate() {
            if name.is_text("__class__") {
                let cell = f.reg(code.first_free as usize + i).clone();
                let class = cell.and_then(|v| v.downcast_exact::<Cell>().and_then(|c| c.contents.get()));
                return match class {
                    Some(class) => Ok((class, first)),
                    None => Err(vm.runtime_error("super(): empty __class__ cell")),
                };
            }
        }
        Err(vm.runtime_error("super(): __class__ cell not found"))
    }
}

#[pymethods]
impl Super {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        let empty = Super {
            class: Slot::empty(),
            object: Slot::empty(),
            object_class: Slot::empty(),
        };
        Ok(Py::with_class(cls, empty).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<Super>, args: Args<'_>) -> Res<()> {
        if args.has_keywords() {
            return Err(vm.type_error("super() takes no keyword arguments"));
        }
        let (class, object) = match args.values {
            [] => {
                let (class, object) = Super::from_frame(vm)?;
                (class, Some(object))
            }
            [class] => (class.clone(), None),
            [class, object] => (class.clone(), Some(object.clone()).filter(|o| !o.is_none())),
            more => return Err(vm.type_error(format!("super() expected at most 2 arguments, got {}", more.len()))),
        };
        let Some(cls) = class.downcast::<Type>() else {
            return Err(vm.type_error(format!("super() argument 1 must be a type, not {}", class.ty().name())));
        };
        if let Some(object) = object {
            let start = Super::check(vm, cls, &object)?;
            this.object.set(object);
            this.object_class.set(start.into_value());
        }
        this.class.set(class);
        Ok(())
    }

    #[slot]
    fn __getattribute__(vm: &Vm, this: &Py<Super>, name: &Py<Str>) -> Res<Value> {
        if let (Some(class), Some(object), Some(start)) = (this.class.get(), this.object.get(), this.object_class.get())
            && !name.is_text("__class__")
            && let Some(start) = start.downcast::<Type>()
            && let Some(mro) = start.mro.get()
        {
            let mut after = false;
            for item in mro.as_slice() {
                if after
                    && let Some(t) = item.downcast::<Type>()
                    && let Some(found) = t.dict().get_str(name)
                {
                    return match found.ty().slots().descr_get {
                        Some(get) => {
                            let receiver = if object.is(start.as_value()) {
                                None
                            } else {
                                Some(&object)
                            };
                            get(vm, &found, receiver, Some(start.as_value()))
                        }
                        None => Ok(found),
                    };
                }
                after |= item.is(&class);
            }
        }
        generic_getattr(vm, this.as_value(), name)
    }

    #[slot]
    fn __get__(vm: &Vm, this: &Py<Super>, obj: Option<&Value>, _owner: Option<&Value>) -> Res<Value> {
        let (Some(obj), None, Some(class)) = (obj, this.object.get(), this.class.get()) else {
            return Ok(this.to_value());
        };
        match class.downcast::<Type>() {
            Some(cls) if this.class().is(<Super as crate::object::Native>::ty()) => Super::new_checked(vm, cls, obj),
            _ => vm.call(this.class().as_value(), &[class.clone(), obj.clone()]),
        }
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Super>) -> String {
        let name = |s: &Slot| s.get().and_then(|v| v.downcast::<Type>().map(|t| t.name()));
        let class = name(&this.class).unwrap_or_else(|| "NULL".into());
        match name(&this.object_class) {
            Some(object) => format!("<super: <class '{class}'>, <{object} object>>"),
            None => format!("<super: <class '{class}'>, NULL>"),
        }
    }

    /// the class invoking super()
    #[getter(member)]
    fn __thisclass__(_: &Vm, this: &Py<Super>) -> Option<Value> {
        this.class.get()
    }

    /// the instance invoking super(); may be None
    #[getter(member)]
    fn __self__(_: &Vm, this: &Py<Super>) -> Option<Value> {
        this.object.get()
    }

    /// the type of the instance invoking super(); may be None
    #[getter(member)]
    fn __self_class__(_: &Vm, this: &Py<Super>) -> Option<Value> {
        this.object_class.get()
    }
}
