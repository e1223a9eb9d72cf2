//! The `binascii` module: base64, hexadecimal, uuencode and quoted-printable texts, and check sums.
//!
//! Invariant: the codings are plain functions from bytes to bytes ([`coding`]); the module checks arguments.

mod coding;

use lisle_runtime::native::pymodule;

#[pymodule(name = "binascii", doc = "Conversion between binary data and ASCII")]
pub mod module {
    use std::borrow::Cow;

    use super::coding;
    use crate::exception::ExceptionClass;
    use lisle_runtime::native::*;
    use lisle_runtime::text::hex::bytes_to_hex;
    use lisle_runtime::types::buffer::{Readable, bytes_of, get_bytes, is_bytes_like};
    use lisle_runtime::types::bytes::Bytes;
    use lisle_runtime::types::exceptions;

    static ERROR: ExceptionClass = ExceptionClass::new("binascii", "Error", &exceptions::VALUE_ERROR);
    static INCOMPLETE: ExceptionClass = ExceptionClass::new("binascii", "Incomplete", &exceptions::EXCEPTION);

    #[pyattr(name = "Error")]
    fn error_class(vm: &Vm) -> Res<Value> {
        Ok(ERROR.get(vm)?.to_value())
    }

    #[pyattr(name = "Incomplete")]
    fn incomplete_class(vm: &Vm) -> Res<Value> {
        Ok(INCOMPLETE.get(vm)?.to_value())
    }

