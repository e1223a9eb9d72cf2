//! int's constructor and methods, and bool's.
//!
//! Invariant: methods of int return exact ints, whatever subclass they are called on. The limit on decimal conversion lives here:
//! 0 means none.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use lisle_macros::{pymethods, signature};
use num_bigint::{BigInt, Sign};

use super::buffer::bytes_of;
use super::int::{self, Bool, Int, IntRef, known};
use super::{number_ops, number_text};
use crate::native::{Args, Signature};
use crate::object::{Native, Py, Type, Value};
use crate::text::{self, int::exceeds_digits};
use crate::types::bytes::Bytes;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// The smallest limit that can be set, which every conversion below may ignore.
pub const MAX_STR_DIGITS_THRESHOLD: u32 = 640;
/// The limit a program starts with.
pub const DEFAULT_MAX_STR_DIGITS: u32 = 4300;

static MAX_STR_DIGITS: AtomicU32 = AtomicU32::new(DEFAULT_MAX_STR_DIGITS);

/// `sys.get_int_max_str_digits()`.
pub fn max_str_digits() -> u32 {
    MAX_STR_DIGITS.load(Relaxed)
}

/// `sys.set_int_max_str_digits(limit)`; false if the limit is neither 0 nor at least the threshold.
pub fn set_max_str_digits(limit: i64) -> bool {
    match u32::try_from(limit) {
        Ok(limit) if limit == 0 || limit >= MAX_STR_DIGITS_THRESHOLD => {
            MAX_STR_DIGITS.store(limit, Relaxed);
            true
        }
        _ => false,
    }
}

/// `str(n)`; `ValueError` beyond the limit.
pub fn to_decimal(vm: &Vm, n: IntRef<'_>) -> Res<String> {
    if let IntRef::Big(n) = n {
        let limit = max_str_digits();
        if exceeds_digits(n, limit as usize) {
            return Err(vm.value_error(format!(
                "Exceeds the limit ({limit} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"
            )));
        }
    }
    number_ops::interruptible(vm, |pause| text::int::to_decimal(n, pause))
}

/// The error of a decimal literal with more digits than the limit.
pub fn too_many_digits(vm: &Vm, digits: usize) -> Exc {
    let limit = max_str_digits();
    vm.value_error(format!(
        "Exceeds the limit ({limit} digits) for integer string conversion: value has {digits} digits; use sys.set_int_max_str_digits() to increase the limit"
    ))
}

/// `int(value)`, as an exact int.
pub fn from_value(vm: &Vm, value: &Value) -> Res<Value> {
    if value.is_small_int() || value.downcast_exact::<Int>().is_some() {
        return Ok(value.clone());
    }
    if let Some(convert) = value.ty().slots().int {
        let result = convert(vm, value)?;
        if result.is_small_int() || result.downcast_exact::<Int>().is_some() {
            return Ok(result);
        }
        let found = result.ty().name();
        if int::view(&result).is_none() {
            return Err(vm.type_error(format!("__int__ returned non-int (type {found})")));
        }
        vm.warn(
            crate::types::exceptions::DEPRECATION_WARNING.get(),
            &format!(
                "__int__ returned non-int (type {found}).  The ability to return an instance of a strict subclass of int is deprecated, and may not be allowed in a future version of Python."
            ),
            1,
        )?;
        return Ok(int::exact(&result));
    }
    if value.ty().slots().index.is_some() {
        return vm.index(value).map(|n| int::exact(&n));
    }
    if let Some(text) = value.downcast::<Str>() {
        return number_text::parse_int_str(vm, text, 10);
    }
    if let Some(bytes) = bytes_of(value) {
        return number_text::parse_int_bytes(vm, value, &bytes, 10);
    }
    let found = value.ty().name();
    Err(vm.type_error(format!(
        "int() argument must be a string, a bytes-like object or a real number, not '{found}'"
    )))
}

