//! The instruction loop.
//!
//! Invariants: the loop's locals (`regs`, `pc`, `frame`) mirror the innermost frame record and are written back before anything that can
//! look at frames. Operands are borrowed from registers of the running frame, which nobody else writes. Destinations are
//! written last, and what they held is dropped then.
//! `FREE` says that threads run in parallel; `ANY` that the GIL may be switched between any two instructions.

use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering::Relaxed;

use lisle_bytecode::opcode::{BinOp, INPLACE};
use lisle_bytecode::{CodeFlags, Instr, Op};

use super::frames::{FrameData, FrameKind};
use super::{Exc, Res, Vm};
use crate::native::Args;
use crate::object::attrs::Attrs;
use crate::object::{Native, Py, Type, Value};
use crate::types::cell::Cell;
use crate::types::code::Code;
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::list::List;
use crate::types::method::Method;
use crate::types::native_function::{MethodDescriptor, NativeFunction};
use crate::types::range::RangeIterator;
use crate::types::str::Str;
use crate::types::tuple::Tuple;

/// What the loop does after an instruction that left it in no ordinary way.
pub(crate) enum Flow {
    /// The innermost frame changed: load its state.
    Reload,
    /// The frame that the loop was entered for returned this.
    Done(Value),
}

/// Register words of the running frame.
#[derive(Clone, Copy)]
pub(super) struct Regs(pub *mut u64);

impl Regs {
    /// The bound value of register `i`.
    #[inline(always)]
    fn get<'a>(self, i: u16) -> &'a Value {
        // SAFETY: the compiler reads bound registers of the frame alone; the word of a bound register is a value's, and it stays
        // until the instruction writes its destination.
        unsafe { &*self.0.add(i as usize).cast::<Value>() }
    }

    #[inline(always)]
    fn opt<'a>(self, i: u16) -> Option<&'a Value> {
        // SAFETY: as for `get`; an unbound register is the zero word, which is `None`.
        unsafe { (*self.0.add(i as usize).cast::<Option<Value>>()).as_ref() }
    }

    /// Moves the value out of register `i`.
    #[inline(always)]
    fn take(self, i: u16) -> Option<Value> {
        // SAFETY: as for `opt`; the register is left unbound.
        unsafe { std::mem::take(&mut *self.0.add(i as usize).cast::<Option<Value>>()) }
    }

    /// Writes register `i` and drops what it held.
    #[inline(always)]
    fn set(self, i: u16, value: Value) {
        // SAFETY: a register of the frame; the old word is a value's or an immediate.
        unsafe {
            let at = self.0.add(i as usize);
            let old = *at;
            *at = value.into_bits();
            if old & 7 == 0 && old != 0 {
                drop_word(old);
            }
        }
    }

    /// Slice of `n` bound registers from `i`.
    #[inline(always)]
    fn slice<'a>(self, i: u16, n: usize) -> &'a [Value] {
        // SAFETY: callers name bound registers of the frame.
        unsafe { std::slice::from_raw_parts(self.0.add(i as usize).cast::<Value>(), n) }
    }

    /// Moves `n` values out of the registers from `i`.
    fn take_many(self, i: u16, n: usize) -> Vec<Value> {
        (0..n).filter_map(|j| self.take(i + j as u16)).collect()
    }
}

/// # Safety
/// `bits` is the word of a heap value whose reference is given up.
#[inline(never)]
unsafe fn drop_word(bits: u64) {
    // SAFETY: by contract.
    drop(unsafe { Value::from_bits(bits) });
}

#[inline(always)]
fn small_pair(a: &Value, b: &Value) -> bool {
    a.bits() & b.bits() & 1 != 0
}

#[inline(always)]
fn float_pair(a: &Value, b: &Value) -> bool {
    a.is_tagged_float() && b.is_tagged_float()
}

/// The word of a comparison of two immediate ints.
#[inline(always)]
fn compare_ints(op: u8, a: i64, b: i64) -> bool {
    match op {
        0 => a < b,
        1 => a <= b,
        2 => a == b,
        3 => a != b,
        4 => a > b,
        _ => a >= b,
    }
}

#[inline(always)]
fn compare_floats(op: u8, a: f64, b: f64) -> bool {
    match op {
        0 => a < b,
        1 => a <= b,
        2 => a == b,
        3 => a != b,
        4 => a > b,
        _ => a >= b,
    }
}

impl Vm {
    /// Runs the innermost frame until it returns.
    pub(crate) fn run(&self) -> Res<Value> {
        match (crate::sync::mode::free_threaded(), crate::sync::mode::switch_any()) {
            (false, false) => self.run_loop::<false, false>(),
            (true, _) => self.run_loop::<true, false>(),
            (false, true) => self.run_loop::<false, true>(),
        }
    }

