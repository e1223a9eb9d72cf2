//! The fast ways of operators, comparisons and subscripts: immediate numbers first, then the builtin types, then the protocol.
//!
//! Invariant: what has a fast way here gives the same result as the protocol does.

use lisle_bytecode::opcode::{BinOp, CmpOp, INPLACE};

use super::{Ip, Regs};
use crate::intern;
use crate::object::{TypeFlags, Value};
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::list::List;
use crate::types::slice::Slice;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::frames::FrameData;
use crate::vm::{Res, Vm};

#[inline(always)]
pub(super) fn small_pair(a: &Value, b: &Value) -> bool {
    a.bits() & b.bits() & 1 != 0
}

#[inline(always)]
pub(super) fn float_pair(a: &Value, b: &Value) -> bool {
    a.is_tagged_float() && b.is_tagged_float()
}

/// The numbers of two values of which one is a float, if neither is boxed and floats hold them exactly.
#[inline(always)]
pub(super) fn mixed_pair(a: &Value, b: &Value) -> Option<(f64, f64)> {
    if small_pair(a, b) {
        return None;
    }
    Some((a.unboxed_number()?, b.unboxed_number()?))
}

/// `x <op> y`, if it needs no allocation; `None` for the general way.
#[inline(always)]
pub(super) fn unboxed(op: BinOp, x: f64, y: f64) -> Option<Value> {
    Value::float_unboxed(match op {
        BinOp::Add => x + y,
        BinOp::Sub => x - y,
        BinOp::Mul => x * y,
        BinOp::TrueDiv if y != 0.0 => x / y,
        _ => return None,
    })
}

/// By the `k` of a comparison, or of a jump by one: for which orders it holds. Bit 0: less, 1: equal, 2: greater, 3: unordered.
const HOLDS: [u8; 16] = {
    let plain = [0b0001, 0b0011, 0b0010, 0b1101, 0b0100, 0b0110, 0, 0];
    let mut table = [0; 16];
    let mut k = 0;
    while k < 16 {
        table[k] = if k < 8 { plain[k] } else { plain[k - 8] ^ 0b1111 };
        k += 1;
    }
    table
};

/// A comparison of two immediate ints, or of their words; negated if `k & 8`.
#[inline(always)]
pub(super) fn compare_ints(k: u8, a: i64, b: i64) -> bool {
    let order = 1 + (a > b) as u8 - (a < b) as u8;
    HOLDS[(k & 15) as usize] >> order & 1 != 0
}

/// A comparison of two floats; negated if `k & 8`.
#[inline(always)]
pub(super) fn compare_floats(k: u8, a: f64, b: f64) -> bool {
    let order = match a.partial_cmp(&b) {
        Some(order) => (order as i8 + 1) as u8,
        None => 3,
    };
    HOLDS[(k & 15) as usize] >> order & 1 != 0
}

/// The operator of an instruction's `k`.
#[inline(always)]
pub(super) fn bin_op(k: u8) -> BinOp {
    let n = (k & !INPLACE) as usize;
    debug_assert!(n < BinOp::ALL.len(), "the verifier checks operators");
    // SAFETY: the compiler writes numbers of operators alone, and code from elsewhere is verified when it is loaded.
    unsafe { *BinOp::ALL.get_unchecked(n) }
}

