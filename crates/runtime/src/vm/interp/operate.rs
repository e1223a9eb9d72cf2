//! Handlers of operators, comparisons and jumps.

use std::mem::ManuallyDrop;

use lisle_bytecode::Op;
use lisle_bytecode::opcode::{BinOp, CmpOp};
use lisle_macros::handler;

use super::operators::{bin_op, compare_floats, compare_ints, float_pair, mixed_pair, small_ints, small_pair, unboxed};
use super::state::{Apart, Exit, Handler, State, check};
use super::{Ip, is_object};
use crate::object::Value;
use crate::types::bytes::Bytes;
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;

/// `R[a] = R[b] <op> R[c]` of two immediate ints or two immediate floats; `slow` does everything else.
#[inline(always)]
fn arith(
    s: State<'_>,
    ints: impl FnOnce(i64, i64) -> Option<i64>,
    floats: impl FnOnce(f64, f64) -> f64,
    slow: Handler,
) -> Exit {
    let (a, b) = (s.get(s.i.b()), s.get(s.i.c()));
    if small_pair(a, b) {
        if let Some(word) = ints(a.bits() as i64, b.bits() as i64) {
            // SAFETY: `ints` gives the word of an immediate int.
            return s.set(s.i.a(), unsafe { Value::from_bits(word as u64) });
        }
    } else if float_pair(a, b)
        && let Some(value) = Value::immediate_float(floats(a.tagged_float(), b.tagged_float()))
    {
        return s.set(s.i.a(), value);
    }
    s.tail(slow)
}

/// `R[a] = R[b] <op> int(c)` of an immediate number.
#[inline(always)]
fn arith_imm(
    s: State<'_>,
    ints: impl FnOnce(i64, i64) -> Option<i64>,
    floats: impl FnOnce(f64, f64) -> f64,
    slow: Handler,
) -> Exit {
    let a = s.get(s.i.b());
    let imm = i64::from(s.i.c() as i16);
    if a.is_small_int() {
        if let Some(word) = ints(a.bits() as i64, imm << 1) {
            // SAFETY: a tagged int and an even number make the word of a tagged int.
            return s.set(s.i.a(), unsafe { Value::from_bits(word as u64) });
        }
    } else if a.is_tagged_float()
        && let Some(value) = Value::immediate_float(floats(a.tagged_float(), imm as f64))
    {
        return s.set(s.i.a(), value);
    }
    s.tail(slow)
}

#[handler]
pub(super) fn add(s: State<'_>) -> Exit {
    let slow = arith_mixed::<{ BinOp::Add as u8 }>;
    arith(s, |x, y| x.checked_add(y - 1), |x, y| x + y, slow)
}

#[handler]
pub(super) fn sub(s: State<'_>) -> Exit {
    let slow = arith_mixed::<{ BinOp::Sub as u8 }>;
    arith(s, |x, y| x.checked_sub(y - 1), |x, y| x - y, slow)
}

#[handler]
pub(super) fn mul(s: State<'_>) -> Exit {
    let slow = arith_mixed::<{ BinOp::Mul as u8 }>;
    // Twice the product, with the tag bit.
    let ints = |x: i64, y: i64| (x - 1).checked_mul(y >> 1).map(|twice| twice | 1);
    arith(s, ints, |x, y| x * y, slow)
}

#[handler]
pub(super) fn add_imm(s: State<'_>) -> Exit {
    let slow = arith_imm_mixed::<{ BinOp::Add as u8 }>;
    arith_imm(s, i64::checked_add, |x, y| x + y, slow)
}

#[handler]
pub(super) fn sub_imm(s: State<'_>) -> Exit {
    let slow = arith_imm_mixed::<{ BinOp::Sub as u8 }>;
    arith_imm(s, i64::checked_sub, |x, y| x - y, slow)
}

/// As `arith`, of a zero, or of a float and an int.
#[handler]
fn arith_mixed<const OP: u8>(s: State<'_>) -> Exit {
    if let Some((x, y)) = mixed_pair(s.get(s.i.b()), s.get(s.i.c()))
        && let Some(value) = unboxed(bin_op(OP), x, y)
    {
        return s.set(s.i.a(), value);
    }
    s.tail(arith_slow::<OP>)
}