    #[expect(clippy::cognitive_complexity, reason = "one arm an instruction")]
    fn run_loop<const FREE: bool, const ANY: bool>(&self) -> Res<Value> {
        let entry = self.frames.depth.get();
        let mut frame: *mut FrameData;
        let mut regs: Regs;
        let mut code: &Code;
        let mut words: *const u64;
        let mut pc: *const u64;
        let mut nlocals: u16;

        macro_rules! load {
            () => {{
                frame = self.frames.record(self.frames.depth.get() - 1);
                // SAFETY: the innermost record is initialised, and its code is alive while it runs.
                unsafe {
                    regs = Regs((*frame).regs);
                    code = &*(*frame).code;
                    words = code.words.as_ptr().cast::<u64>();
                    pc = words.add((*frame).pc as usize);
                    nlocals = code.nlocals;
                }
            }};
        }
        /// Writes the program counter back; `at` is the word after the instruction.
        macro_rules! save {
            () => {
                // SAFETY: `frame` is the innermost record, and `pc` is within its code.
                unsafe { (*frame).pc = pc.offset_from(words) as u32 }
            };
        }
        macro_rules! fetch_word {
            () => {{
                // SAFETY: the verifier and the compiler end each code object with a return or a jump; caches are read whole.
                let w = unsafe { (*pc.cast::<std::sync::atomic::AtomicU64>()).load(Relaxed) };
                // SAFETY: as above.
                pc = unsafe { pc.add(1) };
                w
            }};
        }
        macro_rules! skip {
            ($n:expr) => {
                // SAFETY: cache words follow the instruction.
                pc = unsafe { pc.add($n) }
            };
        }
        macro_rules! cache {
            ($i:expr) => {
                // SAFETY: the opcode table gives the instruction this many cache words.
                unsafe { &*pc.add($i).cast::<std::sync::atomic::AtomicU64>() }
            };
        }
        macro_rules! jump {
            ($off:expr) => {
                // SAFETY: jump targets are within the code.
                pc = unsafe { pc.offset($off as isize) }
            };
        }
        macro_rules! kill {
            ($i:expr) => {
                if $i >= nlocals {
                    drop(regs.take($i));
                }
            };
        }
        macro_rules! operand {
            ($i:expr) => {
                if $i >= nlocals {
                    match regs.take($i) {
                        Some(v) => v,
                        None => unbound_operand(),
                    }
                } else {
                    regs.get($i).clone()
                }
            };
        }
        /// Evaluates with the program counter saved; on an error unwinds.
        macro_rules! check {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(exc) => {
                        save!();
                        match self.unwind(exc, entry)? {
                            () => {
                                load!();
                                continue;
                            }
                        }
                    }
                }
            };
        }
        /// Raises again what was already raised in this frame: its traceback has the frame.
        macro_rules! reraise {
            ($exc:expr) => {{
                let exc = $exc;
                save!();
                self.unwind_again(exc, entry)?;
                load!();
                continue;
            }};
        }
        macro_rules! poll {
            () => {
                if self.thread.poll_bits() != 0 {
                    save!();
                    check!(self.safepoint_slow());
                }
            };
        }
        macro_rules! arith {
            ($i:expr, $op:expr, $ints:expr, $floats:expr) => {{
                let (a, b) = (regs.get($i.b()), regs.get($i.c()));
                if small_pair(a, b) {
                    if let Some(v) = $ints(a, b) {
                        regs.set($i.a(), v);
                        continue;
                    }
                } else if float_pair(a, b) {
                    let v = $floats(a.tagged_float(), b.tagged_float());
                    regs.set($i.a(), Value::float(v));
                    continue;
                }
                save!();
                let result = if $i.k() & INPLACE != 0 {
                    self.inplace_slow($op, a, b)
                } else {
                    self.binary_slow($op, a, b)
                };
                let value = check!(result);
                kill!($i.b());
                kill!($i.c());
                regs.set($i.a(), value);
            }};
        }

        load!();
        loop {
            if ANY {
                let left = self.switch_countdown.get();
                if left == 0 {
                    save!();
                    check!(self.switch_any_point());
                } else {
                    self.switch_countdown.set(left - 1);
                }
            }
            let i = Instr(fetch_word!());
            match i.op() {
                Op::Nop => {}
                Op::Resume => poll!(),
                Op::Move => {
                    let value = operand!(i.b());
                    regs.set(i.a(), value);
                }
                Op::Copy => {
                    let value = regs.get(i.b()).clone();
                    regs.set(i.a(), value);
                }
                Op::LoadConst => {
                    let value = code.consts[i.w() as usize].clone();
                    regs.set(i.a(), value);
                }
                Op::LoadInt => regs.set(i.a(), Value::int(i64::from(i.w() as i32))),
                Op::Clear => drop(regs.take(i.a())),
                Op::CheckLocal => {
                    if regs.opt(i.a()).is_none() {
                        save!();
                        check!(Err(self.unbound_local(code, i.a())));
                    }
                }
                Op::DeleteLocal => match regs.take(i.a()) {
                    Some(old) => drop(old),
                    None => {
                        save!();
                        check!(Err(self.unbound_local(code, i.a())))
                    }
                },
                Op::LoadCommon => {
                    save!();
                    let value = check!(self.common_constant(i.k()));
                    regs.set(i.a(), value);
                }

                // ---- names ----
                Op::LoadGlobal => {
                    // SAFETY: the frame's function holds the dicts.
                    let (globals, builtins) = unsafe { ((*frame).globals(), (*frame).builtins()) };
                    let first = cache!(0).load(Relaxed);
                    if first as u32 == globals.version() && first != 0 {
                        let found = if first >> 32 != u64::from(u32::MAX) {
                            globals.entry_value(first as u32, (first >> 32) as u32)
                        } else {
                            let second = cache!(1).load(Relaxed);
                            if second as u32 == builtins.version() && second != 0 {
                                builtins.entry_value(second as u32, (second >> 32) as u32)
                            } else {
                                None
                            }
                        };
                        if let Some(value) = found {
                            skip!(2);
                            regs.set(i.a(), value);
                            continue;
                        }
                    }
                    let name = &code.names[i.w() as usize];
                    save!();
                    let value = check!(self.load_global_slow(globals, builtins, name, cache!(0), cache!(1)));
                    skip!(2);
                    regs.set(i.a(), value);
                }
                Op::StoreGlobal => {
                    // SAFETY: the frame's function holds the dict.
                    let globals = unsafe { (*frame).globals() };
                    let name = &code.names[i.w() as usize];
                    let value = operand!(i.a());
                    let cached = cache!(0);
                    let word = cached.load(Relaxed);
                    skip!(1);
                    if let Err(value) = globals.set_entry_value(word as u32, (word >> 32) as u32, value) {
                        let old = globals.replace_str(name, value);
                        if let Some(at) = globals.find_entry_for_cache(name) {
                            cached.store(u64::from(at) << 32 | u64::from(globals.version()), Relaxed);
                        }
                        save!();
                        drop(old);
                    }
                }
                Op::DeleteGlobal => {
                    // SAFETY: the frame's function holds the dict.
                    let globals = unsafe { (*frame).globals() };
                    let name = &code.names[i.w() as usize];
                    save!();
                    if globals.remove_str(name).is_none() {
                        check!(Err(self.name_error_for(name)));
                    }
                }
                Op::LoadName => {
                    let name = &code.names[i.w() as usize];
                    save!();
                    // SAFETY: `frame` is the innermost record.
                    let value = check!(self.load_name(unsafe { &*frame }, name));
                    skip!(2);
                    regs.set(i.a(), value);
                }
                Op::StoreName => {
                    let name = &code.names[i.w() as usize];
                    let value = operand!(i.a());
                    save!();
                    // SAFETY: `frame` is the innermost record.
                    check!(self.store_name(unsafe { &*frame }, name, value));
                    skip!(1);
                }
                Op::DeleteName => {
                    let name = &code.names[i.w() as usize];
                    save!();
                    // SAFETY: `frame` is the innermost record.
                    check!(self.delete_name(unsafe { &*frame }, name));
                }
                Op::LoadFromMappingOrGlobal => {
                    let name = &code.names[i.c() as usize];
                    save!();
                    // SAFETY: `frame` is the innermost record.
                    let value = check!(self.load_mapping_or_global(unsafe { &*frame }, regs.get(i.b()), name));
                    regs.set(i.a(), value);
                }
                Op::LoadFromMappingOrDeref => {
                    save!();
                    let value = check!(self.load_mapping_or_deref(code, regs.get(i.b()), regs.get(i.c()), i.c()));
                    regs.set(i.a(), value);
                }
                Op::LoadLocals => {
                    save!();
                    // SAFETY: `frame` is the innermost record.
                    let value = check!(self.frame_locals(unsafe { &*frame }));
                    regs.set(i.a(), value);
                }

                // ---- cells ----
                Op::MakeCell => {
                    let contents = regs.take(i.a());
                    regs.set(i.a(), Cell::new_value(contents));
                }
                Op::CopyFreeVars => {
                    // SAFETY: `frame` is the innermost record; code with free variables runs for a function with a closure.
                    let func = unsafe { (*frame).func() }.or(unsafe { (*frame).generator() });
                    if let Some(f) = func.and_then(|f| f.downcast_exact::<Function>())
                        && let Some(closure) = &f.closure
                    {
                        for (j, cell) in closure.as_slice().iter().enumerate().take(i.w() as usize) {
                            regs.set(i.a() + j as u16, cell.clone());
                        }
                    }
                }
                Op::LoadDeref => {
                    let contents = cell(regs.get(i.b())).contents.get();
                    match contents {
                        Some(value) => regs.set(i.a(), value),
                        None => {
                            save!();
                            check!(Err(self.unbound_cell(code, i.b())));
                        }
                    }
                }
                Op::StoreDeref => {
                    let value = operand!(i.b());
                    let old = cell(regs.get(i.a())).contents.swap(Some(value));
                    if old.is_some() {
                        save!();
                    }
                    drop(old);
                }
                Op::DeleteDeref => {
                    save!();
                    if cell(regs.get(i.a())).contents.take().is_none() {
                        check!(Err(self.unbound_cell(code, i.a())));
                    }
                }

                // ---- attributes and items ----
                Op::LoadAttr => {
                    let obj = regs.get(i.b());
                    let cached = cache!(0);
                    let word = cached.load(Relaxed);
                    if let Some(attrs) = Attrs::of(obj) {
                        // SAFETY: shapes live as long as their type, which the object holds.
                        if let Some(shape) = unsafe { attrs.shape().as_ref() }
                            && word as u32 == shape.id.load(Relaxed)
                            && word as u32 != 0
                            && let Some(value) = attrs.slot((word >> 32) as usize & 0xffff).get()
                            && (!FREE || std::ptr::eq(attrs.shape(), shape))
                        {
                            skip!(2);
                            kill!(i.b());
                            regs.set(i.a(), value);
                            continue;
                        }
                    }
                    let name = &code.names[i.c() as usize];
                    save!();
                    let value = check!(self.load_attr_slow(obj, name, cached));
                    skip!(2);
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::LoadMethod => {
                    let obj = regs.get(i.b());
                    let name = &code.names[i.c() as usize];
                    save!();
                    let (function, with_self) = check!(self.load_method(obj, name, cache!(0), cache!(1)));
                    skip!(2);
                    if with_self {
                        let this = operand!(i.b());
                        regs.set(i.a(), function);
                        regs.set(i.a() + 1, this);
                    } else {
                        kill!(i.b());
                        regs.set(i.a(), function);
                        drop(regs.take(i.a() + 1));
                    }
                }
                Op::StoreAttr => {
                    let obj = regs.get(i.a());
                    let value = operand!(i.c());
                    let name = &code.names[i.b() as usize];
                    let cached = cache!(0);
                    save!();
                    check!(self.store_attr(obj, name, value, cached));
                    skip!(1);
                    kill!(i.a());
                }
                Op::DeleteAttr => {
                    let name = &code.names[i.b() as usize];
                    save!();
                    check!(self.delattr(regs.get(i.a()), name));
                    kill!(i.a());
                }
                Op::LoadSuperAttr | Op::LoadSuperMethod => {
                    let name = &code.names[i.c() as usize];
                    save!();
                    let method = i.op() == Op::LoadSuperMethod;
                    let (global, class, this) = (regs.get(i.b()), regs.get(i.b() + 1), regs.get(i.b() + 2));
                    let (value, with_self) = check!(self.load_super(global, class, this, name, method));
                    skip!(1);
                    let this = regs.get(i.b() + 2).clone();
                    for j in 0..3 {
                        kill!(i.b() + j);
                    }
                    regs.set(i.a(), value);
                    if method {
                        if with_self {
                            regs.set(i.a() + 1, this);
                        } else {
                            drop(regs.take(i.a() + 1));
                        }
                    }
                }
                Op::GetItem => {
                    let (obj, key) = (regs.get(i.b()), regs.get(i.c()));
                    let value = match self.getitem_fast(obj, key) {
                        Some(value) => value,
                        None => {
                            save!();
                            check!(self.getitem(obj, key))
                        }
                    };
                    kill!(i.b());
                    kill!(i.c());
                    regs.set(i.a(), value);
                }
                Op::SetItem => {
                    let (obj, key) = (regs.get(i.a()), regs.get(i.b()));
                    save!();
                    if let (Some(list), Some(at)) = (obj.downcast_exact::<List>(), key.as_small_int()) {
                        let value = operand!(i.c());
                        check!(list.set_index(self, at as isize, value));
                    } else if let Some(dict) = obj.downcast_exact::<Dict>() {
                        let value = operand!(i.c());
                        check!(dict.set(self, key, value));
                    } else {
                        check!(self.setitem(obj, key, regs.get(i.c())));
                        kill!(i.c());
                    }
                    kill!(i.a());
                    kill!(i.b());
                }
                Op::DelItem => {
                    save!();
                    check!(self.delitem(regs.get(i.a()), regs.get(i.b())));
                    kill!(i.a());
                    kill!(i.b());
                }
                Op::GetSlice => {
                    save!();
                    let value = check!(self.get_slice(regs.get(i.b()), regs.get(i.c()), regs.get(i.c() + 1)));
                    kill!(i.b());
                    kill!(i.c());
                    kill!(i.c() + 1);
                    regs.set(i.a(), value);
                }
                Op::SetSlice => {
                    save!();
                    check!(self.set_slice(regs.get(i.a()), regs.get(i.b()), regs.get(i.b() + 1), regs.get(i.c())));
                    kill!(i.a());
                    kill!(i.b());
                    kill!(i.b() + 1);
                    kill!(i.c());
                }

                // ---- operators ----
                Op::Add => arith!(
                    i,
                    BinOp::Add,
                    |a: &Value, b: &Value| (a.bits() as i64)
                        .checked_add((b.bits() - 1) as i64)
                        // SAFETY: the sum of two tagged ints with one tag bit taken off is a tagged int, and not zero.
                        .map(|w| unsafe { Value::from_bits(w as u64) }),
                    |a: f64, b: f64| a + b
                ),
                Op::Sub => arith!(
                    i,
                    BinOp::Sub,
                    |a: &Value, b: &Value| (a.bits() as i64)
                        .checked_sub((b.bits() - 1) as i64)
                        // SAFETY: the difference with the tag bit kept is a tagged int, and not zero.
                        .map(|w| unsafe { Value::from_bits(w as u64) }),
                    |a: f64, b: f64| a - b
                ),
                Op::Mul => arith!(
                    i,
                    BinOp::Mul,
                    |a: &Value, b: &Value| (a.bits() as i64 >> 1)
                        .checked_mul(b.bits() as i64 >> 1)
                        .and_then(Value::small_int),
                    |a: f64, b: f64| a * b
                ),
                Op::AddImm | Op::SubImm => {
                    let a = regs.get(i.b());
                    let add = i.op() == Op::AddImm;
                    let imm = i64::from(i.c() as i16);
                    if a.is_small_int() {
                        let w = a.bits() as i64;
                        let r = if add {
                            w.checked_add(imm << 1)
                        } else {
                            w.checked_sub(imm << 1)
                        };
                        if let Some(r) = r {
                            // SAFETY: a tagged int plus an even number is a tagged int.
                            regs.set(i.a(), unsafe { Value::from_bits(r as u64) });
                            continue;
                        }
                    } else if a.is_tagged_float() {
                        let x = a.tagged_float();
                        let v = if add { x + imm as f64 } else { x - imm as f64 };
                        regs.set(i.a(), Value::float(v));
                        continue;
                    }
                    save!();
                    let op = if add { BinOp::Add } else { BinOp::Sub };
                    let b = Value::int(imm);
                    let result = if i.k() & INPLACE != 0 {
                        self.inplace(op, a, &b)
                    } else {
                        self.binary(op, a, &b)
                    };
                    let value = check!(result);
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::Binary => {
                    let (a, b) = (regs.get(i.b()), regs.get(i.c()));
                    let op = BinOp::ALL[(i.k() & !INPLACE) as usize];
                    if let Some(value) = super::intrinsics::binary_fast(op, a, b) {
                        regs.set(i.a(), value);
                        continue;
                    }
                    save!();
                    let result = if i.k() & INPLACE != 0 {
                        self.inplace_slow(op, a, b)
                    } else {
                        self.binary_slow(op, a, b)
                    };
                    let value = check!(result);
                    kill!(i.b());
                    kill!(i.c());
                    regs.set(i.a(), value);
                }
                Op::BinaryImm => {
                    let a = regs.get(i.b());
                    let b = ManuallyDrop::new(Value::int(i64::from(i.c() as i16)));
                    let op = BinOp::ALL[(i.k() & !INPLACE) as usize];
                    if let Some(value) = super::intrinsics::binary_fast(op, a, &b) {
                        regs.set(i.a(), value);
                        continue;
                    }
                    save!();
                    let result = if i.k() & INPLACE != 0 {
                        self.inplace(op, a, &b)
                    } else {
                        self.binary(op, a, &b)
                    };
                    let value = check!(result);
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::Neg => {
                    let a = regs.get(i.b());
                    let value = if a.is_tagged_float() {
                        Value::float(-a.tagged_float())
                    } else if let Some(x) = a.as_small_int() {
                        Value::int(-x)
                    } else {
                        save!();
                        check!(self.unary(a, |s| s.neg, "-"))
                    };
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::Pos => {
                    save!();
                    let value = check!(self.unary(regs.get(i.b()), |s| s.pos, "+"));
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::Invert => {
                    save!();
                    let value = check!(self.unary(regs.get(i.b()), |s| s.invert, "~"));
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::Not => {
                    save!();
                    let truth = check!(self.truth(regs.get(i.b())));
                    kill!(i.b());
                    regs.set(i.a(), Value::from_bool(!truth));
                }
                Op::ToBool => {
                    save!();
                    let truth = check!(self.truth(regs.get(i.b())));
                    kill!(i.b());
                    regs.set(i.a(), Value::from_bool(truth));
                }
                Op::Compare => {
                    let (a, b) = (regs.get(i.b()), regs.get(i.c()));
                    if small_pair(a, b) {
                        let v = compare_ints(i.k(), a.bits() as i64, b.bits() as i64);
                        regs.set(i.a(), Value::from_bool(v));
                        continue;
                    }
                    if float_pair(a, b) {
                        let v = compare_floats(i.k(), a.tagged_float(), b.tagged_float());
                        regs.set(i.a(), Value::from_bool(v));
                        continue;
                    }
                    save!();
                    let value = check!(self.compare_slow(a, b, i.k()));
                    kill!(i.b());
                    kill!(i.c());
                    regs.set(i.a(), value);
                }
                Op::Is => {
                    let same = regs.get(i.b()).is(regs.get(i.c()));
                    kill!(i.b());
                    kill!(i.c());
                    regs.set(i.a(), Value::from_bool(same != (i.k() != 0)));
                }
                Op::Contains => {
                    save!();
                    let found = check!(self.contains(regs.get(i.c()), regs.get(i.b())));
                    kill!(i.b());
                    kill!(i.c());
                    regs.set(i.a(), Value::from_bool(found != (i.k() != 0)));
                }

                // ---- jumps ----
                Op::Jump => jump!(i.w() as i32),
                Op::JumpBack => {
                    jump!(i.w() as i32);
                    poll!();
                }
                Op::JumpIfTrue | Op::JumpIfFalse => {
                    let a = regs.get(i.a());
                    let truth = if a.is_bool() {
                        a.is_true()
                    } else {
                        save!();
                        let truth = check!(self.truth(a));
                        if i.k() == 0 {
                            kill!(i.a());
                        }
                        truth
                    };
                    if truth == (i.op() == Op::JumpIfTrue) {
                        jump!(i.w() as i32);
                    }
                }
                Op::JumpIfNone => {
                    let is = regs.get(i.a()).is_none();
                    if i.k() == 0 && !is {
                        kill!(i.a());
                    }
                    if is {
                        jump!(i.w() as i32);
                    }
                }
                Op::JumpIfNotNone => {
                    let is = regs.get(i.a()).is_none();
                    if i.k() == 0 && !is {
                        kill!(i.a());
                    }
                    if !is {
                        jump!(i.w() as i32);
                    }
                }
                Op::JumpCmp => {
                    let (a, b) = (regs.get(i.a()), regs.get(i.b()));
                    let truth = if small_pair(a, b) {
                        compare_ints(i.k() & 7, a.bits() as i64, b.bits() as i64)
                    } else if float_pair(a, b) {
                        compare_floats(i.k() & 7, a.tagged_float(), b.tagged_float())
                    } else {
                        save!();
                        let truth = check!(self.compare_truth(a, b, i.k() & 7));
                        kill!(i.a());
                        kill!(i.b());
                        truth
                    };
                    if truth != (i.k() & 8 != 0) {
                        jump!(i.c() as i16);
                    }
                }
                Op::JumpCmpImm => {
                    let a = regs.get(i.a());
                    let imm = i64::from(i.b() as i16);
                    let truth = if a.is_small_int() {
                        compare_ints(i.k() & 7, a.bits() as i64 >> 1, imm)
                    } else if a.is_tagged_float() {
                        compare_floats(i.k() & 7, a.tagged_float(), imm as f64)
                    } else {
                        save!();
                        let truth = check!(self.compare_truth(a, &Value::int(imm), i.k() & 7));
                        kill!(i.a());
                        truth
                    };
                    if truth != (i.k() & 8 != 0) {
                        jump!(i.c() as i16);
                    }
                }
                Op::JumpIfUnbound => {
                    if regs.opt(i.a()).is_none() {
                        jump!(i.w() as i32);
                    }
                }

                // ---- iteration ----
                Op::GetIter => {
                    save!();
                    let value = check!(self.iter(regs.get(i.b())));
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::ForIter => {
                    let iter = regs.get(i.b());
                    let next = if let Some(range) = iter.downcast_exact::<RangeIterator>()
                        && let Some(n) = range.next_small()
                    {
                        Some(Value::int(n))
                    } else {
                        save!();
                        check!(self.next(iter))
                    };
                    match next {
                        Some(value) => regs.set(i.a(), value),
                        None => {
                            drop(regs.take(i.b()));
                            jump!(i.c() as i16);
                        }
                    }
                }
                Op::GetYieldFromIter => {
                    save!();
                    let value = check!(self.yield_from_iter(
                        regs.get(i.b()),
                        code.has(CodeFlags::COROUTINE | CodeFlags::ITERABLE_COROUTINE)
                    ));
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::GetAwaitable => {
                    save!();
                    let value = check!(self.awaitable(regs.get(i.b()), i.k()));
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::GetAIter => {
                    save!();
                    let value = check!(self.async_iter(regs.get(i.b())));
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::GetANext => {
                    save!();
                    let value = check!(self.async_next(regs.get(i.b())));
                    regs.set(i.a(), value);
                }
                Op::EndAsyncFor => {
                    save!();
                    let exc = operand!(i.a());
                    drop(operand!(i.b()));
                    if let Err(exc) = self.end_async_for(exc) {
                        reraise!(exc);
                    }
                }

                // ---- building and unpacking ----
                Op::BuildTuple => {
                    let items = regs.take_many(i.b(), i.c() as usize);
                    regs.set(i.a(), Tuple::new(items).into_value());
                }
                Op::BuildList => {
                    let items = regs.take_many(i.b(), i.c() as usize);
                    regs.set(i.a(), List::new(items).into_value());
                }
                Op::BuildSet => {
                    let items = regs.take_many(i.b(), i.c() as usize);
                    save!();
                    let value = check!(self.build_set(items));
                    regs.set(i.a(), value);
                }
                Op::BuildMap => {
                    let items = regs.take_many(i.b(), i.c() as usize * 2);
                    save!();
                    let value = check!(self.build_map(items));
                    regs.set(i.a(), value);
                }
                Op::BuildString => {
                    save!();
                    let value = check!(self.build_string(regs.slice(i.b(), i.c() as usize)));
                    for j in 0..i.c() {
                        kill!(i.b() + j);
                    }
                    regs.set(i.a(), value);
                }
                Op::BuildSlice => {
                    let start = operand!(i.b());
                    let stop = operand!(i.b() + 1);
                    let step = if i.c() == 3 { operand!(i.b() + 2) } else { Value::NONE };
                    regs.set(i.a(), crate::types::slice::Slice::new_value(start, stop, step));
                }
                Op::ListAppend => {
                    let item = operand!(i.b());
                    if let Some(list) = regs.get(i.a()).downcast_exact::<List>() {
                        save!();
                        check!(list.push(self, item));
                    }
                }
                Op::SetAdd => {
                    let item = operand!(i.b());
                    save!();
                    check!(self.set_add(regs.get(i.a()), item));
                }
                Op::MapAdd => {
                    let value = operand!(i.c());
                    let key = operand!(i.b());
                    save!();
                    if let Some(dict) = regs.get(i.a()).downcast_exact::<Dict>() {
                        check!(dict.set(self, &key, value));
                    }
                }
                Op::ListExtend => {
                    save!();
                    check!(self.list_extend(regs.get(i.a()), regs.get(i.b()), i.k() != 0));
                    kill!(i.b());
                }
                Op::SetUpdate => {
                    save!();
                    check!(self.set_update(regs.get(i.a()), regs.get(i.b())));
                    kill!(i.b());
                }
                Op::DictUpdate => {
                    save!();
                    check!(self.dict_update(regs.get(i.a()), regs.get(i.b())));
                    kill!(i.b());
                }
                Op::DictMerge => {
                    save!();
                    check!(self.dict_merge(regs.get(i.a()), regs.get(i.b()), regs.get(i.c())));
                    kill!(i.b());
                }
                Op::ListToTuple => {
                    let list = operand!(i.b());
                    let items = list.downcast_exact::<List>().map(|l| l.take_all()).unwrap_or_default();
                    drop(list);
                    regs.set(i.a(), Tuple::new(items).into_value());
                }
                Op::UnpackSequence => {
                    let n = i.c() as usize;
                    let seq = regs.get(i.b());
                    if let Some(tuple) = seq.downcast_exact::<Tuple>()
                        && tuple.as_slice().len() == n
                    {
                        let held = tuple.clone();
                        kill!(i.b());
                        for (j, item) in held.as_slice().iter().enumerate() {
                            regs.set(i.a() + j as u16, item.clone());
                        }
                        continue;
                    }
                    save!();
                    let items = check!(self.unpack(seq, n));
                    kill!(i.b());
                    for (j, item) in items.into_iter().enumerate() {
                        regs.set(i.a() + j as u16, item);
                    }
                }
                Op::UnpackEx => {
                    save!();
                    let items = check!(self.unpack_ex(regs.get(i.b()), (i.c() & 0xff) as usize, (i.c() >> 8) as usize));
                    kill!(i.b());
                    for (j, item) in items.into_iter().enumerate() {
                        regs.set(i.a() + j as u16, item);
                    }
                }

                // ---- calls ----
                Op::Call => {
                    skip!(1);
                    save!();
                    let callee = regs.get(i.a());
                    let n = i.b() as usize;
                    let has_self = i.k() != 0 && regs.opt(i.a() + 1).is_some();
                    let (first, count) = if has_self { (i.a() + 1, n + 1) } else { (i.a() + 2, n) };
                    if let Some(function) = callee.downcast_exact::<Function>() {
                        poll!();
                        // SAFETY: the arguments are the caller's topmost registers.
                        check!(unsafe { self.push_call(frame, function, regs, i, first, count) });
                        load!();
                        continue;
                    }
                    let args = Args::new(regs.slice(first, count));
                    let result = if let Some(native) = callee.downcast_exact::<NativeFunction>()
                        && native.receiver.is_none()
                    {
                        (native.def.func)(self, args)
                    } else if let Some(method) = callee.downcast_exact::<MethodDescriptor>()
                        && count > 0
                        && args.values[0].has_type(&method.owner)
                    {
                        (method.def.func)(self, args)
                    } else if let Some(bound) = callee.downcast_exact::<Method>()
                        && let Some(function) = bound.function.downcast_exact::<Function>()
                        && !has_self
                    {
                        // The receiver goes into the place between callee and arguments.
                        let (function, this) = (function.to_value(), bound.receiver.clone());
                        regs.set(i.a() + 1, this);
                        regs.set(i.a(), function);
                        poll!();
                        if let Some(function) = regs.get(i.a()).downcast_exact::<Function>() {
                            // SAFETY: as above.
                            check!(unsafe { self.push_call(frame, function, regs, i, i.a() + 1, n + 1) });
                            load!();
                        }
                        continue;
                    } else if callee.has_type(Type::ty()) {
                        // SAFETY: as above.
                        match check!(unsafe { self.call_class(frame, callee, regs, i, first, count) }) {
                            None => {
                                load!();
                                continue;
                            }
                            Some(value) => Ok(value),
                        }
                    } else {
                        self.call_args(callee, args)
                    };
                    let value = check!(result);
                    for j in 0..count as u16 {
                        drop(regs.take(first + j));
                    }
                    drop(regs.take(i.a()));
                    regs.set(i.c(), value);
                    poll!();
                }
                Op::CallKw => {
                    skip!(1);
                    let names = &code.consts[fetch_word!() as usize];
                    save!();
                    let callee = regs.get(i.a());
                    let n = i.b() as usize;
                    let has_self = i.k() != 0 && regs.opt(i.a() + 1).is_some();
                    let (first, count) = if has_self { (i.a() + 1, n + 1) } else { (i.a() + 2, n) };
                    poll!();
                    // SAFETY: names of keyword arguments are a tuple constant.
                    let kwnames = unsafe { names.downcast_unchecked::<Tuple>() };
                    let args = Args::with_names(regs.slice(first, count), kwnames);
                    let value = check!(self.call_args(callee, args));
                    for j in 0..count as u16 {
                        drop(regs.take(first + j));
                    }
                    drop(regs.take(i.a()));
                    regs.set(i.c(), value);
                    poll!();
                }
                Op::CallEx => {
                    save!();
                    poll!();
                    let callee = regs.get(i.a());
                    let this = if i.k() != 0 { regs.opt(i.a() + 1) } else { None };
                    let kwargs = if i.b() != 0 { regs.opt(i.a() + 3) } else { None };
                    let value = check!(self.call_ex(callee, this, regs.get(i.a() + 2), kwargs));
                    if i.b() != 0 {
                        drop(regs.take(i.a() + 3));
                    }
                    drop(regs.take(i.a() + 2));
                    if i.k() != 0 {
                        drop(regs.take(i.a() + 1));
                    }
                    drop(regs.take(i.a()));
                    regs.set(i.c(), value);
                    poll!();
                }
                Op::Return => {
                    let value = operand!(i.a());
                    save!();
                    match check!(self.return_from(frame, value, entry)) {
                        Flow::Reload => load!(),
                        Flow::Done(value) => return Ok(value),
                    }
                }
                Op::ReturnConst => {
                    let value = code.consts[i.w() as usize].clone();
                    save!();
                    match check!(self.return_from(frame, value, entry)) {
                        Flow::Reload => load!(),
                        Flow::Done(value) => return Ok(value),
                    }
                }

                // ---- functions, classes, modules ----
                Op::MakeFunction => {
                    let mut at = i.c();
                    let mut next = |bit: u8| {
                        if i.k() & bit == 0 {
                            return None;
                        }
                        at += 1;
                        let j = at - 1;
                        if j >= nlocals {
                            regs.take(j)
                        } else {
                            regs.opt(j).cloned()
                        }
                    };
                    let parts = [next(1), next(2), next(4), next(8)];
                    save!();
                    // SAFETY: the frame's function holds the dict.
                    let globals = unsafe { (*frame).globals() };
                    let value = check!(self.make_function(&code.consts[i.b() as usize], globals, parts));
                    regs.set(i.a(), value);
                }
                Op::ImportName => {
                    let name = &code.names[i.b() as usize];
                    save!();
                    // SAFETY: `frame` is the innermost record.
                    let value =
                        check!(self.import_name(unsafe { &*frame }, name, regs.get(i.c()), regs.get(i.c() + 1)));
                    kill!(i.c());
                    kill!(i.c() + 1);
                    regs.set(i.a(), value);
                }
                Op::ImportFrom => {
                    let name = &code.names[i.c() as usize];
                    save!();
                    let value = check!(self.import_from(regs.get(i.b()), name));
                    regs.set(i.a(), value);
                }
                Op::ImportStar => {
                    save!();
                    // SAFETY: `frame` is the innermost record.
                    check!(self.import_star(unsafe { &*frame }, regs.get(i.a())));
                    kill!(i.a());
                }

                // ---- exceptions ----
                Op::Raise => {
                    save!();
                    let (a, b) = match i.k() {
                        0 => match self.handled.get() {
                            Some(current) => reraise!(Exc::from_value(current)),
                            None => (None, None),
                        },
                        1 => (Some(operand!(i.a())), None),
                        _ => (Some(operand!(i.a())), Some(operand!(i.b()))),
                    };
                    check!(Err(self.raise(a, b)));
                }
                Op::PushExc => {
                    // The unwinder left the exception in R[a+1].
                    let previous = self.handled.swap(regs.opt(i.a() + 1).cloned());
                    // SAFETY: `frame` is the innermost record.
                    let f = unsafe { &*frame };
                    let bits = previous.as_ref().map_or(0, Value::bits);
                    if f.generator != 0 && bits == f.outer_handled {
                        // What is handled outside may be another when the generator is resumed: looked up when this handler ends.
                        drop(regs.take(i.a()));
                        continue;
                    }
                    regs.set(i.a(), previous.unwrap_or(Value::NONE));
                }
                Op::PopExc => {
                    let previous = match regs.take(i.a()) {
                        Some(previous) => Some(previous).filter(|v| !v.is_none()),
                        // SAFETY: `frame` is the innermost record; who resumed the generator holds what it handles.
                        None => unsafe { (*frame).outer_handled() },
                    };
                    save!();
                    drop(self.handled.swap(previous));
                    drop(regs.take(i.a() + 1));
                }
                Op::CheckExcMatch => {
                    save!();
                    let found = check!(self.exception_matches(regs.get(i.b()), regs.get(i.c())));
                    kill!(i.c());
                    regs.set(i.a(), Value::from_bool(found));
                }
                Op::CheckEgMatch => {
                    save!();
                    let (matched, rest) = check!(self.exception_group_match(regs.get(i.b()), regs.get(i.c())));
                    kill!(i.c());
                    regs.set(i.a(), rest);
                    regs.set(i.a() + 1, matched);
                }
                Op::Reraise => {
                    let exc = operand!(i.a());
                    reraise!(Exc::from_value(exc));
                }
                Op::PrepReraiseStar => {
                    save!();
                    let value = check!(self.prep_reraise_star(regs.get(i.b()), regs.get(i.c())));
                    kill!(i.b());
                    kill!(i.c());
                    regs.set(i.a(), value);
                }
                Op::WithExceptStart => {
                    save!();
                    let value = check!(self.with_except(regs.get(i.b()), regs.opt(i.b() + 1), regs.get(i.c())));
                    regs.set(i.a(), value);
                }
                Op::LoadSpecial => {
                    save!();
                    let (function, with_self) = check!(self.load_special(regs.get(i.b()), i.k()));
                    let this = with_self.then(|| regs.get(i.b()).clone());
                    regs.set(i.a(), function);
                    match this {
                        Some(this) => regs.set(i.a() + 1, this),
                        None => drop(regs.take(i.a() + 1)),
                    }
                }

                // ---- generators and coroutines ----
                Op::ReturnGenerator => {
                    save!();
                    // SAFETY: `frame` is the innermost record.
                    let generator = check!(self.make_generator(unsafe { &mut *frame }));
                    match check!(self.return_from(frame, generator, entry)) {
                        Flow::Reload => load!(),
                        Flow::Done(value) => return Ok(value),
                    }
                }
                Op::Yield => {
                    let value = operand!(i.b());
                    save!();
                    // SAFETY: `frame` is the innermost record, a generator's: it is suspended, not left.
                    match unsafe { self.suspend(frame, value, i.a(), entry) } {
                        Flow::Reload => load!(),
                        Flow::Done(value) => return Ok(value),
                    }
                }
                Op::Send => {
                    let sent = match regs.take(i.a()) {
                        Some(v) => v,
                        None => Value::NONE,
                    };
                    save!();
                    match check!(self.send(regs.get(i.b()), sent)) {
                        (value, false) => regs.set(i.a(), value),
                        (value, true) => {
                            drop(regs.take(i.b()));
                            regs.set(i.a(), value);
                            jump!(i.c() as i16);
                        }
                    }
                }
                Op::CleanupThrow => {
                    let exc = operand!(i.a());
                    save!();
                    let exc = Exc::from_value(exc);
                    if exc.is_instance(crate::types::exceptions::STOP_ITERATION.get()) {
                        let value = exc.stop_iteration_value();
                        regs.set(i.b(), value.unwrap_or(Value::NONE));
                    } else {
                        reraise!(exc);
                    }
                }
                Op::AsyncGenWrap => {
                    let value = operand!(i.b());
                    regs.set(i.a(), crate::types::generator::wrap_async_value(value));
                }

                // ---- formatting ----
                Op::Convert => {
                    let a = regs.get(i.b());
                    save!();
                    let text = check!(match i.k() {
                        1 => self.str(a),
                        2 => self.repr(a),
                        _ => self.ascii(a),
                    });
                    kill!(i.b());
                    regs.set(i.a(), text.into_value());
                }
                Op::FormatSimple => {
                    save!();
                    let text = check!(self.format(regs.get(i.b()), &Str::empty()));
                    kill!(i.b());
                    regs.set(i.a(), text.into_value());
                }
                Op::FormatSpec => {
                    save!();
                    let text = check!(self.format_with(regs.get(i.b()), regs.get(i.c())));
                    kill!(i.b());
                    kill!(i.c());
                    regs.set(i.a(), text);
                }
                Op::BuildInterpolation => {
                    let parts = [operand!(i.b()), operand!(i.b() + 1), operand!(i.b() + 2)];
                    save!();
                    let value = check!(self.build_interpolation(parts, i.k()));
                    regs.set(i.a(), value);
                }
                Op::BuildTemplate => {
                    let (strings, interpolations) = (operand!(i.b()), operand!(i.c()));
                    save!();
                    let value = check!(self.build_template(strings, interpolations));
                    regs.set(i.a(), value);
                }

                // ---- pattern matching ----
                Op::GetLen => {
                    save!();
                    let n = check!(self.len(regs.get(i.b())));
                    regs.set(i.a(), Value::usize(n));
                }
                Op::MatchMapping => {
                    let is = regs.get(i.b()).ty().has_flag(crate::object::TypeFlags::MAPPING);
                    regs.set(i.a(), Value::from_bool(is));
                }
                Op::MatchSequence => {
                    let is = regs.get(i.b()).ty().has_flag(crate::object::TypeFlags::SEQUENCE)
                        && !self.is_text_like(regs.get(i.b()));
                    regs.set(i.a(), Value::from_bool(is));
                }
                Op::MatchKeys => {
                    save!();
                    let value = check!(self.match_keys(regs.get(i.b()), regs.get(i.c())));
                    regs.set(i.a(), value);
                }
                Op::MatchClass => {
                    save!();
                    let value =
                        check!(self.match_class(regs.get(i.b()), regs.get(i.c()), i.k() as usize, regs.get(i.c() + 1)));
                    kill!(i.c());
                    kill!(i.c() + 1);
                    regs.set(i.a(), value);
                }

                // ---- helpers of the compiler ----
                Op::Intrinsic1 => {
                    save!();
                    let value = check!(self.intrinsic1(i.k(), regs.get(i.b())));
                    kill!(i.b());
                    regs.set(i.a(), value);
                }
                Op::Intrinsic2 => {
                    save!();
                    let value = check!(self.intrinsic2(i.k(), regs.get(i.b()), regs.get(i.c())));
                    kill!(i.b());
                    kill!(i.c());
                    regs.set(i.a(), value);
                }
                Op::SetupAnnotations => {
                    save!();
                    // SAFETY: `frame` is the innermost record.
                    check!(self.setup_annotations(unsafe { &*frame }));
                }
            }
        }
    }

    /// A possible switch between any two instructions, at a pseudo-random distance from the last.
    #[cold]
    fn switch_any_point(&self) -> Res<()> {
        let mut x = self.switch_seed.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.switch_seed.set(x);
        self.switch_countdown.set((x % 997) as u32 + 1);
        self.thread.yield_now();
        self.safepoint()
    }

    /// Ends the innermost frame: hands `value` to whoever called.
    fn return_from(&self, frame: *mut FrameData, value: Value, entry: usize) -> Res<Flow> {
        // SAFETY: `frame` is the innermost record; its registers are this thread's.
        unsafe {
            let kind = (*frame).kind;
            self.leave_frame(frame);
            if self.frames.depth.get() < entry {
                return Ok(Flow::Done(value));
            }
            let caller = self.frames.record(self.frames.depth.get() - 1);
            let regs = Regs((*caller).regs);
            let slot = (*frame).callee_slot.cast::<Option<Value>>();
            match kind {
                FrameKind::Init => {
                    let instance = std::mem::take(&mut *slot);
                    if !value.is_none() {
                        drop(instance);
                        return Err(
                            self.type_error(format!("__init__() should return None, not '{}'", value.ty().name()))
                        );
                    }
                    if let Some(instance) = instance {
                        regs.set((*frame).dst, instance);
                    }
                }
                _ => {
                    let callee = std::mem::take(&mut *slot);
                    let dst = (*frame).dst;
                    regs.set(dst, value);
                    drop(callee);
                }
            }
            Ok(Flow::Reload)
        }
    }

    /// Clears the registers of the innermost frame and takes it off the stack.
    ///
    /// # Safety
    /// `frame` is the innermost record.
    pub(super) unsafe fn leave_frame(&self, frame: *mut FrameData) {
        // SAFETY: by contract.
        unsafe {
            let f = &mut *frame;
            if f.frame_object.get() != 0 {
                self.detach_frame_object(f);
            }
            let n = f.code().nregs as usize;
            let regs = f.regs;
            for i in 0..n {
                let word = *regs.add(i);
                if word & 7 == 0 && word != 0 {
                    *regs.add(i) = 0;
                    drop_word(word);
                }
            }
            let holder = std::mem::take(&mut f.holder);
            if !f.on_heap {
                self.frames.top.set(f.previous_top);
            }
            self.frames.depth.set(self.frames.depth.get() - 1);
            if holder != 0 {
                drop_word(holder);
            }
        }
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
