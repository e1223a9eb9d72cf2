//! How arrays are pickled: the bytes of the items and the format they are in, which another machine may have to convert.
//!
//! Invariant: the numbers of the formats are those of CPython's pickles.

use lisle_runtime::memory::room;
use lisle_runtime::native::{Res, Value, Vm};
use num_bigint::BigInt;

use super::items::{Item, Kind, Meaning};

/// The format of this machine's items.
pub fn format_of(kind: Kind) -> i64 {
    let big = i64::from(cfg!(target_endian = "big"));
    match (kind.meaning, kind.size) {
        (Meaning::Unsigned, 1) => 0,
        (Meaning::Signed, 1) => 1,
        (Meaning::Unsigned, 2) => 2 + big,
        (Meaning::Signed, 2) => 4 + big,
        (Meaning::Unsigned, 4) => 6 + big,
        (Meaning::Signed, 4) => 8 + big,
        (Meaning::Unsigned, _) => 10 + big,
        (Meaning::Signed, _) => 12 + big,
        (Meaning::Float, 4) => 14 + big,
        (Meaning::Float, _) => 16 + big,
        (Meaning::Char, _) => 20 + big,
    }
}

/// Meaning, size and byte order (big?) of a format; `None` for UTF-16, which has no fixed size.
fn described(format: i64) -> Option<(Meaning, usize, bool)> {
    let (meaning, size) = match format / 2 {
        0 if format == 0 => (Meaning::Unsigned, 1),
        0 => (Meaning::Signed, 1),
        1 => (Meaning::Unsigned, 2),
        2 => (Meaning::Signed, 2),
        3 => (Meaning::Unsigned, 4),
        4 => (Meaning::Signed, 4),
        5 => (Meaning::Unsigned, 8),
        6 => (Meaning::Signed, 8),
        7 => (Meaning::Float, 4),
        8 => (Meaning::Float, 8),
        10 => (Meaning::Char, 4),
        _ => return None,
    };
    Some((meaning, size, format % 2 == 1 && format > 1))
}

fn utf16(bytes: &[u8], big: bool) -> Vec<u32> {
    let units = bytes.chunks_exact(2).map(|unit| {
        let unit = [unit[0], unit[1]];
        if big {
            u16::from_be_bytes(unit)
        } else {
            u16::from_le_bytes(unit)
        }
    });
    char::decode_utf16(units)
        .map(|decoded| decoded.map_or_else(|lone| u32::from(lone.unpaired_surrogate()), u32::from))
        .collect()
}

/// The items of an array of `kind` from bytes in a format.
pub fn convert(vm: &Vm, kind: Kind, format: i64, bytes: &[u8]) -> Res<Vec<u8>> {
    if !(0..=21).contains(&format) {
        return Err(vm.value_error("third argument must be a valid machine format code."));
    }
    let uneven = || vm.value_error("bytes length not a multiple of item size");
    if format == format_of(kind) {
        return if bytes.len().is_multiple_of(kind.size) {
            Ok(room::copied(bytes)?)
        } else {
            Err(uneven())
        };
    }
    let mut items = Vec::new();
    items.try_reserve_exact(bytes.len().saturating_mul(2))?;
    let mut push = |item: Item| items.extend_from_slice(&item[..kind.size]);
    let Some((meaning, size, big)) = described(format) else {
        if !bytes.len().is_multiple_of(2) {
            return Err(uneven());
        }
        for code in utf16(bytes, format % 2 == 1) {
            push(kind.item(
                vm,
                &Value::from(char::from_u32(code).map_or_else(String::new, String::from).as_str()),
            )?);
        }
        return Ok(items);
    };
    if !bytes.len().is_multiple_of(size) {
        return Err(uneven());
    }
    for chunk in bytes.chunks_exact(size) {
        let mut little: Vec<u8> = chunk.to_vec();
        if big {
            little.reverse();
        }
        let mut wide = [0; 8];
        wide[..size].copy_from_slice(&little);
        let word = u64::from_le_bytes(wide);
        let unused = 64 - 8 * size as u32;
        let value = match (meaning, size) {
            (Meaning::Signed, _) => Value::int((word << unused) as i64 >> unused),
            (Meaning::Unsigned, _) => Value::bigint(BigInt::from(word)),
            (Meaning::Float, 4) => Value::float(f32::from_bits(word as u32).into()),
            (Meaning::Float, _) => Value::float(f64::from_bits(word)),
            (Meaning::Char, _) => super::items::KINDS[3].value(vm, u64::from(word as u32))?,
        };
        push(kind.item(vm, &value)?);
    }
    Ok(items)
}
