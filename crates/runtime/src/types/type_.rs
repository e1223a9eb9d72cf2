//! `type`: making classes, and what classes can do.

use std::sync::atomic::Ordering::Relaxed;

use crate::intern;
use crate::memory::header::FLAG_ATTRS;
use crate::native::{Args, NativeMethods, pymethods};
use crate::object::attrs::Attrs;
use crate::object::types::{HeapSpec, TypeDef};
use crate::object::{Native, Py, Type, TypeCell, TypeFlags, Value, slotdefs};
use crate::threads;
use crate::types::cell::Cell;
use crate::types::common::replace_shared;
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::object::Object;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::attributes::{type_getattr, type_setattr};
use crate::vm::{Exc, Res, Vm};

// SAFETY: the cell is this type's alone; a class has no payload before its own.
unsafe impl Native for Type {
    const NAME: &'static str = "type";
    const MODULE: &'static str = "builtins";
    const DOC: Option<&'static str> =
        Some("type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type");
    const FLAGS: TypeFlags = TypeFlags::BASETYPE
        .union(TypeFlags::GC)
        .union(TypeFlags::TYPE_SUBCLASS)
        .union(TypeFlags::WEAKREF);
    type Base = Object;
    fn type_cell() -> &'static TypeCell {
        static CELL: TypeCell = TypeCell::new();
        &CELL
    }
}

impl NativeMethods for Type {
    fn define(def: &mut TypeDef) {
        Type::define_methods(def);
    }
}

/// The class that decides the layout: the one whose payload and members the others' are prefixes of.
fn best_base(vm: &Vm, bases: &[Py<Type>]) -> Res<Py<Type>> {
    let mut best: Option<&Py<Type>> = None;
    for base in bases {
        if !base.has_flag(TypeFlags::BASETYPE) {
            let name = base.name();
            return Err(vm.type_error(format!("type '{name}' is not an acceptable base type")));
        }
        best = match best {
            None => Some(base),
            Some(b) if extends(b, base) => Some(b),
            Some(b) if extends(base, b) => Some(base),
            Some(_) => return Err(vm.type_error("multiple bases have instance lay-out conflict")),
        };
    }
    best.cloned()
        .ok_or_else(|| vm.type_error("a new-style class can't have only classic bases"))
}

/// Whether the layout of `a` starts with that of `b`.
fn extends(a: &Py<Type>, b: &Py<Type>) -> bool {
    let solid_b = solid(b);
    let solid_a = solid(a);
    solid_a.is_subclass(&solid_b)
}

/// The class that introduced the layout of `ty`: its payload, or the last `__slots__` members.
fn solid(ty: &Py<Type>) -> Py<Type> {
    let mut at = ty.clone();
    while let Some(base) = at.base.get() {
        // A class whose payload adds nothing has the layout of its base, unless it is a native one that brings attributes.
        let brings_attributes = !at.has_flag(TypeFlags::HEAP) && (at.attr_offset() != 0) != (base.attr_offset() != 0);
        if base.info.size != at.info.size || base.members() != at.members() || brings_attributes {
            break;
        }
        at = base;
    }
    at
}

/// The method resolution order: the C3 linearisation.
fn c3(vm: &Vm, ty: &Py<Type>, bases: &[Py<Type>]) -> Res<Vec<Value>> {
    let mut sequences: Vec<Vec<Value>> = Vec::new();
    for base in bases {
        match base.mro.get() {
            Some(mro) => sequences.push(mro.as_slice().to_vec()),
            None => return Err(vm.type_error(format!("Cannot extend an incomplete type '{}'", base.name()))),
        }
    }
    sequences.push(bases.iter().map(|b| b.to_value()).collect());
    let mut result = vec![ty.to_value()];
    loop {
        sequences.retain(|s| !s.is_empty());
        if sequences.is_empty() {
            return Ok(result);
        }
        let next = sequences
            .iter()
            .map(|s| &s[0])
            .find(|c| !sequences.iter().any(|s| s[1..].iter().any(|x| x.is(c))))
            .cloned();
        let Some(next) = next else {
            let mut names: Vec<String> = Vec::new();
            for s in &sequences {
                let name = s[0].downcast::<Type>().map_or_else(String::new, |t| t.short_name());
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            return Err(vm.type_error(format!(
                "Cannot create a consistent method resolution order (MRO) for bases {}",
                names.join(", ")
            )));
        };
        for s in &mut sequences {
            if s[0].is(&next) {
                s.remove(0);
            }
        }
        result.push(next);
    }
}

fn compute_mro(vm: &Vm, ty: &Py<Type>, bases: &[Py<Type>]) -> Res<Py<Tuple>> {
    let meta = ty.class();
    let custom = meta
        .lookup(vm, intern!("mro"))
        .filter(|f| Type::ty().lookup(vm, intern!("mro")).is_none_or(|own| !own.is(f)));
    if custom.is_none() {
        return Ok(Tuple::new(c3(vm, ty, bases)?));
    }
    let result = vm.call_method(ty.as_value(), intern!("mro"), &[])?;
    let items = vm.collect(&result)?;
    for item in &items {
        let Some(class) = item.downcast::<Type>() else {
            return Err(vm.type_error(format!("mro() returned a non-class ('{}')", item.ty().name())));
        };
        if !solid(ty).is_subclass(&solid(class)) {
            return Err(vm.type_error(format!(
                "mro() returned base with unsuitable layout ('{}')",
                class.name()
            )));
        }
    }
    Ok(Tuple::new(items))
}

/// The most derived metaclass of the bases.
pub fn calculate_metaclass(vm: &Vm, meta: &Py<Type>, bases: &[Value]) -> Res<Py<Type>> {
    let mut winner = meta.clone();
    for base in bases {
        let t = base.ty();
        if winner.is_subclass(t) {
            continue;
        }
        if t.is_subclass(&winner) {
            winner = t.clone();
            continue;
        }
        return Err(vm.type_error(
            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all its bases",
        ));
    }
    Ok(winner)
}

fn mangle(class: &str, name: &str) -> String {
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name.to_string();
    }
    let class = class.trim_start_matches('_');
    if class.is_empty() {
        name.to_string()
    } else {
        format!("_{class}{name}")
    }
}

