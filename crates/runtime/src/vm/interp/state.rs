//! What the handlers of instructions work on, and how one hands over to the next.
//!
//! Invariants: a state mirrors the innermost frame record; its place is written back before anything that can look at frames or raise.
//! Each handler ends by calling the next one (`State::next`) or a part of itself (`State::tail`) with its own parameters, which the
//! optimiser makes a jump: a chain of handlers takes no stack. Where it does not, `State::check_chain` breaks the chain before the
//! stack is used up, so that nothing but speed depends on it. Builds without optimisation break it after each instruction.
//! The technique: threaded code by tail calls, as in CPython's own interpreter of that name (3.14) and in LuaJIT Remake.

use std::cell::Cell as StdCell;
use std::ptr::null;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, fence};

use lisle_bytecode::Op;

use super::calls::Pushed;
use super::run::hooked_handler;
use super::{Ip, Regs, drop_plainly, is_object, unbound_operand};
use crate::memory::header::{Hand, Header};
use crate::object::Value;
use crate::sync::biased::{self, OwnGuard};
use crate::sync::parallel;
use crate::types::code::CodeBody;
use crate::vm::errors::Exc;
use crate::vm::frames::FrameData;
use crate::vm::{Res, Vm};

/// Bytes of stack that a chain may take where the optimiser left a call.
const CHAIN_STACK: usize = 64 << 10;

/// Why a chain of handlers ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Exit {
    /// Nothing but the chain ended: the frame's place was saved.
    GoOn,
    /// The innermost frame ends with the value in [`Running`].
    Leave,
    /// A generator yielded the value in [`Running`] to Rust.
    Done,
    /// The exception in [`Running`] was raised.
    Raised,
    /// As `Raised`, of one that was raised in this frame before: its traceback has the frame.
    RaisedAgain,
}

/// Executes the instruction of a state, and then others. Its parameters are the fields of a [`State`].
pub(super) type Handler = unsafe fn(&Vm, Ip, Regs, *mut FrameData, &Table) -> Exit;

/// The handlers by the numbers of the operations.
pub(super) struct Table(pub [Handler; Op::ALL.len()]);

/// The loop's part of a thread's context.
pub(crate) struct Running {
    /// The handlers to go on with.
    table: StdCell<*const Table>,
    /// Below this address a chain has used too much stack.
    floor: StdCell<usize>,
    /// The word of a value that a handler hands to another one, or to the driver, with its reference.
    passed: StdCell<u64>,
    /// The word of another object that is to be dropped.
    too: StdCell<u64>,
    /// Words of a handler's own, which is too short of registers for them.
    pub(super) scratch: [StdCell<u64>; SCRATCH],
}

/// How many words a handler has.
pub(super) const SCRATCH: usize = 16;

impl Default for Running {
    fn default() -> Running {
        Running {
            table: StdCell::new(null()),
            floor: StdCell::new(0),
            passed: StdCell::new(0),
            too: StdCell::new(0),
            scratch: [const { StdCell::new(0) }; SCRATCH],
        }
    }
}

impl Running {
    /// Chooses the handlers that the loop goes on with.
    #[inline]
    pub(super) fn go_on_with(&self, table: &'static Table) {
        self.table.set(table);
    }

    /// The handlers that were chosen last.
    #[inline(always)]
    fn table(&self) -> &'static Table {
        debug_assert!(
            !self.table.get().is_null(),
            "handlers are chosen before the loop begins"
        );
        // SAFETY: one of the tables, which are static: the loop chooses one before anything runs in it.
        unsafe { &*self.table.get() }
    }

    #[inline(always)]
    pub(super) fn pass(&self, bits: u64) {
        debug_assert!(self.passed.get() == 0, "a value is passed to the next handler alone");
        self.passed.set(bits);
    }

    pub(super) fn pass_exception(&self, exc: Exc) {
        self.pass(exc.into_value().into_bits());
    }

    /// The word that was passed, which stays.
    #[inline(always)]
    pub(super) fn passed(&self) -> u64 {
        self.passed.get()
    }

    /// The word that was passed; the reference is the caller's.
    #[inline(always)]
    pub(super) fn take(&self) -> u64 {
        self.passed.replace(0)
    }

    /// The words that were left to be dropped, or of immediates.
    pub(super) fn take_dying(&self) -> [u64; 2] {
        [self.passed.replace(0), self.too.replace(0)]
    }

    /// What was passed.
    pub(super) fn take_value(&self) -> Value {
        // SAFETY: an exit that says so passed a value with its reference.
        unsafe { Value::from_bits(self.take()) }
    }

    /// Notes where the stack of chains begins; gives back what the loop outside of this one had.
    pub(super) fn enter(&self) -> Outside {
        let floor = stack_pointer().saturating_sub(CHAIN_STACK);
        Outside {
            table: self.table.get(),
            floor: self.floor.replace(floor),
        }
    }

    /// Goes back to the loop outside.
    pub(super) fn leave(&self, outside: Outside) {
        self.table.set(outside.table);
        self.floor.set(outside.floor);
    }
}

