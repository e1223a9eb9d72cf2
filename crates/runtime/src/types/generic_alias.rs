//! `types.GenericAlias` (`list[int]`), and the substitution of type parameters that it shares with unions.
//!
//! Invariant: origin and arguments never change; the parameters are computed from them once. What type variables do when they are
//! substituted is their own business (`__typing_subst__`, `__typing_prepare_subst__`).

use lisle_bytecode::opcode::CmpOp;

use crate::intern;
use crate::native::{Args, pyclass, pymethods};
use crate::object::{Native, Py, PySlot, Slot, Type, Value};
use crate::types::exceptions::text;
use crate::types::list::List;
use crate::types::singletons::NoneType;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// A class with type arguments.
#[pyclass(
    name = "GenericAlias",
    late_end,
    module = "types",
    basetype,
    weakref,
    doc = "Represent a PEP 585 generic type\n\nE.g. for t = list[int], t.__origin__ is list and t.__args__ is (int,)."
)]
pub struct GenericAlias {
    pub origin: Value,
    pub args: Py<Tuple>,
    parameters: PySlot<Tuple>,
    /// `*tuple[int]`
    starred: bool,
}

/// A subscript as a tuple.
fn as_tuple(item: &Value) -> Py<Tuple> {
    match item.downcast::<Tuple>() {
        Some(tuple) => tuple.clone(),
        None => Tuple::new(vec![item.clone()]),
    }
}

impl GenericAlias {
    /// `origin[args]`.
    pub fn new_value(_: &Vm, origin: &Value, args: &Value) -> Value {
        GenericAlias::make(GenericAlias::ty(), origin, as_tuple(args), false).into_value()
    }

    fn make(cls: &Py<Type>, origin: &Value, args: Py<Tuple>, starred: bool) -> Py<GenericAlias> {
        let alias = GenericAlias {
            origin: origin.clone(),
            args,
            parameters: PySlot::empty(),
            starred,
        };
        Py::with_class(cls, alias)
    }

    fn parameters(&self, vm: &Vm) -> Res<Py<Tuple>> {
        if let Some(known) = self.parameters.get() {
            return Ok(known);
        }
        let found = Tuple::new(find_parameters(vm, self.args.as_slice())?);
        self.parameters.set(found.clone());
        Ok(found)
    }
}

/// The type parameters in the arguments, each once.
pub fn find_parameters(vm: &Vm, args: &[Value]) -> Res<Vec<Value>> {
    let _guard = vm.enter_recursive(" while collecting type parameters")?;
    let mut found: Vec<Value> = Vec::new();
    let mut add = |parameter: &Value| {
        if !found.iter().any(|known| known.is(parameter)) {
            found.push(parameter.clone());
        }
    };
    for arg in args {
        // The attribute of a class itself is a descriptor.
        if arg.downcast::<Type>().is_some() {
            continue;
        }
        if vm.getattr_opt(arg, intern!("__typing_subst__"))?.is_some() {
            add(arg);
            continue;
        }
        match vm.getattr_opt(arg, intern!("__parameters__"))? {
            Some(inner) => {
                if let Some(inner) = inner.downcast::<Tuple>() {
                    inner.as_slice().iter().for_each(&mut add);
                }
            }
            None => {
                if let Some(inner) = items_of(arg) {
                    find_parameters(vm, &inner)?.iter().for_each(&mut add);
                }
            }
        }
    }
    Ok(found)
}

/// The items of a list or tuple among the arguments (`Callable`'s).
fn items_of(value: &Value) -> Option<Vec<Value>> {
    match value.downcast::<Tuple>() {
        Some(tuple) => Some(tuple.as_slice().to_vec()),
        None => value.downcast::<List>().map(|list| list.snapshot()),
    }
}

/// The arguments of a starred alias of `tuple` and its like.
fn unpacked_arguments(vm: &Vm, value: &Value) -> Res<Option<Value>> {
    if let Some(alias) = value.downcast_exact::<GenericAlias>()
        && alias.starred
        && alias.origin.is(Tuple::ty().as_value())
    {
        return Ok(Some(alias.args.to_value()));
    }
    let found = vm.getattr_opt(value, intern!("__typing_unpacked_tuple_args__"))?;
    Ok(found.filter(|args| !args.is_none()))
}