struct SlotsSpec {
    names: Vec<Py<Str>>,
    dict: bool,
    weakref: bool,
}

fn read_slots(vm: &Vm, class: &str, value: &Value) -> Res<SlotsSpec> {
    let items = if value.downcast::<Str>().is_some() {
        vec![value.clone()]
    } else {
        vm.collect(value)?
    };
    let mut spec = SlotsSpec {
        names: Vec::new(),
        dict: false,
        weakref: false,
    };
    for item in items {
        let Some(name) = item.downcast::<Str>() else {
            return Err(vm.type_error(format!("__slots__ items must be strings, not '{}'", item.ty().name())));
        };
        let text = name.to_string_lossy();
        let identifier = text.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic())
            && text.chars().all(|c| c == '_' || c.is_alphanumeric());
        if !identifier {
            return Err(vm.type_error("__slots__ must be identifiers"));
        }
        match text.as_str() {
            "__dict__" if spec.dict => return Err(vm.type_error("__dict__ slot disallowed: we already got one")),
            "__dict__" => spec.dict = true,
            "__weakref__" if spec.weakref => {
                return Err(vm.type_error("__weakref__ slot disallowed: we already got one"));
            }
            "__weakref__" => spec.weakref = true,
            _ => spec.names.push(Str::intern(&mangle(class, &text))),
        }
    }
    spec.names.sort_by_key(|n| n.to_string_lossy());
    Ok(spec)
}