/// As `arith_imm`, of a zero.
#[handler]
fn arith_imm_mixed<const OP: u8>(s: State<'_>) -> Exit {
    let a = s.get(s.i.b());
    if !a.is_small_int()
        && let Some(x) = a.unboxed_number()
        && let Some(value) = unboxed(bin_op(OP), x, f64::from(s.i.c() as i16))
    {
        return s.set(s.i.a(), value);
    }
    s.tail(arith_imm_slow::<OP>)
}

#[handler(apart)]
fn arith_slow<const OP: u8>(s: Apart<'_>) -> Exit {
    s.save();
    let done = s.vm.arith_slow(s.i, s.regs, s.frame().nlocals, bin_op(OP));
    s.next_if(done)
}

#[handler(apart)]
fn arith_imm_slow<const OP: u8>(s: Apart<'_>) -> Exit {
    s.save();
    let done = s.vm.arith_imm_slow(s.i, s.regs, s.frame().nlocals, bin_op(OP));
    s.next_if(done)
}

#[handler]
pub(super) fn binary(s: State<'_>) -> Exit {
    let (a, b) = (s.get(s.i.b()), s.get(s.i.c()));
    let op = bin_op(s.i.k());
    if float_pair(a, b)
        && op == BinOp::TrueDiv
        // Tagged floats are not zero.
        && let Some(value) = Value::immediate_float(a.tagged_float() / b.tagged_float())
    {
        return s.set(s.i.a(), value);
    }
    if small_pair(a, b)
        && let Some(value) = small_ints(op, a, b)
    {
        return s.set(s.i.a(), value);
    }
    s.tail(binary_mixed)
}

/// As `binary`, of a zero, or of a float and an int.
#[handler]
fn binary_mixed(s: State<'_>) -> Exit {
    if let Some((x, y)) = mixed_pair(s.get(s.i.b()), s.get(s.i.c()))
        && let Some(value) = unboxed(bin_op(s.i.k()), x, y)
    {
        return s.set(s.i.a(), value);
    }
    s.tail(binary_slow)
}

#[handler(apart)]
fn binary_slow(s: Apart<'_>) -> Exit {
    s.save();
    let done = s.vm.arith_slow(s.i, s.regs, s.frame().nlocals, bin_op(s.i.k()));
    s.next_if(done)
}

#[handler]
pub(super) fn binary_imm(s: State<'_>) -> Exit {
    let a = s.get(s.i.b());
    if a.is_small_int() {
        let b = ManuallyDrop::new(Value::int(i64::from(s.i.c() as i16)));
        if let Some(value) = small_ints(bin_op(s.i.k()), a, &b) {
            return s.set(s.i.a(), value);
        }
    } else if let Some(x) = a.unboxed_number()
        && let Some(value) = unboxed(bin_op(s.i.k()), x, f64::from(s.i.c() as i16))
    {
        return s.set(s.i.a(), value);
    }
    s.tail(binary_imm_slow)
}

#[handler(apart)]
fn binary_imm_slow(s: Apart<'_>) -> Exit {
    s.save();
    let done = s.vm.arith_imm_slow(s.i, s.regs, s.frame().nlocals, bin_op(s.i.k()));
    s.next_if(done)
}

#[handler]
pub(super) fn neg(s: State<'_>) -> Exit {
    let a = s.get(s.i.b());
    if a.is_tagged_float()
        && let Some(value) = Value::immediate_float(-a.tagged_float())
    {
        return s.set(s.i.a(), value);
    }
    s.tail(neg_slow)
}

#[handler(apart)]
fn neg_slow(s: Apart<'_>) -> Exit {
    s.save();
    let a = s.get(s.i.b());
    let value = match a.as_small_int() {
        Some(x) => Value::int(-x),
        None => check!(s, s.vm.unary(a, |slots| slots.neg, "-")),
    };
    s.kill(s.i.b());
    s.set(s.i.a(), value)
}

#[handler]
pub(super) fn not(s: State<'_>) -> Exit {
    let a = s.get(s.i.b());
    if a.is_bool() {
        return s.set_bool(s.i.a(), !a.is_true());
    }
    s.tail(truth)
}

