//! The methods of `dict`.
//!
//! Invariant: what a method does to one dict happens under one lock; what needs Python code works on copies.

use super::common::{class_getitem, finish_text};
use super::dict::Dict;
use super::dict_views::{DictItems, DictKeyIter, DictKeys, DictReverseKeyIter, DictValues};
use super::list::List;
use super::tuple::Tuple;
use crate::native::{Args, CmpOp, pymethods};
use crate::object::{Native, Obj, Py, Type, Value};
use crate::text::StrBuilder;
use crate::vm::{Res, Vm};

#[pymethods]
impl Dict {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(Py::<Dict>::empty_of(cls).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<Dict>, args: Args<'_>) -> Res<()> {
        this.update_from_args(vm, "dict", args)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<Dict>) -> Res<Value> {
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Ok(Value::from("{...}"));
        };
        let mut text = StrBuilder::new();
        text.push_str("{");
        for (at, (_, key, value)) in this.try_hashed(vm)?.into_iter().enumerate() {
            if at != 0 {
                text.push_str(", ");
            }
            text.push_view(vm.repr(&key)?.view());
            text.push_str(": ");
            text.push_view(vm.repr(&value)?.view());
        }
        text.push_str("}");
        finish_text(vm, text)
    }

    #[slot]
    fn __len__(_vm: &Vm, this: &Py<Dict>) -> Res<usize> {
        Ok(this.len())
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<Dict>, key: &Value) -> Res<Value> {
        match Py::<Dict>::get(this, vm, key)? {
            Some(value) => Ok(value),
            None => this.missing(vm, key),
        }
    }

    #[slot]
    fn __setitem__(vm: &Vm, this: &Py<Dict>, key: &Value, value: Option<&Value>) -> Res<()> {
        match value {
            Some(value) => this.set(vm, key, value.clone()),
            None => match this.remove(vm, key)? {
                Some(_) => Ok(()),
                None => Err(vm.key_error(key.clone())),
            },
        }
    }

    #[slot]
    fn __contains__(vm: &Vm, this: &Py<Dict>, key: &Value) -> Res<bool> {
        this.contains(vm, key)
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<Dict>) -> Res<Value> {
        Ok(DictKeyIter::over(this).into_value())
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<Dict>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast::<Dict>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        match op {
            CmpOp::Eq => Ok(Value::from_bool(this.equals(vm, other)?)),
            CmpOp::Ne => Ok(Value::from_bool(!this.equals(vm, other)?)),
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let (Some(a), Some(b)) = (a.downcast::<Dict>(), b.downcast::<Dict>()) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let merged = Py::<Dict>::copy(a, vm)?;
        merged.update_from(vm, b.as_value())?;
        Ok(merged.into_value())
    }

    #[slot]
    fn __ior__(vm: &Vm, this: &Py<Dict>, other: &Value) -> Res<Value> {
        this.update_from(vm, other)?;
        Ok(this.to_value())
    }

    /// Return a reverse iterator over the dict keys.
    #[pymethod(sig = "($self, /)")]
    fn __reversed__(_vm: &Vm, this: &Py<Dict>) -> Res<Value> {
        Ok(DictReverseKeyIter::over(this).into_value())
    }

    /// Return the size of the dict in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_vm: &Vm, this: &Py<Dict>) -> Res<usize> {
        Ok(size_of::<Obj<Dict>>() + this.table_size())
    }

    /// See PEP 585
    #[classmethod(sig = "($type, object, /)")]
    fn __class_getitem__(vm: &Vm, cls: &Py<Type>, object: &Value) -> Res<Value> {
        class_getitem(vm, cls, object)
    }

    /// Create a new dictionary with keys from iterable and values set to value.
    #[classmethod(sig = "($type, iterable, value=None, /)")]
    fn fromkeys(vm: &Vm, cls: &Py<Type>, iterable: &Value, value: &Value) -> Res<Value> {
        let made = vm.call(cls.as_value(), &[])?;
        if let Some(dict) = made.downcast_exact::<Dict>() {
            // Keys that were hashed before are not hashed again.
            if let Some(set) = crate::types::set::AnySet::of(iterable) {
                for (hash, key) in set.entries(vm)? {
                    dict.set_hashed(vm, &key, hash, value.clone())?;
                }
                return Ok(made);
            }
            if let Some(keys) = iterable.downcast_exact::<Dict>() {
                for (hash, key, _) in keys.try_hashed(vm)? {
                    dict.set_hashed(vm, &key, hash, value.clone())?;
                }
                return Ok(made);
            }
            vm.for_each(iterable, |key| dict.set(vm, &key, value.clone()))?;
        } else {
            vm.for_each(iterable, |key| vm.setitem(&made, &key, value))?;
        }
        Ok(made)
    }

    /// Return the value for key if key is in the dictionary, else default.
    #[pymethod(sig = "($self, key, default=None, /)", known = Get)]
    fn get(vm: &Vm, this: &Py<Dict>, key: &Value, default: &Value) -> Res<Value> {
        Ok(Py::<Dict>::get(this, vm, key)?.unwrap_or_else(|| default.clone()))
    }

    /// Insert key with a value of default if key is not in the dictionary.
    ///
    /// Return the value for key if key is in the dictionary, else default.
    #[pymethod(sig = "($self, key, default=None, /)")]
    fn setdefault(vm: &Vm, this: &Py<Dict>, key: &Value, default: &Value) -> Res<Value> {
        this.set_default(vm, key, default)
    }

    /// D.pop(k[,d]) -> v, remove specified key and return the corresponding value.
    ///
    /// If the key is not found, return the default if given; otherwise,
    /// raise a KeyError.
    #[pymethod(sig = "($self, key, default=<unrepresentable>, /)")]
    fn pop(vm: &Vm, this: &Py<Dict>, key: &Value, default: Option<&Value>) -> Res<Value> {
        match (this.remove(vm, key)?, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err(vm.key_error(key.clone())),
        }
    }

    /// Remove and return a (key, value) pair as a 2-tuple.
    ///
    /// Pairs are returned in LIFO (last-in, first-out) order.
    /// Raises KeyError if the dict is empty.
    #[pymethod(sig = "($self, /)")]
    fn popitem(vm: &Vm, this: &Py<Dict>) -> Res<Value> {
        match this.pop_last() {
            Some((key, value)) => Ok(Tuple::pair(key, value).into_value()),
            None => Err(vm.key_error(Value::from("popitem(): dictionary is empty"))),
        }
    }

    /// Return a set-like object providing a view on the dict's keys.
    #[pymethod(sig = "($self, /)")]
    fn keys(_vm: &Vm, this: &Py<Dict>) -> Res<Value> {
        Ok(DictKeys::of(this).into_value())
    }

    /// Return a set-like object providing a view on the dict's items.
    #[pymethod(sig = "($self, /)")]
    fn items(_vm: &Vm, this: &Py<Dict>) -> Res<Value> {
        Ok(DictItems::of(this).into_value())
    }

    /// Return an object providing a view on the dict's values.
    #[pymethod(sig = "($self, /)")]
    fn values(_vm: &Vm, this: &Py<Dict>) -> Res<Value> {
        Ok(DictValues::of(this).into_value())
    }

    /// D.update([E, ]**F) -> None.  Update D from mapping/iterable E and F.
    /// If E is present and has a .keys() method, then does:  for k in E.keys(): D[k] = E[k]
    /// If E is present and lacks a .keys() method, then does:  for k, v in E: D[k] = v
    /// In either case, this is followed by: for k in F:  D[k] = F[k]
    #[pymethod]
    fn update(vm: &Vm, this: &Py<Dict>, args: Args<'_>) -> Res<()> {
        this.update_from_args(vm, "update", args)
    }

    /// Remove all items from the dict.
    #[pymethod(sig = "($self, /)")]
    fn clear(_vm: &Vm, this: &Py<Dict>) -> Res<()> {
        this.clear_all();
        Ok(())
    }

    /// Return a shallow copy of the dict.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<Dict>) -> Res<Value> {
        Ok(Py::<Dict>::copy(this, vm)?.into_value())
    }
}