/// `type.__new__(meta, name, bases, namespace, **kwargs)`.
pub fn new_class(
    vm: &Vm,
    meta: &Py<Type>,
    name: &Py<Str>,
    bases: &[Value],
    namespace: &Py<Dict>,
    kwargs: Args<'_>,
) -> Res<Value> {
    let mut base_types = Vec::with_capacity(bases.len());
    for base in bases {
        match base.downcast::<Type>() {
            Some(t) => base_types.push(t.clone()),
            None if vm.getattr_opt(base, intern!("__mro_entries__"))?.is_some() => {
                return Err(vm.type_error("type() doesn't support MRO entry resolution; use types.new_class()"));
            }
            None => return Err(vm.type_error("bases must be types")),
        }
    }
    if base_types.is_empty() {
        base_types.push(Object::ty().clone());
    }
    let winner = calculate_metaclass(vm, meta, bases)?;
    if !winner.is(meta)
        && let Some(new) = winner.slots().new
        && winner.slots().new.map(|f| f as usize) != Type::ty().slots().new.map(|f| f as usize)
    {
        let mut values = vec![
            name.to_value(),
            Tuple::new(bases.to_vec()).into_value(),
            namespace.to_value(),
        ];
        values.extend(kwargs.values.iter().cloned());
        return new(
            vm,
            &winner,
            Args {
                values: &values,
                kwnames: kwargs.kwnames,
            },
        );
    }
    let best = best_base(vm, &base_types)?;
    if name.view().chars().any(|c| c == 0) {
        return Err(vm.value_error("type name must not contain null characters"));
    }
    no_surrogates(vm, name)?;
    let text = name.to_string_lossy();
    let dict = namespace.copy(vm)?;
    let slots = match dict.get_str(intern!("__slots__")) {
        Some(v) => Some(read_slots(vm, &text, &v)?),
        None => None,
    };
    // Attributes of classes are in their own dict.
    let is_meta = best.is_subclass(Type::ty());
    let base_has_dict = is_meta || base_types.iter().any(|b| b.attr_offset() != 0);
    let base_has_weakref = base_types.iter().any(|b| b.has_flag(TypeFlags::WEAKREF));
    let variable = best.has_flag(
        TypeFlags::INT_SUBCLASS
            .union(TypeFlags::TUPLE_SUBCLASS)
            .union(TypeFlags::BYTES_SUBCLASS),
    );
    let (members, has_dict, weakref) = match &slots {
        None => (Vec::new(), true, true),
        Some(s) => {
            if !s.names.is_empty() && variable {
                let base = best.name();
                return Err(vm.type_error(format!("nonempty __slots__ not supported for subtype of '{base}'")));
            }
            if s.dict && base_has_dict {
                return Err(vm.type_error("__dict__ slot disallowed: we already got one"));
            }
            if s.weakref && base_has_weakref {
                return Err(vm.type_error("__weakref__ slot disallowed: we already got one"));
            }
            for n in &s.names {
                let reserved =
                    n.is_text("__qualname__") || n.is_text("__classcell__") || n.is_text("__classdictcell__");
                if !reserved && dict.get_str(n).is_some() {
                    let n = n.to_string_lossy();
                    return Err(vm.value_error(format!("'{n}' in __slots__ conflicts with class variable")));
                }
            }
            (s.names.clone(), s.dict || base_has_dict, s.weakref || base_has_weakref)
        }
    };
    let collection = TypeFlags::SEQUENCE.union(TypeFlags::MAPPING);
    let collection = base_types
        .iter()
        .map(|base| base.flags.load(Relaxed) & collection.0)
        .find(|bits| *bits != 0);
    let qualname = match dict.remove_str(intern!("__qualname__")) {
        Some(q) => match q.downcast::<Str>() {
            Some(q) => q.clone(),
            None => {
                return Err(vm.type_error(format!("type __qualname__ must be a str, not {}", q.ty().name())));
            }
        },
        None => name.clone(),
    };
    let classcell = dict.remove_str(intern!("__classcell__"));
    let classdictcell = dict.remove_str(intern!("__classdictcell__"));
    if dict.get_str(intern!("__module__")).is_none()
        && let Some(f) = vm.frames.current()
        && let Some(module) = f.globals().get_str(intern!("__name__"))
    {
        drop(dict.replace_str(intern!("__module__"), module));
    }
    match dict.get_str(intern!("__doc__")) {
        None => drop(dict.replace_str(intern!("__doc__"), Value::NONE)),
        Some(doc) => {
            if let Some(doc) = doc.downcast::<Str>() {
                no_surrogates(vm, doc)?;
            }
        }
    }
    if dict.has_other_keys() {
        vm.warn(
            crate::types::exceptions::RUNTIME_WARNING.get(),
            &format!("non-string key in the __dict__ of class {text}"),
            1,
        )?;
    }
    // Methods that are implicitly static or class methods.
    for (special, class_method) in [
        ("__new__", false),
        ("__init_subclass__", true),
        ("__class_getitem__", true),
    ] {
        let key = Str::intern(special);
        if let Some(f) = dict.get_str(&key)
            && f.downcast_exact::<Function>().is_some()
        {
            let wrapped = if class_method {
                crate::types::classmethod::ClassMethod::wrapping(f)
            } else {
                crate::types::classmethod::StaticMethod::wrapping(f)
            };
            drop(dict.replace_str(&key, wrapped));
        }
    }
    if dict.get_str(intern!("__eq__")).is_some() && dict.get_str(intern!("__hash__")).is_none() {
        drop(dict.replace_str(intern!("__hash__"), Value::NONE));
    }
    let attributes = dict
        .get_str(intern!("__static_attributes__"))
        .and_then(|t| t.downcast::<Tuple>().map(|t| t.as_slice().len()))
        .unwrap_or(0);
    let spec = HeapSpec {
        name: name.clone(),
        qualname,
        bases: base_types.clone(),
        best_base: best.clone(),
        dict: dict.clone(),
        new_members: members.len() as u32,
        has_dict: has_dict && !is_meta,
        weakref,
        inline: (attributes + if base_has_dict { best.inline_slots() } else { 0 }).clamp(1, 30) as u32,
    };
    let ty = <Py<Type>>::new_heap(meta, spec);
    if let Some(bits) = collection {
        ty.clear_flag(TypeFlags::SEQUENCE.union(TypeFlags::MAPPING));
        ty.set_flag(TypeFlags(bits));
    }
    for (i, n) in members.iter().enumerate() {
        drop(dict.replace_str(n, crate::types::descriptors::member(&ty, n, best.members() + i)));
    }
    if has_dict && !base_has_dict && !is_meta {
        let _ = dict.set_default_str(intern!("__dict__"), crate::types::object::dict_getset(&ty));
    }
    if weakref && !base_has_weakref {
        let _ = dict.set_default_str(intern!("__weakref__"), crate::types::object::weakref_getset(&ty));
    }
    // A metaclass's `mro` may run methods that refer to the class.
    if let Some(cell) = classcell.as_ref().and_then(|c| c.downcast::<Cell>()) {
        cell.contents.set(ty.to_value());
    }
    let mro = compute_mro(vm, &ty, &base_types)?;
    replace_shared(ty.mro.raw(), Some(mro.into_value()));
    slotdefs::compute_all(vm, &ty);
    ty.link_to_bases();
    if let Some(cell) = classcell.as_ref().and_then(|c| c.downcast::<Cell>()) {
        cell.contents.set(ty.to_value());
    } else if let Some(other) = classcell {
        let name = other.ty().name();
        return Err(vm.type_error(format!("__classcell__ must be a nonlocal cell, not <class '{name}'>")));
    }
    if let Some(cell) = classdictcell.as_ref().and_then(|c| c.downcast::<Cell>()) {
        cell.contents.set(dict.to_value());
    }
    for (key, value) in dict.snapshot() {
        if let Some((f, prepend)) = vm.lookup_special(&value, intern!("__set_name__"))? {
            let args = [ty.to_value(), key.clone()];
            let result = if prepend {
                vm.call_prepended(&f, &value, Args::new(&args))
            } else {
                vm.call(&f, &args)
            };
            if let Err(exc) = result {
                let note = format!(
                    "Error calling __set_name__ on '{}' instance {} in '{}'",
                    value.ty().name(),
                    vm.repr(&key)?.to_string_lossy(),
                    text
                );
                vm.call_method(exc.value(), intern!("add_note"), &[Value::from(note.as_str())])?;
                return Err(exc);
            }
        }
    }
    // A `mro()` of its own may leave the class out.
    if ty
        .mro
        .get()
        .is_none_or(|mro| !mro.iter().any(|class| class.is(ty.as_value())))
    {
        return Err(vm.type_error("super(type, obj): obj must be an instance or subtype of type"));
    }
    let parent = crate::types::super_::Super::new_bound(&ty, ty.as_value());
    let init_subclass = vm.getattr(&parent, intern!("__init_subclass__"))?;
    vm.call_args(&init_subclass, kwargs)?;
    Ok(ty.into_value())
}

