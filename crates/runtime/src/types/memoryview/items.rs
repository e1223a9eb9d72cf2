//! Items of a memoryview: from bytes to values and back, for the native formats of one character; others go through `struct`.
//!
//! Invariant: a number is converted before any memory is touched, so `__index__` and `__float__` run when nothing is locked.

use crate::intern;
use crate::native::Args;
use crate::object::Value;
use crate::types::bytes::Bytes;
use crate::types::exceptions;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::vm::{Exc, Res, Vm};

/// The size of an item of a native format, `None` if the format is no such one.
pub fn native_size(format: &str) -> Option<(u8, usize)> {
    let code = native_code(format)?;
    let size = match code {
        b'c' | b'b' | b'B' | b'?' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'd' | b'P' => 8,
        _ => return None,
    };
    Some((code, size))
}

/// The character of a native format of one character.
fn native_code(format: &str) -> Option<u8> {
    match format.strip_prefix('@').unwrap_or(format).as_bytes() {
        [code] => Some(*code),
        _ => None,
    }
}

/// The character of the format, or why items cannot be had one by one.
pub fn single_code(vm: &Vm, format: &str) -> Res<u8> {
    native_code(format).ok_or_else(|| vm.not_implemented_error(format!("memoryview: unsupported format {format}")))
}

fn unsupported(vm: &Vm, code: u8) -> Exc {
    vm.not_implemented_error(format!("memoryview: format {} not supported", char::from(code)))
}

/// The item that the bytes are.
pub fn unpack(vm: &Vm, code: u8, bytes: &[u8]) -> Res<Value> {
    macro_rules! read {
        ($t:ty) => {
            <$t>::from_ne_bytes(fixed(vm, bytes)?)
        };
    }
    let wide = |n: u64| match i64::try_from(n) {
        Ok(small) => Value::int(small),
        Err(_) => Value::bigint(n.into()),
    };
    Ok(match code {
        b'B' => Value::int(read!(u8).into()),
        b'b' => Value::int(read!(i8).into()),
        b'c' => Bytes::new_value(bytes),
        b'?' => Value::from_bool(bytes.iter().any(|&b| b != 0)),
        b'h' => Value::int(read!(i16).into()),
        b'H' => Value::int(read!(u16).into()),
        b'i' => Value::int(read!(i32).into()),
        b'I' => Value::int(read!(u32).into()),
        b'l' | b'q' | b'n' => Value::int(read!(i64)),
        b'L' | b'Q' | b'N' | b'P' => wide(read!(u64)),
        b'e' => Value::float(half_to_f64(read!(u16))),
        b'f' => Value::float(read!(f32).into()),
        b'd' => Value::float(read!(f64)),
        _ => return Err(unsupported(vm, code)),
    })
}

fn fixed<const N: usize>(vm: &Vm, bytes: &[u8]) -> Res<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| vm.value_error("memoryview: the item size does not fit the format"))
}

/// The bytes of an item.
pub fn pack(vm: &Vm, code: u8, format: &str, value: &Value) -> Res<Vec<u8>> {
    let range = || vm.value_error(format!("memoryview: invalid value for format '{format}'"));
    let kind = || vm.type_error(format!("memoryview: invalid type for format '{format}'"));
    let translate = |exc: Exc| {
        if exc.is(&exceptions::TYPE_ERROR) {
            kind()
        } else if exc.is(&exceptions::OVERFLOW_ERROR) || exc.is(&exceptions::VALUE_ERROR) {
            range()
        } else {
            exc
        }
    };
    let int = || -> Res<i128> {
        let index = vm.index(value).map_err(translate)?;
        match index.as_small_int() {
            Some(small) => Ok(small.into()),
            None => vm
                .int_value(&index)
                .and_then(|int| i128::try_from(&int.to_bigint()).ok())
                .ok_or_else(range),
        }
    };
    let float = || vm.to_f64(value).map_err(translate);
    macro_rules! write {
        ($t:ty) => {
            <$t>::try_from(int()?)
                .map_err(|_| range())?
                .to_ne_bytes()
                .to_vec()
        };
    }
    Ok(match code {
        b'B' => write!(u8),
        b'b' => write!(i8),
        b'h' => write!(i16),
        b'H' => write!(u16),
        b'i' => write!(i32),
        b'I' => write!(u32),
        b'l' | b'q' | b'n' => write!(i64),
        b'L' | b'Q' | b'N' | b'P' => write!(u64),
        b'?' => vec![u8::from(vm.truth(value)?)],
        b'c' => match value.downcast::<Bytes>() {
            Some(bytes) if bytes.len() == 1 => bytes.as_slice().to_vec(),
            Some(_) => return Err(range()),
            None => return Err(kind()),
        },
        b'e' => f64_to_half(float()?).ok_or_else(range)?.to_ne_bytes().to_vec(),
        b'f' => {
            let number = float()?;
            let narrow = number as f32;
            if narrow.is_infinite() && number.is_finite() {
                return Err(range());
            }
            narrow.to_ne_bytes().to_vec()
        }
        b'd' => float()?.to_ne_bytes().to_vec(),
        _ => return Err(unsupported(vm, code)),
    })
}

