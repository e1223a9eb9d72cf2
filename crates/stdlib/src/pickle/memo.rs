//! Memos of picklers and unpicklers, and what programs see of them.
//!
//! Invariant: a memo is changed under its owner's lock; what is taken out of it is dropped after. An object in a pickler's memo stays alive,
//! so that its identity is not given to another.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use lisle_runtime::memory::trace::{Trace, Visitor};
use lisle_runtime::native::*;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::tuple::Tuple;

use super::load::Unpickler;
use super::save::Pickler;

/// Spreads addresses.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn write_u64(&mut self, n: u64) {
        let mixed = (self.0 ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ mixed >> 32;
    }
}

/// By identity: the number of an object, and the object.
#[derive(Default)]
pub struct SaveMemo(pub HashMap<u64, (usize, Value), BuildHasherDefault<Spread>>);

impl Trace for SaveMemo {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.0.values().for_each(|(_, value)| value.traverse(visit));
    }
    fn clear_mut(&mut self, out: &mut Vec<Value>) {
        out.extend(self.0.drain().map(|(_, (_, value))| value));
    }
}

/// By number; those far beyond the others apart, so that a number costs no more than itself.
#[derive(Default)]
pub struct LoadMemo {
    dense: Vec<Option<Value>>,
    sparse: HashMap<usize, Value>,
    count: usize,
}

impl Trace for LoadMemo {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.dense.iter().flatten().for_each(|value| value.traverse(visit));
        self.sparse.values().for_each(|value| value.traverse(visit));
    }
    fn clear_mut(&mut self, out: &mut Vec<Value>) {
        out.extend(self.dense.drain(..).flatten());
        out.extend(self.sparse.drain().map(|(_, value)| value));
    }
}

impl LoadMemo {
    pub fn get(&self, at: usize) -> Option<Value> {
        let dense = self.dense.get(at).and_then(Clone::clone);
        dense.or_else(|| self.sparse.get(&at).cloned())
    }

    /// The number that the next memoized object gets.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Puts a value in; the one before it comes out.
    pub fn put(&mut self, at: usize, value: Value) -> Option<Value> {
        let old = if at <= self.dense.len() + 64 {
            if at >= self.dense.len() {
                self.dense.resize_with(at + 1, || None);
            }
            self.dense[at].replace(value).or_else(|| self.sparse.remove(&at))
        } else {
            self.sparse.insert(at, value)
        };
        self.count += usize::from(old.is_none());
        old
    }

    pub fn entries(&self) -> Vec<(usize, Value)> {
        let dense = self
            .dense
            .iter()
            .enumerate()
            .filter_map(|(at, value)| Some((at, value.clone()?)));
        dense
            .chain(self.sparse.iter().map(|(at, value)| (*at, value.clone())))
            .collect()
    }
}

macro_rules! proxy {
    ($name:ident, $python:literal, $owner:ident, $copy:path, $clear:path) => {
        #[pyclass(name = $python, module = "_pickle", no_new, unhashable)]
        pub struct $name {
            pub owner: Py<$owner>,
        }

        #[pymethods]
        impl $name {
            /// Remove all items from memo.
            #[pymethod(sig = "($self, /)")]
            fn clear(_: &Vm, this: &Py<$name>) {
                $clear(&this.owner);
            }

            /// Copy the memo to a new object.
            #[pymethod(sig = "($self, /)")]
            fn copy(vm: &Vm, this: &Py<$name>) -> Res<Value> {
                $copy(vm, &this.owner)
            }

            #[pymethod(sig = "($self, /)")]
            fn __reduce__(vm: &Vm, this: &Py<$name>) -> Res<Value> {
                let contents = $copy(vm, &this.owner)?;
                let args = Tuple::new(vec![contents]).into_value();
                Ok(Tuple::pair(Dict::ty().to_value(), args).into_value())
            }
        }
    };
}

proxy!(PicklerMemoProxy, "PicklerMemoProxy", Pickler, copy_saved, clear_saved);
proxy!(
    UnpicklerMemoProxy,
    "UnpicklerMemoProxy",
    Unpickler,
    copy_loaded,
    clear_loaded
);

pub fn clear_saved(owner: &Py<Pickler>) {
    drop(owner.memo.with(owner.header(), std::mem::take));
}

pub fn clear_loaded(owner: &Py<Unpickler>) {
    drop(owner.memo.with(owner.header(), std::mem::take));
}

pub fn copy_saved(vm: &Vm, owner: &Py<Pickler>) -> Res<Value> {
    let entries: Vec<(usize, Value)> = owner
        .memo
        .with(owner.header(), |memo| memo.0.values().cloned().collect());
    let dict = Dict::new_empty();
    for (number, value) in entries {
        let key = value.id();
        dict.set(vm, &key, Tuple::pair(Value::usize(number), value).into_value())?;
    }
    Ok(dict.into_value())
}

pub fn copy_loaded(vm: &Vm, owner: &Py<Unpickler>) -> Res<Value> {
    let entries = owner.memo.with(owner.header(), |memo| memo.entries());
    let dict = Dict::new_empty();
    for (at, value) in entries {
        dict.set(vm, &Value::usize(at), value)?;
    }
    Ok(dict.into_value())
}

/// Sets a pickler's memo to another's or to what a dict says.
pub fn set_saved(vm: &Vm, owner: &Py<Pickler>, value: &Value) -> Res<()> {
    let mut new = SaveMemo::default();
    if let Some(proxy) = value.downcast::<PicklerMemoProxy>() {
        let other = &proxy.owner;
        new.0 = other.memo.with(other.header(), |memo| memo.0.clone());
    } else if let Some(dict) = value.downcast::<Dict>() {
        for (_, entry) in dict.snapshot() {
            let parts = entry.downcast::<Tuple>().map(|tuple| tuple.as_slice());
            let Some([number, object]) = parts else {
                return Err(vm.type_error("'memo' values must be 2-item tuples"));
            };
            let number = vm.index_to_isize(number)?;
            new.0.insert(object.bits(), (number as usize, object.clone()));
        }
    } else {
        let found = value.ty().name();
        return Err(vm.type_error(format!(
            "'memo' attribute must be a PicklerMemoProxy object or dict, not {found}"
        )));
    }
    drop(owner.memo.with(owner.header(), |memo| std::mem::replace(memo, new)));
    Ok(())
}

pub fn set_loaded(vm: &Vm, owner: &Py<Unpickler>, value: &Value) -> Res<()> {
    let mut new = LoadMemo::default();
    if let Some(proxy) = value.downcast::<UnpicklerMemoProxy>() {
        let other = &proxy.owner;
        for (at, value) in other.memo.with(other.header(), |memo| memo.entries()) {
            new.put(at, value);
        }
    } else if let Some(dict) = value.downcast::<Dict>() {
        for (key, value) in dict.snapshot() {
            if vm.int_value(&key).is_none() {
                return Err(vm.type_error("memo key must be integers"));
            }
            let Ok(at) = usize::try_from(vm.index_to_isize(&key)?) else {
                return Err(vm.value_error("memo key must be positive integers."));
            };
            new.put(at, value);
        }
    } else {
        let found = value.ty().name();
        return Err(vm.type_error(format!(
            "'memo' attribute must be an UnpicklerMemoProxy object or dict, not {found}"
        )));
    }
    drop(owner.memo.with(owner.header(), |memo| std::mem::replace(memo, new)));
    Ok(())
}
