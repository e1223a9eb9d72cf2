//! `itemgetter`, `attrgetter` and `methodcaller`.
//!
//! Invariant: none of them changes after it was made; names are interned, as attribute lookups want them.

use lisle_runtime::intern;
use lisle_runtime::native::{Args, Py, Res, Type, Value, Vm, pyclass, pymethods};
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::object::qualified_name;
use lisle_runtime::types::str::Str;
use lisle_runtime::types::tuple::Tuple;

/// `module.name(items)`
fn repr_call(vm: &Vm, this: &Value, items: &[Value]) -> Res<String> {
    let mut parts = Vec::with_capacity(items.len());
    for item in items {
        parts.push(vm.repr(item)?.to_string_lossy());
    }
    Ok(format!("{}({})", qualified_name(this.ty()), parts.join(", ")))
}

fn at_least_one<'a>(vm: &Vm, name: &str, args: Args<'a>) -> Res<&'a [Value]> {
    let max = args.values.len().max(1);
    args.check_positional(vm, name, 1, max)
}

/// Fetches items.
#[pyclass(
    name = "itemgetter",
    late_end,
    module = "operator",
    doc = "Return a callable object that fetches the given item(s) from its operand.\n\nAfter f = itemgetter(2), the call f(r) returns r[2].\nAfter g = itemgetter(2, 5, 3), the call g(r) returns (r[2], r[5], r[3])"
)]
pub struct ItemGetter {
    items: Py<Tuple>,
    /// The only item, where it is a number that counts from the start.
    index: Option<usize>,
}

#[pymethods]
impl ItemGetter {
    #[slot(sig = "(item, /, *items)", raw)]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if args.has_keywords() {
            return Err(vm.type_error("itemgetter() takes no keyword arguments"));
        }
        let items = at_least_one(vm, "itemgetter", args)?;
        let index = match items {
            [only] => only.as_small_int().and_then(|index| usize::try_from(index).ok()),
            _ => None,
        };
        let items = Tuple::from_slice_clone(items);
        Ok(Py::with_class(cls, ItemGetter { items, index }).into_value())
    }

    #[slot(sig = "(obj, /)")]
    fn __call__(vm: &Vm, this: &Py<ItemGetter>, obj: &Value) -> Res<Value> {
        if let Some(index) = this.index
            && let Some(tuple) = obj.downcast_exact::<Tuple>()
            && let Some(item) = tuple.get(index)
        {
            return Ok(item.clone());
        }
        if let [only] = this.items.as_slice() {
            return vm.getitem(obj, only);
        }
        let items = this.items.iter().map(|item| vm.getitem(obj, item));
        Ok(Tuple::new(items.collect::<Res<Vec<Value>>>()?).into_value())
    }

    #[getter]
    fn __text_signature__(_vm: &Vm, _this: &Py<ItemGetter>) -> &'static str {
        "(obj, /)"
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<ItemGetter>) -> Res<String> {
        match vm.repr_enter(this.as_value()) {
            Some(_guard) => repr_call(vm, this.as_value(), &this.items),
            None => Ok(format!("{}(...)", qualified_name(this.class()))),
        }
    }

    /// Return state information for pickling
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, this: &Py<ItemGetter>) -> Value {
        Tuple::pair(this.class().to_value(), this.items.to_value()).into_value()
    }
}

/// Fetches attributes, also of attributes.
#[pyclass(
    name = "attrgetter",
    late_end,
    module = "operator",
    doc = "Return a callable object that fetches the given attribute(s) from its operand.\n\nAfter f = attrgetter('name'), the call f(r) returns r.name.\nAfter g = attrgetter('name', 'date'), the call g(r) returns (r.name, r.date).\nAfter h = attrgetter('name.first', 'name.last'), the call h(r) returns\n(r.name.first, r.name.last)."
)]
pub struct AttrGetter {
    names: Py<Tuple>,
    /// The names split at their dots.
    paths: Vec<Vec<Py<Str>>>,
}

fn follow(vm: &Vm, obj: &Value, path: &[Py<Str>]) -> Res<Value> {
    let mut found = obj.clone();
    for name in path {
        found = vm.getattr(&found, name)?;
    }
    Ok(found)
}

