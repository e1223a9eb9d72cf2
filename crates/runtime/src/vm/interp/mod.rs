//! The interpreter proper: registers and instructions as the loop sees them.
//!
//! The files: `state` is what handlers of instructions work on and how they follow one another, `run` the driver and the tables of handlers;
//! `moves`, `access`, `operate`, `flow`, `invoke`, `known` and `build` hold the handlers of what is often executed, `rare` the other instructions; `calls` is
//! what begins and ends frames, `operators` the fast ways of operators and items, `methods` those of attributes.
//! Invariant: registers of the running frame are written by its thread alone; operands are borrowed from them.

mod access;
mod build;
mod calls;
mod flow;
mod invoke;
mod known;
mod methods;
mod moves;
mod operate;
mod operators;
mod rare;
mod run;
mod state;

use lisle_bytecode::Op;

pub(crate) use state::Running;

use crate::memory::header::{Hand, Header};
use crate::object::{Py, Value};
use crate::threads::owner_id;
use crate::types::cell::Cell;

/// What the loop does after an instruction that left it in no ordinary way.
pub(crate) enum Flow {
    /// The innermost frame changed: load its state.
    Reload,
    /// The frame that the loop was entered for returned this.
    Done(Value),
}

/// Register words of the running frame.
#[derive(Clone, Copy)]
pub(crate) struct Regs(pub *mut u64);

impl Regs {
    /// The bound value of register `i`.
    #[inline(always)]
    pub fn get<'a>(self, i: u16) -> &'a Value {
        // SAFETY: the compiler reads bound registers of the frame alone; the word of a bound register is a value's, and it stays
        // until the instruction writes its destination.
        unsafe { &*self.0.add(i as usize).cast::<Value>() }
    }

    /// The word of register `i`.
    #[inline(always)]
    pub fn word(self, i: u16) -> u64 {
        // SAFETY: a register of the frame.
        unsafe { *self.0.add(i as usize) }
    }

    /// The word of register `i`, which is left unbound; its reference is the caller's.
    #[inline(always)]
    pub fn take_word(self, i: u16) -> u64 {
        // SAFETY: as above.
        unsafe { std::mem::take(&mut *self.0.add(i as usize)) }
    }

    /// Leaves register `i` unbound, whose reference was given up.
    #[inline(always)]
    pub fn forget(self, i: u16) {
        // SAFETY: as above.
        unsafe { *self.0.add(i as usize) = 0 }
    }

    /// Writes register `i`, which holds no reference.
    #[inline(always)]
    pub fn put_plain(self, i: u16, value: Value) {
        debug_assert!(!is_object(self.word(i)), "nothing is to be dropped");
        // SAFETY: as above.
        unsafe { *self.0.add(i as usize) = value.into_bits() }
    }

    #[inline(always)]
    pub fn opt<'a>(self, i: u16) -> Option<&'a Value> {
        // SAFETY: as for `get`; an unbound register is the zero word, which is `None`.
        unsafe { (*self.0.add(i as usize).cast::<Option<Value>>()).as_ref() }
    }

    /// Moves the value out of register `i`.
    #[inline(always)]
    pub fn take(self, i: u16) -> Option<Value> {
        // SAFETY: as for `opt`; the register is left unbound.
        unsafe { std::mem::take(&mut *self.0.add(i as usize).cast::<Option<Value>>()) }
    }

    /// Writes register `i` and drops what it held.
    #[inline(always)]
    pub fn set(self, i: u16, value: Value) {
        // SAFETY: a register of the frame; the old word is a value's or an immediate.
        unsafe {
            let at = self.0.add(i as usize);
            let old = *at;
            *at = value.into_bits();
            if is_object(old) {
                std::hint::cold_path();
                drop_word(old);
            }
        }
    }

