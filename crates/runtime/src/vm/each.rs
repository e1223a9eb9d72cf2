//! Iteration by native code, without an iterator object where the items of a list or a tuple can be read one by one.
//!
//! Invariant: as an iterator would, [`Each`] finds what a list holds at the moment, and ends for good where it ends first.

use crate::object::slots::NextFn;
use crate::object::{Py, Value};
use crate::threads::poll;
use crate::types::exceptions;
use crate::types::list::List;
use crate::types::tuple::Tuple;
use crate::vm::{Res, Vm};

/// What is left to iterate over.
pub struct Each<'v> {
    source: Source<'v>,
}

enum Source<'v> {
    Tuple(std::slice::Iter<'v, Value>),
    List(&'v Py<List>, usize),
    Iterator(Value, NextFn),
    Ended,
}

/// What makes native loops stop.
const URGENT: u32 = poll::SIGNAL | poll::STOP | poll::EXIT | poll::ASYNC_EXC | poll::MEMORY;

impl Vm {
    /// What `for item in iterable` goes over.
    #[inline]
    pub fn each<'v>(&self, iterable: &'v Value) -> Res<Each<'v>> {
        let source = if let Some(list) = iterable.downcast_exact::<List>() {
            Source::List(list, 0)
        } else if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
            Source::Tuple(tuple.as_slice().iter())
        } else {
            let iterator = self.iter(iterable)?;
            match iterator.ty().slots().next {
                Some(next) => Source::Iterator(iterator, next),
                None => {
                    let name = iterator.ty().name();
                    return Err(self.type_error(format!("'{name}' object is not an iterator")));
                }
            }
        };
        Ok(Each { source })
    }

    /// A safepoint of native loops: it acts on signals and stops alone.
    #[inline(always)]
    pub fn native_safepoint(&self) -> Res<()> {
        if self.thread.poll_bits() & URGENT != 0 {
            self.safepoint_slow()?;
        }
        Ok(())
    }
}

impl Each<'_> {
    /// The next item.
    #[inline]
    pub fn next(&mut self, vm: &Vm) -> Res<Option<Value>> {
        vm.native_safepoint()?;
        match &mut self.source {
            Source::List(list, at) => {
                let item = list.get(*at);
                match item {
                    Some(_) => *at += 1,
                    None => self.source = Source::Ended,
                }
                Ok(item)
            }
            Source::Tuple(items) => Ok(items.next().cloned()),
            Source::Iterator(iterator, next) => {
                vm.check_stack()?;
                match next(vm, iterator) {
                    // What a generator returns is nobody's here.
                    Err(exc) if exc.is_instance(exceptions::STOP_ITERATION.get()) => Ok(None),
                    result => result,
                }
            }
            Source::Ended => Ok(None),
        }
    }
}