/// An error unless the text can be encoded.
fn no_surrogates(vm: &Vm, text: &Py<Str>) -> Res<()> {
    match text.view().chars().position(|c| (0xd800..0xe000).contains(&c)) {
        None => Ok(()),
        Some(at) => Err(vm.unicode_encode_error("utf-8", text.to_value(), at, at + 1, "surrogates not allowed")),
    }
}

/// `obj.__class__ = new`.
pub fn assign_class(vm: &Vm, this: &Value, new: &Py<Type>) -> Res<()> {
    let Some(header) = this.header() else {
        return Err(vm.type_error("__class__ assignment only supported for mutable types or ModuleType subclasses"));
    };
    let old = this.ty().clone();
    let module = crate::types::module::Module::ty();
    let both_modules = old.is_subclass(module) && new.is_subclass(module);
    if !both_modules && (!old.has_flag(TypeFlags::HEAP) || !new.has_flag(TypeFlags::HEAP)) {
        return Err(vm.type_error("__class__ assignment only supported for mutable types or ModuleType subclasses"));
    }
    let same = std::ptr::eq(old.info, new.info)
        && old.members() == new.members()
        && old.attr_offset() == new.attr_offset()
        && old.has_flag(TypeFlags::WEAKREF) == new.has_flag(TypeFlags::WEAKREF)
        && (old.members() == 0 || solid(&old).is(&solid(new)) || same_slots(&old, new));
    if !same {
        return Err(vm.type_error(format!(
            "__class__ assignment: '{}' object layout differs from '{}'",
            new.name(),
            old.name()
        )));
    }
    if header.flag(FLAG_ATTRS)
        && let Some(attrs) = Attrs::of(this)
    {
        attrs.rebind_class();
    }
    let mut previous = 0;
    threads::stop_the_world(|| {
        previous = header.ty.swap(new.clone().into_value().into_bits() as *mut _, Relaxed) as u64;
    });
    // SAFETY: the header owned a reference to its old type.
    drop(unsafe { Value::from_bits(previous) });
    Ok(())
}

fn same_slots(a: &Py<Type>, b: &Py<Type>) -> bool {
    let names = |t: &Py<Type>| {
        t.dict()
            .get_str(intern!("__slots__"))
            .and_then(|v| Vm::current().collect(&v).ok())
    };
    match (names(a), names(b)) {
        (Some(x), Some(y)) => {
            let text = |v: &[Value]| {
                let mut t: Vec<String> = v
                    .iter()
                    .filter_map(|s| s.downcast::<Str>().map(|s| s.to_string_lossy()))
                    .collect();
                t.sort();
                t
            };
            text(&x) == text(&y) && a.base.get().zip(b.base.get()).is_some_and(|(p, q)| p.is(&q))
        }
        _ => false,
    }
}

/// Adds the names of a class and its bases, for `dir`.
pub fn merge_class_names(vm: &Vm, class: &Value, names: &Py<Dict>) -> Res<()> {
    if let Some(dict) = vm.getattr_opt(class, intern!("__dict__"))? {
        for key in vm.collect(&dict)? {
            names.set(vm, &key, Value::NONE)?;
        }
    }
    if let Some(bases) = vm.getattr_opt(class, intern!("__bases__"))?
        && let Some(bases) = bases.downcast::<Tuple>()
    {
        for base in bases.as_slice() {
            merge_class_names(vm, base, names)?;
        }
    }
    Ok(())
}

/// Calls a class: `type.__call__`.
pub fn call_class(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
    let slots = cls.slots();
    let Some(new) = slots.new.filter(|_| !cls.has_flag(TypeFlags::DISALLOW_INSTANTIATION)) else {
        let name = crate::types::object::qualified_name(cls);
        return Err(vm.type_error(format!("cannot create '{name}' instances")));
    };
    let value = new(vm, cls, args)?;
    let made = value.ty();
    if !made.is(cls) && !made.is_subclass(cls) {
        return Ok(value);
    }
    if let Some(init) = made.slots().init {
        // `object.__init__` takes whatever another `__new__` has taken.
        let objects = crate::types::object::Object::ty().slots();
        let takes_all = objects.init.map(|f| f as usize) == Some(init as usize)
            && made.slots().new.map(|f| f as usize) != objects.new.map(|f| f as usize);
        if !takes_all {
            init(vm, &value, args)?;
        }
    }
    Ok(value)
}

fn check_settable(vm: &Vm, cls: &Py<Type>, name: &str, value: Option<&Value>) -> Res<Value> {
    if !cls.has_flag(TypeFlags::HEAP) {
        return Err(vm.type_error(format!(
            "cannot set '{name}' attribute of immutable type '{}'",
            cls.name()
        )));
    }
    let Some(value) = value.cloned() else {
        let cls = cls.name();
        return Err(vm.type_error(format!("cannot delete '{name}' attribute of immutable type '{cls}'")));
    };
    crate::audit::audit(vm, "object.__setattr__", || {
        [cls.to_value(), Value::from(name), value.clone()]
    })?;
    Ok(value)
}