    /// Writes register `i`; the word that it held is the caller's.
    #[inline(always)]
    pub fn replace(self, i: u16, value: Value) -> u64 {
        // SAFETY: as for `set`.
        unsafe { std::mem::replace(&mut *self.0.add(i as usize), value.into_bits()) }
    }

    /// Leaves register `i` unbound and drops what it held.
    #[inline(always)]
    pub fn clear(self, i: u16) {
        // SAFETY: as for `set`.
        unsafe {
            let at = self.0.add(i as usize);
            let old = *at;
            *at = 0;
            if is_object(old) {
                std::hint::cold_path();
                drop_word(old);
            }
        }
    }

    /// As [`Regs::clear`], where a reference to an object is what is mostly found.
    #[inline(always)]
    pub fn clear_object(self, i: u16) {
        // SAFETY: as for `set`.
        unsafe { clear_word(self.0.add(i as usize)) };
    }

    /// As [`Regs::clear_object`] of `n` registers.
    #[inline(always)]
    pub fn clear_objects(self, i: u16, n: usize) {
        // SAFETY: as for `set`.
        unsafe {
            let mut at = self.0.add(i as usize);
            let end = at.add(n);
            while at != end {
                clear_word(at);
                at = at.add(1);
            }
        }
    }

    /// Slice of `n` bound registers from `i`.
    #[inline(always)]
    pub fn slice<'a>(self, i: u16, n: usize) -> &'a [Value] {
        // SAFETY: callers name bound registers of the frame.
        unsafe { std::slice::from_raw_parts(self.0.add(i as usize).cast::<Value>(), n) }
    }

    /// Moves `n` values out of the registers from `i`.
    pub fn take_many(self, i: u16, n: usize) -> Vec<Value> {
        let mut taken: Vec<Value> = Vec::with_capacity(n);
        for j in 0..n {
            if let Some(value) = self.take(i + j as u16) {
                // SAFETY: there is room for `n` values.
                unsafe {
                    taken.as_mut_ptr().add(taken.len()).write(value);
                    taken.set_len(taken.len() + 1);
                }
            }
        }
        taken
    }
}

/// Whether a register's word is that of a heap object; else it is an immediate value's, or the register is unbound.
#[inline(always)]
fn is_object(word: u64) -> bool {
    word & 7 == 0 && opaque(word) != 0
}

/// The same word, without the optimiser knowing: it would compute both conditions of `is_object`, of which the first one mostly decides.
#[inline(always)]
fn opaque(mut word: u64) -> u64 {
    // SAFETY: no instruction; the operand stays as it is.
    unsafe { std::arch::asm!("/* {0} */", inout(reg) word, options(pure, nomem, nostack, preserves_flags)) };
    word
}

/// # Safety
/// `at` is a register, or a word as registers have it.
#[inline(always)]
unsafe fn clear_word(at: *mut u64) {
    // SAFETY: by contract.
    unsafe {
        let old = *at;
        *at = 0;
        if is_object(old) {
            drop_word_inline(old);
        }
    }
}

/// As [`drop_word`], where it is mostly not the last reference that goes.
///
/// # Safety
/// As for [`drop_word`].
#[inline(always)]
unsafe fn drop_word_inline(bits: u64) {
    // SAFETY: by contract.
    unsafe {
        if !(*(bits as *const Header)).decref_plainly(owner_id()) {
            std::hint::cold_path();
            drop_last(bits);
        }
    }
}

/// Gives up the reference if it is plainly not the last, by the calling thread's hand. Whether it did.
///
/// # Safety
/// As for [`drop_word`].
#[inline(always)]
unsafe fn drop_plainly(bits: u64, hand: &Hand) -> bool {
    // SAFETY: by contract.
    unsafe { (*(bits as *const Header)).decref_by(hand) }
}

/// Whether references to the value with this word can be added plainly by the calling thread's hand.
///
/// # Safety
/// `bits` is the word of a value that something holds.
#[inline(always)]
unsafe fn counts_plainly(bits: u64, hand: &Hand) -> bool {
    // SAFETY: by contract.
    bits & 7 != 0 || unsafe { (*(bits as *const Header)).counts_by(hand) }
}

