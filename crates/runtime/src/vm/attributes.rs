//! Attribute access: the generic algorithm of `object.__getattribute__` and `object.__setattr__`.

use crate::object::attrs::{Attrs, Found};
use crate::object::{Native, Py, Type, TypeFlags, Value};
use crate::types::dict::Dict;
use crate::types::object::Object;
use crate::types::str::Str;
use crate::vm::{Res, Vm};

/// `object.__getattribute__(this, name)`.
pub fn generic_getattr(vm: &Vm, this: &Value, name: &Py<Str>) -> Res<Value> {
    match generic_getattr_opt(vm, this, name)? {
        Some(value) => Ok(value),
        None => Err(vm.attribute_error_for(this, name)),
    }
}

/// As [`generic_getattr`], with `None` where there is no such attribute.
pub fn generic_getattr_opt(vm: &Vm, this: &Value, name: &Py<Str>) -> Res<Option<Value>> {
    let ty = this.ty();
    let descriptor = ty.lookup(vm, name);
    if let Some(descriptor) = &descriptor {
        let slots = descriptor.ty().slots();
        if let (Some(get), Some(_)) = (slots.descr_get, slots.descr_set) {
            let owner = ty.clone();
            return get(vm, descriptor, Some(this), Some(owner.as_value())).map(Some);
        }
    }
    if let Some(value) = instance_attr(vm, this, name)? {
        return Ok(Some(value));
    }
    match descriptor {
        None => Ok(None),
        Some(descriptor) => match descriptor.ty().slots().descr_get {
            Some(get) => {
                let owner = this.ty().clone();
                get(vm, &descriptor, Some(this), Some(owner.as_value())).map(Some)
            }
            None => Ok(Some(descriptor)),
        },
    }
}

/// An attribute in the instance itself.
pub fn instance_attr(vm: &Vm, this: &Value, name: &Py<Str>) -> Res<Option<Value>> {
    let Some(attrs) = Attrs::of(this) else { return Ok(None) };
    // Shapes know interned names alone: a name that was never interned is in no shape.
    let found = match name.is_interned() {
        true => attrs.get(name),
        false => match name.find_interned() {
            Some(interned) => attrs.get(&interned),
            None => attrs.dict().map_or(Found::Missing, Found::Dict),
        },
    };
    Ok(match found {
        Found::Value(value) => Some(value),
        Found::Missing => None,
        Found::Dict(dict) => dict.get_name(vm, name)?,
    })
}

/// `object.__setattr__` and `__delattr__`.
pub fn generic_setattr(vm: &Vm, this: &Value, name: &Py<Str>, value: Option<&Value>) -> Res<()> {
    let ty = this.ty();
    let descriptor = ty.lookup(vm, name);
    if let Some(descriptor) = &descriptor
        && let Some(set) = descriptor.ty().slots().descr_set
    {
        return set(vm, descriptor, this, value);
    }
    let Some(attrs) = Attrs::of(this) else {
        return Err(no_dict_error(vm, this, name, descriptor.is_some()));
    };
    let interned;
    let name = if name.is_interned() {
        name
    } else {
        interned = name.clone().intern_new();
        &interned
    };
    match value {
        Some(value) => {
            if let Err((value, dict)) = attrs.set(ty, name, value.clone()) {
                drop(dict.replace_str(name, value));
            }
            Ok(())
        }
        None => {
            let removed = match attrs.delete(name) {
                Some(removed) => removed,
                None => attrs.dict().is_some_and(|dict| dict.remove_str(name).is_some()),
            };
            if removed {
                Ok(())
            } else {
                Err(vm.attribute_error_for(this, name))
            }
        }
    }
}

fn no_dict_error(vm: &Vm, this: &Value, name: &Py<Str>, class_attr: bool) -> crate::vm::Exc {
    let ty = this.ty().name();
    let attr = name.to_string_lossy();
    let message = if class_attr {
        format!("'{ty}' object attribute '{attr}' is read-only")
    } else if this.ty().slots().setattro.map(|f| f as usize) == Object::ty().slots().setattro.map(|f| f as usize) {
        format!("'{ty}' object has no attribute '{attr}' and no __dict__ for setting new attributes")
    } else {
        format!("'{ty}' object has no attribute '{attr}'")
    };
    vm.attribute_error_with(message, this, name)
}

/// `type.__getattribute__(cls, name)`.
pub fn type_getattr(vm: &Vm, this: &Value, name: &Py<Str>) -> Res<Value> {
    let Some(cls) = this.downcast::<Type>() else {
        return generic_getattr(vm, this, name);
    };
    match type_getattr_opt(vm, this, cls, name)? {
        Some(value) => Ok(value),
        None => Err(vm.attribute_error_with(
            format!(
                "type object '{}' has no attribute '{}'",
                cls.name(),
                name.to_string_lossy()
            ),
            this,
            name,
        )),
    }
}

