//! int and bool: heap ints, the view that all integer code works on, hashing, methods.
//!
//! Invariant: an exact int within 63 bits is always an immediate, so a heap [`Int`] of the exact type lies beyond them; instances of
//! subclasses are on the heap whatever their number. `True` and `False` are immediates too: no [`Bool`] payload is ever made.

pub use super::int_methods::{max_str_digits, set_max_str_digits};
use std::borrow::Cow;
use std::cmp::Ordering;

use lisle_bytecode::opcode::{BinOp, CmpOp};
use lisle_macros::{pyclass, pymethods};
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

use super::number_ops;
use crate::object::{Native, Py, Type, TypeFlags, Value};
pub use crate::text::int::IntRef;
use crate::types::str::Str;
use crate::vm::{Res, Vm};

/// The payload of an int that is no immediate.
#[pyclass(
    name = "int",
    late_end,
    doc = "int([x]) -> integer\nint(x, base=10) -> integer\n\nConvert a number or string to an integer, or return 0 if no arguments\nare given.  If x is a number, return x.__int__().  For floating-point\nnumbers, this truncates towards zero.\n\nIf x is not a number or if base is given, then x must be a string,\nbytes, or bytearray instance representing an integer literal in the\ngiven base.  The literal can be preceded by '+' or '-' and be surrounded\nby whitespace.  The base defaults to 10.  Valid bases are 0 and 2-36.\nBase 0 means to interpret the base from the string as an integer literal.\n>>> int('0b100', base=0)\n4",
    basetype,
    gc = false,
    flags = TypeFlags::INT_SUBCLASS
)]
pub struct Int {
    pub value: BigInt,
}

/// The class of `True` and `False`.
#[pyclass(
    name = "bool",
    doc = "Returns True when the argument is true, False otherwise.\nThe builtins True and False are the only two instances of the class bool.\nThe class bool is a subclass of the class int, and cannot be subclassed.",
    base = Int,
    gc = false
)]
pub struct Bool {
    base: Int,
}

/// A heap int of exactly type int; `n` does not fit an immediate.
pub fn big(n: BigInt) -> Value {
    Py::new(Int { value: n }).into_value()
}

/// An instance of `cls`, which is int or a subclass of it.
pub fn boxed(cls: &Py<Type>, n: BigInt) -> Value {
    if cls.is(Int::ty()) {
        Value::bigint(n)
    } else {
        Py::with_class(cls, Int { value: n }).into_value()
    }
}

/// `id()` of a value that is no heap object: its word, which no address equals.
pub fn id_of_immediate(bits: u64) -> Value {
    Value::bigint(BigInt::from(bits))
}

/// What `__hash__` returned, as a hash.
pub fn hash_result(vm: &Vm, result: &Value) -> Res<i64> {
    match view(result) {
        Some(IntRef::Small(i)) => Ok(if i == -1 { -2 } else { i }),
        Some(n @ IntRef::Big(_)) => Ok(n.hash()),
        None => Err(vm.type_error("__hash__ method should return an integer")),
    }
}

/// An int of any kind: immediate, bool, heap, or an instance of a subclass.
#[inline]
pub fn view(value: &Value) -> Option<IntRef<'_>> {
    if let Some(i) = value.as_small_int() {
        return Some(IntRef::Small(i));
    }
    if value.is_heap() {
        return value.downcast::<Int>().map(|int| IntRef::of(&int.value));
    }
    value.is_bool().then(|| IntRef::Small(value.is_true().into()))
}

/// As [`view`], for a value that is known to be an int.
#[inline]
pub(super) fn known(value: &Value) -> IntRef<'_> {
    view(value).unwrap_or(IntRef::Small(0))
}

impl Vm {
    /// An int of any kind; `None` for what is no int.
    #[inline]
    pub fn int_value<'a>(&self, value: &'a Value) -> Option<IntRef<'a>> {
        view(value)
    }
}

