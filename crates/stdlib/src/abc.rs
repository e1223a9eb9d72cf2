//! `_abc`: the checks and caches of abstract base classes.
//!
//! Invariant: classes are known by identity, through weak references; an entry counts only while its reference still leads to the class, so an
//! address that was used again cannot be mistaken. The data of a class are changed under its lock, and what is taken out is dropped after it.
//! Left out: classes with an equality of their own are not found through it.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::{Native, Py, Res, Str, Type, TypeFlags, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::object::attrs::AddressHasher;
use lisle_runtime::sync::Locked;
use lisle_runtime::types::list::List;
use lisle_runtime::types::set::{FrozenSet, Set};
use lisle_runtime::types::tuple::Tuple;
use lisle_runtime::types::weakref::{self, Ref};

/// Grows with each registration; negative caches of an older count are stale.
static REGISTRATIONS: AtomicU64 = AtomicU64::new(0);

/// Classes held weakly, by address.
#[derive(Default)]
struct ClassSet {
    refs: HashMap<u64, Py<Ref>, BuildHasherDefault<AddressHasher>>,
    /// Size at which dead entries are looked for.
    crowded: usize,
}

impl ClassSet {
    fn find(&self, class: &Value) -> Option<Py<Ref>> {
        self.refs.get(&class.bits()).cloned()
    }

    /// Enters the class; what had to go is put into `out`.
    fn insert(&mut self, class: &Value, reference: Py<Ref>, out: &mut Vec<Py<Ref>>) {
        if self.refs.len() >= self.crowded.max(64) {
            let dead: Vec<u64> = self
                .refs
                .iter()
                .filter(|(_, reference)| weakref::is_dead_ref(reference.as_value()))
                .map(|(&address, _)| address)
                .collect();
            out.extend(dead.iter().filter_map(|address| self.refs.remove(address)));
            self.crowded = self.refs.len() * 2;
        }
        out.extend(self.refs.insert(class.bits(), reference));
    }

    fn take(&mut self) -> Vec<Py<Ref>> {
        std::mem::take(&mut self.refs).into_values().collect()
    }

    fn all(&self) -> Vec<Py<Ref>> {
        self.refs.values().cloned().collect()
    }
}

#[derive(Default)]
struct State {
    registry: ClassSet,
    cache: ClassSet,
    negative: ClassSet,
    negative_version: u64,
}

#[derive(Clone, Copy)]
enum Which {
    Registry,
    Cache,
    Negative,
}

impl State {
    fn set(&mut self, which: Which) -> &mut ClassSet {
        match which {
            Which::Registry => &mut self.registry,
            Which::Cache => &mut self.cache,
            Which::Negative => &mut self.negative,
        }
    }
}

/// Internal state held by ABC machinery.
#[pyclass(
    name = "_abc_data",
    module = "_abc",
    no_new,
    doc = "Internal state held by ABC machinery."
)]
pub struct AbcData {
    // Weak references without callbacks refer to nothing, so the collector need not see them.
    state: Opaque<Locked<State>>,
}

#[pymethods]
impl AbcData {}

impl AbcData {
    fn with<R>(this: &Py<AbcData>, f: impl FnOnce(&mut State) -> R) -> R {
        this.state.with(this.header(), f)
    }

    fn contains(this: &Py<AbcData>, which: Which, class: &Value) -> bool {
        let found = AbcData::with(this, |state| state.set(which).find(class));
        found.is_some_and(|reference| reference.link.get().is_some_and(|target| target.is(class)))
    }

    fn add(vm: &Vm, this: &Py<AbcData>, which: Which, class: &Value) -> Res<()> {
        let reference = weakref::new_ref(vm, Ref::ty(), class, None)?;
        if let Ok(reference) = reference.try_into_py::<Ref>() {
            let mut out = Vec::new();
            AbcData::with(this, |state| state.set(which).insert(class, reference, &mut out));
            drop(out);
        }
        Ok(())
    }

    fn clear(this: &Py<AbcData>, which: Which) {
        let old = AbcData::with(this, |state| state.set(which).take());
        drop(old);
    }