impl Py<Dict> {
    /// What `self[key]` is for a key that is not there.
    #[cold]
    #[inline(never)]
    pub fn missing(&self, vm: &Vm, key: &Value) -> Res<Value> {
        if !self.is_exact()
            && let Some(value) = vm.call_special_opt(self.as_value(), crate::intern!("__missing__"), &[key])?
        {
            return Ok(value);
        }
        Err(vm.key_error(key.clone()))
    }

    /// `dict(...)` and `update(...)`
    pub fn update_from_args(&self, vm: &Vm, name: &str, args: Args<'_>) -> Res<()> {
        if let [source] = args.check_positional(vm, name, 0, 1)? {
            self.update_from(vm, source)?;
        }
        for (key, value) in args.keywords() {
            self.set_str(key, value.clone());
        }
        Ok(())
    }

    /// Updates from a mapping (something with `keys`) or from pairs.
    pub fn update_from(&self, vm: &Vm, source: &Value) -> Res<()> {
        if let Some(dict) = source.downcast_exact::<Dict>() {
            return self.update_dict(vm, dict);
        }
        let Some(keys) = vm.getattr_opt(source, crate::intern!("keys"))? else {
            return self.update_pairs(vm, source);
        };
        self.merge(vm, source, &keys)
    }

    fn merge(&self, vm: &Vm, source: &Value, keys: &Value) -> Res<()> {
        // A subclass that iterates as dict does is read directly.
        if let Some(dict) = source.downcast::<Dict>()
            && dict.class().slots().iter.map(|f| f as usize) == <Dict as Native>::ty().slots().iter.map(|f| f as usize)
        {
            return self.update_dict(vm, dict);
        }
        let keys = vm.call(keys, &[])?;
        vm.for_each(&keys, |key| {
            let value = vm.getitem(source, &key)?;
            self.set(vm, &key, value)
        })
    }