/// What the loop outside of one goes on with: it may be hooked while one that observers run is not.
pub(super) struct Outside {
    table: *const Table,
    floor: usize,
}

/// About where the stack is.
#[inline(always)]
fn stack_pointer() -> usize {
    let at: usize;
    // SAFETY: a register is read.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("mov {0}, rsp", out(reg) at, options(pure, nomem, nostack, preserves_flags));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!("mov {0}, sp", out(reg) at, options(pure, nomem, nostack, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let local = 0u8;
        at = std::hint::black_box(std::ptr::from_ref(&local)) as usize;
    }
    at
}

/// The innermost frame, and a place in its code. Handlers are `CHAINED`; what is done apart from one is not: it saves the place and returns.
#[derive(Clone, Copy)]
pub(super) struct State<'a, const CHAINED: bool = true> {
    pub vm: &'a Vm,
    /// The instruction that is executed, or, once its cache words were skipped or a jump was made, the words before the next one.
    pub i: Ip,
    pub regs: Regs,
    pub frame: *mut FrameData,
    /// The handlers that a chain goes on with: in a processor register, since each instruction asks for it. Read again where others may have been
    /// chosen: after safepoints, and after calls of anything.
    pub table: &'a Table,
}

/// The state of what is done apart from a handler.
pub(super) type Apart<'a> = State<'a, false>;

/// The value of a result; an error is raised by the handler. The place was saved.
macro_rules! check {
    ($s:expr, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(exc) => return $s.raise(exc),
        }
    };
}
pub(super) use check;

impl<'a, const CHAINED: bool> State<'a, CHAINED> {
    /// The state of a frame: what is next is at the place that its record has.
    #[inline(always)]
    pub fn of(vm: &'a Vm, frame: *mut FrameData) -> State<'a, CHAINED> {
        State::with(vm, frame, vm.running.table())
    }

    /// As [`State::of`], to go on with these handlers.
    #[inline(always)]
    pub fn with(vm: &'a Vm, frame: *mut FrameData, table: &'a Table) -> State<'a, CHAINED> {
        // SAFETY: callers name the innermost record, which is initialised.
        unsafe {
            State {
                vm,
                i: Ip::before((*frame).at.get()),
                regs: Regs((*frame).regs),
                frame,
                table,
            }
        }
    }