fn from_text(vm: &Vm, value: &Value, base: &Value) -> Res<Value> {
    let base = vm.index_clamped(base)?;
    let base = match u32::try_from(base) {
        Ok(base) if base == 0 || (2..=36).contains(&base) => base,
        _ => return Err(vm.value_error("int() base must be >= 2 and <= 36, or 0")),
    };
    if let Some(text) = value.downcast::<Str>() {
        return number_text::parse_int_str(vm, text, base);
    }
    if number_text::is_bytes_or_bytearray(value)
        && let Some(bytes) = bytes_of(value)
    {
        return number_text::parse_int_bytes(vm, value, &bytes, base);
    }
    Err(vm.type_error("int() can't convert non-string with explicit base"))
}

/// Wraps an exact int for a subclass.
fn into_class(cls: &Py<Type>, n: Value) -> Value {
    if cls.is(Int::ty()) {
        return n;
    }
    match int::view(&n) {
        Some(n) => int::boxed(cls, n.as_bigint().into_owned()),
        None => n,
    }
}

enum Order {
    Little,
    Big,
}

fn byte_order(vm: &Vm, name: Option<&Py<Str>>) -> Res<Order> {
    let Some(name) = name else { return Ok(Order::Big) };
    if name.is_text("little") {
        Ok(Order::Little)
    } else if name.is_text("big") {
        Ok(Order::Big)
    } else {
        Err(vm.value_error("byteorder must be either 'little' or 'big'"))
    }
}

/// `n` rounded to a multiple of `unit`, ties to even.
fn round_to_multiple(vm: &Vm, n: &BigInt, unit: &BigInt) -> Res<BigInt> {
    let (quotient, rest) = number_ops::div_mod_big(vm, n, unit)?;
    let twice: BigInt = &rest << 1u32;
    let up = match twice.cmp(unit) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient.bit(0),
        std::cmp::Ordering::Greater => true,
    };
    Ok(if up { n - rest + unit } else { n - rest })
}

/// What `int(x, base=..)` binds to; `x` cannot be named.
static NEW: Signature = signature!("int(x=0, /, base=10)");

#[pymethods(part = define_methods)]
impl Int {
    #[slot]
    fn __new__(vm: &Vm, cls: &Py<Type>, args: Args<'_>) -> Res<Value> {
        let value = match (args.kwnames, args.values) {
            (None, []) => return Ok(into_class(cls, Value::int(0))),
            (None, [x]) => from_value(vm, x)?,
            (None, values) if values.len() > 2 => {
                return Err(vm.type_error(format!("int expected at most 2 arguments, got {}", values.len())));
            }
            _ => {
                let mut bound = [None; 2];
                NEW.bind(vm, args, &mut bound)?;
                match bound {
                    [None, None] => Value::int(0),
                    [None, Some(_)] => return Err(vm.type_error("int() missing string argument")),
                    [Some(x), None] => from_value(vm, x)?,
                    [Some(x), Some(base)] => from_text(vm, x, base)?,
                }
            }
        };
        Ok(into_class(cls, value))
    }

    /// Return the integer represented by the given array of bytes.
    ///
    ///   bytes
    ///     Holds the array of bytes to convert.  The argument must either
    ///     support the buffer protocol or be an iterable object producing bytes.
    ///     Bytes and bytearray are examples of built-in objects that support the
    ///     buffer protocol.
    ///   byteorder
    ///     The byte order used to represent the integer.  If byteorder is 'big',
    ///     the most significant byte is at the beginning of the byte array.  If
    ///     byteorder is 'little', the most significant byte is at the end of the
    ///     byte array.  To request the native byte order of the host system, use
    ///     sys.byteorder as the byte order value.  Default is to use 'big'.
    ///   signed
    ///     Indicates whether two's complement is used to represent the integer.
    #[classmethod(sig = "($type, /, bytes, byteorder='big', *, signed=False)")]
    fn from_bytes(vm: &Vm, cls: &Py<Type>, bytes: &Value, byteorder: Option<&Py<Str>>, signed: bool) -> Res<Value> {
        let order = byte_order(vm, byteorder)?;
        let bytes = number_text::bytes_from(vm, bytes)?;
        let n = match (order, signed) {
            (Order::Little, false) => BigInt::from_bytes_le(Sign::Plus, &bytes),
            (Order::Big, false) => BigInt::from_bytes_be(Sign::Plus, &bytes),
            (Order::Little, true) => BigInt::from_signed_bytes_le(&bytes),
            (Order::Big, true) => BigInt::from_signed_bytes_be(&bytes),
        };
        let n = Value::bigint(n);
        if cls.is(Int::ty()) {
            Ok(n)
        } else {
            vm.call(cls.as_value(), &[n])
        }
    }