/// # Safety
/// `bits` is the word of a heap value whose reference is given up.
#[inline(never)]
pub(super) unsafe fn drop_word(bits: u64) {
    // SAFETY: by contract.
    unsafe {
        if !(*(bits as *const Header)).decref_plainly(owner_id()) {
            drop_last(bits);
        }
    }
}

/// Apart from `drop_word`, which so needs no registers of its own.
///
/// # Safety
/// As for [`drop_word`].
#[inline(never)]
unsafe fn drop_last(bits: u64) {
    // SAFETY: by contract.
    drop(unsafe { Value::from_bits(bits) });
}

/// An instruction in the code of the running frame, by the place behind it, so that the loop needs one register for that and the program
/// counter. Its fields are read where they are used.
#[derive(Clone, Copy)]
pub(crate) struct Ip(*const u64);

// The fields are read by their place in the word.
const _: () = assert!(cfg!(target_endian = "little"));

impl Ip {
    /// # Safety
    /// `at` is the place of an instruction, not of a cache word, in a code object that stays alive while this is used.
    #[inline(always)]
    pub unsafe fn new(at: *const u64) -> Ip {
        // SAFETY: by contract; at most the end of the code.
        Ip(unsafe { at.add(1) })
    }

    /// # Safety
    /// As for [`Ip::new`], of the word before `next`.
    #[inline(always)]
    pub unsafe fn before(next: *const u64) -> Ip {
        Ip(next)
    }

    #[inline(always)]
    pub fn op(self) -> Op {
        // SAFETY: the compiler emits valid operations alone, and code from elsewhere is verified when it is loaded.
        unsafe { std::mem::transmute::<u8, Op>(*self.0.cast::<u8>().sub(8)) }
    }

    /// The operation's number.
    #[inline(always)]
    pub fn number(self) -> usize {
        // SAFETY: within the instruction's word, which never changes.
        usize::from(unsafe { *self.0.cast::<u8>().sub(8) })
    }

    #[inline(always)]
    pub fn k(self) -> u8 {
        // SAFETY: within the instruction's word, which never changes.
        unsafe { *self.0.cast::<u8>().sub(7) }
    }

    /// The half word that ends `n` half words before the next instruction.
    #[inline(always)]
    fn half(self, n: usize) -> u16 {
        // SAFETY: as for `k`, and aligned.
        unsafe { *self.0.cast::<u16>().sub(n) }
    }

    #[inline(always)]
    pub fn a(self) -> u16 {
        self.half(3)
    }

    #[inline(always)]
    pub fn b(self) -> u16 {
        self.half(2)
    }

    #[inline(always)]
    pub fn c(self) -> u16 {
        self.half(1)
    }

    /// The word after this.
    #[inline(always)]
    pub fn next(self) -> *const u64 {
        self.0
    }

    /// The instruction `n` words before this.
    ///
    /// # Safety
    /// There is one.
    #[inline(always)]
    pub unsafe fn back(self, n: usize) -> Ip {
        // SAFETY: by contract.
        Ip(unsafe { self.0.sub(n) })
    }

    /// `b` and `c` together, unsigned.
    #[inline(always)]
    pub fn w(self) -> u32 {
        // SAFETY: as for `half`.
        unsafe { *self.0.cast::<u32>().sub(1) }
    }
}

/// A temporary that the compiler says is bound is not: the code object is damaged.
#[cold]
fn unbound_operand() -> Value {
    Value::NONE
}

/// The cell in a register that the compiler made one.
#[inline(always)]
fn cell(value: &Value) -> &Py<Cell> {
    // SAFETY: registers of cell and free variables hold cells from the frame's start.
    unsafe { value.downcast_unchecked::<Cell>() }
}
