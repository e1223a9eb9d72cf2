//! The `zlib` module: deflate in its three containers, check sums.
//!
//! Invariant: streams ([`stream`]) are worked on by one call at a time, detached where there is much to do ([`objects`]).

mod objects;
mod stream;

use lisle_runtime::native::{Exc, Vm, pymodule};
use lisle_runtime::types::exceptions;

use crate::exception::ExceptionClass;

pub static ERROR: ExceptionClass = ExceptionClass::new("zlib", "error", &exceptions::EXCEPTION);

/// The exception of a code of zlib's.
fn fault(vm: &Vm, code: i32, what: &str, message: Option<String>) -> Exc {
    if code == stream::MEM_ERROR {
        return vm.memory_error();
    }
    let message = message.or_else(|| {
        Some(match code {
            stream::BUF_ERROR => "incomplete or truncated stream".to_owned(),
            stream::STREAM_ERROR => "inconsistent stream state".to_owned(),
            stream::DATA_ERROR => "invalid input data".to_owned(),
            _ => return None,
        })
    });
    match message {
        Some(message) => ERROR.error(vm, format!("Error {code} {what}: {message}")),
        None => ERROR.error(vm, format!("Error {code} {what}")),
    }
}

#[pymodule(
    name = "zlib",
    doc = "The functions in this module allow compression and decompression using the\nzlib library, which is based on GNU zip.\n\nadler32(string[, start]) -- Compute an Adler-32 checksum.\ncompress(data[, level]) -- Compress data, with compression level 0-9 or -1.\ncompressobj([level[, ...]]) -- Return a compressor object.\ncrc32(string[, start]) -- Compute a CRC-32 checksum.\ndecompress(string,[wbits],[bufsize]) -- Decompresses a compressed string.\ndecompressobj([wbits[, zdict]]) -- Return a decompressor object.\n\n'wbits' is window buffer size and container format.\nCompressor objects support compress() and flush() methods; decompressor\nobjects support decompress() and flush().",
    types(ZlibDecompressor)
)]
pub mod module {
    use super::objects::{self, Compress, Decompress, ZlibDecompressor};
    use super::stream::{self, Stream};
    use super::{ERROR, fault};
    use lisle_runtime::native::*;
    use lisle_runtime::types::buffer::{Readable, bytes_of};
    use lisle_runtime::types::bytes::Bytes;

    #[pyattr]
    const MAX_WBITS: i64 = 15;
    #[pyattr]
    const DEFLATED: i64 = 8;
    #[pyattr]
    const DEF_MEM_LEVEL: i64 = 8;
    #[pyattr]
    const DEF_BUF_SIZE: i64 = 16384;
    #[pyattr]
    const Z_NO_COMPRESSION: i64 = 0;
    #[pyattr]
    const Z_BEST_SPEED: i64 = 1;
    #[pyattr]
    const Z_BEST_COMPRESSION: i64 = 9;
    #[pyattr]
    const Z_DEFAULT_COMPRESSION: i64 = -1;
    #[pyattr]
    const Z_FILTERED: i64 = 1;
    #[pyattr]
    const Z_HUFFMAN_ONLY: i64 = 2;
    #[pyattr]
    const Z_RLE: i64 = 3;
    #[pyattr]
    const Z_FIXED: i64 = 4;
    #[pyattr]
    const Z_DEFAULT_STRATEGY: i64 = 0;
    #[pyattr]
    const Z_NO_FLUSH: i64 = 0;
    #[pyattr]
    const Z_PARTIAL_FLUSH: i64 = 1;
    #[pyattr]
    const Z_SYNC_FLUSH: i64 = 2;
    #[pyattr]
    const Z_FULL_FLUSH: i64 = 3;
    #[pyattr]
    const Z_FINISH: i64 = 4;
    #[pyattr]
    const Z_BLOCK: i64 = 5;
    #[pyattr]
    const Z_TREES: i64 = 6;