/// As [`type_getattr`], with `None` where there is no such attribute.
pub fn type_getattr_opt(vm: &Vm, this: &Value, cls: &Py<Type>, name: &Py<Str>) -> Res<Option<Value>> {
    let meta = this.ty();
    let meta_attr = meta.lookup(vm, name);
    if let Some(descriptor) = &meta_attr {
        let slots = descriptor.ty().slots();
        if let (Some(get), Some(_)) = (slots.descr_get, slots.descr_set) {
            let meta = meta.clone();
            return get(vm, descriptor, Some(this), Some(meta.as_value())).map(Some);
        }
    }
    if let Some(value) = cls.lookup(vm, name) {
        return match value.ty().slots().descr_get {
            Some(get) => get(vm, &value, None, Some(this)).map(Some),
            None => Ok(Some(value)),
        };
    }
    match meta_attr {
        None => Ok(None),
        Some(value) => match value.ty().slots().descr_get {
            Some(get) => {
                let meta = this.ty().clone();
                get(vm, &value, Some(this), Some(meta.as_value())).map(Some)
            }
            None => Ok(Some(value)),
        },
    }
}

/// `type.__setattr__` and `__delattr__`.
pub fn type_setattr(vm: &Vm, this: &Value, name: &Py<Str>, value: Option<&Value>) -> Res<()> {
    let Some(cls) = this.downcast::<Type>() else {
        return generic_setattr(vm, this, name, value);
    };
    if cls.has_flag(TypeFlags::IMMUTABLE) {
        let name = name.to_string_lossy();
        return Err(vm.type_error(format!(
            "cannot set '{name}' attribute of immutable type '{}'",
            cls.name()
        )));
    }
    if let Some(descriptor) = this.ty().lookup(vm, name)
        && let Some(set) = descriptor.ty().slots().descr_set
    {
        return set(vm, &descriptor, this, value);
    }
    let name = &name.clone().intern_new();
    if cls.set_own(vm, name, value.cloned())? {
        return Ok(());
    }
    Err(vm.attribute_error_with(
        format!(
            "type object '{}' has no attribute '{}'",
            cls.name(),
            name.to_string_lossy()
        ),
        this,
        name,
    ))
}

/// `obj.__dict__` of an object with an attribute store.
pub fn instance_dict(this: &Value) -> Option<Py<Dict>> {
    Attrs::of(this).map(|attrs| attrs.materialize())
}

impl Vm {
    /// `getattr(this, name)`.
    #[inline]
    pub fn getattr(&self, this: &Value, name: &Py<Str>) -> Res<Value> {
        self.check_stack()?;
        match this.ty().slots().getattro {
            Some(f) => f(self, this, name),
            None => generic_getattr(self, this, name),
        }
    }

    /// `getattr(this, name)`, with `None` in the place of an AttributeError.
    pub fn getattr_opt(&self, this: &Value, name: &Py<Str>) -> Res<Option<Value>> {
        self.check_stack()?;
        let f = this.ty().slots().getattro.map(|f| f as usize);
        if f.is_none() || f == Object::ty().slots().getattro.map(|f| f as usize) {
            return match generic_getattr_opt(self, this, name) {
                Err(exc) if exc.is_attribute_error() => Ok(None),
                other => other,
            };
        }
        if f == Type::ty().slots().getattro.map(|f| f as usize)
            && let Some(cls) = this.downcast::<Type>()
        {
            return match type_getattr_opt(self, this, cls, name) {
                Err(exc) if exc.is_attribute_error() => Ok(None),
                other => other,
            };
        }
        match self.getattr(this, name) {
            Ok(value) => Ok(Some(value)),
            Err(exc) if exc.is_attribute_error() => Ok(None),
            Err(exc) => Err(exc),
        }
    }

    /// `setattr(this, name, value)`, or `delattr` for `None`.
    pub fn set_or_del_attr(&self, this: &Value, name: &Py<Str>, value: Option<&Value>) -> Res<()> {
        self.check_stack()?;
        match this.ty().slots().setattro {
            Some(f) => f(self, this, name, value),
            None => generic_setattr(self, this, name, value),
        }
    }

    /// `setattr(this, name, value)`.
    pub fn setattr(&self, this: &Value, name: &Py<Str>, value: &Value) -> Res<()> {
        self.set_or_del_attr(this, name, Some(value))
    }

    /// `delattr(this, name)`.
    pub fn delattr(&self, this: &Value, name: &Py<Str>) -> Res<()> {
        self.set_or_del_attr(this, name, None)
    }

    /// The attribute name given to `getattr` and the like.
    pub fn attribute_name<'a>(&self, name: &'a Value) -> Res<&'a Py<Str>> {
        name.downcast::<Str>()
            .ok_or_else(|| self.type_error(format!("attribute name must be string, not '{}'", name.ty().name())))
    }

    /// Whether the value's class is exactly `T`'s.
    pub fn is_exact<T: Native>(&self, value: &Value) -> bool {
        value.downcast_exact::<T>().is_some()
    }
}
