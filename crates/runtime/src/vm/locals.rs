//! Values that an object has for each thread: the attributes of `threading.local`.
//!
//! Invariant: the object owns the values, so that the collector sees cycles through them; each thread knows its own by a table of uncounted
//! words. A word may be followed while the object is alive and was not cleared, since only the thread itself takes its value away. An object
//! leaves the registry before its memory is freed: whoever holds the registry's lock may touch the headers of what is registered.

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use super::Vm;
use crate::memory::header::Header;
use crate::memory::trace::{Trace, Visitor};
use crate::object::{Native, Py, Value};
use crate::sync::{Locked, Mutex};
use crate::threads::serial;

/// A field of an object that holds one value a thread.
pub struct PerThread {
    /// What threads find their values by; never used again.
    key: usize,
    /// The values by the serial numbers of their threads; guarded by the object's lock.
    values: Locked<Vec<(u64, Value)>>,
    /// Set when the collector took the values: the threads' words are stale.
    cleared: AtomicBool,
}

struct Registered(NonNull<Header>, NonNull<PerThread>);

// SAFETY: the pointers are only followed under the registry's lock or with a reference to the object (see the module).
unsafe impl Send for Registered {}

static NEXT_KEY: AtomicUsize = AtomicUsize::new(1);
static REGISTRY: Mutex<Option<HashMap<usize, Registered>>> = Mutex::new(None);

/// The calling thread's words by key.
#[derive(Default)]
pub struct Words {
    map: HashMap<usize, u64>,
    /// The key and the word that were found last.
    last: (usize, u64),
    /// Words of objects that are gone are dropped when there are more than this.
    limit: usize,
}

impl Words {
    fn find(&mut self, key: usize) -> Option<u64> {
        if self.last.0 != key {
            self.last = (key, *self.map.get(&key)?);
        }
        Some(self.last.1)
    }

    fn remove(&mut self, key: usize) {
        self.map.remove(&key);
        if self.last.0 == key {
            self.last = (0, 0);
        }
    }
}

impl PerThread {
    /// No values. The field must be in its final place before the first [`PerThread::set`].
    pub fn new() -> PerThread {
        PerThread {
            key: NEXT_KEY.fetch_add(1, Relaxed),
            values: Locked::new(Vec::new()),
            cleared: AtomicBool::new(false),
        }
    }

    /// The calling thread's value. `header` is that of the object the field belongs to.
    pub fn get(&self, vm: &Vm, header: &Header) -> Option<Value> {
        if self.cleared.load(Relaxed) {
            let me = serial();
            return self.values.with(header, |values| {
                values.iter().find(|(t, _)| *t == me).map(|(_, value)| value.clone())
            });
        }
        let bits = vm.locals.borrow_mut().find(self.key)?;
        // SAFETY: the object is alive, as the caller has it, and has not been cleared: it owns the value.
        let value = ManuallyDrop::new(unsafe { Value::from_bits(bits) });
        Some((*value).clone())
    }

    /// Gives the calling thread, which has none, a value. `object` is what `self` is a field of.
    pub fn set<T: Native>(&self, vm: &Vm, object: &Py<T>, value: Value) {
        let bits = value.bits();
        {
            let mut registry = REGISTRY.lock();
            let map = registry.get_or_insert_default();
            map.entry(self.key)
                .or_insert_with(|| Registered(NonNull::from(object.header()), NonNull::from(self)));
            let mut words = vm.locals.borrow_mut();
            if words.map.len() > words.limit {
                words.map.retain(|key, _| map.contains_key(key));
                words.limit = words.map.len() * 2 + 16;
            }
            words.map.insert(self.key, bits);
        }
        self.values
            .with(object.header(), |values| values.push((serial(), value)));
    }

    /// Takes the calling thread's value away.
    pub fn remove(&self, vm: &Vm, header: &Header) -> Option<Value> {
        vm.locals.borrow_mut().remove(self.key);
        let me = serial();
        self.values.with(header, |values| {
            let at = values.iter().position(|(t, _)| *t == me)?;
            Some(values.swap_remove(at).1)
        })
    }
}

impl Default for PerThread {
    fn default() -> Self {
        PerThread::new()
    }
}

impl Trace for PerThread {
    fn traverse(&self, visit: &mut Visitor<'_>) {
        self.values.traverse(visit);
    }

    fn clear(&self, out: &mut Vec<Value>) {
        self.cleared.store(true, Relaxed);
        self.values.clear(out);
    }
}

impl Drop for PerThread {
    fn drop(&mut self) {
        if let Some(map) = REGISTRY.lock().as_mut() {
            map.remove(&self.key);
        }
        if let Some(vm) = Vm::try_current() {
            vm.locals.borrow_mut().remove(self.key);
        }
    }
}

/// The calling thread ends: its values are dropped. True if there were any.
pub(super) fn leave(vm: &Vm) -> bool {
    let words = std::mem::take(&mut *vm.locals.borrow_mut());
    let mut any = false;
    for key in words.map.into_keys() {
        let found = {
            let registry = REGISTRY.lock();
            registry.as_ref().and_then(|map| map.get(&key)).and_then(|known| {
                let Registered(header, field) = *known;
                // SAFETY: the registry's lock is held; the count taken is that of the value made.
                let object = unsafe {
                    header
                        .as_ref()
                        .try_incref()
                        .then(|| Value::from_bits(header.as_ptr() as u64))
                };
                object.map(|object| (object, header, field))
            })
        };
        let Some((object, header, field)) = found else { continue };
        // SAFETY: `object` keeps both alive.
        let value = unsafe { field.as_ref().remove(vm, header.as_ref()) };
        any |= value.is_some();
        drop(value);
        drop(object);
    }
    any
}
