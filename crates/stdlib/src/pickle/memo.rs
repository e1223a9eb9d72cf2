//! Memos of picklers and unpicklers, and what programs see of them.
//!
//! Invariant: a memo is changed under its owner's lock; what is taken out of it is dropped after. An object in a pickler's memo stays alive,
//! so that its identity is not given to another.

use std::collections::HashMap;

use lisle_runtime::memory::room::NoMemory;
use lisle_runtime::memory::trace::{Trace, Visitor, has_room};
use lisle_runtime::native::*;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::tuple::Tuple;

use super::load::Unpickler;
use super::save::Pickler;

/// Objects by identity, with their numbers: in the order they came, with an index by address over them.
#[derive(Default)]
pub struct SaveMemo {
    entries: Vec<(Value, usize)>,
    /// One more than the place of an entry, or 0; the length is a power of two, at least twice as many as there are entries.
    index: Vec<u32>,
}

impl SaveMemo {
    const FIRST: usize = 64;

    #[inline(always)]
    fn slot(bits: u64, index: &[u32]) -> usize {
        (bits.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & (index.len() - 1)
    }

    /// Where the object is in the index, or the free place for it. There is an index, with free places.
    #[inline(always)]
    fn find(&self, bits: u64) -> (usize, Option<usize>) {
        let mut slot = SaveMemo::slot(bits, &self.index);
        loop {
            match self.index[slot] as usize {
                0 => return (slot, None),
                n if self.entries[n - 1].0.bits() == bits => return (slot, Some(n - 1)),
                _ => slot = (slot + 1) & (self.index.len() - 1),
            }
        }
    }

    /// The number of the object.
    #[inline(always)]
    pub fn get(&self, object: &Value) -> Option<usize> {
        if self.index.is_empty() {
            return None;
        }
        let (_, at) = self.find(object.bits());
        at.map(|at| self.entries[at].1)
    }

    /// How many objects there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The objects with their numbers.
    pub fn entries(&self) -> Vec<(Value, usize)> {
        self.entries.clone()
    }

    /// Gives the object a number.
    #[inline(always)]
    pub fn insert(&mut self, object: &Value, number: usize) -> Result<(), NoMemory> {
        if self.entries.len() * 2 >= self.index.len() {
            self.grow()?;
        }
        if self.entries.len() == self.entries.capacity() {
            self.entries.try_reserve(SaveMemo::FIRST / 2)?;
        }
        match self.find(object.bits()) {
            (_, Some(at)) => self.entries[at].1 = number,
            (slot, None) => {
                self.entries.push((object.clone(), number));
                self.index[slot] = self.entries.len() as u32;
            }
        }
        Ok(())
    }

    #[cold]
    fn grow(&mut self) -> Result<(), NoMemory> {
        let size = (self.index.len() * 4).max(SaveMemo::FIRST);
        // The places have to fit into the index.
        if self.entries.len() >= u32::MAX as usize / 2 {
            return Err(NoMemory);
        }
        let mut index = Vec::new();
        index.try_reserve_exact(size)?;
        index.resize(size, 0);
        for (at, (object, _)) in self.entries.iter().enumerate() {
            let mut slot = SaveMemo::slot(object.bits(), &index);
            while index[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            index[slot] = at as u32 + 1;
        }
        self.index = index;
        Ok(())
    }
}

impl Trace for SaveMemo {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.entries.iter().for_each(|(value, _)| value.traverse(visit));
    }
    fn clear_mut(&mut self, out: &mut Vec<Value>) {
        if !has_room(out, self.entries.len()) {
            return;
        }
        self.index = Vec::new();
        out.extend(self.entries.drain(..).map(|(value, _)| value));
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
        if !has_room(out, self.dense.len() + self.sparse.len()) {
            return;
        }
        out.extend(self.dense.drain(..).flatten());
        out.extend(self.sparse.drain().map(|(_, value)| value));
    }
}

impl LoadMemo {
    #[inline(always)]
    pub fn get(&self, at: usize) -> Option<Value> {
        match self.dense.get(at) {
            Some(Some(value)) => Some(value.clone()),
            _ if self.sparse.is_empty() => None,
            _ => self.sparse.get(&at).cloned(),
        }
    }

    /// The number that the next memoized object gets.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Puts a value in; the one before it comes out.
    #[inline(always)]
    pub fn put(&mut self, at: usize, value: Value) -> Option<Value> {
        if at == self.dense.len() && self.sparse.is_empty() {
            self.dense.push(Some(value));
            self.count += 1;
            return None;
        }
        self.put_anywhere(at, value)
    }

    fn put_anywhere(&mut self, at: usize, value: Value) -> Option<Value> {
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
    let entries = owner.memo.with(owner.header(), |memo| memo.entries());
    let dict = Dict::new_empty();
    for (value, number) in entries {
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
        for (object, number) in other.memo.with(other.header(), |memo| memo.entries()) {
            new.insert(&object, number)?;
        }
    } else if let Some(dict) = value.downcast::<Dict>() {
        for (_, entry) in dict.snapshot() {
            let parts = entry.downcast::<Tuple>().map(|tuple| tuple.as_slice());
            let Some([number, object]) = parts else {
                return Err(vm.type_error("'memo' values must be 2-item tuples"));
            };
            let number = vm.index_to_isize(number)?;
            new.insert(object, number as usize)?;
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
