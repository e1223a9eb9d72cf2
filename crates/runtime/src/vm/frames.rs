//! Frames in memory: a contiguous stack of registers and one of frame records a thread.
//!
//! Invariants: registers of a running frame are written by its thread alone. Above `top` no register word is a pointer that counts.
//! The arguments of a call lie in the caller's topmost registers and become the callee's first ones without being copied.
//! Generators keep their registers on the heap; calls out of them move the arguments to the stack.

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::object::{Py, Value};
use crate::types::code::{Code, CodeBody};
use crate::types::dict::Dict;
use crate::types::frame::Frame;

/// Words of register stack a thread (address space; touched pages alone cost memory), if the system has room for so many.
const REGISTERS: usize = 4 << 20;
/// Frame records a thread, likewise.
const RECORDS: usize = 1 << 19;
/// By what both may be divided.
const SMALLEST: usize = 64;

/// What a finished call does with the frame that made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FrameKind {
    /// Called from the instruction loop: the result goes to the caller's register.
    Inline,
    /// Called from Rust: the loop returns.
    Entry,
    /// `__init__` called by a class call from the loop: the result must be None, the instance is the call's.
    Init,
    /// What an instruction of the frame below asks for: the getter of a property, a `__getitem__`.
    Special,
    /// The same, where nobody wants the result: a `__setitem__`.
    Effect,
    /// A generator resumed by Rust.
    Generator,
    /// A generator resumed by a `ForIter` of the frame below.
    For,
    /// A generator or coroutine resumed by a `Send` of the frame below.
    Send,
}

/// The record of one frame.
#[repr(C)]
pub struct FrameData {
    /// The running code's body; the code is held by `func` or `holder`.
    pub body: *const CodeBody,
    /// First register.
    pub regs: *mut u64,
    /// The word after the instruction being executed, kept up to date at calls and when something may raise.
    pub at: Cell<*const u64>,
    /// Register of the caller that gets the result.
    pub dst: u16,
    pub kind: FrameKind,
    /// Whether the registers lie on the heap (a generator's).
    pub on_heap: bool,
    /// How many of the registers are variables: those of the code, for what asks at each instruction.
    pub nlocals: u16,
    /// Bits of the globals dict, borrowed from the function or the holder.
    pub globals: u64,
    pub builtins: u64,
    /// Bits of the function, borrowed from the caller, 0 for module and class bodies and for generators (which hold it themselves).
    pub func: u64,
    /// Bits of the mapping of a module or class body, borrowed from whoever runs it; 0 in functions.
    pub locals: u64,
    /// Bits of the frame object, owned; 0 until one is asked for.
    pub frame_object: Cell<u64>,
    /// The caller's registers to clear after the call: the callable's (`Inline`), or the instance (`Init`).
    pub callee_slot: *mut u64,
    /// Bits of the generator, borrowed; 0 for ordinary frames.
    pub generator: u64,
    /// Bits of an owned value that the frame needs alive (a function found in a class); 0 for none.
    pub holder: u64,
    /// Bits of what was being handled outside when a generator was resumed, borrowed from whoever resumed it.
    pub outer_handled: u64,
    /// In a generator: how many `except` blocks of its own execution is in.
    pub handling: u32,
    /// First free register before this frame: the arguments of a call lie below it, in the caller's registers.
    /// In the record of a generator's frame, which takes no registers: the number of the record, or null.
    pub previous_top: *mut u64,
}

impl FrameData {
    /// The code.
    #[inline(always)]
    pub fn code(&self) -> &Code {
        self.body().code()
    }

    /// Whether an instruction of the frame below pushed it and nobody has a frame object of it.
    #[inline(always)]
    pub fn is_plain_call(&self) -> bool {
        self.kind == FrameKind::Inline && self.frame_object.get() == 0
    }

    /// The code's body.
    #[inline(always)]
    pub fn body(&self) -> &CodeBody {
        // SAFETY: the function, holder or generator that the frame runs for keeps the code alive, and the code its body.
        unsafe { &*self.body }
    }

    /// Number of the word after the instruction being executed.
    #[inline]
    pub fn pc(&self) -> u32 {
        let words = self.body().words.as_ptr().cast::<u64>();
        // SAFETY: `at` is within the code's words, or just behind them.
        unsafe { self.at.get().offset_from(words) as u32 }
    }