#[pymethods]
impl AttrGetter {
    #[slot(sig = "(attr, /, *attrs)", raw)]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if args.has_keywords() {
            return Err(vm.type_error("attrgetter() takes no keyword arguments"));
        }
        let names = at_least_one(vm, "attrgetter", args)?;
        let mut paths = Vec::with_capacity(names.len());
        for name in names {
            let Some(name) = name.downcast::<Str>() else {
                return Err(vm.type_error("attribute name must be a string"));
            };
            let path = if name.view().chars().any(|c| c == u32::from('.')) {
                let parts = vm.call_method(name.as_value(), intern!("split"), &[Value::from(".")])?;
                let parts = vm.collect(&parts)?;
                parts
                    .into_iter()
                    .filter_map(|part| part.try_into_py::<Str>().ok())
                    .map(Py::<Str>::intern_new)
                    .collect()
            } else {
                vec![name.clone().intern_new()]
            };
            paths.push(path);
        }
        let names = Tuple::from_slice_clone(names);
        Ok(Py::with_class(cls, AttrGetter { names, paths }).into_value())
    }

    #[slot(sig = "(obj, /)")]
    fn __call__(vm: &Vm, this: &Py<AttrGetter>, obj: &Value) -> Res<Value> {
        if let [only] = &this.paths[..] {
            return follow(vm, obj, only);
        }
        let found = this.paths.iter().map(|path| follow(vm, obj, path));
        Ok(Tuple::new(found.collect::<Res<Vec<Value>>>()?).into_value())
    }

    #[getter]
    fn __text_signature__(_vm: &Vm, _this: &Py<AttrGetter>) -> &'static str {
        "(obj, /)"
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<AttrGetter>) -> Res<String> {
        match vm.repr_enter(this.as_value()) {
            Some(_guard) => repr_call(vm, this.as_value(), &this.names),
            None => Ok(format!("{}(...)", qualified_name(this.class()))),
        }
    }

    /// Return state information for pickling
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(_vm: &Vm, this: &Py<AttrGetter>) -> Value {
        Tuple::pair(this.class().to_value(), this.names.to_value()).into_value()
    }
}

/// Calls a method.
#[pyclass(
    name = "methodcaller",
    late_end,
    module = "operator",
    doc = "Return a callable object that calls the given method on its operand.\n\nAfter f = methodcaller('name'), the call f(r) returns r.name().\nAfter g = methodcaller('name', 'date', foo=1), the call g(r) returns\nr.name('date', foo=1)."
)]
pub struct MethodCaller {
    name: Py<Str>,
    /// Positional arguments, then the values of keywords.
    values: Py<Tuple>,
    kwnames: Option<Py<Tuple>>,
}

impl MethodCaller {
    fn args(&self) -> Args<'_> {
        Args {
            values: &self.values,
            kwnames: self.kwnames.as_ref(),
        }
    }
}

#[pymethods]
impl MethodCaller {
    #[slot(sig = "(name, /, *args, **kwargs)", raw)]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let Some((name, args)) = args.split_receiver() else {
            return Err(vm.type_error("methodcaller needs at least one argument, the method name"));
        };
        let Some(name) = name.downcast::<Str>() else {
            return Err(vm.type_error("method name must be a string"));
        };
        let caller = MethodCaller {
            name: name.clone().intern_new(),
            values: Tuple::from_slice_clone(args.values),
            kwnames: args.kwnames.cloned(),
        };
        Ok(Py::with_class(cls, caller).into_value())
    }

    #[slot(sig = "(obj, /)")]
    fn __call__(vm: &Vm, this: &Py<MethodCaller>, obj: &Value) -> Res<Value> {
        if this.kwnames.is_none() {
            return vm.call_method(obj, &this.name, &this.values);
        }
        let method = vm.getattr(obj, &this.name)?;
        vm.call_args(&method, this.args())
    }

    #[getter]
    fn __text_signature__(_vm: &Vm, _this: &Py<MethodCaller>) -> &'static str {
        "(obj, /)"
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<MethodCaller>) -> Res<String> {
        let Some(_guard) = vm.repr_enter(this.as_value()) else {
            return Ok(format!("{}(...)", qualified_name(this.class())));
        };
        let mut parts = vec![vm.repr(this.name.as_value())?.to_string_lossy()];
        for value in this.args().positional() {
            parts.push(vm.repr(value)?.to_string_lossy());
        }
        for (name, value) in this.args().keywords() {
            let value = vm.repr(value)?.to_string_lossy();
            parts.push(format!("{}={value}", name.to_string_lossy()));
        }
        Ok(format!("{}({})", qualified_name(this.class()), parts.join(", ")))
    }

    /// Return state information for pickling
    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<MethodCaller>) -> Res<Value> {
        let (class, args) = (this.class().to_value(), this.args());
        if !args.has_keywords() {
            let all = std::iter::once(this.name.to_value()).chain(args.values.iter().cloned());
            return Ok(Tuple::pair(class, Tuple::new(all.collect()).into_value()).into_value());
        }
        let partial = vm.getattr(&vm.import_module("functools")?, intern!("partial"))?;
        let keywords = Dict::new_empty();
        for (name, value) in args.keywords() {
            keywords.set_str(name, value.clone());
        }
        let constructor = vm.call_with_dict(&partial, &[class, this.name.to_value()], &keywords)?;
        let args = Tuple::from_slice_clone(args.positional());
        Ok(Tuple::pair(constructor, args.into_value()).into_value())
    }
}
