//! `OrderedDict`.
//!
//! Invariant: the order is that of the dict itself, which moves keys to its ends; so there is no second list that could disagree with
//! it, whatever threads or `dict`'s own methods do. Its views and iterators are in `ordered_dict_views.rs`.

use lisle_runtime::intern;
use lisle_runtime::native::{Args, CmpOp, Py, Res, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::object::Native;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::tuple::Tuple;

use super::ordered_dict_views::{Kind, OdictItems, OdictIter, OdictKeys, OdictValues};

/// A dict that can move its keys to either end.
#[pyclass(
    name = "OrderedDict",
    late_end,
    module = "collections",
    base = Dict,
    basetype,
    dict,
    weakref,
    unhashable,
    doc = "Dictionary that remembers insertion order"
)]
pub struct OrderedDict {
    dict: Dict,
}

impl OrderedDict {
    pub fn empty_of(cls: &Py<Type>) -> Py<OrderedDict> {
        Py::with_class(
            cls,
            OrderedDict {
                dict: Dict::empty_payload(),
            },
        )
    }

    fn is_exact(this: &Py<OrderedDict>) -> bool {
        this.class().is(OrderedDict::ty())
    }

    /// Whether items are set as `dict` sets them.
    fn sets_as_dict(this: &Value) -> bool {
        let setitem = |ty: &Py<Type>| ty.slots().setitem.map(|f| f as usize);
        setitem(this.ty()) == setitem(Dict::ty())
    }

    /// The keys in order are the same. Both dicts are equal.
    fn same_order(vm: &Vm, a: &Py<Dict>, b: &Py<Dict>) -> Res<bool> {
        let changes = || (a.first_entry(false).0, b.first_entry(false).0);
        let start = changes();
        let (mine, theirs) = (a.snapshot_keys(), b.snapshot_keys());
        for (mine, theirs) in mine.iter().zip(&theirs) {
            let same = vm.eq(mine, theirs)?;
            if changes() != start {
                return Err(vm.runtime_error("OrderedDict mutated during iteration"));
            }
            if !same {
                return Ok(false);
            }
        }
        Ok(mine.len() == theirs.len())
    }
}

/// The two items of a pair.
fn pair_of(vm: &Vm, pair: &Value) -> Res<(Value, Value)> {
    if let Some(tuple) = pair.downcast_exact::<Tuple>()
        && let [key, value] = tuple.as_slice()
    {
        return Ok((key.clone(), value.clone()));
    }
    let iterator = vm.iter(pair)?;
    let Some(key) = vm.next(&iterator)? else {
        return Err(vm.value_error("need more than 0 values to unpack"));
    };
    let Some(value) = vm.next(&iterator)? else {
        return Err(vm.value_error("need more than 1 value to unpack"));
    };
    if vm.next(&iterator)?.is_some() {
        return Err(vm.value_error("too many values to unpack (expected 2)"));
    }
    Ok((key, value))
}

fn add_pairs(vm: &Vm, this: &Value, pairs: &Value) -> Res<()> {
    vm.for_each(pairs, |pair| {
        let (key, value) = pair_of(vm, &pair)?;
        vm.setitem(this, &key, &value)
    })
}

/// As `MutableMapping.update` with one mapping or iterable of pairs.
fn update_from(vm: &Vm, this: &Value, source: &Value) -> Res<()> {
    if let Some(source) = source.downcast_exact::<Dict>() {
        if OrderedDict::sets_as_dict(this)
            && let Some(this) = this.downcast::<Dict>()
        {
            return this.update_dict(vm, source);
        }
        for (key, value) in source.snapshot() {
            vm.setitem(this, &key, &value)?;
        }
        return Ok(());
    }
    if let Some(keys) = vm.getattr_opt(source, intern!("keys"))? {
        let keys = vm.call(&keys, &[])?;
        return vm.for_each(&keys, |key| {
            let value = vm.getitem(source, &key)?;
            vm.setitem(this, &key, &value)
        });
    }
    if let Some(items) = vm.getattr_opt(source, intern!("items"))? {
        return add_pairs(vm, this, &vm.call(&items, &[])?);
    }
    add_pairs(vm, this, source)
}