/// `a <op> b` of two immediate ints, where the result is one too; `None` for the general way.
#[inline(always)]
pub(super) fn small_ints(op: BinOp, a: &Value, b: &Value) -> Option<Value> {
    let (x, y) = (a.bits() as i64 >> 1, b.bits() as i64 >> 1);
    match op {
        // SAFETY: both words have the tag bit, and so has the result.
        BinOp::And => Some(unsafe { Value::from_bits(a.bits() & b.bits()) }),
        // SAFETY: as above.
        BinOp::Or => Some(unsafe { Value::from_bits(a.bits() | b.bits()) }),
        // SAFETY: as above, with the tag bit put back.
        BinOp::Xor => Some(unsafe { Value::from_bits((a.bits() ^ b.bits()) | 1) }),
        BinOp::FloorDiv if y > 0 => Value::small_int(x.div_euclid(y)),
        BinOp::Mod if y > 0 => {
            // Division of 32 bits is much faster, where it will do.
            if (x | y) >> 31 == 0 {
                return Value::small_int(i64::from(x as u32 % y as u32));
            }
            Value::small_int(x.rem_euclid(y))
        }
        BinOp::RShift if y >= 0 => Value::small_int(x >> y.min(63)),
        BinOp::LShift if (0..62).contains(&y) => {
            let r = x << y;
            if r >> y == x { Value::small_int(r) } else { None }
        }
        BinOp::Add => x.checked_add(y).and_then(Value::small_int),
        BinOp::Sub => x.checked_sub(y).and_then(Value::small_int),
        BinOp::Mul => x.checked_mul(y).and_then(Value::small_int),
        BinOp::FloorDiv if y < 0 => Value::small_int(-(x.div_euclid(-y)) - i64::from(x.rem_euclid(-y) != 0)),
        BinOp::TrueDiv if y != 0 && x.unsigned_abs() < 1 << 53 && y.unsigned_abs() < 1 << 53 => {
            Some(Value::float(x as f64 / y as f64))
        }
        _ => None,
    }
}

/// Numbers that are floats, or ints that a float holds exactly; `None` for the general way.
#[inline]
fn numbers(op: BinOp, a: &Value, b: &Value) -> Option<Value> {
    let x = number(a)?;
    let y = number(b)?;
    match op {
        BinOp::Add => Some(Value::float(x + y)),
        BinOp::Sub => Some(Value::float(x - y)),
        BinOp::Mul => Some(Value::float(x * y)),
        BinOp::TrueDiv if y != 0.0 => Some(Value::float(x / y)),
        _ => None,
    }
}

/// A float, or an int that a float holds exactly.
#[inline]
fn number(v: &Value) -> Option<f64> {
    if let Some(i) = v.as_small_int() {
        return (i.unsigned_abs() <= 1 << 53).then_some(i as f64);
    }
    v.as_exact_float()
}

/// An operator on numbers that are immediate or floats; `None` for the general way.
fn arith_fast(op: BinOp, a: &Value, b: &Value) -> Option<Value> {
    if small_pair(a, b) {
        return small_ints(op, a, b);
    }
    numbers(op, a, b)
}

/// The builtin sequences' `+`, as their slots have it; `None` for the general way.
#[inline]
fn concatenated(vm: &Vm, a: &Value, b: &Value, inplace: bool) -> Option<Res<Value>> {
    if !a.is_heap() || a.ty().as_ptr() != b.ty().as_ptr() {
        return None;
    }
    if let (Some(a), Some(b)) = (a.downcast_exact::<Str>(), b.downcast_exact::<Str>()) {
        return Str::concat_ascii(a, b).map(|joined| Ok(joined.into_value()));
    }
    if inplace {
        return None;
    }
    if let (Some(a), Some(b)) = (a.downcast_exact::<List>(), b.downcast_exact::<List>()) {
        return Some(match a.concatenated(b) {
            Some(items) => Ok(List::new(items).into_value()),
            None => Err(vm.memory_error()),
        });
    }
    if let (Some(a), Some(b)) = (a.downcast_exact::<Tuple>(), b.downcast_exact::<Tuple>()) {
        return Some(a.concatenated(vm, b));
    }
    None
}

