//! Reference counts of objects that many threads use all the time (functions, types, modules...): a table a thread.
//!
//! Invariant: the number of references to distributed object `i` is the sum of entry `i` over all tables. Such objects
//! are freed by the collector alone, which sums the tables while the world is stopped.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::Relaxed};

use crate::sync::Mutex;

/// Entries of one thread. The chunk is only ever written by its thread; others read it with the world stopped, or for a
/// figure that may be stale (`sys.getrefcount`).
struct Table {
    counts: UnsafeCell<Vec<AtomicI64>>,
}

// SAFETY: `counts` is resized by its thread alone, under `TABLES`; readers hold `TABLES` too.
unsafe impl Sync for Table {}
// SAFETY: as above; nothing in it is bound to a thread.
unsafe impl Send for Table {}

static TABLES: Mutex<Vec<&'static Table>> = Mutex::new(Vec::new());
static NEXT: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static TABLE: std::cell::Cell<Option<&'static Table>> = const { std::cell::Cell::new(None) };
}

/// A fresh index.
#[expect(dead_code, reason = "no object is distributed yet")]
pub(crate) fn new_index() -> u32 {
    NEXT.fetch_add(1, Relaxed)
}

/// Adds `delta` to this thread's count of `index`.
#[inline]
pub(crate) fn add(index: u32, delta: i64) {
    if let Some(table) = TABLE.get() {
        // SAFETY: only this thread resizes its own table, and not during this borrow.
        let counts = unsafe { &*table.counts.get() };
        if let Some(entry) = counts.get(index as usize) {
            entry.store(entry.load(Relaxed) + delta, Relaxed);
            return;
        }
    }
    add_slow(index, delta);
}

#[cold]
fn add_slow(index: u32, delta: i64) {
    let mut tables = TABLES.lock();
    let table = TABLE.get().unwrap_or_else(|| {
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
    counts.resize_with(len, || AtomicI64::new(0));
    let entry = &counts[index as usize];
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
            counts.get(index as usize).map_or(0, |c| c.load(Relaxed))
        })
        .sum()
}
