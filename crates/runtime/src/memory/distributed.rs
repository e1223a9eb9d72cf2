//! Reference counts of objects that many threads use all the time (functions, types, modules...): a table a thread, so that threads
//! that share code do not write to the same cache lines.
//!
//! Invariant: the number of references to distributed object `i` is the sum of entry `i` over all tables. Such objects
//! are freed by the collector alone, which sums the tables while the world is stopped and makes what it found unreachable ordinary
//! again. The table of a thread that has ended goes, with its counts, to the next thread that needs one. The number of an object that was made
//! ordinary is for another object: its entries are not 0, but their sum is.
//! Nothing is distributed before a second thread starts ([`distribute_all`]).

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::Relaxed};

use lisle_bytecode::CodeFlags;

use super::header::Header;
use crate::object::{Native, Type, TypeFlags, Value};
use crate::sync::Mutex;
use crate::threads::ThreadState;
use crate::types::classmethod::{ClassMethod, StaticMethod};
use crate::types::code::Code;
use crate::types::function::Function;
use crate::types::module::Module;
use crate::types::native_function::{MethodDescriptor, NativeFunction};
use crate::types::property::Property;

/// Entries of one thread. The chunk is only ever written by its thread; others read it with the world stopped, or for a
/// figure that may be stale (`sys.getrefcount`).
struct Table {
    /// First how many there are, then they.
    counts: UnsafeCell<Vec<AtomicI64>>,
}

// SAFETY: `counts` is resized by its thread alone, under `TABLES`; readers hold `TABLES` too.
unsafe impl Sync for Table {}
// SAFETY: as above; nothing in it is bound to a thread.
unsafe impl Send for Table {}

static TABLES: Mutex<Vec<&'static Table>> = Mutex::new(Vec::new());
/// Those among the tables whose threads have ended. Locked after `TABLES`.
static SPARE: Mutex<Vec<&'static Table>> = Mutex::new(Vec::new());
static NEXT: AtomicU32 = AtomicU32::new(0);
/// Numbers of objects that were made ordinary again. Locked alone.
static FREE: Mutex<Vec<u32>> = Mutex::new(Vec::new());

thread_local! {
    static TABLE: Cell<Option<&'static Table>> = const { Cell::new(None) };
}

/// An index that no object has.
fn new_index() -> u32 {
    let free = FREE.lock().pop();
    free.unwrap_or_else(|| NEXT.fetch_add(1, Relaxed))
}

/// Adds `delta` to this thread's count of `index`. Not inlined: counting of objects is everywhere, and this is small.
#[inline(never)]
pub(crate) fn add(index: u32, delta: i64) {
    if !ThreadState::current().is_some_and(|state| state.hand.count(index, delta)) {
        add_slow(index, delta);
    }
}

#[cold]
#[inline(never)]
fn add_slow(index: u32, delta: i64) {
    let mut tables = TABLES.lock();
    let table = TABLE.get().unwrap_or_else(|| {
        let spare = SPARE.lock().pop();
        if let Some(table) = spare {
            TABLE.set(Some(table));
            return table;
        }
        let table: &'static Table = Box::leak(Box::new(Table {
            counts: UnsafeCell::new(Vec::new()),
        }));
        tables.push(table);
        TABLE.set(Some(table));
        table
    });
    // SAFETY: `TABLES` is locked and this is the table's thread.
    let counts = unsafe { &mut *table.counts.get() };
    let len = (NEXT.load(Relaxed) as usize)
        .max(index as usize + 1)
        .next_power_of_two();
    if counts.len() < len + 1 {
        counts.resize_with(len + 1, || AtomicI64::new(0));
        counts[0].store(len as i64, Relaxed);
    }
    if let Some(state) = ThreadState::current() {
        // SAFETY: tables stay for ever, and a block as long as this thread does not resize it.
        unsafe { state.hand.set_entries(counts.first()) };
    }
    let entry = &counts[index as usize + 1];
    entry.store(entry.load(Relaxed) + delta, Relaxed);
}

/// The sum over all threads; exact when the world is stopped.
pub(crate) fn sum(index: u32) -> i64 {
    let tables = TABLES.lock();
    tables
        .iter()
        .map(|t| {
            // SAFETY: `TABLES` is locked, so no table is being resized.
            let counts = unsafe { &*t.counts.get() };
            counts.get(index as usize + 1).map_or(0, |c| c.load(Relaxed))
        })
        .sum()
}

/// The calling thread ends: its table goes to another.
pub(crate) fn thread_exit() {
    if let Some(table) = TABLE.take() {
        if let Some(state) = ThreadState::current() {
            // SAFETY: there are none.
            unsafe { state.hand.set_entries(None) };
        }
        SPARE.lock().push(table);
    }
}

/// Counts the references to the object in the tables from now on. Only the calling thread knows the object, or there is no other thread.
pub(crate) fn distribute(header: &Header) {
    if let Some(count) = header.plain_count() {
        let index = new_index();
        add(index, i64::from(count));
        header.set_distributed(index);
    }
}

/// Makes a distributed object an ordinary one of the calling thread.
///
/// # Safety
/// The world is stopped.
pub(crate) unsafe fn gather(header: &Header) {
    if let Some(index) = header.distributed_index() {
        let count = sum(index);
        add(index, -count);
        header.set_plain(count as u32);
        FREE.lock().push(index);
    }
}

/// A second thread is about to start: distributes what threads share by their code. There is no other thread yet.
pub(crate) fn distribute_all() {
    let mut shared: Vec<Value> = Vec::new();
    super::alloc::for_each_gc_object(false, &mut |block| {
        let header = block.cast::<Header>();
        // SAFETY: the allocator visits live objects, and the copy of the reference is forgotten.
        let value = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(header.as_ptr() as u64) });
        // SAFETY: as above.
        let count = unsafe { header.as_ref() }.refcount();
        if count > 0 && is_shared(&value) {
            shared.push((*value).clone());
        }
    });
    for value in &shared {
        let Some(header) = value.header() else { continue };
        distribute(header);
        if let Some(function) = value.downcast_exact::<Function>() {
            distribute(function.globals.header());
            distribute(function.builtins.header());
        } else if let Some(code) = value.downcast_exact::<Code>() {
            if let Some(body) = code.body_so_far() {
                share_constants(&body.consts);
            }
        } else if let Some(ty) = value.downcast::<Type>() {
            distribute(ty.dict().header());
            if let Some(mro) = ty.mro.get() {
                distribute(mro.header());
            }
        }
    }
}

/// The constants of code that several threads may run become immortal; code objects among them are distributed for themselves.
pub(crate) fn share_constants(constants: &[Value]) {
    for constant in constants {
        if let Some(header) = constant.header()
            && constant.downcast_exact::<Code>().is_none()
        {
            header.make_immortal();
        }
    }
}

fn is_shared(value: &Value) -> bool {
    let ty = value.ty();
    if let Some(function) = value.downcast_exact::<Function>() {
        return function.code.get().is_some_and(|code| !code.has(CodeFlags::NESTED));
    }
    if let Some(native) = value.downcast_exact::<NativeFunction>() {
        return native.receiver.is_none();
    }
    ty.has_flag(TypeFlags::TYPE_SUBCLASS)
        || [
            Code::ty(),
            Module::ty(),
            MethodDescriptor::ty(),
            Property::ty(),
            StaticMethod::ty(),
            ClassMethod::ty(),
        ]
        .iter()
        .any(|shared| ty.is(shared))
}