    /// The bytes of a text in ASCII or of a bytes-like object.
    fn ascii_bytes<'a>(vm: &Vm, data: &'a Value) -> Res<Cow<'a, [u8]>> {
        if let Some(text) = data.downcast::<Str>() {
            return match text.as_ascii() {
                Some(ascii) => Ok(Cow::Borrowed(ascii.as_bytes())),
                None => Err(vm.value_error("string argument should contain only ASCII characters")),
            };
        }
        if !is_bytes_like(data) {
            let name = data.ty().name();
            return Err(vm.type_error(format!(
                "argument should be bytes, buffer or ASCII string, not '{name}'"
            )));
        }
        get_bytes(vm, data)
    }

    fn checked(vm: &Vm, result: Result<Vec<u8>, String>) -> Res<Value> {
        match result {
            Ok(bytes) => Ok(Bytes::new_value(bytes)),
            Err(message) => Err(ERROR.error(vm, message)),
        }
    }

    /// Decode a line of uuencoded data.
    #[pyfunction(sig = "(data, /)")]
    fn a2b_uu(vm: &Vm, data: &Value) -> Res<Value> {
        checked(vm, coding::uu_decode(&ascii_bytes(vm, data)?))
    }

    /// Uuencode line of data.
    #[pyfunction(sig = "(data, /, *, backtick=False)")]
    fn b2a_uu(vm: &Vm, data: Readable<'_>, backtick: Option<bool>) -> Res<Value> {
        checked(vm, coding::uu_encode(&data.0, backtick.unwrap_or(false)))
    }

    /// Decode a line of base64 data.
    ///
    ///   strict_mode
    ///     When set to True, bytes that are not part of the base64 standard are not allowed.
    ///     The same applies to excess data after padding (= / ==).
    #[pyfunction(sig = "(data, /, *, strict_mode=False)")]
    fn a2b_base64(vm: &Vm, data: &Value, strict_mode: Option<bool>) -> Res<Value> {
        let bytes = ascii_bytes(vm, data)?;
        need(bytes.len())?;
        checked(vm, coding::base64_decode(&bytes, strict_mode.unwrap_or(false)))
    }

    /// Base64-code line of data.
    #[pyfunction(sig = "(data, /, *, newline=True)")]
    fn b2a_base64(_vm: &Vm, data: Readable<'_>, newline: Option<bool>) -> Res<Value> {
        need(data.0.len().div_ceil(3).saturating_mul(4).saturating_add(1))?;
        Ok(Bytes::new_value(coding::base64_encode(
            &data.0,
            newline.unwrap_or(true),
        )))
    }

    /// Makes sure that there is memory for a result, before it is made.
    fn need(len: usize) -> Res<()> {
        /// As much as this is made by code that cannot fail.
        const LITTLE: usize = 4096;
        if len <= LITTLE {
            return Ok(());
        }
        let mut probe: Vec<u8> = Vec::new();
        probe.try_reserve_exact(len)?;
        // The optimiser would make nothing of an allocation that is not used.
        std::hint::black_box(&mut probe);
        Ok(())
    }

    fn hex_text(vm: &Vm, data: &[u8], sep: Option<&Value>, group: Option<i32>) -> Res<Value> {
        let sep = match sep {
            None => None,
            Some(sep) => {
                if vm.len(sep)? != 1 {
                    return Err(vm.value_error("sep must be length 1."));
                }
                let byte = match sep.downcast::<Str>() {
                    Some(text) => text.view().get(0).and_then(|c| u8::try_from(c).ok()),
                    None => match bytes_of(sep) {
                        Some(bytes) => bytes.first().copied(),
                        None => return Err(vm.type_error("sep must be str or bytes.")),
                    },
                };
                Some(byte.ok_or_else(|| vm.value_error("sep must be ASCII."))?)
            }
        };
        let text = bytes_to_hex(data, sep, group.unwrap_or(1) as isize).ok_or_else(|| vm.memory_error())?;
        Ok(Bytes::new_value(text))
    }

    /// Hexadecimal representation of binary data.
    ///
    ///   sep
    ///     An optional single character or byte to separate hex bytes.
    ///   bytes_per_sep
    ///     How many bytes between separators.  Positive values count from the
    ///     right, negative values count from the left.
    ///
    /// The return value is a bytes object.  This function is also
    /// available as "hexlify()".
    ///
    /// Example:
    /// >>> binascii.b2a_hex(b'\xb9\x01\xef')
    /// b'b901ef'
    /// >>> binascii.hexlify(b'\xb9\x01\xef', ':')
    /// b'b9:01:ef'
    /// >>> binascii.b2a_hex(b'\xb9\x01\xef', b'_', 2)
    /// b'b9_01ef'
    #[pyfunction(sig = "(data, sep=<unrepresentable>, bytes_per_sep=1)")]
    fn b2a_hex(vm: &Vm, data: Readable<'_>, sep: Option<&Value>, bytes_per_sep: Option<i32>) -> Res<Value> {
        hex_text(vm, &data.0, sep, bytes_per_sep)
    }

    /// Hexadecimal representation of binary data.
    ///
    ///   sep
    ///     An optional single character or byte to separate hex bytes.
    ///   bytes_per_sep
    ///     How many bytes between separators.  Positive values count from the
    ///     right, negative values count from the left.
    ///
    /// The return value is a bytes object.  This function is also
    /// available as "b2a_hex()".
    #[pyfunction(sig = "(data, sep=<unrepresentable>, bytes_per_sep=1)")]
    fn hexlify(vm: &Vm, data: Readable<'_>, sep: Option<&Value>, bytes_per_sep: Option<i32>) -> Res<Value> {
        hex_text(vm, &data.0, sep, bytes_per_sep)
    }

    /// Binary data of hexadecimal representation.
    ///
    /// hexstr must contain an even number of hex digits (upper or lower case).
    /// This function is also available as "unhexlify()".
    #[pyfunction(sig = "(hexstr, /)")]
    fn a2b_hex(vm: &Vm, hexstr: &Value) -> Res<Value> {
        let digits = ascii_bytes(vm, hexstr)?;
        need(digits.len() / 2)?;
        checked(vm, coding::hex_decode(&digits))
    }

    /// Binary data of hexadecimal representation.
    ///
    /// hexstr must contain an even number of hex digits (upper or lower case).
    #[pyfunction(sig = "(hexstr, /)")]
    fn unhexlify(vm: &Vm, hexstr: &Value) -> Res<Value> {
        a2b_hex(vm, hexstr)
    }

    /// Decode a string of qp-encoded data.
    #[pyfunction(sig = "(data, header=False)")]
    fn a2b_qp(vm: &Vm, data: &Value, header: Option<bool>) -> Res<Value> {
        let bytes = ascii_bytes(vm, data)?;
        need(bytes.len())?;
        Ok(Bytes::new_value(coding::qp_decode(&bytes, header.unwrap_or(false))))
    }

    /// Encode a string using quoted-printable encoding.
    ///
    /// On encoding, when istext is set, newlines are not encoded, and white
    /// space at end of lines is.  When istext is not set, \r and \n (CR/LF)
    /// are both encoded.  When quotetabs is set, space and tabs are encoded.
    #[pyfunction(sig = "(data, quotetabs=False, istext=True, header=False)")]
    fn b2a_qp(
        _vm: &Vm,
        data: Readable<'_>,
        quotetabs: Option<bool>,
        istext: Option<bool>,
        header: Option<bool>,
    ) -> Res<Value> {
        // Three for each byte, and line breaks.
        need(data.0.len().saturating_mul(4))?;
        Ok(Bytes::new_value(coding::qp_encode(
            &data.0,
            quotetabs.unwrap_or(false),
            istext.unwrap_or(true),
            header.unwrap_or(false),
        )))
    }

    /// Compute CRC-32 incrementally.
    #[pyfunction(sig = "(data, crc=0, /)")]
    fn crc32(vm: &Vm, data: Readable<'_>, crc: Option<&Value>) -> Res<u32> {
        let start = low_bits(vm, crc)?;
        let mut hasher = crc32fast::Hasher::new_with_initial(start);
        hasher.update(&data.0);
        Ok(hasher.finalize())
    }

    /// The low 32 bits of an int.
    fn low_bits(vm: &Vm, value: Option<&Value>) -> Res<u32> {
        let Some(value) = value else { return Ok(0) };
        if let Some(small) = value.as_small_int() {
            return Ok(small as u32);
        }
        let index = vm.index(value)?;
        let bits = int_view(&index).map(|int| int.to_bigint()).unwrap_or_default();
        let digits = bits.to_signed_bytes_le();
        let fill = if digits.last().is_some_and(|b| b & 0x80 != 0) {
            0xff
        } else {
            0
        };
        let byte = |at: usize| digits.get(at).copied().unwrap_or(fill);
        Ok(u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)]))
    }

    /// Compute CRC-CCITT incrementally.
    #[pyfunction(sig = "(data, crc, /)")]
    fn crc_hqx(vm: &Vm, data: Readable<'_>, crc: &Value) -> Res<i64> {
        let mut crc = low_bits(vm, Some(crc))? & 0xffff;
        for &byte in data.0.iter() {
            crc ^= u32::from(byte) << 8;
            for _ in 0..8 {
                crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 } & 0xffff;
            }
        }
        Ok(i64::from(crc))
    }
}