/// The subscript with starred tuples in it spread out.
fn spread(vm: &Vm, item: &Value) -> Res<Py<Tuple>> {
    let items = as_tuple(item);
    let mut out = Vec::with_capacity(items.as_slice().len());
    for item in items.as_slice() {
        if item.downcast::<Type>().is_none()
            && let Some(args) = unpacked_arguments(vm, item)?
            && let Some(args) = args.downcast::<Tuple>()
            && !args.as_slice().last().is_some_and(|last| last.is(&Value::ELLIPSIS))
        {
            out.extend_from_slice(args.as_slice());
        } else {
            out.push(item.clone());
        }
    }
    Ok(Tuple::new(out))
}

/// `alias[item]`: the arguments with the parameters replaced.
pub fn substitute(vm: &Vm, alias: &Value, args: &[Value], parameters: &[Value], item: &Value) -> Res<Vec<Value>> {
    let _guard = vm.enter_recursive(" while substituting type parameters")?;
    if parameters.is_empty() {
        let alias = vm.repr(alias)?;
        return Err(type_error(vm, &[&alias, &" is not a generic class"]));
    }
    let mut item = spread(vm, item)?;
    for parameter in parameters {
        let prepare = vm.getattr_opt(parameter, intern!("__typing_prepare_subst__"))?;
        if let Some(prepare) = prepare.filter(|f| !f.is_none()) {
            item = as_tuple(&vm.call(&prepare, &[alias.clone(), item.into_value()])?);
        }
    }
    let given = item.as_slice();
    if given.len() != parameters.len() {
        let which = if given.len() > parameters.len() { "many" } else { "few" };
        let counts = format!("; actual {}, expected {}", given.len(), parameters.len());
        let alias = vm.repr(alias)?;
        return Err(type_error(
            vm,
            &[&format!("Too {which} arguments for "), &alias, &counts],
        ));
    }
    let mut out = Vec::with_capacity(args.len());
    for arg in args {
        if arg.downcast::<Type>().is_some() {
            out.push(arg.clone());
            continue;
        }
        if let Some(inner) = items_of(arg) {
            let inner = substitute(vm, alias, &inner, parameters, item.as_value())?;
            out.push(match arg.downcast::<Tuple>() {
                Some(_) => Tuple::new(inner).into_value(),
                None => List::new(inner).into_value(),
            });
            continue;
        }
        let starred = match vm.getattr_opt(arg, intern!("__typing_is_unpacked_typevartuple__"))? {
            Some(mark) => vm.truth(&mark)?,
            None => false,
        };
        let new = match vm.getattr_opt(arg, intern!("__typing_subst__"))? {
            Some(subst) => match parameters.iter().position(|p| p.is(arg)) {
                Some(at) => vm.call(&subst, std::slice::from_ref(&given[at]))?,
                None => arg.clone(),
            },
            None => substitute_inside(vm, arg, parameters, given)?,
        };
        if !starred {
            out.push(new);
        } else if let Some(items) = new.downcast::<Tuple>() {
            out.extend_from_slice(items.as_slice());
        } else {
            let (class, found) = (arg.ty().name(), new.ty().name());
            let message = format!("expected __typing_subst__ of {class} objects to return a tuple, not {found}");
            return Err(vm.type_error(message));
        }
    }
    Ok(out)
}

fn type_error(vm: &Vm, pieces: &[&dyn text::Piece]) -> Exc {
    vm.new_exception(crate::types::exceptions::TYPE_ERROR.get(), vec![text::joined(pieces)])
}

/// An argument that has parameters itself: `list[T]` in `dict[str, list[T]]`.
fn substitute_inside(vm: &Vm, arg: &Value, parameters: &[Value], given: &[Value]) -> Res<Value> {
    let Some(own) = vm.getattr_opt(arg, intern!("__parameters__"))? else {
        return Ok(arg.clone());
    };
    let Some(own) = own.downcast::<Tuple>().filter(|own| !own.as_slice().is_empty()) else {
        return Ok(arg.clone());
    };
    let mut subscript = Vec::new();
    for parameter in own.as_slice() {
        match parameters.iter().position(|p| p.is(parameter)) {
            None => subscript.push(parameter.clone()),
            Some(at) => match given[at].downcast::<Tuple>() {
                // A parameter that can be iterated stands for several.
                Some(several) if parameter.ty().slots().iter.is_some() => {
                    subscript.extend_from_slice(several.as_slice())
                }
                _ => subscript.push(given[at].clone()),
            },
        }
    }
    vm.getitem(arg, Tuple::new(subscript).as_value())
}