    /// Goes on with the handlers that were chosen last.
    #[inline(always)]
    pub fn rechosen(self) -> State<'a, CHAINED> {
        let table = self.vm.running.table();
        State { table, ..self }
    }

    /// The code of the frame.
    #[inline(always)]
    pub fn code(self) -> &'a CodeBody {
        self.frame().body()
    }

    /// The state of the innermost frame.
    #[inline(always)]
    pub fn innermost(vm: &'a Vm) -> State<'a, CHAINED> {
        State::of(vm, vm.frames.record(vm.frames.depth.get() - 1))
    }

    /// The same, after a frame was pushed or left.
    #[inline(always)]
    pub fn reloaded(self) -> State<'a, CHAINED> {
        State::innermost(self.vm)
    }

    /// Goes on with the next instruction.
    #[inline(always)]
    pub fn next(self) -> Exit {
        if CHAINED && cfg!(lisle_chained) {
            return self.chained().dispatch();
        }
        self.save();
        Exit::GoOn
    }

    /// Writes the place back.
    #[inline(always)]
    pub fn save(self) {
        self.frame().at.set(self.i.next());
    }

    /// The record of the frame.
    #[inline(always)]
    pub fn frame(self) -> &'a FrameData {
        // SAFETY: the innermost record.
        unsafe { &*self.frame }
    }

    /// Behind `n` cache words.
    #[inline(always)]
    pub fn skip(self, n: usize) -> State<'a, CHAINED> {
        // SAFETY: cache words follow the instruction.
        let i = unsafe { Ip::before(self.i.next().add(n)) };
        State { i, ..self }
    }

    /// At a jump's target.
    #[inline(always)]
    pub fn jump(self, words: i32) -> State<'a, CHAINED> {
        // SAFETY: jump targets are within the code.
        let i = unsafe { Ip::before(self.i.next().offset(words as isize)) };
        State { i, ..self }
    }

    /// Cache word `n` of the instruction.
    #[inline(always)]
    pub fn cache(self, n: usize) -> &'a AtomicU64 {
        // SAFETY: the opcode table gives the instruction this many cache words, and the code stays.
        unsafe { &*self.i.next().add(n).cast::<AtomicU64>() }
    }

    /// Constant number `n`.
    #[inline(always)]
    pub fn constant(self, n: u32) -> &'a Value {
        // SAFETY: the compiler numbers constants that there are.
        unsafe { self.code().consts.get_unchecked(n as usize) }
    }

    #[inline(always)]
    pub fn get(self, r: u16) -> &'a Value {
        self.regs.get(r)
    }

    /// Whether a register is a temporary, which the instruction that reads it uses up.
    #[inline(always)]
    pub fn is_temporary(self, r: u16) -> bool {
        r >= self.frame().nlocals
    }

    /// Drops an operand that was only read, if it is a temporary.
    #[inline(always)]
    pub fn kill(self, r: u16) {
        if self.is_temporary(r) {
            self.regs.clear(r);
        }
    }

    /// As [`State::kill`], of what is mostly an object.
    #[inline(always)]
    pub fn kill_object(self, r: u16) {
        if self.is_temporary(r) {
            self.regs.clear_object(r);
        }
    }

    /// An operand by value: moved if it is a temporary.
    #[inline(always)]
    pub fn operand(self, r: u16) -> Value {
        if self.is_temporary(r) {
            self.regs.take(r).unwrap_or_else(unbound_operand)
        } else {
            self.regs.get(r).clone()
        }
    }

    /// Writes whether something holds to register `r` and goes on.
    #[inline(always)]
    pub fn set_bool(self, r: u16, holds: bool) -> Exit {
        self.set(r, Value::from_bool(holds))
    }

    /// Raises; the place was saved.
    #[inline(always)]
    pub fn raise(self, exc: Exc) -> Exit {
        self.vm.running.pass_exception(exc);
        Exit::Raised
    }

    /// As [`State::raise`], of what was raised in this frame before.
    pub fn raise_again(self, exc: Exc) -> Exit {
        self.vm.running.pass_exception(exc);
        Exit::RaisedAgain
    }

    /// What the thread counts by.
    #[inline(always)]
    pub fn hand(self) -> &'a Hand {
        &self.vm.thread.hand
    }

    /// See [`biased::lock_own`].
    #[inline(always)]
    pub fn lock_own(self, header: &Header) -> Option<OwnGuard> {
        biased::lock_own(self.vm.thread.seat(), header)
    }

    /// See [`biased::lock_unread`].
    #[inline(always)]
    pub fn lock_unread(self, header: &Header) -> Option<OwnGuard> {
        biased::lock_unread(self.vm.thread.seat(), header)
    }

    /// As [`State::lock_unread`]; with the GIL, every object is the running thread's alone.
    #[inline(always)]
    pub fn lock_alone<const FREE: bool>(self, header: &Header) -> Option<OwnGuard> {
        if FREE {
            self.lock_unread(header)
        } else {
            Some(OwnGuard::alone())
        }
    }

    /// A further reference to the value with this word, if that takes no call: to an immediate, an object of this thread, a distributed or an
    /// immortal one. `None` also of 0. Where other threads may take the value away and another come to lie in its memory: [`State::share_racing`].
    #[inline(always)]
    pub fn share(self, bits: u64) -> Option<Value> {
        // SAFETY: callers found the word in a register, a slot or a table, where it is a value's, or was a moment ago: objects' memory stays
        // an object block until the world was stopped. This thread owns what it counts, or the object is immortal, or freed with the world stopped alone:
        // nobody frees it meanwhile.
        unsafe {
            if bits & 7 == 0 && (bits == 0 || !(*(bits as *const Header)).incref_by(self.hand())) {
                std::hint::cold_path();
                return None;
            }
            // The reference counted just now.
            Some(Value::from_bits(bits))
        }
    }

    /// As [`State::share`], of what other threads may take from its place meanwhile: `still` says whether it is there. So what came to lie in
    /// the memory of what was there is not taken for it.
    #[inline(always)]
    pub fn share_racing<const FREE: bool>(self, bits: u64, still: impl FnOnce() -> bool) -> Option<Value> {
        if !FREE || bits & 7 != 0 {
            return self.share(bits);
        }
        // SAFETY: as in `share`; and the reference that is given up is the one that was counted just now.
        unsafe {
            let header = (bits as *const Header).as_ref()?;
            // What this thread owns it alone can have freed.
            if !header.incref_own(self.hand().owner()) {
                if !header.incref_by(self.hand()) {
                    std::hint::cold_path();
                    return None;
                }
                fence(Acquire);
                if parallel() && !still() {
                    std::hint::cold_path();
                    let plain = drop_plainly(bits, self.hand());
                    debug_assert!(plain, "distributed or immortal");
                    return None;
                }
            }
            Some(Value::from_bits(bits))
        }
    }

    /// An operand by value as [`State::operand`], if that takes no call.
    #[inline(always)]
    pub fn plain_operand(self, r: u16) -> Option<Value> {
        if self.is_temporary(r) {
            self.regs.take(r)
        } else {
            self.share(self.regs.word(r))
        }
    }

    /// Writes register `r` and goes on.
    #[inline(always)]
    pub fn set(self, r: u16, value: Value) -> Exit {
        let old = self.regs.replace(r, value);
        if is_object(old) {
            std::hint::cold_path();
            return self.bury(old);
        }
        self.next()
    }

    /// As [`State::set`], where the register mostly holds an object.
    #[inline(always)]
    pub fn set_object(self, r: u16, value: Value) -> Exit {
        let old = self.regs.replace(r, value);
        // SAFETY: the word of a heap value, whose reference was the register's.
        if is_object(old) && !unsafe { drop_plainly(old, self.hand()) } {
            std::hint::cold_path();
            return self.bury(old);
        }
        self.next()
    }

    /// As [`State::set_object`], where a last reference is dropped by a handler of its own: for handlers that so need no registers of their callers'.
    #[inline(always)]
    pub fn put(self, r: u16, value: Value) -> Exit {
        let old = self.regs.replace(r, value);
        self.release(old)
    }

    /// As [`State::put`], after `used` was read, which is dropped if it is a temporary.
    #[inline(always)]
    pub fn put_using(self, r: u16, value: Value, used: u16) -> Exit {
        if used != r && self.is_temporary(used) {
            let word = self.regs.take_word(used);
            let old = self.regs.replace(r, value);
            return self.release_both(old, word);
        }
        self.put(r, value)
    }

    /// Drops what a word holds, the last reference in a handler of its own, and goes on.
    #[inline(always)]
    pub fn release(self, word: u64) -> Exit {
        // SAFETY: the word of a heap value, whose reference was the register's.
        if is_object(word) && !unsafe { drop_plainly(word, self.hand()) } {
            std::hint::cold_path();
            self.vm.running.pass(word);
            return self.chained().tail(super::run::bury);
        }
        self.next()
    }

    /// As [`State::release`], of two words.
    #[inline(always)]
    pub fn release_both(self, first: u64, second: u64) -> Exit {
        self.vm.running.pass(first);
        self.vm.running.too.set(second);
        self.chained().tail(super::run::release_both)
    }

    /// Drops what two words hold, mostly not the last references, and goes on.
    #[inline(always)]
    pub fn drop_both(self, first: u64, second: u64) -> Exit {
        let hand = self.hand();
        // SAFETY: the words of values whose references are given up.
        let (one, two) = unsafe {
            (
                is_object(first) && !drop_plainly(first, hand),
                is_object(second) && !drop_plainly(second, hand),
            )
        };
        if one || two {
            std::hint::cold_path();
            return self.bury_both(if one { first } else { 0 }, if two { second } else { 0 });
        }
        self.next()
    }

    /// Drops two words of registers, and goes on.
    #[inline(always)]
    pub fn bury_both(self, first: u64, second: u64) -> Exit {
        self.vm.running.too.set(second);
        self.bury(first)
    }

    /// Drops what a register held, and goes on.
    #[inline(always)]
    pub fn bury(self, old: u64) -> Exit {
        if CHAINED {
            self.vm.running.pass(old);
            return self.chained().tail(super::run::bury);
        }
        self.save();
        self.vm.running.pass(old);
        self.vm.drop_dying();
        self.next()
    }

    /// A safepoint, and goes on.
    #[inline(always)]
    pub fn poll(self) -> Exit {
        if self.vm.thread.poll_bits() != 0 {
            std::hint::cold_path();
            if CHAINED {
                return self.chained().tail(super::run::poll);
            }
            self.save();
            check!(self, self.vm.poll_between());
        }
        self.next()
    }

    #[inline(always)]
    fn chained(self) -> State<'a> {
        let State {
            vm,
            i,
            regs,
            frame,
            table,
        } = self;
        State {
            vm,
            i,
            regs,
            frame,
            table,
        }
    }

    /// Goes on, or raises; the place was saved.
    #[inline(always)]
    pub fn next_if(self, done: Res<()>) -> Exit {
        match done {
            Ok(()) => self.next(),
            Err(exc) => self.raise(exc),
        }
    }

    /// Ends the chain with a value for Rust.
    pub fn done(self, value: Value) -> Exit {
        self.vm.running.pass(value.into_bits());
        Exit::Done
    }

    /// Executes an instruction that is rare, and goes on; the place was saved.
    #[inline(always)]
    pub fn rare(self) -> Exit {
        let ahead = check!(self, self.vm.rare(self.i, self.frame(), self.regs));
        self.jump(ahead as i32).next()
    }
}