/// `UnpackSequence` of a list with the right number of items; `false` for anything else.
#[inline(never)]
pub(super) fn unpack_list(regs: Regs, i: Ip, nlocals: u16) -> bool {
    let n = i.c() as usize;
    let Some(list) = regs.get(i.b()).downcast_exact::<List>() else {
        return false;
    };
    // What the registers hold may only be dropped when the list is no longer locked.
    let taken: Option<smallvec::SmallVec<[Value; 12]>> =
        list.with(|items| (items.len() == n).then(|| items.iter().cloned().collect()));
    let Some(taken) = taken else { return false };
    if i.b() >= nlocals {
        regs.clear(i.b());
    }
    for (j, item) in taken.into_iter().enumerate() {
        regs.set(i.a() + j as u16, item);
    }
    true
}

impl Vm {
    /// `R[a] = R[b] <op> R[c]` where the loop's own way does not do.
    #[inline(never)]
    pub(super) fn arith_slow(&self, i: Ip, regs: Regs, nlocals: u16, op: BinOp) -> Res<()> {
        let (a, b) = (regs.get(i.b()), regs.get(i.c()));
        let value = match arith_fast(op, a, b) {
            Some(value) => value,
            None => {
                if op == BinOp::Add
                    && i.a() == i.b()
                    && i.a() != i.c()
                    && let Some(more) = b.downcast_exact::<Str>()
                    // SAFETY: the register's own value, which the instruction is about to replace.
                    && Str::append_in_place(unsafe { &mut *regs.0.add(i.a() as usize).cast::<Value>() }, more)
                {
                    if i.c() >= nlocals {
                        regs.clear(i.c());
                    }
                    return Ok(());
                }
                let inplace = i.k() & INPLACE != 0;
                if op == BinOp::Add
                    && let Some(made) = concatenated(self, a, b, inplace)
                {
                    made?
                } else if inplace {
                    self.inplace(op, a, b)?
                } else {
                    self.binary(op, a, b)?
                }
            }
        };
        if i.b() >= nlocals {
            regs.clear(i.b());
        }
        if i.c() >= nlocals {
            regs.clear(i.c());
        }
        regs.set(i.a(), value);
        Ok(())
    }

    /// `R[a] = R[b] <op> int(c)`, as above.
    #[inline(never)]
    pub(super) fn arith_imm_slow(&self, i: Ip, regs: Regs, nlocals: u16, op: BinOp) -> Res<()> {
        let a = regs.get(i.b());
        let b = Value::int(i64::from(i.c() as i16));
        let value = match arith_fast(op, a, &b) {
            Some(value) => value,
            None => {
                if i.k() & INPLACE != 0 {
                    self.inplace(op, a, &b)?
                } else if op == BinOp::Mul
                    && let Some(list) = a.downcast_exact::<List>()
                {
                    let items = list.repeated(i.c() as i16 as isize);
                    List::new(items.ok_or_else(|| self.memory_error())?).into_value()
                } else {
                    self.binary(op, a, &b)?
                }
            }
        };
        if i.b() >= nlocals {
            regs.clear(i.b());
        }
        regs.set(i.a(), value);
        Ok(())
    }

    #[inline(never)]
    pub(super) fn compare_slow(&self, a: &Value, b: &Value, k: u8) -> Res<Value> {
        if let (Some(x), Some(y)) = (a.downcast_exact::<Str>(), b.downcast_exact::<Str>()) {
            match k {
                2 => return Ok(Value::from_bool(x.text_eq(y))),
                3 => return Ok(Value::from_bool(!x.text_eq(y))),
                _ => {}
            }
        }
        self.rich_compare(a, b, CmpOp::ALL[k as usize])
    }

    #[inline(never)]
    pub(super) fn compare_truth(&self, a: &Value, b: &Value, k: u8) -> Res<bool> {
        if let 2 | 3 = k
            && let (Some(x), Some(y)) = (a.downcast_exact::<Str>(), b.downcast_exact::<Str>())
        {
            return Ok(x.text_eq(y) == (k == 2));
        }
        let result = self.compare_slow(a, b, k)?;
        self.truth(&result)
    }