#[pymethods(part = define_methods)]
impl Type {
    #[slot]
    fn __call__(vm: &Vm, this: &Py<Type>, args: Args<'_>) -> Res<Value> {
        if this.is(Type::ty()) && args.values.len() == 1 && !args.has_keywords() {
            return Ok(args.values[0].ty().to_value());
        }
        call_class(vm, this, args)
    }

    #[slot]
    fn __new__(vm: &Vm, meta: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let positional = args.positional();
        let n = positional.len();
        if n != 3 {
            if meta.is(Type::ty()) {
                return Err(vm.type_error("type() takes 1 or 3 arguments"));
            }
            return Err(vm.type_error(format!("type.__new__() takes exactly 3 arguments ({n} given)")));
        }
        let wrong = |i: usize, what: &str| {
            vm.type_error(format!(
                "type.__new__() argument {i} must be {what}, not {}",
                positional[i - 1].ty().name()
            ))
        };
        let name = positional[0].downcast::<Str>().ok_or_else(|| wrong(1, "str"))?;
        let bases = positional[1].downcast::<Tuple>().ok_or_else(|| wrong(2, "tuple"))?;
        let dict = positional[2].downcast::<Dict>().ok_or_else(|| wrong(3, "dict"))?;
        let kwargs = Args {
            values: &args.values[3..],
            kwnames: args.kwnames,
        };
        new_class(vm, meta, name, bases.as_slice(), dict, kwargs)
    }

    #[slot]
    fn __init__(vm: &Vm, _this: &Py<Type>, args: Args<'_>) -> Res<()> {
        let n = args.positional().len();
        if n != 1 && n != 3 {
            return Err(vm.type_error("type.__init__() takes 1 or 3 arguments"));
        }
        if args.has_keywords() && n == 1 {
            return Err(vm.type_error("type.__init__() takes no keyword arguments"));
        }
        Ok(())
    }

    #[slot]
    fn __getattribute__(vm: &Vm, this: &Value, name: &Py<Str>) -> Res<Value> {
        type_getattr(vm, this, name)
    }

    #[slot]
    fn __setattr__(vm: &Vm, this: &Value, name: &Py<Str>, value: Option<&Value>) -> Res<()> {
        type_setattr(vm, this, name, value)
    }

    #[slot]
    fn __repr__(_: &Vm, this: &Py<Type>) -> String {
        format!("<class '{}'>", crate::types::object::qualified_name(this))
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        crate::types::union_type::or(vm, a, b)
    }

    /// Return a type's method resolution order.
    #[pymethod(sig = "($self, /)")]
    fn mro(vm: &Vm, this: &Py<Type>) -> Res<Value> {
        Ok(crate::types::list::List::new(c3(vm, this, &base_classes(this))?).into_value())
    }

    /// Return a list of immediate subclasses.
    #[pymethod(sig = "($self, /)")]
    fn __subclasses__(_: &Vm, this: &Py<Type>) -> Value {
        crate::types::list::List::new(this.subclasses().into_iter().map(Py::into_value).collect()).into_value()
    }

    /// Check if an object is an instance.
    #[pymethod(sig = "($self, instance, /)")]
    fn __instancecheck__(vm: &Vm, this: &Py<Type>, instance: &Value) -> Res<bool> {
        vm.recursive_isinstance(instance, this.as_value(), Some(this))
    }

    /// Check if a class is a subclass.
    #[pymethod(sig = "($self, subclass, /)")]
    fn __subclasscheck__(vm: &Vm, this: &Py<Type>, subclass: &Value) -> Res<bool> {
        vm.recursive_issubclass(subclass, this.as_value())
    }

    /// Create the namespace for the class statement
    #[classmethod(sig = "($type, /, *args, **kwargs)")]
    fn __prepare__(_vm: &Vm, _cls: &Py<Type>, _args: &[Value], _kwargs: crate::native::KwArgs<'_>) -> Value {
        Dict::new_empty().into_value()
    }

    /// Specialized __dir__ implementation for types.
    #[pymethod(sig = "($self, /)")]
    fn __dir__(vm: &Vm, this: &Py<Type>) -> Res<Value> {
        let names = Dict::new_empty();
        merge_class_names(vm, this.as_value(), &names)?;
        Ok(crate::types::list::List::new(names.snapshot_keys()).into_value())
    }