    /// Goes on at word `pc`.
    pub fn set_pc(&self, pc: u32) {
        let words = &self.body().words;
        debug_assert!((pc as usize) < words.len(), "a place in the code");
        // SAFETY: jump targets, handlers and suspended places are within the code.
        self.at.set(unsafe { words.as_ptr().cast::<u64>().add(pc as usize) });
    }

    /// Register `i` as an option of a value.
    #[inline(always)]
    pub fn reg(&self, i: usize) -> &Option<Value> {
        // SAFETY: `i` is below the code's register count, and the word is 0 or a value's.
        unsafe { &*self.regs.add(i).cast::<Option<Value>>() }
    }

    pub fn globals(&self) -> &Py<Dict> {
        // SAFETY: the word is that of a dict which the function keeps alive; `Py` is one pointer word.
        unsafe { &*std::ptr::from_ref(&self.globals).cast::<Py<Dict>>() }
    }

    pub fn builtins(&self) -> &Py<Dict> {
        // SAFETY: as for `globals`.
        unsafe { &*std::ptr::from_ref(&self.builtins).cast::<Py<Dict>>() }
    }

    pub fn locals(&self) -> Option<&Value> {
        // SAFETY: 0 or a value's word that the caller of the frame holds.
        unsafe { (*std::ptr::from_ref(&self.locals).cast::<Option<Value>>()).as_ref() }
    }

    /// The function, if the frame runs one.
    pub fn func(&self) -> Option<&Value> {
        // SAFETY: 0 or the word of a function that the caller keeps alive.
        unsafe { (*std::ptr::from_ref(&self.func).cast::<Option<Value>>()).as_ref() }
    }

    pub fn generator(&self) -> Option<&Value> {
        // SAFETY: 0 or the word of a generator that whoever resumed it keeps alive.
        unsafe { (*std::ptr::from_ref(&self.generator).cast::<Option<Value>>()).as_ref() }
    }

    /// What was being handled outside when the generator was resumed.
    pub fn outer_handled(&self) -> Option<Value> {
        // SAFETY: 0 or the word of a value that whoever resumed the generator holds until it is suspended; it stays theirs.
        let held = std::mem::ManuallyDrop::new(
            (self.outer_handled != 0).then(|| unsafe { Value::from_bits(self.outer_handled) }),
        );
        (*held).clone()
    }

    /// The frame object, if there is one.
    pub fn frame_object(&self) -> Option<Py<Frame>> {
        let bits = self.frame_object.get();
        if bits == 0 {
            return None;
        }
        // SAFETY: the record owns a reference to it.
        let held =
            std::mem::ManuallyDrop::new(unsafe { Py::<Frame>::from_raw(NonNull::new_unchecked(bits as *mut _)) });
        Some((*held).clone())
    }
}

/// Registers and frame records of one thread.
pub struct FrameStack {
    registers: NonNull<u64>,
    records: NonNull<FrameData>,
    /// How many registers and records there are.
    register_count: usize,
    record_count: usize,
    /// Where the last frame has to end.
    limit: *mut u64,
    /// What calls that leave no register to be cleared name as theirs: always 0.
    no_slot: Cell<u64>,
    /// First free register.
    pub(crate) top: Cell<*mut u64>,
    /// Count of frames.
    pub(crate) depth: Cell<usize>,
    /// The last number given to a record of a generator's frame.
    serial: Cell<u64>,
}

/// Numbers of records are given to stacks by the block: no two stacks use the same.
static NEXT_SERIALS: AtomicU64 = AtomicU64::new(0);
const SERIALS: u64 = 1 << 32;

// SAFETY: a stack is handed to the thread that is to use it before anything is on it.
unsafe impl Send for FrameStack {}

fn reserve(bytes: usize) -> Option<NonNull<u8>> {
    // SAFETY: an anonymous private mapping of no particular place.
    let p = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if p == libc::MAP_FAILED {
        return None;
    }
    NonNull::new(p.cast())
}

impl Default for FrameStack {
    fn default() -> FrameStack {
        FrameStack::new()
    }
}

impl FrameStack {
    /// # Panics
    /// Where the system has no room for it.
    pub fn new() -> FrameStack {
        match FrameStack::try_new() {
            Some(stack) => stack,
            None => std::alloc::handle_alloc_error(std::alloc::Layout::new::<[FrameData; RECORDS / SMALLEST]>()),
        }
    }