impl<'a> IntRef<'a> {
    /// The view of `n`; `Big` is never within the range of `i64` here.
    #[inline]
    pub fn of(n: &'a BigInt) -> IntRef<'a> {
        match n.to_i64() {
            Some(i) => IntRef::Small(i),
            None => IntRef::Big(n),
        }
    }

    #[inline]
    pub fn to_u64(&self) -> Option<u64> {
        match self {
            IntRef::Small(i) => u64::try_from(*i).ok(),
            IntRef::Big(n) => n.to_u64(),
        }
    }

    /// The number as a `BigInt`, borrowed where there is one.
    #[inline]
    pub fn as_bigint(&self) -> Cow<'a, BigInt> {
        match self {
            IntRef::Small(i) => Cow::Owned(BigInt::from(*i)),
            IntRef::Big(n) => Cow::Borrowed(n),
        }
    }

    /// The number as a `BigInt` of its own.
    pub fn to_bigint(&self) -> BigInt {
        self.as_bigint().into_owned()
    }

    /// The nearest float; `OverflowError` if the number is too large.
    pub fn to_float(&self, vm: &Vm) -> Res<f64> {
        match self {
            IntRef::Small(i) => Ok(*i as f64),
            IntRef::Big(n) => {
                number_ops::bigint_to_f64(n).ok_or_else(|| vm.overflow_error("int too large to convert to float"))
            }
        }
    }

    /// The number as an exact int.
    #[inline]
    pub fn to_value(&self) -> Value {
        match self {
            IntRef::Small(i) => Value::int(*i),
            IntRef::Big(n) => big((*n).clone()),
        }
    }

    #[inline]
    pub fn is_zero(&self) -> bool {
        matches!(self, IntRef::Small(0))
    }

    #[inline]
    pub fn is_odd(&self) -> bool {
        match self {
            IntRef::Small(i) => i & 1 == 1,
            IntRef::Big(n) => n.bit(0),
        }
    }

    /// Bits of the absolute value.
    pub fn bits(&self) -> u64 {
        match self {
            IntRef::Small(i) => u64::from(64 - i.unsigned_abs().leading_zeros()),
            IntRef::Big(n) => n.bits(),
        }
    }

    /// Order of two ints.
    #[inline]
    pub fn order(&self, other: &IntRef<'_>) -> Ordering {
        match (self, other) {
            (IntRef::Small(a), IntRef::Small(b)) => a.cmp(b),
            (IntRef::Big(a), IntRef::Big(b)) => (*a).cmp(b),
            (IntRef::Big(a), IntRef::Small(_)) => {
                if a.is_negative() {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (IntRef::Small(_), IntRef::Big(b)) => {
                if b.is_negative() {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
        }
    }

    /// The hash: the number modulo 2**61 - 1 with the number's sign, and never -1.
    pub fn hash(&self) -> i64 {
        let (magnitude, negative) = match self {
            IntRef::Small(i) => (i.unsigned_abs() % HASH_MODULUS, *i < 0),
            IntRef::Big(n) => (hash_magnitude(n), n.is_negative()),
        };
        signed_hash(magnitude, negative)
    }
}

/// The prime that numeric hashes are taken by.
pub const HASH_MODULUS: u64 = (1 << 61) - 1;

fn hash_magnitude(n: &BigInt) -> u64 {
    // 2**64 is 8 modulo 2**61 - 1, and a number's bits above the 61st count once each.
    n.iter_u64_digits().rev().fold(0u64, |acc, digit| {
        let sum = u128::from(acc) * 8 + u128::from(digit);
        let folded = (sum as u64 & HASH_MODULUS) + (sum >> 61) as u64;
        if folded >= HASH_MODULUS {
            folded - HASH_MODULUS
        } else {
            folded
        }
    })
}

/// A hash from its magnitude below the modulus.
#[inline]
pub fn signed_hash(magnitude: u64, negative: bool) -> i64 {
    let hash = if negative {
        -(magnitude as i64)
    } else {
        magnitude as i64
    };
    if hash == -1 { -2 } else { hash }
}

#[inline]
fn binary(vm: &Vm, op: BinOp, a: &Value, b: &Value) -> Res<Value> {
    match (view(a), view(b)) {
        (Some(a), Some(b)) => number_ops::binary_int(vm, op, &a, &b),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

#[pymethods(parts(define_methods))]
impl Int {
    #[slot]
    fn __repr__(vm: &Vm, this: &Value) -> Res<Value> {
        Ok(Str::from_str(&super::int_methods::to_decimal(vm, known(this))?).into_value())
    }

    #[slot]
    fn __hash__(_vm: &Vm, this: &Value) -> Res<i64> {
        Ok(known(this).hash())
    }

    #[slot]
    fn __bool__(_vm: &Vm, this: &Value) -> Res<bool> {
        Ok(!known(this).is_zero())
    }

    #[slot]
    fn __richcompare__(_vm: &Vm, this: &Value, other: &Value, op: CmpOp) -> Res<Value> {
        match view(other) {
            Some(other) => Ok(Value::from_bool(number_ops::compare(
                Some(known(this).order(&other)),
                op,
            ))),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __neg__(vm: &Vm, this: &Value) -> Res<Value> {
        number_ops::sub(vm, &IntRef::Small(0), &known(this))
    }

    #[slot]
    fn __pos__(_vm: &Vm, this: &Value) -> Res<Value> {
        Ok(exact(this))
    }

    #[slot]
    fn __abs__(vm: &Vm, this: &Value) -> Res<Value> {
        if known(this).is_negative() {
            Int::__neg__(vm, this)
        } else {
            Ok(exact(this))
        }
    }

    #[slot]
    fn __invert__(vm: &Vm, this: &Value) -> Res<Value> {
        number_ops::sub(vm, &IntRef::Small(-1), &known(this))
    }

    #[slot]
    fn __int__(_vm: &Vm, this: &Value) -> Res<Value> {
        Ok(exact(this))
    }

    #[slot]
    fn __index__(_vm: &Vm, this: &Value) -> Res<Value> {
        Ok(exact(this))
    }

    #[slot]
    fn __float__(vm: &Vm, this: &Value) -> Res<Value> {
        known(this).to_float(vm).map(Value::float)
    }

    #[slot]
    fn __add__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::Add, a, b)
    }

    #[slot]
    fn __sub__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::Sub, a, b)
    }

    #[slot]
    fn __mul__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::Mul, a, b)
    }

    #[slot]
    fn __truediv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::TrueDiv, a, b)
    }

