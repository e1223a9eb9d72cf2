//! Objects whose last shared reference was dropped by a thread that is not the owner: the owner merges the counts.
//!
//! Invariant: a queued object has the QUEUED flag, and its entry holds one reference until it is merged: by the owner at a safepoint,
//! or, when the owner has ended or is detached, by whoever dropped the reference while the owner is kept from running.

use std::collections::HashMap;
use std::ptr::NonNull;

use super::header::{Dropped, Header};
use crate::sync::Mutex;
use crate::threads;

#[derive(PartialEq, Eq)]
struct Queued(NonNull<Header>);
// SAFETY: the pointer is only used by whoever takes the entry out, and the entry keeps the object alive.
unsafe impl Send for Queued {}

static QUEUES: Mutex<Option<HashMap<u32, Vec<Queued>>>> = Mutex::new(None);

/// Asks `owner` to merge the counts of `header`.
#[cold]
pub(crate) fn enqueue(header: &Header, owner: u32) {
    let ptr = NonNull::from(header);
    QUEUES
        .lock()
        .get_or_insert_default()
        .entry(owner)
        .or_default()
        .push(Queued(ptr));
    let mut dead = false;
    threads::act_for_owner(owner, || {
        let mut queues = QUEUES.lock();
        let Some(queue) = queues.as_mut().and_then(|q| q.get_mut(&owner)) else {
            return;
        };
        if let Some(i) = queue.iter().position(|q| q.0 == ptr) {
            queue.swap_remove(i);
            // SAFETY: the entry kept the object alive until now.
            dead = unsafe { ptr.as_ref() }.merge() == Dropped::Dead;
        }
    });
    if dead {
        // SAFETY: the merge found no reference left, so the object is ours to free.
        unsafe { crate::object::dealloc(ptr) }
    }
}

/// Merges what was queued for `owner`: by itself at a safepoint and when it ends.
pub(crate) fn drain(owner: u32) {
    let batch = QUEUES.lock().as_mut().and_then(|q| q.remove(&owner));
    for Queued(header) in batch.into_iter().flatten() {
        // SAFETY: a queued object lives until it is merged.
        let dead = unsafe { header.as_ref() }.merge() == Dropped::Dead;
        if dead {
            // SAFETY: the merge found no reference left.
            unsafe { crate::object::dealloc(header) }
        }
    }
}

/// Merges all that is queued, for whatever owner. The objects without reference are returned, to be freed when the world runs again.
///
/// # Safety
/// The world is stopped.
pub(crate) unsafe fn drain_stopped() -> Vec<NonNull<Header>> {
    let queues = QUEUES.lock().take();
    queues
        .into_iter()
        .flat_map(HashMap::into_values)
        .flatten()
        // SAFETY: a queued object lives until it is merged; no owner runs.
        .filter(|queued| unsafe { queued.0.as_ref() }.merge() == Dropped::Dead)
        .map(|queued| queued.0)
        .collect()
}

/// Whether anything is queued.
pub(crate) fn is_pending() -> bool {
    QUEUES.lock().as_ref().is_some_and(|queues| !queues.is_empty())
}