/// How items are read for a comparison.
pub enum Unpacker {
    Native(u8),
    /// `struct.Struct(format).unpack`
    Struct(Value),
}

impl Unpacker {
    /// `None` if `struct` does not know the format.
    pub fn new(vm: &Vm, format: &str, itemsize: usize) -> Res<Option<Unpacker>> {
        if let Some((code, size)) = native_size(format)
            && size == itemsize
        {
            return Ok(Some(Unpacker::Native(code)));
        }
        let module = vm.import_module("struct")?;
        let class = vm.getattr(&module, intern!("Struct"))?;
        let made = vm.call_args(&class, Args::new(&[Str::from_str(format).into_value()]));
        let size = made.and_then(|made| {
            let size = vm.getattr(&made, intern!("size"))?;
            Ok((vm.index_to_i64(&size)?, vm.getattr(&made, intern!("unpack"))?))
        });
        match size {
            Ok((size, unpack)) => Ok((size == itemsize as i64).then_some(Unpacker::Struct(unpack))),
            Err(exc) if exc.is(&exceptions::MEMORY_ERROR) || exc.is(&exceptions::IMPORT_ERROR) => Err(exc),
            Err(_) => Ok(None),
        }
    }

    pub fn unpack(&self, vm: &Vm, bytes: &[u8]) -> Res<Value> {
        match self {
            Unpacker::Native(code) => unpack(vm, *code, bytes),
            Unpacker::Struct(unpack) => {
                let items = vm.call(unpack, &[Bytes::new_value(bytes)])?;
                match items.downcast_exact::<Tuple>().map(|items| items.as_slice()) {
                    Some([item]) => Ok(item.clone()),
                    _ => Ok(items),
                }
            }
        }
    }
}

/// IEEE 754 binary16 to binary64.
fn half_to_f64(half: u16) -> f64 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let mantissa = f64::from(half & 0x3ff);
    sign * match (half >> 10) & 0x1f {
        0 => mantissa * 2f64.powi(-24),
        31 if half & 0x3ff == 0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + mantissa) * 2f64.powi(i32::from(exponent) - 25),
    }
}

/// IEEE 754 binary64 to binary16, rounded half to even; `None` where it overflows.
fn f64_to_half(number: f64) -> Option<u16> {
    let sign = if number.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = number.abs();
    if number.is_nan() {
        return Some(sign | 0x7e00);
    }
    if magnitude.is_infinite() {
        return Some(sign | 0x7c00);
    }
    // The exponent of the last place: of subnormal numbers at least.
    let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(-14);
    let scaled = magnitude * 2f64.powi(10 - exponent);
    let rounded = scaled.round_ties_even() as u32;
    // A carry out of the mantissa moves on into the exponent, as it must.
    let bits = if rounded < 1024 {
        rounded
    } else {
        rounded + (((exponent + 14) as u32) << 10)
    };
    (bits < 0x7c00).then_some(sign | bits as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_comes_back() {
        for half in 0..=u16::MAX {
            let number = half_to_f64(half);
            if !number.is_nan() {
                assert_eq!(f64_to_half(number), Some(half), "{half:#x} {number}");
            }
        }
        assert_eq!(f64_to_half(65519.9), Some(0x7bff));
        assert_eq!(f64_to_half(65520.0), None);
        assert_eq!(f64_to_half(2f64.powi(-25)), Some(0));
    }
}