    #[slot]
    fn __floordiv__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::FloorDiv, a, b)
    }

    #[slot]
    fn __mod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::Mod, a, b)
    }

    #[slot]
    fn __divmod__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        match (view(a), view(b)) {
            (Some(a), Some(b)) => number_ops::divmod_int(vm, &a, &b),
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    #[slot]
    fn __pow__(vm: &Vm, a: &Value, b: &Value, modulus: Option<&Value>) -> Res<Value> {
        let (Some(a), Some(b)) = (view(a), view(b)) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        match modulus.filter(|m| !m.is_none()) {
            None => number_ops::pow_int(vm, &a, &b, None),
            Some(m) => match view(m) {
                Some(m) => number_ops::pow_int(vm, &a, &b, Some(&m)),
                None => Ok(Value::NOT_IMPLEMENTED),
            },
        }
    }

    #[slot]
    fn __lshift__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::LShift, a, b)
    }

    #[slot]
    fn __rshift__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::RShift, a, b)
    }

    #[slot]
    fn __and__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::And, a, b)
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::Or, a, b)
    }

    #[slot]
    fn __xor__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        binary(vm, BinOp::Xor, a, b)
    }
}

/// The number of an int of any kind as an exact int.
pub fn exact(value: &Value) -> Value {
    if value.is_small_int() || value.downcast_exact::<Int>().is_some() {
        value.clone()
    } else {
        known(value).to_value()
    }
}

#[inline]
fn bitwise(vm: &Vm, op: BinOp, a: &Value, b: &Value) -> Res<Value> {
    if a.is_bool() && b.is_bool() {
        let (a, b) = (a.is_true(), b.is_true());
        return Ok(Value::from_bool(match op {
            BinOp::And => a & b,
            BinOp::Or => a | b,
            _ => a ^ b,
        }));
    }
    binary(vm, op, a, b)
}

#[pymethods(parts(define_methods))]
impl Bool {
    #[slot]
    fn __repr__(_vm: &Vm, this: &Value) -> Res<Value> {
        Ok(if this.is_true() {
            crate::intern!("True")
        } else {
            crate::intern!("False")
        }
        .to_value())
    }

    #[slot]
    fn __and__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        bitwise(vm, BinOp::And, a, b)
    }

    #[slot]
    fn __or__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        bitwise(vm, BinOp::Or, a, b)
    }

    #[slot]
    fn __xor__(vm: &Vm, a: &Value, b: &Value) -> Res<Value> {
        bitwise(vm, BinOp::Xor, a, b)
    }
}