    /// The living classes.
    fn classes(this: &Py<AbcData>, which: Which) -> Vec<Value> {
        let all = AbcData::with(this, |state| state.set(which).all());
        all.iter().filter_map(|reference| reference.link.get()).collect()
    }
}

fn data_of(vm: &Vm, cls: &Value) -> Res<Py<AbcData>> {
    let name = intern!("_abc_impl");
    let own = cls.downcast::<Type>().and_then(|cls| cls.lookup(vm, name));
    let data = match own {
        Some(data) => data,
        None => vm.getattr(cls, name)?,
    };
    data.try_into_py::<AbcData>()
        .map_err(|_| vm.type_error("_abc_impl is set to a wrong type"))
}

fn is_abstract(vm: &Vm, value: &Value) -> Res<bool> {
    match vm.getattr_opt(value, intern!("__isabstractmethod__"))? {
        Some(flag) => vm.truth(&flag),
        None => Ok(false),
    }
}

/// Sets `__abstractmethods__`.
fn compute_abstract_methods(vm: &Vm, cls: &Value) -> Res<()> {
    let mut names = Vec::new();
    let namespace = match cls.downcast::<Type>() {
        Some(cls) => cls.dict().snapshot(),
        None => {
            let namespace = vm.getattr(cls, intern!("__dict__"))?;
            let items = vm.call_method(&namespace, intern!("items"), &[])?;
            let mut pairs = Vec::new();
            for item in vm.collect(&items)? {
                match item.downcast::<Tuple>().map(|pair| pair.as_slice()) {
                    Some([name, value]) => pairs.push((name.clone(), value.clone())),
                    _ => return Err(vm.type_error("Iteration over __dict__.items() did not return 2-tuples")),
                }
            }
            pairs
        }
    };
    for (name, value) in namespace {
        if is_abstract(vm, &value)? {
            names.push(name);
        }
    }
    let bases = vm.getattr(cls, intern!("__bases__"))?;
    let Some(bases) = bases.downcast::<Tuple>() else {
        return Err(vm.type_error("__bases__ is not tuple"));
    };
    for base in bases.as_slice() {
        let Some(inherited) = vm.getattr_opt(base, intern!("__abstractmethods__"))? else {
            continue;
        };
        for name in vm.collect(&inherited)? {
            let Some(text) = name.downcast::<Str>() else { continue };
            if let Some(value) = vm.getattr_opt(cls, text)?
                && is_abstract(vm, &value)?
            {
                names.push(name);
            }
        }
    }
    let set = FrozenSet::from_values(vm, names)?;
    vm.setattr(cls, intern!("__abstractmethods__"), &set)
}

const COLLECTION: TypeFlags = TypeFlags::SEQUENCE.union(TypeFlags::MAPPING);

/// Takes over `__abc_tpflags__`: whether patterns take instances for sequences or mappings.
fn apply_collection_flags(vm: &Vm, cls: &Py<Type>) -> Res<()> {
    let name = intern!("__abc_tpflags__");
    let Some(flags) = cls.dict().get_str(name) else {
        return Ok(());
    };
    let Some(bits) = vm.int_value(&flags).and_then(|n| n.to_i64()) else {
        return Ok(());
    };
    let bits = bits as u32 & COLLECTION.0;
    if bits == COLLECTION.0 {
        return Err(vm.type_error("__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING"));
    }
    if bits != 0 {
        cls.set_flag(TypeFlags(bits));
    }
    cls.set_own(vm, name, None).map(drop)
}

/// Gives a registered class, and its subclasses, the collection flag of the class it was registered with.
fn spread_collection_flag(cls: &Py<Type>, flag: TypeFlags) {
    let present = cls.flags.load(Relaxed) & COLLECTION.0;
    if !cls.has_flag(TypeFlags::HEAP) || present == flag.0 {
        return;
    }
    cls.clear_flag(COLLECTION);
    cls.set_flag(flag);
    for sub in cls.subclasses() {
        spread_collection_flag(&sub, flag);
    }
}