fn update_with(vm: &Vm, this: &Value, args: Args<'_>) -> Res<()> {
    match args.positional() {
        [] => {}
        [source] => update_from(vm, this, source)?,
        many => {
            return Err(vm.type_error(format!(
                "update() takes at most 1 positional argument ({} given)",
                many.len()
            )));
        }
    }
    for (key, value) in args.keywords() {
        vm.setitem(this, key.as_value(), value)?;
    }
    Ok(())
}

#[pymethods]
impl OrderedDict {
    #[slot]
    fn __new__(_vm: &Vm, cls: &Py<Type>, _args: Args<'_>) -> Res<Value> {
        Ok(OrderedDict::empty_of(cls).into_value())
    }

    #[slot]
    fn __init__(vm: &Vm, this: &Py<OrderedDict>, args: Args<'_>) -> Res<()> {
        let given = args.positional().len();
        if given > 1 {
            return Err(vm.type_error(format!("expected at most 1 arguments, got {given}")));
        }
        update_with(vm, this.as_value(), args)
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<OrderedDict>) -> Res<String> {
        let name = this.class().short_name();
        if this.as_base().is_empty() {
            return Ok(format!("{name}()"));
        }
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Ok("...".to_owned());
        };
        let plain = vm.call(Dict::ty().as_value(), &[this.to_value()])?;
        Ok(format!("{name}({})", vm.repr(&plain)?.to_string_lossy()))
    }

    #[slot]
    fn __iter__(_vm: &Vm, this: &Py<OrderedDict>) -> Res<Value> {
        Ok(OdictIter::over(this.as_base(), Kind::Keys, false).into_value())
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<OrderedDict>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(theirs) = other.downcast::<Dict>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if op != CmpOp::Eq && op != CmpOp::Ne {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let mine = this.as_base();
        let mut same = mine.equals(vm, theirs)?;
        if same && other.downcast::<OrderedDict>().is_some() {
            same = OrderedDict::same_order(vm, mine, theirs)?;
        }
        Ok(Value::from_bool(same == (op == CmpOp::Eq)))
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        let (class, other) = match (a.downcast::<OrderedDict>(), b.downcast::<OrderedDict>()) {
            (Some(this), _) => (this.class(), b),
            (None, Some(this)) => (this.class(), a),
            (None, None) => return Ok(Value::NOT_IMPLEMENTED),
        };
        if other.downcast::<Dict>().is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let merged = vm.call(class.as_value(), std::slice::from_ref(a))?;
        update_from(vm, &merged, b)?;
        Ok(merged)
    }

    #[slot]
    fn __ior__(vm: &Vm, this: &Py<OrderedDict>, other: &Value) -> Res<Value> {
        update_from(vm, this.as_value(), other)?;
        Ok(this.to_value())
    }

    /// Create a new ordered dictionary with keys from iterable and values set to value.
    #[classmethod(sig = "($type, /, iterable, value=None)")]
    fn fromkeys(vm: &Vm, cls: &Py<Type>, iterable: &Value, value: &Value) -> Res<Value> {
        let made = vm.call(cls.as_value(), &[])?;
        vm.for_each(iterable, |key| vm.setitem(&made, &key, value))?;
        Ok(made)
    }

    /// Insert key with a value of default if key is not in the dictionary.
    ///
    /// Return the value for key if key is in the dictionary, else default.
    #[pymethod(sig = "($self, /, key, default=None)")]
    fn setdefault(vm: &Vm, this: &Py<OrderedDict>, key: &Value, default: &Value) -> Res<Value> {
        if OrderedDict::is_exact(this) {
            return this.as_base().set_default(vm, key, default);
        }
        if vm.contains(this.as_value(), key)? {
            return vm.getitem(this.as_value(), key);
        }
        vm.setitem(this.as_value(), key, default)?;
        Ok(default.clone())
    }

    /// od.pop(key[,default]) -> v, remove specified key and return the corresponding value.
    ///
    /// If the key is not found, return the default if given; otherwise,
    /// raise a KeyError.
    #[pymethod(sig = "($self, /, key, default=<unrepresentable>)")]
    fn pop(vm: &Vm, this: &Py<OrderedDict>, key: &Value, default: Option<&Value>) -> Res<Value> {
        if let Some(value) = this.as_base().remove(vm, key)? {
            return Ok(value);
        }
        if let Some(default) = default {
            return Ok(default.clone());
        }
        Err(vm.key_error(key.clone()))
    }

    /// Remove and return a (key, value) pair from the dictionary.
    ///
    /// Pairs are returned in LIFO order if last is true or FIFO order if false.
    #[pymethod(sig = "($self, /, last=True)")]
    fn popitem(vm: &Vm, this: &Py<OrderedDict>, last: Option<bool>) -> Res<Value> {
        let dict = this.as_base();
        let popped = if last.unwrap_or(true) {
            dict.pop_last()
        } else {
            dict.pop_first()
        };
        match popped {
            Some((key, value)) => Ok(Tuple::pair(key, value).into_value()),
            None => Err(vm.key_error(Value::from("dictionary is empty"))),
        }
    }

    /// Move an existing element to the end (or beginning if last is false).
    ///
    /// Raise KeyError if the element does not exist.
    #[pymethod(sig = "($self, /, key, last=True)")]
    fn move_to_end(vm: &Vm, this: &Py<OrderedDict>, key: &Value, last: Option<bool>) -> Res<()> {
        if this.as_base().move_to_end(vm, key, last.unwrap_or(true))? {
            Ok(())
        } else {
            Err(vm.key_error(key.clone()))
        }
    }

    /// od.keys() -> a set-like object providing a view on od's keys
    #[pymethod(sig = "($self, /)")]
    fn keys(_vm: &Vm, this: &Py<OrderedDict>) -> Value {
        OdictKeys::of(this.as_base())
    }

    /// od.values() -> an object providing a view on od's values
    #[pymethod(sig = "($self, /)")]
    fn values(_vm: &Vm, this: &Py<OrderedDict>) -> Value {
        OdictValues::of(this.as_base())
    }

    /// od.items() -> a set-like object providing a view on od's items
    #[pymethod(sig = "($self, /)")]
    fn items(_vm: &Vm, this: &Py<OrderedDict>) -> Value {
        OdictItems::of(this.as_base())
    }

    /// od.update([E, ]**F) -> None.  Update od from dict/iterable E and F.
    #[pymethod]
    fn update(vm: &Vm, this: &Py<OrderedDict>, args: Args<'_>) -> Res<()> {
        update_with(vm, this.as_value(), args)
    }

    /// od.copy() -> a shallow copy of od
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<OrderedDict>) -> Res<Value> {
        let dict = this.as_base();
        if OrderedDict::is_exact(this) {
            let copy = OrderedDict::empty_of(this.class());
            copy.as_base().update_dict(vm, dict)?;
            return Ok(copy.into_value());
        }
        let copy = vm.call(this.class().as_value(), &[])?;
        for key in dict.snapshot_keys() {
            let value = vm.getitem(this.as_value(), &key)?;
            vm.setitem(&copy, &key, &value)?;
        }
        Ok(copy)
    }

    /// od.__reversed__() <==> reversed(od)
    #[pymethod(sig = "($self, /)")]
    fn __reversed__(_vm: &Vm, this: &Py<OrderedDict>) -> Value {
        OdictIter::over(this.as_base(), Kind::Keys, true).into_value()
    }

    /// Return state information for pickling
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<OrderedDict>) -> Res<Value> {
        let state = vm.call_method(this.as_value(), intern!("__getstate__"), &[])?;
        let items = vm.call_method(this.as_value(), intern!("items"), &[])?;
        let items = vm.iter(&items)?;
        let (class, args) = (this.class().to_value(), Tuple::empty().into_value());
        Ok(Tuple::from_array([class, args, state, Value::NONE, items]).into_value())
    }

    /// Return the size of the dict in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_vm: &Vm, this: &Py<OrderedDict>) -> usize {
        // The place of the instance's attributes comes to the payload.
        this.class().fixed_size() + size_of::<[usize; 2]>() + this.as_base().table_size()
    }
}
