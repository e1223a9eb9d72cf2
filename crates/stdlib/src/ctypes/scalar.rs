//! Simple values in memory, by type codes: those of `struct`, and `u z Z P O v g` of `ctypes`.
//!
//! Invariant: memory is copied byte by byte, so that it need not be aligned and may change meanwhile.

use lisle_runtime::native::{Res, Value, Vm};
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::int::IntRef;
use lisle_runtime::types::str::Str;
use num_traits::ToPrimitive;

fn kind(code: u32) -> char {
    char::from_u32(code).unwrap_or('\0')
}

/// How many bytes a value has; 0 for an unknown code.
pub fn size(code: u32) -> usize {
    match kind(code) {
        'c' | 'b' | 'B' | '?' => 1,
        'h' | 'H' | 'v' => 2,
        'i' | 'I' | 'f' | 'u' => 4,
        'l' | 'L' => size_of::<std::ffi::c_long>(),
        'q' | 'Q' | 'd' => 8,
        'z' | 'Z' | 'P' | 'O' => size_of::<usize>(),
        'g' => LONG_DOUBLE,
        _ => 0,
    }
}

/// Bytes of a `long double`.
const LONG_DOUBLE: usize = if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) && cfg!(target_os = "linux") {
    16
} else {
    8
};

/// The bytes at an address, the lowest first.
///
/// # Safety
/// `size` bytes at `address` can be read.
unsafe fn load(address: usize, size: usize, swapped: bool) -> [u8; 16] {
    let mut bytes = [0; 16];
    // SAFETY: by contract; no value is longer than 16 bytes.
    unsafe { std::ptr::copy_nonoverlapping(address as *const u8, bytes.as_mut_ptr(), size.min(16)) };
    if swapped != cfg!(target_endian = "big") {
        bytes[..size].reverse();
    }
    bytes
}

/// # Safety
/// `size` bytes at `address` can be written.
unsafe fn store(address: usize, size: usize, mut bytes: [u8; 16], swapped: bool) {
    if swapped != cfg!(target_endian = "big") {
        bytes[..size].reverse();
    }
    // SAFETY: by contract.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, size.min(16)) };
}

fn low(bytes: &[u8; 16]) -> u64 {
    u64::from_le_bytes([
        bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
    ])
}

/// # Safety
/// At `address` lies a value of that type; for `O` the word of a living object.
pub unsafe fn get(vm: &Vm, code: u32, address: usize, swapped: bool) -> Res<Value> {
    let size = size(code);
    // SAFETY: by contract.
    let bytes = unsafe { load(address, size, swapped) };
    let word = low(&bytes);
    let shift = 64 - 8 * size.min(8) as u32;
    let signed = || Value::int(((word << shift) as i64) >> shift);
    let unsigned = || match i64::try_from(word) {
        Ok(n) => Value::int(n),
        Err(_) => Value::bigint(word.into()),
    };
    Ok(match kind(code) {
        'c' => Bytes::new_value(vec![bytes[0]]),
        '?' => Value::from_bool(word != 0),
        'v' => Value::from_bool(word != 0),
        'b' | 'h' | 'i' | 'l' | 'q' => signed(),
        'B' | 'H' | 'I' | 'L' | 'Q' | 'P' => unsigned(),
        'f' => Value::float(f32::from_bits(word as u32).into()),
        'd' => Value::float(f64::from_bits(word)),
        'g' => Value::float(from_long_double(bytes)),
        'u' => match u32::try_from(word).ok().filter(|c| *c <= 0x10_ffff) {
            Some(c) => Str::from_char(c).into_value(),
            None => return Err(vm.value_error("character is not in range [U+0000; U+10ffff]")),
        },
        'z' if word == 0 => Value::NONE,
        'Z' if word == 0 => Value::NONE,
        'z' => super::memory::string_at(vm, word as usize, -1)?,
        'Z' => super::memory::wstring_at(vm, word as usize, -1)?,
        'O' if word == 0 => return Err(vm.value_error("PyObject is NULL")),
        'O' => {
            // SAFETY: by contract the word is that of a living object, which others hold.
            let held = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(word) });
            (*held).clone()
        }
        _ => return Err(vm.type_error("unknown type code")),
    })
}

/// # Safety
/// At `address` is room for a value of that type.
pub unsafe fn put(vm: &Vm, code: u32, address: usize, value: &Value, swapped: bool) -> Res<()> {
    let bytes = encode(vm, code, value)?;
    // SAFETY: by contract.
    unsafe { store(address, size(code), bytes, swapped) };
    Ok(())
}