    /// `obj[key]` of builtin containers; `None` for the general way.
    #[inline(always)]
    pub(super) fn getitem_fast(&self, obj: &Value, key: &Value) -> Option<Value> {
        if let Some(at) = key.as_small_int() {
            if let Some(list) = obj.downcast_exact::<List>() {
                return list.get_index(at as isize);
            }
            if let Some(tuple) = obj.downcast_exact::<Tuple>() {
                let items = tuple.as_slice();
                let at = if at < 0 { at + items.len() as i64 } else { at };
                return usize::try_from(at).ok().and_then(|i| items.get(i)).cloned();
            }
        } else if let Some(dict) = obj.downcast_exact::<Dict>()
            && let Some(name) = key.downcast_exact::<Str>()
        {
            return dict.get_str(name);
        }
        None
    }

    /// `R[b][R[c]]`, of what is worth a call. `None`: the frame of a `__getitem__` was pushed, which leaves the value in `R[a]`.
    ///
    /// # Safety
    /// `frame` is the innermost record with registers `regs`, and executes `i`.
    #[inline(never)]
    pub(super) unsafe fn getitem_more(&self, frame: *mut FrameData, regs: Regs, i: Ip) -> Res<Option<Value>> {
        let (obj, key) = (regs.get(i.b()), regs.get(i.c()));
        if let Some(dict) = obj.downcast_exact::<Dict>() {
            let found = dict.get(self, key)?;
            return found.map(Some).ok_or_else(|| self.key_error(key.clone()));
        }
        if obj.ty().has_flag(TypeFlags::HEAP)
            && let Some(function) = self.method_cache.probe(obj.ty(), intern!("__getitem__"))
            && function.downcast_exact::<Function>().is_some()
            // SAFETY: by contract.
            && unsafe { self.push_special(frame, function, &[obj, key], i.a(), i.next()) }
        {
            // SAFETY: the frame of the instruction; the callee's frame holds the operands.
            let nlocals = unsafe { (*frame).body().nlocals };
            for operand in [i.b(), i.c()] {
                if operand >= nlocals {
                    regs.clear(operand);
                }
            }
            return Ok(None);
        }
        self.getitem_plain(obj, key).map(Some)
    }

    /// Whether items of objects of this type are found without asking the type.
    #[inline(always)]
    pub(super) fn has_fast_items(obj: &Value) -> bool {
        obj.downcast_exact::<List>().is_some()
            || obj.downcast_exact::<Tuple>().is_some()
            || obj.downcast_exact::<Dict>().is_some()
            || obj.downcast_exact::<Str>().is_some()
    }

    /// As `getitem_fast`, of everything else.
    fn getitem_plain(&self, obj: &Value, key: &Value) -> Res<Value> {
        if let (Some(text), Some(at)) = (obj.downcast_exact::<Str>(), key.as_small_int())
            && let Some(bytes) = text.ascii_bytes()
        {
            let at = if at < 0 { at + bytes.len() as i64 } else { at };
            if let Some(byte) = usize::try_from(at).ok().and_then(|at| bytes.get(at)) {
                return Ok(Str::latin1_char(*byte).into_value());
            }
        }
        if let Some(slice) = key.downcast_exact::<Slice>()
            && slice.step.is_none()
            && (obj.downcast_exact::<List>().is_some()
                || obj.downcast_exact::<Str>().is_some()
                || obj.downcast_exact::<Tuple>().is_some())
            && [&slice.start, &slice.stop]
                .iter()
                .all(|bound| bound.is_none() || bound.is_small_int())
        {
            return self.get_slice(obj, &slice.start, &slice.stop);
        }
        self.getitem(obj, key)
    }

    /// `obj[key] = value`, where `obj` is not a list with an int key.
    #[inline(never)]
    pub(super) fn setitem_value(&self, obj: &Value, key: &Value, value: Value) -> Res<()> {
        if let Some(dict) = obj.downcast_exact::<Dict>() {
            return dict.set(self, key, value);
        }
        self.setitem(obj, key, &value)
    }
}