    /// Return memory consumption of the type object.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_: &Vm, _this: &Py<Type>) -> i64 {
        size_of::<crate::object::Obj<Type>>() as i64
    }

    #[getter]
    fn __name__(_: &Vm, this: &Py<Type>) -> Option<Value> {
        this.name.get().map(Py::into_value)
    }
    #[setter(name = "__name__")]
    fn set_name(vm: &Vm, this: &Py<Type>, value: Option<&Value>) -> Res<()> {
        let value = check_settable(vm, this, "__name__", value)?;
        let Some(s) = value.downcast::<Str>() else {
            let (cls, got) = (this.name(), value.ty().name());
            return Err(vm.type_error(format!("can only assign string to {cls}.__name__, not '{got}'")));
        };
        if s.view().chars().any(|c| c == 0) {
            return Err(vm.value_error("type name must not contain null characters"));
        }
        no_surrogates(vm, s)?;
        this.name.set(s.clone());
        Ok(())
    }
    #[getter]
    fn __qualname__(_: &Vm, this: &Py<Type>) -> Option<Value> {
        this.qualname.get().map(Py::into_value)
    }
    #[setter(name = "__qualname__")]
    fn set_qualname(vm: &Vm, this: &Py<Type>, value: Option<&Value>) -> Res<()> {
        let value = check_settable(vm, this, "__qualname__", value)?;
        let Some(s) = value.downcast::<Str>() else {
            let (cls, got) = (this.name(), value.ty().name());
            return Err(vm.type_error(format!("can only assign string to {cls}.__qualname__, not '{got}'")));
        };
        this.qualname.set(s.clone());
        Ok(())
    }
    #[getter]
    fn __module__(_: &Vm, this: &Py<Type>) -> Value {
        match this.dict().get_str(intern!("__module__")) {
            // In those of `type` and of functions there is the descriptor for their instances.
            Some(m) if this.has_flag(TypeFlags::HEAP) || m.downcast::<Str>().is_some() => m,
            _ => Str::intern("builtins").into_value(),
        }
    }
    #[setter(name = "__module__")]
    fn set_module(vm: &Vm, this: &Py<Type>, value: Option<&Value>) -> Res<()> {
        let value = check_settable(vm, this, "__module__", value)?;
        this.set_own(vm, intern!("__module__"), Some(value))?;
        this.set_own(vm, intern!("__firstlineno__"), None)?;
        Ok(())
    }
    #[getter]
    fn __doc__(vm: &Vm, this: &Py<Type>) -> Res<Value> {
        match this.dict().get_str(intern!("__doc__")) {
            None => Ok(Value::NONE),
            Some(doc) => match doc.ty().slots().descr_get {
                Some(get) => match crate::object::types::native_doc(this) {
                    Some(text) => Ok(Value::from(text)),
                    None => get(vm, &doc, None, Some(this.as_value())),
                },
                None => Ok(doc),
            },
        }
    }
    #[setter(name = "__doc__")]
    fn set_doc(vm: &Vm, this: &Py<Type>, value: Option<&Value>) -> Res<()> {
        let value = check_settable(vm, this, "__doc__", value)?;
        this.set_own(vm, intern!("__doc__"), Some(value)).map(drop)
    }
    #[getter]
    fn __bases__(_: &Vm, this: &Py<Type>) -> Option<Value> {
        this.bases.get().map(Py::into_value)
    }
    #[setter(name = "__bases__")]
    fn set_bases(vm: &Vm, this: &Py<Type>, value: Option<&Value>) -> Res<()> {
        let value = check_settable(vm, this, "__bases__", value)?;
        let _only = Reordering::begin(vm)?;
        assign_bases(vm, this, &value)
    }
    #[getter(member)]
    fn __base__(_: &Vm, this: &Py<Type>) -> Option<Value> {
        this.base.get().map(Py::into_value)
    }
    #[getter]
    fn __mro__(_: &Vm, this: &Py<Type>) -> Option<Value> {
        this.mro.get().map(Py::into_value)
    }
    #[getter]
    fn __dict__(_: &Vm, this: &Py<Type>) -> Value {
        crate::types::mappingproxy::MappingProxy::new_value(this.dict().into_value())
    }
    #[getter(member)]
    fn __flags__(_: &Vm, this: &Py<Type>) -> i64 {
        let heap = if this.has_flag(TypeFlags::LIKE_HEAP) {
            TypeFlags::HEAP.0
        } else {
            0
        };
        i64::from(this.flags.load(Relaxed) & !TypeFlags::HIDDEN.0 | heap)
    }
    #[getter(member)]
    fn __basicsize__(_: &Vm, this: &Py<Type>) -> i64 {
        // The head of an int, as CPython counts it: digits come on top.
        if this.has_flag(TypeFlags::INT_SUBCLASS) {
            return 24;
        }
        this.fixed_size() as i64
    }
    #[getter(member)]
    fn __itemsize__(_: &Vm, this: &Py<Type>) -> i64 {
        // As in CPython: items, bytes, digits.
        match () {
            () if this.has_flag(TypeFlags::TUPLE_SUBCLASS) => 8,
            () if this.has_flag(TypeFlags::BYTES_SUBCLASS) => 1,
            () if this.has_flag(TypeFlags::INT_SUBCLASS) => 4,
            () => 0,
        }
    }
    #[getter(member)]
    fn __dictoffset__(_: &Vm, this: &Py<Type>) -> i64 {
        i64::from(this.attr_offset())
    }
    #[getter(member)]
    fn __weakrefoffset__(_: &Vm, this: &Py<Type>) -> i64 {
        i64::from(this.has_flag(TypeFlags::WEAKREF))
    }
    #[getter]
    fn __text_signature__(_: &Vm, this: &Py<Type>) -> Option<Value> {
        if let Some(text) = crate::object::types::native_signature(this) {
            return Some(Str::from_str(text).into_value());
        }
        if this.has_flag(TypeFlags::IMMUTABLE) {
            let text = this.dict().get_str(intern!("__text_signature__"));
            return text.filter(|text| text.downcast::<Str>().is_some());
        }
        // That of a docstring which begins with one.
        let doc = this.dict().get_str(intern!("__doc__"))?;
        let doc = doc.downcast::<Str>()?.to_string_lossy();
        let text = doc.strip_prefix(this.short_name().as_str())?;
        let end = text.find(")\n--\n\n")?;
        let found = text
            .get(..=end)
            .filter(|text| text.starts_with('(') && !text.contains("\n\n"))?;
        Some(Value::from(found))
    }
    #[getter]
    fn __abstractmethods__(vm: &Vm, this: &Py<Type>) -> Res<Value> {
        let found = if this.is(Type::ty()) {
            None
        } else {
            this.dict().get_str(intern!("__abstractmethods__"))
        };
        found.ok_or_else(|| vm.attribute_error("__abstractmethods__"))
    }
    #[setter(name = "__abstractmethods__")]
    fn set_abstractmethods(vm: &Vm, this: &Py<Type>, value: Option<&Value>) -> Res<()> {
        let abstract_ = value.map_or(Ok(false), |v| vm.truth(v))?;
        let existed = this.set_own(vm, intern!("__abstractmethods__"), value.cloned())?;
        if value.is_none() && !existed {
            return Err(vm.attribute_error("__abstractmethods__"));
        }
        if abstract_ {
            this.set_flag(TypeFlags::ABSTRACT);
        } else {
            this.clear_flag(TypeFlags::ABSTRACT);
        }
        Ok(())
    }
    #[getter]
    fn __annotations__(vm: &Vm, this: &Py<Type>) -> Res<Value> {
        if !this.has_flag(TypeFlags::HEAP) {
            let name = this.name();
            return Err(vm.attribute_error(format!("type object '{name}' has no attribute '__annotations__'")));
        }
        for key in [intern!("__annotations__"), intern!("__annotations_cache__")] {
            if let Some(found) = this.dict().get_str(key) {
                return Ok(found);
            }
        }
        let annotate = Type::__annotate__(vm, this)?;
        let value = if annotate.is_none() {
            Dict::new_empty().into_value()
        } else {
            let value = vm.call(&annotate, &[Value::int(1)])?;
            if value.downcast::<Dict>().is_none() {
                let name = value.ty().name();
                return Err(vm.type_error(format!("__annotate__ returned non-dict of type '{name}'")));
            }
            value
        };
        this.set_own(vm, intern!("__annotations_cache__"), Some(value.clone()))?;
        Ok(value)
    }
    #[setter(name = "__annotations__")]
    fn set_annotations(vm: &Vm, this: &Py<Type>, value: Option<&Value>) -> Res<()> {
        if !this.has_flag(TypeFlags::HEAP) {
            let name = this.name();
            return Err(vm.type_error(format!(
                "cannot set '__annotations__' attribute of immutable type '{name}'"
            )));
        }
        let own = this.dict().get_str(intern!("__annotations__")).is_some();
        let key = if own {
            intern!("__annotations__")
        } else {
            intern!("__annotations_cache__")
        };
        let existed = this.set_own(vm, key, value.cloned())?;
        if value.is_none() && !existed {
            return Err(vm.attribute_error("__annotations__"));
        }
        this.set_own(vm, intern!("__annotate_func__"), None)?;
        this.set_own(vm, intern!("__annotate__"), None)?;
        Ok(())
    }
    #[getter]
    fn __annotate__(vm: &Vm, this: &Py<Type>) -> Res<Value> {
        if !this.has_flag(TypeFlags::HEAP) {
            let name = this.name();
            return Err(vm.attribute_error(format!("type object '{name}' has no attribute '__annotate__'")));
        }
        for key in [intern!("__annotate_func__"), intern!("__annotate__")] {
            if let Some(f) = this.dict().get_str(key) {
                return match f.ty().slots().descr_get {
                    Some(get) => get(vm, &f, None, Some(this.as_value())),
                    None => Ok(f),
                };
            }
        }
        Ok(Value::NONE)
    }
    #[setter(name = "__annotate__")]
    fn set_annotate(vm: &Vm, this: &Py<Type>, value: Option<&Value>) -> Res<()> {
        let Some(value) = value else {
            return Err(vm.type_error("cannot delete __annotate__ attribute"));
        };
        if !this.has_flag(TypeFlags::HEAP) {
            let name = this.name();
            return Err(vm.type_error(format!(
                "cannot set '__annotate__' attribute of immutable type '{name}'"
            )));
        }
        if !value.is_none() && !vm.is_callable(value) {
            return Err(vm.type_error("__annotate__ must be callable or None"));
        }
        this.set_own(vm, intern!("__annotate_func__"), Some(value.clone()))?;
        if !value.is_none() {
            this.set_own(vm, intern!("__annotations_cache__"), None)?;
        }
        Ok(())
    }
    #[getter]
    fn __type_params__(_: &Vm, this: &Py<Type>) -> Value {
        if !this.has_flag(TypeFlags::HEAP) {
            return Tuple::empty().into_value();
        }
        this.dict()
            .get_str(intern!("__type_params__"))
            .unwrap_or_else(|| Tuple::empty().into_value())
    }
    #[setter(name = "__type_params__")]
    fn set_type_params(vm: &Vm, this: &Py<Type>, value: Option<&Value>) -> Res<()> {
        let value = check_settable(vm, this, "__type_params__", value)?;
        this.set_own(vm, intern!("__type_params__"), Some(value)).map(drop)
    }
}

