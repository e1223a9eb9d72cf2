//! Stands for the runtime's `memory`: its headers and its merge queue; objects have no fields, no distributed counts and no leases.

#[path = "../../../runtime/src/memory/header.rs"]
pub mod header;
#[path = "../../../runtime/src/memory/merge.rs"]
pub mod merge;

pub mod distributed {
    pub fn add(_index: u32, _n: i64) {
        unreachable!("no object of a model is distributed");
    }

    pub fn sum(_index: u32) -> i64 {
        unreachable!("no object of a model is distributed")
    }
}

/// No object of a model is leased.
pub mod leases {
    use super::header::{Dropped, Header};
    use std::cell::Cell;

    loom::thread_local! {
        /// Whether the thread finds that owners should give up what it drops.
        static CONTENDED: Cell<bool> = Cell::new(false);
    }

    pub fn set_contended() {
        CONTENDED.with(|contended| contended.set(true));
    }

    pub fn note_contention(_header: &Header) -> bool {
        CONTENDED.with(Cell::get)
    }

    pub fn try_incref(_header: &Header) -> bool {
        unreachable!()
    }

    pub fn decref(_header: &Header) -> Dropped {
        unreachable!()
    }

    pub fn in_hand(_header: &Header) -> i64 {
        unreachable!()
    }
}

pub mod trace {
    use super::header::Header;
    use crate::object::value::Value;
    use std::marker::PhantomData;
    use std::ptr::NonNull;

    pub struct Visitor<'a>(PhantomData<&'a ()>);

    impl Visitor<'_> {
        pub fn object(&mut self, _header: NonNull<Header>) {}
    }

    pub trait Trace {
        fn traverse(&self, visit: &mut Visitor<'_>);
        fn clear(&self, _out: &mut Vec<Value>) {}
    }
}