    fn update_pairs(&self, vm: &Vm, pairs: &Value) -> Res<()> {
        let mut at = 0usize;
        vm.for_each(pairs, |pair| {
            let (key, value) = split_pair(vm, &pair, at)?;
            at += 1;
            self.set(vm, &key, value)
        })
    }
}

/// Element number `at` of the pairs a dict is updated from.
fn split_pair(vm: &Vm, pair: &Value, at: usize) -> Res<(Value, Value)> {
    let len = if let Some(tuple) = pair.downcast_exact::<Tuple>() {
        if let [key, value] = tuple.as_slice() {
            return Ok((key.clone(), value.clone()));
        }
        tuple.len()
    } else {
        let items = match pair.downcast_exact::<List>() {
            Some(list) => list.snapshot(),
            None => match vm.iter(pair).and_then(|it| vm.collect(&it)) {
                Ok(items) => items,
                Err(exc) => return Err(not_a_pair(vm, exc, pair, at)),
            },
        };
        match <[Value; 2]>::try_from(items) {
            Ok([key, value]) => return Ok((key, value)),
            Err(items) => items.len(),
        }
    };
    let message = format!("dictionary update sequence element #{at} has length {len}; 2 is required");
    Err(vm.value_error(message))
}

/// The error for an element that is no sequence; a note says which one it was.
#[cold]
fn not_a_pair(vm: &Vm, exc: crate::vm::Exc, pair: &Value, at: usize) -> crate::vm::Exc {
    if !exc.is_instance(crate::types::exceptions::TYPE_ERROR.get()) {
        return exc;
    }
    let exc = if vm.iter(pair).is_err() {
        vm.type_error("object is not iterable")
    } else {
        exc
    };
    let note = Value::from(format!("Cannot convert dictionary update sequence element #{at} to a sequence").as_str());
    match vm.call_method(exc.as_value(), crate::intern!("add_note"), &[note]) {
        Ok(_) => exc,
        Err(other) => other,
    }
}