/// Held while bases are assigned: two assignments that do not see each other could close a circle. A `mro()` of the program runs
/// under it, hence a lock that its thread may take again.
static REORDERING: threads::RawRLock = threads::RawRLock::new();

struct Reordering;

impl Reordering {
    fn begin(vm: &Vm) -> Res<Reordering> {
        while REORDERING.acquire(None, true) != threads::AcquireResult::Acquired {
            vm.safepoint()?;
        }
        Ok(Reordering)
    }
}

impl Drop for Reordering {
    fn drop(&mut self) {
        REORDERING.release();
    }
}

/// Frees the lock of a thread that the child does not have.
pub(crate) fn after_fork_child() {
    if !REORDERING.is_owned() {
        REORDERING.reset_after_fork();
    }
}

fn assign_bases(vm: &Vm, ty: &Py<Type>, value: &Value) -> Res<()> {
    let name = ty.name();
    let Some(tuple) = value.downcast::<Tuple>() else {
        let got = value.ty().name();
        return Err(vm.type_error(format!("can only assign tuple to {name}.__bases__, not {got}")));
    };
    if tuple.as_slice().is_empty() {
        return Err(vm.type_error(format!("can only assign non-empty tuple to {name}.__bases__, not ()")));
    }
    let mut bases = Vec::new();
    for base in tuple.as_slice() {
        let Some(b) = base.downcast::<Type>() else {
            let got = base.ty().name();
            return Err(vm.type_error(format!("{name}.__bases__ must be tuple of classes, not '{got}'")));
        };
        // A `mro()` that assigns bases sees classes whose order is not up to date: the bases count too.
        if b.is_subclass(ty) || derives_by_bases(b, ty) {
            return Err(vm.type_error("a __bases__ item causes an inheritance cycle"));
        }
        bases.push(b.clone());
    }
    let best = best_base(vm, &bases)?;
    let old_base = ty.base.get();
    let compatible = old_base.as_ref().is_some_and(|old| {
        std::ptr::eq(old.info, best.info)
            && old.members() == best.members()
            && (old.attr_offset() != 0) == (best.attr_offset() != 0)
            || (std::ptr::eq(ty.info, best.info) && best.members() == 0 && old.members() == 0)
    });
    if !compatible {
        let old = old_base.map_or_else(String::new, |b| b.name());
        return Err(vm.type_error(format!(
            "__bases__ assignment: '{}' object layout differs from '{old}'",
            best.name()
        )));
    }
    let old_bases = ty.bases.swap(Some(tuple.clone()));
    let old_base = ty.base.swap(Some(best));
    let mut done = Vec::new();
    let outcome = recompute_tree(vm, ty, &mut done);
    // A `mro()` may have assigned other bases, which then stay.
    let ours = ty.bases.get().is_some_and(|bases| bases.is(tuple));
    match outcome {
        Ok(()) if ours => {
            // The lists of subclasses still are those of the old bases.
            drop(
                ty.bases
                    .swap(old_bases.clone().and_then(|v| v.try_into_py::<Tuple>().ok())),
            );
            ty.unlink_from_bases();
            drop(ty.bases.swap(Some(tuple.clone())));
            ty.link_to_bases();
            threads::stop_the_world(|| {
                ty.modified();
                ty.for_each_in_tree(&mut |class| slotdefs::compute_all(vm, class));
            });
            Ok(())
        }
        Ok(()) => Ok(()),
        Err(exc) => {
            let mut dropped = Vec::new();
            threads::stop_the_world(|| {
                for (class, new, old) in done.iter_mut().rev() {
                    // Unless the class has a newer order by now.
                    if class.mro.get().is_some_and(|mro| mro.is(new)) {
                        dropped.push(class.mro.swap(old.take()));
                        class.modified();
                        slotdefs::compute_all(vm, class);
                    }
                }
            });
            drop(dropped);
            if ours {
                drop(ty.bases.swap(old_bases.and_then(|v| v.try_into_py::<Tuple>().ok())));
                drop(ty.base.swap(old_base.and_then(|v| v.try_into_py::<Type>().ok())));
            }
            Err(exc)
        }
    }
}