/// `__subclasscheck__`.
fn subclass_check(vm: &Vm, cls: &Value, subclass: &Value) -> Res<bool> {
    let Some(sub) = subclass.downcast::<Type>() else {
        return Err(vm.type_error("issubclass() arg 1 must be a class"));
    };
    let data = data_of(vm, cls)?;
    if AbcData::contains(&data, Which::Cache, subclass) {
        return Ok(true);
    }
    let now = REGISTRATIONS.load(Relaxed);
    let stale = AbcData::with(&data, |state| {
        let stale = state.negative_version < now;
        state.negative_version = state.negative_version.max(now);
        stale.then(|| state.negative.take())
    });
    match stale {
        Some(old) => drop(old),
        None if AbcData::contains(&data, Which::Negative, subclass) => return Ok(false),
        None => {}
    }
    let hooked = vm.call_method(cls, intern!("__subclasshook__"), std::slice::from_ref(subclass))?;
    if hooked.is_true() {
        AbcData::add(vm, &data, Which::Cache, subclass)?;
        return Ok(true);
    }
    if hooked.is_false() {
        AbcData::add(vm, &data, Which::Negative, subclass)?;
        return Ok(false);
    }
    if !hooked.is_not_implemented() {
        return Err(vm.assertion_error("__subclasshook__ must return either False, True, or NotImplemented"));
    }
    if cls.downcast::<Type>().is_some_and(|cls| sub.is_subclass(cls)) {
        AbcData::add(vm, &data, Which::Cache, subclass)?;
        return Ok(true);
    }
    for registered in AbcData::classes(&data, Which::Registry) {
        if registered.is(subclass) || vm.issubclass(subclass, &registered)? {
            AbcData::add(vm, &data, Which::Cache, subclass)?;
            return Ok(true);
        }
    }
    let subclasses = vm.call_method(cls, intern!("__subclasses__"), &[])?;
    let Some(subclasses) = subclasses.downcast::<List>() else {
        return Err(vm.type_error("__subclasses__() must return a list"));
    };
    for class in subclasses.snapshot() {
        if vm.issubclass(subclass, &class)? {
            AbcData::add(vm, &data, Which::Cache, subclass)?;
            return Ok(true);
        }
    }
    AbcData::add(vm, &data, Which::Negative, subclass)?;
    Ok(false)
}

/// What `cls.__subclasscheck__(subclass)` says. The one of `abc` is this module's, so it is not called.
fn ask(vm: &Vm, cls: &Value, subclass: &Value) -> Res<Value> {
    vm.call_method(cls, intern!("__subclasscheck__"), std::slice::from_ref(subclass))
}

fn set_of(vm: &Vm, data: &Py<AbcData>, which: Which) -> Res<Value> {
    let refs = AbcData::with(data, |state| state.set(which).all());
    let living = refs.into_iter().filter(|reference| reference.link.get().is_some());
    let living: Vec<Value> = living.map(Py::into_value).collect();
    Ok(Set::from_values(vm, &living)?.into_value())
}

#[pymodule(name = "_abc", doc = "Module contains faster C implementation of abc.ABCMeta")]
pub mod module {
    use super::*;

    /// Returns the current ABC cache token.
    ///
    /// The token is an opaque object (supporting equality testing) identifying the
    /// current version of the ABC cache for virtual subclasses. The token changes
    /// with every call to register() on any ABC.
    #[pyfunction(sig = "()")]
    fn get_cache_token(_: &Vm) -> u64 {
        REGISTRATIONS.load(Relaxed)
    }

    /// Internal ABC helper for class set-up. Should be never used outside abc module.
    #[pyfunction(sig = "(self, /)")]
    fn _abc_init(vm: &Vm, cls: &Value) -> Res<()> {
        compute_abstract_methods(vm, cls)?;
        let data = Py::new(AbcData {
            state: Opaque(Locked::new(State {
                negative_version: REGISTRATIONS.load(Relaxed),
                ..State::default()
            })),
        });
        vm.setattr(cls, intern!("_abc_impl"), data.as_value())?;
        match cls.downcast::<Type>() {
            Some(cls) => apply_collection_flags(vm, cls),
            None => Ok(()),
        }
    }