/// How an argument is shown: classes by their qualified names.
pub fn show_argument(vm: &Vm, arg: &Value) -> Res<Py<Str>> {
    if arg.is(&Value::ELLIPSIS) {
        return Ok(Str::from_str("..."));
    }
    if arg.is(NoneType::ty().as_value()) {
        return Ok(Str::from_str("None"));
    }
    let alias =
        vm.getattr_opt(arg, intern!("__origin__"))?.is_some() && vm.getattr_opt(arg, intern!("__args__"))?.is_some();
    if !alias
        && let Some(name) = vm.getattr_opt(arg, intern!("__qualname__"))?
        && let Some(module) = vm.getattr_opt(arg, intern!("__module__"))?.filter(|m| !m.is_none())
    {
        let name = vm.str(&name)?;
        if module.downcast::<Str>().is_some_and(|m| m.is_text("builtins")) {
            return Ok(name);
        }
        return Ok(text::join(&[&vm.str(&module)?, &".", &name]));
    }
    vm.repr(arg)
}

fn show_items(vm: &Vm, items: &[Value]) -> Res<Py<Str>> {
    let mut out = Str::empty();
    for (at, item) in items.iter().enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        let shown = match item.downcast::<List>() {
            Some(list) => {
                let _guard = vm.enter_recursive(" while getting the repr of an object")?;
                text::join(&[&"[", &show_items(vm, &list.snapshot())?, &"]"])
            }
            // In an alias, unlike in a union, the class of None is not None.
            None if item.is(NoneType::ty().as_value()) => Str::from_str("NoneType"),
            None => show_argument(vm, item)?,
        };
        out = text::join(&[&out, &separator, &shown]);
    }
    Ok(out)
}

/// Names that the origin never answers for.
fn is_own(name: &Py<Str>) -> bool {
    const OWN: [&str; 12] = [
        "__class__",
        "__origin__",
        "__args__",
        "__unpacked__",
        "__parameters__",
        "__typing_unpacked_tuple_args__",
        "__mro_entries__",
        "__reduce_ex__",
        "__reduce__",
        "__bases__",
        "__copy__",
        "__deepcopy__",
    ];
    name.is_dunder() && OWN.iter().any(|own| name.is_text(own))
}