/// Whether `other` is reached from `ty` along `__bases__`.
fn derives_by_bases(ty: &Py<Type>, other: &Py<Type>) -> bool {
    let mut seen: Vec<Py<Type>> = vec![ty.clone()];
    let mut next = 0;
    while let Some(at) = seen.get(next).cloned() {
        next += 1;
        if at.is(other) {
            return true;
        }
        let bases = at.bases.get();
        for base in bases
            .iter()
            .flat_map(|b| b.as_slice())
            .filter_map(|b| b.downcast::<Type>())
        {
            if !seen.iter().any(|s| s.is(base)) {
                seen.push(base.clone());
            }
        }
    }
    false
}

/// Classes with their new and their old resolution order.
type Orders = Vec<(Py<Type>, Py<Tuple>, Option<Py<Tuple>>)>;

/// New resolution orders and slots for a class and its subclasses, bases before derived.
fn recompute_tree(vm: &Vm, ty: &Py<Type>, done: &mut Orders) -> Result<(), Exc> {
    let _guard = vm.enter_recursive(" while computing the order of bases")?;
    let before = ty.mro.get();
    let mro = compute_mro(vm, ty, &base_classes(ty))?;
    // A `mro()` that assigned bases has brought all of this up to date.
    let reentered = match (&before, ty.mro.get()) {
        (Some(before), Some(now)) => !before.is(&now),
        (before, now) => before.is_some() != now.is_some(),
    };
    if reentered {
        return Ok(());
    }
    done.push((ty.clone(), mro.clone(), before));
    let mut old = None;
    threads::stop_the_world(|| {
        old = ty.mro.swap(Some(mro));
        ty.modified();
        slotdefs::compute_all(vm, ty);
    });
    drop(old);
    for sub in ty.subclasses() {
        recompute_tree(vm, &sub, done)?;
    }
    Ok(())
}

fn base_classes(ty: &Py<Type>) -> Vec<Py<Type>> {
    let bases = ty.bases.get();
    let classes = bases.iter().flat_map(|bases| bases.as_slice());
    classes.filter_map(|base| base.downcast::<Type>().cloned()).collect()
}