impl State<'_> {
    /// Executes the next instruction, and what follows.
    #[inline(always)]
    pub fn dispatch(self) -> Exit {
        // SAFETY: the verifier and the compiler end each code object with a return or a jump and emit valid operations alone, `skip`
        // passes the cache words.
        unsafe {
            let i = Ip::new(self.i.next());
            let handler = self.table.0.get_unchecked(i.number());
            handler(self.vm, i, self.regs, self.frame, self.table)
        }
    }

    /// Goes on with a part of the instruction that has a function of its own.
    #[inline(always)]
    pub fn tail(self, part: Handler) -> Exit {
        // SAFETY: the parts are those of a state.
        unsafe { part(self.vm, self.i, self.regs, self.frame, self.table) }
    }

    /// Goes on with the handler that the instruction has in a hooked thread, what comes before it being done.
    #[inline(always)]
    pub fn hooked(self) -> Exit {
        self.tail(hooked_handler(self.i.op()))
    }

    /// Whether the chain has used much stack and is to be broken: only where a call was left in it. Asked at backward jumps and where frames begin.
    #[inline(always)]
    pub fn check_chain(self) -> bool {
        cfg!(lisle_chained) && stack_pointer() < self.vm.running.floor.get()
    }

    /// Goes on in the frame that was pushed above this one, whose place was saved.
    ///
    /// # Safety
    /// It was, and is the innermost one.
    #[inline(always)]
    pub unsafe fn enter(self, pushed: Pushed) -> Exit {
        if self.check_chain() {
            return Exit::GoOn;
        }
        // SAFETY: by contract.
        unsafe { self.inside(pushed) }.next()
    }

    /// The state of the frame that was pushed above this one.
    ///
    /// # Safety
    /// It was, and is the innermost one.
    #[inline(always)]
    pub unsafe fn inside(self, pushed: Pushed) -> Self {
        // SAFETY: by contract.
        unsafe {
            State {
                i: Ip::before(pushed.at),
                regs: Regs(pushed.regs),
                frame: self.frame.add(1),
                ..self
            }
        }
    }

    /// Ends the innermost frame with a value; the place was saved.
    #[inline(always)]
    pub fn leave_with(self, value: Value) -> Exit {
        self.vm.running.pass(value.into_bits());
        self.tail(super::run::leave)
    }
}