#[handler]
pub(super) fn to_bool(s: State<'_>) -> Exit {
    let a = s.get(s.i.b());
    if a.is_bool() {
        return s.set_bool(s.i.a(), a.is_true());
    }
    s.tail(truth)
}

/// `ToBool` and `Not` of anything.
#[handler(apart)]
fn truth(s: Apart<'_>) -> Exit {
    s.save();
    let holds = check!(s, s.vm.truth(s.get(s.i.b())));
    s.kill_object(s.i.b());
    s.set_bool(s.i.a(), holds != (s.i.op() == Op::Not))
}

#[handler]
pub(super) fn compare(s: State<'_>) -> Exit {
    let (a, b) = (s.get(s.i.b()), s.get(s.i.c()));
    if small_pair(a, b) {
        return s.set_bool(s.i.a(), compare_ints(s.i.k(), a.bits() as i64, b.bits() as i64));
    }
    if float_pair(a, b) {
        return s.set_bool(s.i.a(), compare_floats(s.i.k(), a.tagged_float(), b.tagged_float()));
    }
    s.tail(compare_texts)
}

/// Whether `==` or `!=` of two plain strings, as the number of the comparison has it, holds; `None` if that takes a call.
#[inline(always)]
fn texts_compare(k: u8, a: &Value, b: &Value) -> Option<bool> {
    const EQ: u8 = CmpOp::Eq as u8;
    const NE: u8 = CmpOp::Ne as u8;
    let equal = match k & 7 {
        EQ => true,
        NE => false,
        _ => return None,
    };
    let same = a.downcast_exact::<Str>()?.plainly_equal(b.downcast_exact::<Str>()?)?;
    Some((same == equal) != (k & 8 != 0))
}

/// As `compare`, of a zero, or of a float and an int.
#[handler]
fn compare_mixed(s: State<'_>) -> Exit {
    match mixed_pair(s.get(s.i.b()), s.get(s.i.c())) {
        Some((x, y)) => s.set_bool(s.i.a(), compare_floats(s.i.k(), x, y)),
        None => s.tail(compare_slow),
    }
}

/// As `compare`, of strings.
#[handler]
fn compare_texts(s: State<'_>) -> Exit {
    let i = s.i;
    let Some(holds) = texts_compare(i.k(), s.get(i.b()), s.get(i.c())) else {
        return s.tail(compare_mixed);
    };
    // What a variable had would be a third thing to drop.
    if !s.is_temporary(i.a()) && is_object(s.regs.word(i.a())) {
        return s.tail(compare_slow);
    }
    let (a, b) = used_up(s, i.b(), i.c());
    s.regs.put_plain(i.a(), Value::from_bool(holds));
    s.drop_both(a, b)
}

/// The words of two operands that are temporaries, which are left unbound; 0 for a variable.
#[inline(always)]
fn used_up(s: State<'_>, a: u16, b: u16) -> (u64, u64) {
    let used = |r| if s.is_temporary(r) { s.regs.take_word(r) } else { 0 };
    (used(a), used(b))
}

#[handler(apart)]
fn compare_slow(s: Apart<'_>) -> Exit {
    s.save();
    let value = check!(s, s.vm.compare_slow(s.get(s.i.b()), s.get(s.i.c()), s.i.k()));
    s.kill_object(s.i.b());
    s.kill_object(s.i.c());
    s.set(s.i.a(), value)
}

#[handler]
pub(super) fn is(s: State<'_>) -> Exit {
    let same = s.get(s.i.b()).is(s.get(s.i.c()));
    s.kill_object(s.i.b());
    s.kill(s.i.c());
    s.set_bool(s.i.a(), same != (s.i.k() != 0))
}

#[handler]
pub(super) fn contains(s: State<'_>) -> Exit {
    let i = s.i;
    if let Some(dict) = s.get(i.c()).downcast_exact::<Dict>()
        && (s.is_temporary(i.a()) || !is_object(s.regs.word(i.a())))
        && let Some(own) = s.lock_unread(dict.header())
        // SAFETY: this thread has the dict alone.
        && let Some(word) = unsafe { dict.word_alone(s.get(i.b())) }
    {
        drop(own);
        let (key, dict) = used_up(s, i.b(), i.c());
        s.regs.put_plain(i.a(), Value::from_bool((word != 0) != (i.k() != 0)));
        return s.drop_both(key, dict);
    }
    s.tail(contains_slow)
}