    /// Internal ABC helper for subclasss registration. Should be never used outside abc module.
    #[pyfunction(sig = "(self, subclass, /)")]
    fn _abc_register(vm: &Vm, cls: &Value, subclass: &Value) -> Res<Value> {
        let Some(sub) = subclass.downcast::<Type>() else {
            return Err(vm.type_error("Can only register classes"));
        };
        if vm.issubclass(subclass, cls)? {
            return Ok(subclass.clone());
        }
        if vm.issubclass(cls, subclass)? {
            return Err(vm.runtime_error("Refusing to create an inheritance cycle"));
        }
        let data = data_of(vm, cls)?;
        AbcData::add(vm, &data, Which::Registry, subclass)?;
        REGISTRATIONS.fetch_add(1, Relaxed);
        if let Some(cls) = cls.downcast::<Type>() {
            let flag = TypeFlags(cls.flags.load(Relaxed) & COLLECTION.0);
            if flag.0 != 0 {
                spread_collection_flag(sub, flag);
            }
        }
        Ok(subclass.clone())
    }

    /// Internal ABC helper for instance checks. Should be never used outside abc module.
    #[pyfunction(sig = "(self, instance, /)")]
    fn _abc_instancecheck(vm: &Vm, cls: &Value, instance: &Value) -> Res<Value> {
        let data = data_of(vm, cls)?;
        let subclass = vm.getattr(instance, intern!("__class__"))?;
        if AbcData::contains(&data, Which::Cache, &subclass) {
            return Ok(Value::TRUE);
        }
        let subtype = instance.ty().to_value();
        if subtype.is(&subclass) {
            let current = AbcData::with(&data, |state| state.negative_version) == REGISTRATIONS.load(Relaxed);
            if current && AbcData::contains(&data, Which::Negative, &subclass) {
                return Ok(Value::FALSE);
            }
            return ask(vm, cls, &subclass);
        }
        let result = ask(vm, cls, &subclass)?;
        if vm.truth(&result)? {
            return Ok(result);
        }
        ask(vm, cls, &subtype)
    }

    /// Internal ABC helper for subclasss checks. Should be never used outside abc module.
    #[pyfunction(sig = "(self, subclass, /)")]
    fn _abc_subclasscheck(vm: &Vm, cls: &Value, subclass: &Value) -> Res<bool> {
        subclass_check(vm, cls, subclass)
    }

    /// Internal ABC helper for cache and registry debugging.
    ///
    /// Return shallow copies of registry, of both caches, and
    /// negative cache version. Don't call this function directly,
    /// instead use ABC._dump_registry() for a nice repr.
    #[pyfunction(sig = "(self, /)")]
    fn _get_dump(vm: &Vm, cls: &Value) -> Res<Value> {
        let data = data_of(vm, cls)?;
        let version = AbcData::with(&data, |state| state.negative_version);
        let fields = [
            set_of(vm, &data, Which::Registry)?,
            set_of(vm, &data, Which::Cache)?,
            set_of(vm, &data, Which::Negative)?,
            Value::usize(version as usize),
        ];
        Ok(Tuple::from_array(fields).into_value())
    }

    /// Internal ABC helper to reset registry of a given class.
    ///
    /// Should be only used by refleak.py
    #[pyfunction(sig = "(self, /)")]
    fn _reset_registry(vm: &Vm, cls: &Value) -> Res<()> {
        AbcData::clear(&data_of(vm, cls)?, Which::Registry);
        Ok(())
    }

    /// Internal ABC helper to reset both caches of a given class.
    ///
    /// Should be only used by refleak.py
    #[pyfunction(sig = "(self, /)")]
    fn _reset_caches(vm: &Vm, cls: &Value) -> Res<()> {
        let data = data_of(vm, cls)?;
        AbcData::clear(&data, Which::Cache);
        AbcData::clear(&data, Which::Negative);
        Ok(())
    }
}