    #[pyattr(name = "ZLIB_VERSION")]
    fn zlib_version(_vm: &Vm) -> &'static str {
        "1.3.1"
    }

    #[pyattr(name = "ZLIB_RUNTIME_VERSION")]
    fn zlib_runtime_version(_vm: &Vm) -> &'static str {
        "1.3.1"
    }

    #[pyattr(name = "error")]
    fn error_class(vm: &Vm) -> Res<Value> {
        Ok(ERROR.get(vm)?.to_value())
    }

    /// The low 32 bits of an int.
    fn low_bits(vm: &Vm, value: Option<&Value>, default: u32) -> Res<u32> {
        let Some(value) = value else { return Ok(default) };
        if let Some(small) = value.as_small_int() {
            return Ok(small as u32);
        }
        let index = vm.index(value)?;
        let big = int_view(&index).map(|int| int.to_bigint()).unwrap_or_default();
        let mask = num_bigint::BigInt::from(u32::MAX);
        Ok(u32::try_from(big & mask).unwrap_or(0))
    }

    /// Compute an Adler-32 checksum of data.
    ///
    ///   value
    ///     Starting value of the checksum.
    ///
    /// The returned checksum is an integer.
    #[pyfunction(sig = "(data, value=1, /)")]
    fn adler32(vm: &Vm, data: Readable<'_>, value: Option<&Value>) -> Res<u32> {
        let mut sum = adler2::Adler32::from_checksum(low_bits(vm, value, 1)?);
        if data.0.len() > 5 * 1024 {
            vm.detached(|| sum.write_slice(&data.0));
        } else {
            sum.write_slice(&data.0);
        }
        Ok(sum.checksum())
    }

    /// Compute a CRC-32 checksum of data.
    ///
    ///   value
    ///     Starting value of the checksum.
    ///
    /// The returned checksum is an integer.
    #[pyfunction(sig = "(data, value=0, /)")]
    fn crc32(vm: &Vm, data: Readable<'_>, value: Option<&Value>) -> Res<u32> {
        let mut hasher = crc32fast::Hasher::new_with_initial(low_bits(vm, value, 0)?);
        if data.0.len() > 5 * 1024 {
            vm.detached(|| hasher.update(&data.0));
        } else {
            hasher.update(&data.0);
        }
        Ok(hasher.finalize())
    }

    /// Returns a bytes object containing compressed data.
    ///
    ///   data
    ///     Binary data to be compressed.
    ///   level
    ///     Compression level, in 0-9 or -1.
    ///   wbits
    ///     The window buffer size and container format.
    #[pyfunction(sig = "(data, /, level=-1, wbits=15)")]
    fn compress(vm: &Vm, data: Readable<'_>, level: Option<i32>, wbits: Option<i32>) -> Res<Value> {
        let mut stream = Stream::deflate(level.unwrap_or(-1), stream::DEFLATED, wbits.unwrap_or(15), 8, 0).map_err(
            |code| match code {
                stream::STREAM_ERROR => ERROR.error(vm, "Bad compression level"),
                stream::MEM_ERROR => vm.memory_error(),
                code => fault(vm, code, "while compressing data", None),
            },
        )?;
        let result = vm.detached(|| objects::deflate_all(&mut stream, &data.0, stream::FINISH));
        match result {
            Ok(out) => Ok(Bytes::new_value(out)),
            Err(code) => Err(fault(vm, code, "while compressing data", stream.message())),
        }
    }

    /// Returns a bytes object containing the uncompressed data.
    ///
    ///   data
    ///     Compressed data.
    ///   wbits
    ///     The window buffer size and container format.
    ///   bufsize
    ///     The initial output buffer size.
    #[pyfunction(sig = "(data, /, wbits=15, bufsize=16384)")]
    fn decompress(vm: &Vm, data: Readable<'_>, wbits: Option<i32>, bufsize: Option<isize>) -> Res<Value> {
        if bufsize.is_some_and(|size| size < 0) {
            return Err(vm.value_error("bufsize must be non-negative"));
        }
        let mut stream = Stream::inflate(wbits.unwrap_or(15)).map_err(|code| match code {
            stream::MEM_ERROR => vm.memory_error(),
            code => fault(vm, code, "while preparing to decompress data", None),
        })?;
        let (out, code) = vm.detached(|| {
            let (mut out, mut at) = (Vec::new(), 0);
            loop {
                let step = stream.step_into(&data.0[at..], &mut out, usize::MAX, stream::SYNC_FLUSH);
                at += step.consumed;
                let stuck = step.consumed == 0 && step.produced == 0;
                if step.code != stream::OK || stuck {
                    let code = if stuck && step.code == stream::OK {
                        stream::BUF_ERROR
                    } else {
                        step.code
                    };
                    return (out, code);
                }
            }
        });
        if code == stream::STREAM_END {
            return Ok(Bytes::new_value(out));
        }
        let message = stream.message().filter(|_| code != stream::BUF_ERROR);
        Err(fault(vm, code, "while decompressing data", message))
    }

    /// Return a compressor object.
    ///
    ///   level
    ///     The compression level (an integer in the range 0-9 or -1; default is
    ///     currently equivalent to 6).  Higher compression levels are slower,
    ///     but produce smaller results.
    ///   method
    ///     The compression algorithm.  If given, this must be DEFLATED.
    ///   wbits
    ///     +9 to +15: The base-two logarithm of the window size.  Include a zlib
    ///         container.
    ///     -9 to -15: Generate a raw stream.
    ///     +25 to +31: Include a gzip container.
    ///   memLevel
    ///     Controls the amount of memory used for internal compression state.
    ///     Valid values range from 1 to 9.  Higher values result in higher memory
    ///     usage, faster compression, and smaller output.
    ///   strategy
    ///     Used to tune the compression algorithm.  Possible values are
    ///     Z_DEFAULT_STRATEGY, Z_FILTERED, and Z_HUFFMAN_ONLY.
    ///   zdict
    ///     The predefined compression dictionary - a sequence of bytes
    ///     containing subsequences that are likely to occur in the input data.
    #[pyfunction(sig = "(level=-1, method=8, wbits=15, memLevel=8, strategy=0, zdict=None)")]
    #[expect(non_snake_case, reason = "the parameter's name")]
    fn compressobj(
        vm: &Vm,
        level: Option<i32>,
        method: Option<i32>,
        wbits: Option<i32>,
        memLevel: Option<i32>,
        strategy: Option<i32>,
        zdict: Option<&Value>,
    ) -> Res<Value> {
        let invalid = || vm.value_error("Invalid initialization option");
        let zdict = match zdict.filter(|zdict| !zdict.is_none()) {
            Some(zdict) => Some(lisle_runtime::types::buffer::get_bytes(vm, zdict)?),
            None => None,
        };
        let mut stream = Stream::deflate(
            level.unwrap_or(-1),
            method.unwrap_or(stream::DEFLATED),
            wbits.unwrap_or(15),
            memLevel.unwrap_or(8),
            strategy.unwrap_or(0),
        )
        .map_err(|code| match code {
            stream::MEM_ERROR => vm.memory_error(),
            stream::STREAM_ERROR => invalid(),
            code => fault(vm, code, "while creating compression object", None),
        })?;
        if let Some(zdict) = zdict {
            match stream.set_dictionary(&zdict) {
                stream::OK => {}
                stream::STREAM_ERROR => return Err(vm.value_error("Invalid dictionary")),
                _ => return Err(vm.value_error("deflateSetDictionary()")),
            }
        }
        Ok(Compress::make(stream))
    }

    /// Return a decompressor object.
    ///
    ///   wbits
    ///     The window buffer size and container format.
    ///   zdict
    ///     The predefined compression dictionary.  This must be the same
    ///     dictionary as used by the compressor that produced the input data.
    #[pyfunction(sig = "(wbits=15, zdict=b'')")]
    fn decompressobj(vm: &Vm, wbits: Option<i32>, zdict: Option<&Value>) -> Res<Value> {
        let zdict = match zdict {
            None => None,
            Some(zdict) => match bytes_of(zdict) {
                Some(bytes) => Some(bytes.into_owned()).filter(|bytes| !bytes.is_empty()),
                None => return Err(vm.type_error("zdict argument must support the buffer protocol")),
            },
        };
        let wbits = wbits.unwrap_or(15);
        let stream = objects::new_inflate(vm, wbits)?;
        Decompress::make(vm, stream, wbits, zdict)
    }
}