#[handler(apart)]
fn contains_slow(s: Apart<'_>) -> Exit {
    s.save();
    let (container, item) = (s.get(s.i.c()), s.get(s.i.b()));
    let found = match holds_character(container, item) {
        Some(found) => found,
        None => check!(s, s.vm.contains(container, item)),
    };
    s.kill_object(s.i.b());
    s.kill_object(s.i.c());
    s.set_bool(s.i.a(), found != (s.i.k() != 0))
}

/// Whether a string has a character, where both are ASCII.
#[inline]
fn holds_character(container: &Value, item: &Value) -> Option<bool> {
    let (text, item) = (container.downcast_exact::<Str>()?, item.downcast_exact::<Str>()?);
    match item.ascii_bytes()? {
        [byte] => Some(text.ascii_bytes()?.contains(byte)),
        _ => None,
    }
}

// ---- jumps ----

/// The distance that a jump with two operands has.
#[inline(always)]
fn near(i: Ip) -> i32 {
    i32::from(i.c() as i16)
}

#[handler]
pub(super) fn jump(s: State<'_>) -> Exit {
    s.jump(s.i.w() as i32).next()
}

#[handler]
pub(super) fn jump_back(s: State<'_>) -> Exit {
    let s = s.jump(s.i.w() as i32);
    if s.check_chain() {
        s.save();
        return Exit::GoOn;
    }
    s.poll()
}

#[handler]
pub(super) fn jump_if_true(s: State<'_>) -> Exit {
    let a = s.get(s.i.a());
    if !a.is_bool() {
        return s.tail(jump_if_other);
    }
    if a.is_true() { s.jump(s.i.w() as i32) } else { s }.next()
}

#[handler]
pub(super) fn jump_if_false(s: State<'_>) -> Exit {
    let a = s.get(s.i.a());
    if !a.is_bool() {
        return s.tail(jump_if_other);
    }
    if a.is_true() { s } else { s.jump(s.i.w() as i32) }.next()
}

/// `JumpIfTrue` and `JumpIfFalse` of what is no bool.
#[handler]
fn jump_if_other(s: State<'_>) -> Exit {
    let a = s.get(s.i.a());
    let holds = match a.as_small_int() {
        Some(number) => number != 0,
        None if a.is_none() => false,
        None => return s.tail(jump_if_object),
    };
    if holds == (s.i.op() == Op::JumpIfTrue) {
        return s.jump(s.i.w() as i32).next();
    }
    s.next()
}

/// The same of what has no truth of its own, or has that of its length.
#[handler]
fn jump_if_object(s: State<'_>) -> Exit {
    let (i, a) = (s.i, s.get(s.i.a()));
    let Some(holds) = plain_truth(a) else {
        return s.tail(jump_if_slow);
    };
    let used = if i.k() == 0 && s.is_temporary(i.a()) {
        s.regs.take_word(i.a())
    } else {
        0
    };
    let target = if holds == (i.op() == Op::JumpIfTrue) {
        s.jump(i.w() as i32)
    } else {
        s
    };
    target.drop_both(used, 0)
}

/// The truth of an object of a builtin type, or of one whose class does not say; `None` if that takes a call.
#[inline(always)]
fn plain_truth(value: &Value) -> Option<bool> {
    if !value.is_heap() {
        return None;
    }
    if let Some(text) = value.downcast_exact::<Str>() {
        Some(!text.is_empty())
    } else if let Some(list) = value.downcast_exact::<List>() {
        Some(!list.is_empty())
    } else if let Some(dict) = value.downcast_exact::<Dict>() {
        Some(!dict.is_empty())
    } else if let Some(tuple) = value.downcast_exact::<Tuple>() {
        Some(!tuple.is_empty())
    } else if let Some(bytes) = value.downcast_exact::<Bytes>() {
        Some(!bytes.is_empty())
    } else {
        let slots = value.ty().slots();
        (slots.bool.is_none() && slots.len.is_none()).then_some(true)
    }
}

