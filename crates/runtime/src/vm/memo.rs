//! The value of the context variable that a thread asked for last.
//!
//! Invariant: what is remembered is what the context that is the thread's own holds, since only this thread changes that, and whoever changes or leaves it
//! says so ([`ContextMemo::forget`]).

use std::cell::Cell;

use crate::object::{Slot, Value};

/// See the module.
#[derive(Default)]
pub struct ContextMemo {
    /// Words of the context and the variable.
    of: Cell<(u64, u64)>,
    value: Slot,
}

impl ContextMemo {
    /// The value of `variable` in the context with the word `context`, if it was asked for last.
    #[inline]
    pub fn recall(&self, context: u64, variable: &Value) -> Option<Value> {
        if self.of.get() != (context, variable.bits()) {
            return None;
        }
        self.value.get()
    }

    pub fn keep(&self, context: u64, variable: &Value, value: &Value) {
        let old = self.value.swap(Some(value.clone()));
        self.of.set((context, variable.bits()));
        drop(old);
    }

    /// A context is entered, left or changed. Whether there was something to forget.
    #[inline]
    pub fn forget(&self) -> bool {
        let known = self.of.replace((0, 0)) != (0, 0);
        if known {
            drop(self.value.take());
        }
        known
    }
}