#[pymethods]
impl GenericAlias {
    #[slot(text = "(origin, args, /)")]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        args.no_keywords(vm, "GenericAlias")?;
        let values = args.check_positional(vm, "GenericAlias", 2, 2)?;
        Ok(GenericAlias::make(cls, &values[0], as_tuple(&values[1]), false).into_value())
    }

    #[slot]
    fn __repr__(vm: &Vm, this: &Py<GenericAlias>) -> Res<Value> {
        let star = if this.starred { "*" } else { "" };
        let origin = show_argument(vm, &this.origin)?;
        let args = match this.args.as_slice() {
            [] => Str::from_str("()"),
            args => show_items(vm, args)?,
        };
        Ok(text::joined(&[&star, &origin, &"[", &args, &"]"]))
    }

    #[slot]
    fn __hash__(vm: &Vm, this: &Py<GenericAlias>) -> Res<i64> {
        let hash = vm.hash(&this.origin)? ^ vm.hash(this.args.as_value())?;
        Ok(if hash == -1 { -2 } else { hash })
    }

    #[slot]
    fn __call__(vm: &Vm, this: &Py<GenericAlias>, args: Args<'_>) -> Res<Value> {
        let made = vm.call_args(&this.origin, args)?;
        match vm.setattr(&made, intern!("__orig_class__"), this.as_value()) {
            Err(exc) if !exc.is_attribute_error() && !exc.is(&crate::types::exceptions::TYPE_ERROR) => Err(exc),
            _ => Ok(made),
        }
    }

    #[slot]
    fn __getattribute__(vm: &Vm, this: &Py<GenericAlias>, name: &Py<Str>) -> Res<Value> {
        if is_own(name) {
            return crate::vm::attributes::generic_getattr(vm, this.as_value(), name);
        }
        vm.getattr(&this.origin, name)
    }

    #[slot]
    fn __richcompare__(vm: &Vm, this: &Py<GenericAlias>, other: &Value, op: CmpOp) -> Res<Value> {
        let Some(other) = other.downcast::<GenericAlias>() else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let equal = this.starred == other.starred
            && vm.eq(&this.origin, &other.origin)?
            && vm.eq(this.args.as_value(), other.args.as_value())?;
        Ok(Value::from_bool(equal == (op == CmpOp::Eq)))
    }

    #[slot]
    fn __iter__(_: &Vm, this: &Py<GenericAlias>) -> Value {
        Py::new(AliasIterator {
            alias: Slot::new(this.to_value()),
        })
        .into_value()
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        crate::types::union_type::or(vm, a, b)
    }

    #[slot]
    fn __getitem__(vm: &Vm, this: &Py<GenericAlias>, item: &Value) -> Res<Value> {
        let parameters = this.parameters(vm)?;
        let args = substitute(vm, this.as_value(), this.args.as_slice(), parameters.as_slice(), item)?;
        Ok(GenericAlias::make(GenericAlias::ty(), &this.origin, Tuple::new(args), this.starred).into_value())
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __mro_entries__(_: &Vm, this: &Py<GenericAlias>, _object: &Value) -> Value {
        Tuple::new(vec![this.origin.clone()]).into_value()
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __instancecheck__(vm: &Vm, _this: &Py<GenericAlias>, _object: &Value) -> Res<Value> {
        Err(vm.type_error("isinstance() argument 2 cannot be a parameterized generic"))
    }

    #[pymethod(sig = "($self, object, /)")]
    fn __subclasscheck__(vm: &Vm, _this: &Py<GenericAlias>, _object: &Value) -> Res<Value> {
        Err(vm.type_error("issubclass() argument 2 cannot be a parameterized generic"))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<GenericAlias>) -> Res<Value> {
        if this.starred {
            let plain = GenericAlias::make(GenericAlias::ty(), &this.origin, this.args.clone(), false);
            let iter = GenericAlias::__iter__(vm, &plain);
            let next = vm.builtin(intern!("next"))?;
            return Ok(Tuple::new(vec![next, Tuple::new(vec![iter]).into_value()]).into_value());
        }
        let parts = Tuple::new(vec![this.origin.clone(), this.args.to_value()]);
        Ok(Tuple::new(vec![GenericAlias::ty().to_value(), parts.into_value()]).into_value())
    }

    #[pymethod(sig = "($self, /)")]
    fn __dir__(vm: &Vm, this: &Py<GenericAlias>) -> Res<Value> {
        let dir = vm.builtin(intern!("dir"))?;
        let mut names = vm.collect(&vm.call(&dir, std::slice::from_ref(&this.origin))?)?;
        for own in [
            "__origin__",
            "__args__",
            "__parameters__",
            "__mro_entries__",
            "__reduce_ex__",
            "__reduce__",
            "__copy__",
            "__deepcopy__",
            "__unpacked__",
            "__typing_unpacked_tuple_args__",
            "__class__",
        ] {
            if !names
                .iter()
                .any(|n| n.downcast::<Str>().is_some_and(|n| n.is_text(own)))
            {
                names.push(Str::intern(own).into_value());
            }
        }
        Ok(List::new(names).into_value())
    }

    #[getter(member)]
    fn __origin__(_: &Vm, this: &Py<GenericAlias>) -> Value {
        this.origin.clone()
    }
    #[getter(member)]
    fn __args__(_: &Vm, this: &Py<GenericAlias>) -> Py<Tuple> {
        this.args.clone()
    }
    #[getter(member)]
    fn __unpacked__(_: &Vm, this: &Py<GenericAlias>) -> bool {
        this.starred
    }
    /// Type variables in the GenericAlias.
    #[getter]
    fn __parameters__(vm: &Vm, this: &Py<GenericAlias>) -> Res<Py<Tuple>> {
        this.parameters(vm)
    }
    #[getter]
    fn __typing_unpacked_tuple_args__(_: &Vm, this: &Py<GenericAlias>) -> Option<Value> {
        let unpacked = this.starred && this.origin.is(Tuple::ty().as_value());
        unpacked.then(|| this.args.to_value())
    }
}

/// What `*tuple[int]` iterates over: one starred alias.
#[pyclass(name = "generic_alias_iterator", no_new)]
pub struct AliasIterator {
    /// Taken out by the first `next`.
    alias: Slot,
}

#[pymethods]
impl AliasIterator {
    #[slot]
    fn __iter__(_: &Vm, this: &Py<AliasIterator>) -> Value {
        this.to_value()
    }

    #[slot]
    fn __next__(_: &Vm, this: &Py<AliasIterator>) -> Res<Option<Value>> {
        let Some(alias) = this.alias.take() else {
            return Ok(None);
        };
        let Some(alias) = alias.downcast::<GenericAlias>() else {
            return Ok(None);
        };
        Ok(Some(
            GenericAlias::make(GenericAlias::ty(), &alias.origin, alias.args.clone(), true).into_value(),
        ))
    }

    #[pymethod(sig = "($self, /)")]
    fn __reduce__(vm: &Vm, this: &Py<AliasIterator>) -> Res<Value> {
        let iter = vm.builtin(intern!("iter"))?;
        let left = this.alias.get().unwrap_or_else(|| Tuple::empty().into_value());
        Ok(Tuple::new(vec![iter, Tuple::new(vec![left]).into_value()]).into_value())
    }
}