#[handler(apart)]
fn jump_if_slow(s: Apart<'_>) -> Exit {
    s.save();
    let holds = check!(s, s.vm.truth(s.get(s.i.a())));
    if s.i.k() == 0 {
        s.kill_object(s.i.a());
    }
    if holds == (s.i.op() == Op::JumpIfTrue) {
        return s.jump(s.i.w() as i32).next();
    }
    s.next()
}

#[handler]
pub(super) fn jump_if_none(s: State<'_>) -> Exit {
    if s.get(s.i.a()).is_none() {
        return s.jump(s.i.w() as i32).next();
    }
    if s.i.k() == 0 {
        s.kill_object(s.i.a());
    }
    s.next()
}

#[handler]
pub(super) fn jump_if_not_none(s: State<'_>) -> Exit {
    if s.get(s.i.a()).is_none() {
        return s.next();
    }
    if s.i.k() == 0 {
        s.kill_object(s.i.a());
    }
    s.jump(s.i.w() as i32).next()
}

#[handler]
pub(super) fn jump_cmp(s: State<'_>) -> Exit {
    let (a, b) = (s.get(s.i.a()), s.get(s.i.b()));
    let holds = if small_pair(a, b) {
        compare_ints(s.i.k(), a.bits() as i64, b.bits() as i64)
    } else if float_pair(a, b) {
        compare_floats(s.i.k(), a.tagged_float(), b.tagged_float())
    } else {
        return s.tail(jump_cmp_texts);
    };
    if holds { s.jump(near(s.i)) } else { s }.next()
}

/// As `jump_cmp`, of strings.
#[handler]
fn jump_cmp_texts(s: State<'_>) -> Exit {
    let i = s.i;
    let Some(holds) = texts_compare(i.k(), s.get(i.a()), s.get(i.b())) else {
        return s.tail(jump_cmp_mixed);
    };
    let (a, b) = used_up(s, i.a(), i.b());
    if holds { s.jump(near(i)) } else { s }.drop_both(a, b)
}

/// As `jump_cmp`, of a zero, or of a float and an int.
#[handler]
fn jump_cmp_mixed(s: State<'_>) -> Exit {
    let Some((x, y)) = mixed_pair(s.get(s.i.a()), s.get(s.i.b())) else {
        return s.tail(jump_cmp_slow);
    };
    if compare_floats(s.i.k(), x, y) {
        s.jump(near(s.i)).next()
    } else {
        s.next()
    }
}

#[handler(apart)]
fn jump_cmp_slow(s: Apart<'_>) -> Exit {
    s.save();
    let truth = check!(s, s.vm.compare_truth(s.get(s.i.a()), s.get(s.i.b()), s.i.k() & 7));
    s.kill_object(s.i.a());
    s.kill_object(s.i.b());
    if truth != (s.i.k() & 8 != 0) {
        return s.jump(near(s.i)).next();
    }
    s.next()
}

#[handler]
pub(super) fn jump_cmp_imm(s: State<'_>) -> Exit {
    let a = s.get(s.i.a());
    let imm = i64::from(s.i.b() as i16);
    let holds = if a.is_small_int() {
        compare_ints(s.i.k(), a.bits() as i64 >> 1, imm)
    } else if let Some(x) = a.unboxed_number() {
        compare_floats(s.i.k(), x, imm as f64)
    } else {
        return s.tail(jump_cmp_imm_slow);
    };
    if holds { s.jump(near(s.i)) } else { s }.next()
}

#[handler(apart)]
fn jump_cmp_imm_slow(s: Apart<'_>) -> Exit {
    s.save();
    let imm = Value::int(i64::from(s.i.b() as i16));
    let truth = check!(s, s.vm.compare_truth(s.get(s.i.a()), &imm, s.i.k() & 7));
    s.kill_object(s.i.a());
    if truth != (s.i.k() & 8 != 0) {
        return s.jump(near(s.i)).next();
    }
    s.next()
}

#[handler]
pub(super) fn jump_if_unbound(s: State<'_>) -> Exit {
    if s.regs.opt(s.i.a()).is_none() {
        return s.jump(s.i.w() as i32).next();
    }
    s.next()
}

#[handler]
pub(super) fn jump_if_not_common(s: State<'_>) -> Exit {
    if crate::vm::intrinsics::is_common(s.get(s.i.a()), s.i.k()) {
        return s.next();
    }
    s.jump(s.i.w() as i32).next()
}