    /// A stack as large as the system allows, `None` if it has no room even for a small one.
    pub fn try_new() -> Option<FrameStack> {
        if let Some(stack) = super::spare::STACKS.take() {
            return Some(stack);
        }
        let mut part = 1;
        while part <= SMALLEST {
            let (register_count, record_count) = (REGISTERS / part, RECORDS / part);
            let registers = reserve(register_count * 8);
            let records = reserve(record_count * size_of::<FrameData>());
            match (registers, records) {
                (Some(registers), Some(records)) => {
                    return Some(FrameStack {
                        registers: registers.cast(),
                        records: records.cast(),
                        register_count,
                        record_count,
                        no_slot: Cell::new(0),
                        // SAFETY: within the area, which is larger by far.
                        limit: unsafe { registers.cast::<u64>().as_ptr().add(register_count - 64) },
                        top: Cell::new(registers.as_ptr().cast()),
                        depth: Cell::new(0),
                        serial: Cell::new(0),
                    });
                }
                // SAFETY: mapped just above, and used by nobody.
                (Some(registers), None) => unsafe {
                    libc::munmap(registers.as_ptr().cast(), register_count * 8);
                },
                // SAFETY: as above.
                (None, Some(records)) => unsafe {
                    libc::munmap(records.as_ptr().cast(), record_count * size_of::<FrameData>());
                },
                (None, None) => {}
            }
            part *= 4;
        }
        None
    }

    /// Gives back the memory of all but the lowest frames. Whether the stack can be used again: it is empty.
    pub fn recycle(&self) -> bool {
        const KEEP: usize = 64 << 10;
        let whole = self.register_count == REGISTERS && self.record_count == RECORDS;
        if !whole || self.depth.get() != 0 || self.top.get() != self.registers.as_ptr() {
            return false;
        }
        // SAFETY: the areas were mapped by `try_new` with these sizes, and nothing is in them.
        unsafe {
            let registers = self.registers.as_ptr().byte_add(KEEP).cast();
            let records = self.records.as_ptr().byte_add(KEEP).cast();
            libc::madvise(registers, REGISTERS * 8 - KEEP, libc::MADV_DONTNEED) == 0
                && libc::madvise(records, RECORDS * size_of::<FrameData>() - KEEP, libc::MADV_DONTNEED) == 0
        }
    }

    /// The record number `i` from the bottom.
    #[inline(always)]
    pub fn record(&self, i: usize) -> *mut FrameData {
        debug_assert!(i < self.record_count, "depth is checked when a frame is pushed");
        // SAFETY: within the reserved area.
        unsafe { self.records.as_ptr().add(i) }
    }

    /// The innermost frame.
    #[inline(always)]
    pub fn current(&self) -> Option<&FrameData> {
        match self.depth.get() {
            0 => None,
            // SAFETY: records below `depth` are initialised.
            n => Some(unsafe { &*self.record(n - 1) }),
        }
    }

    /// The frame `n` levels out from the innermost.
    pub fn nth(&self, n: usize) -> Option<&FrameData> {
        let i = self.depth.get().checked_sub(n + 1)?;
        // SAFETY: records below `depth` are initialised.
        Some(unsafe { &*self.record(i) })
    }

    /// Whether `n` registers from `at` on, and one more record, fit.
    #[inline(always)]
    pub fn fits(&self, at: *mut u64, n: usize) -> bool {
        at.wrapping_add(n) < self.limit && self.depth.get() + 1 < self.record_count
    }

    /// Whether there is place for records up to number `n`.
    #[inline(always)]
    pub fn has_records(&self, n: usize) -> bool {
        n < self.record_count
    }

    /// The `callee_slot` of a record for which no register is to be cleared.
    pub fn no_slot(&self) -> *mut u64 {
        self.no_slot.as_ptr()
    }

    /// A number for a record that was never used before.
    #[inline]
    pub fn next_serial(&self) -> u64 {
        let mut serial = self.serial.get() + 1;
        if serial % SERIALS <= 1 {
            serial = NEXT_SERIALS.fetch_add(SERIALS, Ordering::Relaxed) + 2;
        }
        self.serial.set(serial);
        serial
    }

    #[inline(always)]
    pub fn is_on_stack(&self, at: *mut u64) -> bool {
        (at as usize).wrapping_sub(self.registers.as_ptr() as usize) < self.register_count * 8
    }
}

impl Drop for FrameStack {
    fn drop(&mut self) {
        // SAFETY: the areas were mapped by `new` with these sizes, and the thread has ended.
        unsafe {
            libc::munmap(self.registers.as_ptr().cast(), self.register_count * 8);
            libc::munmap(self.records.as_ptr().cast(), self.record_count * size_of::<FrameData>());
        }
    }
}