    /// Return an array of bytes representing an integer.
    ///
    ///   length
    ///     Length of bytes object to use.  An OverflowError is raised if the
    ///     integer is not representable with the given number of bytes.  Default
    ///     is length 1.
    ///   byteorder
    ///     The byte order used to represent the integer.  If byteorder is 'big',
    ///     the most significant byte is at the beginning of the byte array.  If
    ///     byteorder is 'little', the most significant byte is at the end of the
    ///     byte array.  To request the native byte order of the host system, use
    ///     sys.byteorder as the byte order value.  Default is to use 'big'.
    ///   signed
    ///     Determines whether two's complement is used to represent the integer.
    ///     If signed is False and a negative integer is given, an OverflowError
    ///     is raised.
    #[pymethod(sig = "($self, /, length=1, byteorder='big', *, signed=False)")]
    fn to_bytes(vm: &Vm, this: &Value, length: isize, byteorder: Option<&Py<Str>>, signed: bool) -> Res<Value> {
        let order = byte_order(vm, byteorder)?;
        let Ok(length) = usize::try_from(length) else {
            return Err(vm.value_error("length argument must be non-negative"));
        };
        let n = known(this);
        let negative = n.is_negative();
        if negative && !signed {
            return Err(vm.overflow_error("can't convert negative int to unsigned"));
        }
        let digits = match n {
            IntRef::Small(i) if negative || signed || i == 0 => i.to_le_bytes().to_vec(),
            _ => n.as_bigint().to_signed_bytes_le(),
        };
        let filler = if negative { 0xff } else { 0 };
        let used = digits.iter().rposition(|b| *b != filler).map_or(0, |at| at + 1);
        // With a sign bit, the top bit of what is kept must be the sign's.
        let fits = if !signed {
            used <= length
        } else if length == 0 {
            // -1 counts as fitting, as in CPython.
            used == 0
        } else {
            used < length || (used == length && (digits[used - 1] >= 0x80) == negative)
        };
        if !fits {
            return Err(vm.overflow_error("int too big to convert"));
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| vm.memory_error())?;
        bytes.extend_from_slice(&digits[..used.min(length)]);
        bytes.resize(length, filler);
        if matches!(order, Order::Big) {
            bytes.reverse();
        }
        Ok(Bytes::new_value(bytes))
    }

    /// Number of bits necessary to represent self in binary.
    ///
    /// >>> bin(37)
    /// '0b100101'
    /// >>> (37).bit_length()
    /// 6
    #[pymethod(sig = "($self, /)")]
    fn bit_length(_vm: &Vm, this: &Value) -> u64 {
        known(this).bits()
    }

    /// Number of ones in the binary representation of the absolute value of self.
    ///
    /// Also known as the population count.
    ///
    /// >>> bin(13)
    /// '0b1101'
    /// >>> (13).bit_count()
    /// 3
    #[pymethod(sig = "($self, /)")]
    fn bit_count(_vm: &Vm, this: &Value) -> u64 {
        match known(this) {
            IntRef::Small(i) => u64::from(i.unsigned_abs().count_ones()),
            IntRef::Big(n) => n.magnitude().count_ones(),
        }
    }

    /// Return a pair of integers, whose ratio is equal to the original int.
    ///
    /// The ratio is in lowest terms and has a positive denominator.
    ///
    /// >>> (10).as_integer_ratio()
    /// (10, 1)
    /// >>> (-10).as_integer_ratio()
    /// (-10, 1)
    /// >>> (0).as_integer_ratio()
    /// (0, 1)
    #[pymethod(sig = "($self, /)")]
    fn as_integer_ratio(_vm: &Vm, this: &Value) -> Value {
        Tuple::new(vec![int::exact(this), Value::int(1)]).into_value()
    }

    /// Returns True. Exists for duck type compatibility with float.is_integer.
    #[pymethod(sig = "($self, /)")]
    fn is_integer(_vm: &Vm, _this: &Value) -> bool {
        true
    }

