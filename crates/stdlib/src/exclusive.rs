//! State of native objects that one call at a time works on: a hash, a compressor.
//!
//! Invariant: whoever works on the state has taken it out of its cell, so that no lock is held meanwhile and the work may run
//! detached; others wait detached until it is back. What is done with the state runs no Python code.

use lisle_runtime::memory::header::Header;
use lisle_runtime::native::Vm;
use lisle_runtime::sync::Locked;

/// See the module. To be wrapped in `Opaque` as a field of a payload.
pub struct Exclusive<T>(Locked<Option<Box<T>>>);

/// Puts the state back, after a panic too.
struct Held<'a, T> {
    cell: &'a Locked<Option<Box<T>>>,
    header: &'a Header,
    state: Option<Box<T>>,
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        let state = self.state.take();
        self.cell.with(self.header, |cell| *cell = state);
    }
}

impl<T: Send> Exclusive<T> {
    pub fn new(state: T) -> Exclusive<T> {
        Exclusive(Locked::new(Some(Box::new(state))))
    }

    /// Calls `f` with the state; `header` is that of the object the state is a field of.
    pub fn with<R>(&self, vm: &Vm, header: &Header, f: impl FnOnce(&mut T) -> R) -> R {
        let mut held = Held {
            cell: &self.0,
            header,
            state: self.take(vm, header),
        };
        match &mut held.state {
            Some(state) => f(state),
            None => unreachable!("the state was taken"),
        }
    }

    fn take(&self, vm: &Vm, header: &Header) -> Option<Box<T>> {
        let mut tries = 0_u64;
        loop {
            let state = self.0.with(header, Option::take);
            if state.is_some() {
                return state;
            }
            back_off(vm, tries);
            tries += 1;
        }
    }
}

/// Waits a little, detached, for what another thread holds for a short while: the longer, the more tries there were.
pub fn back_off(vm: &Vm, tries: u64) {
    vm.detached(|| {
        if tries < 100 {
            std::thread::yield_now();
        } else {
            std::thread::sleep(std::time::Duration::from_micros(tries.min(1000)));
        }
    });
}