/// The bytes of a value of a type, the lowest first.
pub fn encode(vm: &Vm, code: u32, value: &Value) -> Res<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut put = |from: &[u8]| bytes[..from.len()].copy_from_slice(from);
    match kind(code) {
        'f' => put(&(float(vm, value)? as f32).to_bits().to_le_bytes()),
        'd' => put(&float(vm, value)?.to_bits().to_le_bytes()),
        'g' => bytes = to_long_double(float(vm, value)?),
        '?' | 'v' => {
            let truth = vm.truth(value)?;
            let word: u16 = match (kind(code), truth) {
                (_, false) => 0,
                ('v', true) => 0xffff,
                (_, true) => 1,
            };
            put(&word.to_le_bytes());
        }
        'c' => match value.downcast::<Bytes>().map(|b| b.as_slice().to_vec()) {
            Some(one) if one.len() == 1 => put(&one),
            _ => put(&integer(vm, value)?.to_le_bytes()[..1]),
        },
        'u' => match value.downcast::<Str>().filter(|s| s.len() == 1) {
            Some(text) => put(&text.view().chars().next().unwrap_or(0).to_le_bytes()),
            None => return Err(vm.type_error("one character unicode string expected")),
        },
        'O' => put(&value.bits().to_le_bytes()),
        _ => put(&integer(vm, value)?.to_le_bytes()),
    }
    Ok(bytes)
}

/// The low 64 bits of an integer.
pub fn integer(vm: &Vm, value: &Value) -> Res<u64> {
    match vm.int_value(value) {
        Some(IntRef::Small(n)) => Ok(n as u64),
        Some(big) => {
            let n = big.to_bigint();
            let mask = num_bigint::BigInt::from(u64::MAX);
            Ok((n & mask).to_u64().unwrap_or(0))
        }
        None => {
            let found = value.ty().name();
            Err(vm.type_error(format!("int expected instead of {found} instance")))
        }
    }
}

fn float(vm: &Vm, value: &Value) -> Res<f64> {
    vm.to_f64(value)
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod long_double {
    /// Bits of the fraction, with the leading one that the format stores.
    pub const FRACTION: u32 = 64;
    pub const EXPLICIT: bool = true;
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod long_double {
    pub const FRACTION: u32 = 112;
    pub const EXPLICIT: bool = false;
}

/// The nearest `double`, rounded towards zero.
fn from_long_double(bytes: [u8; 16]) -> f64 {
    if LONG_DOUBLE == 8 {
        return f64::from_bits(low(&bytes));
    }
    let bits = u128::from_le_bytes(bytes);
    let fraction = bits & ((1 << long_double::FRACTION) - 1);
    let exponent = (bits >> long_double::FRACTION & 0x7fff) as i32;
    let negative = bits >> (long_double::FRACTION + 15) & 1 != 0;
    // The 53 highest bits of the number with its leading one.
    let digits = if long_double::EXPLICIT {
        (fraction >> 11) as u64
    } else {
        (1 << 52) | (fraction >> 60) as u64
    };
    let magnitude = match exponent {
        0 => 0.0,
        0x7fff if digits << 12 == 0 => f64::INFINITY,
        0x7fff => f64::NAN,
        e => digits as f64 * 2f64.powi((e - 16383 - 52).clamp(-1080, 1030)),
    };
    if negative { -magnitude } else { magnitude }
}

fn to_long_double(x: f64) -> [u8; 16] {
    if LONG_DOUBLE == 8 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&x.to_bits().to_le_bytes());
        return bytes;
    }
    let bits = x.to_bits();
    let mut mantissa = u128::from(bits & ((1 << 52) - 1));
    let mut exponent = (bits >> 52 & 0x7ff) as i32;
    let sign = u128::from(bits >> 63);
    let leading = u128::from(exponent != 0 || mantissa != 0);
    let exponent = match exponent {
        0 if mantissa == 0 => 0,
        0x7ff => 0x7fff,
        _ => {
            if exponent == 0 {
                // A subnormal `double` is a normal number here.
                exponent = 1;
                while mantissa & (1 << 52) == 0 {
                    mantissa <<= 1;
                    exponent -= 1;
                }
                mantissa &= (1 << 52) - 1;
            }
            exponent - 1023 + 16383
        }
    };
    let fraction = if long_double::EXPLICIT {
        (leading << 63) | mantissa << 11
    } else {
        mantissa << 60
    };
    let all = fraction | (exponent as u128) << long_double::FRACTION | sign << (long_double::FRACTION + 15);
    all.to_le_bytes()
}