    /// Returns self, the complex conjugate of any int.
    #[pymethod(sig = "($self, /)")]
    fn conjugate(_vm: &Vm, this: &Value) -> Value {
        int::exact(this)
    }

    /// the real part of a complex number
    #[getter]
    fn real(_vm: &Vm, this: &Value) -> Value {
        int::exact(this)
    }

    /// the imaginary part of a complex number
    #[getter]
    fn imag(_vm: &Vm, _this: &Value) -> i64 {
        0
    }

    /// the numerator of a rational number in lowest terms
    #[getter]
    fn numerator(_vm: &Vm, this: &Value) -> Value {
        int::exact(this)
    }

    /// the denominator of a rational number in lowest terms
    #[getter]
    fn denominator(_vm: &Vm, _this: &Value) -> i64 {
        1
    }

    /// Truncating an Integral returns itself.
    #[pymethod(sig = "($self, /)")]
    fn __trunc__(_vm: &Vm, this: &Value) -> Value {
        int::exact(this)
    }

    /// Flooring an Integral returns itself.
    #[pymethod(sig = "($self, /)")]
    fn __floor__(_vm: &Vm, this: &Value) -> Value {
        int::exact(this)
    }

    /// Ceiling of an Integral returns itself.
    #[pymethod(sig = "($self, /)")]
    fn __ceil__(_vm: &Vm, this: &Value) -> Value {
        int::exact(this)
    }

    /// Rounding an Integral returns itself.
    ///
    /// Rounding with an ndigits argument also returns an integer.
    #[pymethod(sig = "($self, ndigits=None, /)")]
    fn __round__(vm: &Vm, this: &Value, ndigits: Option<&Value>) -> Res<Value> {
        let Some(ndigits) = ndigits else {
            return Ok(int::exact(this));
        };
        let ndigits = vm.index(ndigits)?;
        let digits = known(&ndigits);
        if !digits.is_negative() {
            return Ok(int::exact(this));
        }
        let n = known(this);
        // With more zeros than the number has digits, and one to spare, nothing is left.
        let zeros = match digits.to_i64() {
            Some(digits) if digits.unsigned_abs() <= n.bits() / 3 + 1 => digits.unsigned_abs(),
            _ => return Ok(Value::int(0)),
        };
        let ten = BigInt::from(10);
        let unit = number_ops::interruptible(vm, |pause| text::huge::pow(ten.magnitude(), zeros, pause))?;
        round_to_multiple(vm, &n.as_bigint(), &unit.into()).map(Value::bigint)
    }

    /// Convert to a string according to format_spec.
    #[pymethod(sig = "($self, format_spec, /)")]
    fn __format__(vm: &Vm, this: &Value, format_spec: &Py<Str>) -> Res<Value> {
        number_text::format_int(vm, this, format_spec)
    }

    #[pymethod(sig = "($self, /)")]
    fn __getnewargs__(_vm: &Vm, this: &Value) -> Value {
        Tuple::new(vec![int::exact(this)]).into_value()
    }

    /// Returns size in memory, in bytes.
    #[pymethod(sig = "($self, /)")]
    fn __sizeof__(_vm: &Vm, this: &Value) -> u64 {
        // As CPython counts it: digits of 30 bits behind a header of 24 bytes.
        24 + 4 * known(this).bits().div_ceil(30).max(1)
    }
}

#[pymethods(part = define_methods)]
impl Bool {
    #[slot(sig = "(object=False, /)")]
    fn __new__(_vm: &Vm, _cls: &Py<Type>, object: bool) -> Value {
        Value::from_bool(object)
    }

    #[slot]
    fn __invert__(vm: &Vm, this: &Value) -> Res<Value> {
        vm.warn(
            crate::types::exceptions::DEPRECATION_WARNING.get(),
            "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns the bitwise inversion of the underlying int object and is usually not what you expect from negating a bool. Use the 'not' operator for boolean negation or ~int(x) if you really want the bitwise inversion of the underlying int.",
            1,
        )?;
        Ok(Value::int(if this.is_true() { -2 } else { -1 }))
    }
}
