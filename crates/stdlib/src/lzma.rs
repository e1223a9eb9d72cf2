//! The `_lzma` module, on liblzma.
//!
//! Invariant: a stream of liblzma is worked on by one call at a time, detached; filter chains own their options and are passed
//! to liblzma only for the duration of a call. Left out: the encoder's threads.

mod filters;
mod stream;

use lisle_runtime::native::{Exc, Vm, pymodule};
use lisle_runtime::types::exceptions;

use crate::exception::ExceptionClass;

/// `lzma.LZMAError`.
pub static ERROR: ExceptionClass =
    ExceptionClass::new("_lzma", "LZMAError", &exceptions::EXCEPTION).with_doc("Call to liblzma failed.");

/// The exception for a code that liblzma returned; `None` if that is no error.
pub fn fault(vm: &Vm, code: liblzma_sys::lzma_ret) -> Option<Exc> {
    let message = match code {
        liblzma_sys::LZMA_OK
        | liblzma_sys::LZMA_STREAM_END
        | liblzma_sys::LZMA_NO_CHECK
        | liblzma_sys::LZMA_GET_CHECK => return None,
        liblzma_sys::LZMA_UNSUPPORTED_CHECK => "Unsupported integrity check",
        liblzma_sys::LZMA_MEM_ERROR => return Some(vm.memory_error()),
        liblzma_sys::LZMA_MEMLIMIT_ERROR => "Memory usage limit exceeded",
        liblzma_sys::LZMA_FORMAT_ERROR => "Input format not supported by decoder",
        liblzma_sys::LZMA_OPTIONS_ERROR => "Invalid or unsupported options",
        liblzma_sys::LZMA_DATA_ERROR => "Corrupt input data",
        liblzma_sys::LZMA_BUF_ERROR => "Insufficient buffer space",
        liblzma_sys::LZMA_PROG_ERROR => "Internal error",
        other => return Some(ERROR.error(vm, format!("Unrecognized error from liblzma: {other}"))),
    };
    Some(ERROR.error(vm, message))
}

#[pymodule(name = "_lzma", types(LZMACompressor, LZMADecompressor))]
pub mod module {
    use super::filters::{self, Chain};
    use super::stream::{Coder, Decoding, Format};
    use super::{ERROR, fault};
    use crate::exclusive::Exclusive;
    use crate::incremental::{self, Incremental};
    use liblzma_sys as sys;
    use lisle_runtime::memory::trace::Opaque;
    use lisle_runtime::native::*;
    use lisle_runtime::types::buffer::Readable;
    use lisle_runtime::types::bytes::Bytes;

    #[pyattr]
    const FORMAT_AUTO: i64 = 0;
    #[pyattr]
    const FORMAT_XZ: i64 = 1;
    #[pyattr]
    const FORMAT_ALONE: i64 = 2;
    #[pyattr]
    const FORMAT_RAW: i64 = 3;
    #[pyattr]
    const CHECK_NONE: i64 = sys::LZMA_CHECK_NONE as i64;
    #[pyattr]
    const CHECK_CRC32: i64 = sys::LZMA_CHECK_CRC32 as i64;
    #[pyattr]
    const CHECK_CRC64: i64 = sys::LZMA_CHECK_CRC64 as i64;
    #[pyattr]
    const CHECK_SHA256: i64 = sys::LZMA_CHECK_SHA256 as i64;
    #[pyattr]
    const CHECK_ID_MAX: i64 = 15;
    #[pyattr]
    const CHECK_UNKNOWN: i64 = super::stream::CHECK_UNKNOWN as i64;
    #[pyattr]
    const FILTER_LZMA1: i64 = sys::LZMA_FILTER_LZMA1 as i64;
    #[pyattr]
    const FILTER_LZMA2: i64 = sys::LZMA_FILTER_LZMA2 as i64;
    #[pyattr]
    const FILTER_DELTA: i64 = sys::LZMA_FILTER_DELTA as i64;
    #[pyattr]
    const FILTER_X86: i64 = sys::LZMA_FILTER_X86 as i64;
    #[pyattr]
    const FILTER_IA64: i64 = sys::LZMA_FILTER_IA64 as i64;
    #[pyattr]
    const FILTER_ARM: i64 = sys::LZMA_FILTER_ARM as i64;
    #[pyattr]
    const FILTER_ARMTHUMB: i64 = sys::LZMA_FILTER_ARMTHUMB as i64;
    #[pyattr]
    const FILTER_SPARC: i64 = sys::LZMA_FILTER_SPARC as i64;
    #[pyattr]
    const FILTER_POWERPC: i64 = sys::LZMA_FILTER_POWERPC as i64;
    #[pyattr]
    const MF_HC3: i64 = sys::LZMA_MF_HC3 as i64;
    #[pyattr]
    const MF_HC4: i64 = sys::LZMA_MF_HC4 as i64;
    #[pyattr]
    const MF_BT2: i64 = sys::LZMA_MF_BT2 as i64;
    #[pyattr]
    const MF_BT3: i64 = sys::LZMA_MF_BT3 as i64;
    #[pyattr]
    const MF_BT4: i64 = sys::LZMA_MF_BT4 as i64;
    #[pyattr]
    const MODE_FAST: i64 = sys::LZMA_MODE_FAST as i64;
    #[pyattr]
    const MODE_NORMAL: i64 = sys::LZMA_MODE_NORMAL as i64;
    #[pyattr]
    const PRESET_DEFAULT: i64 = sys::LZMA_PRESET_DEFAULT as i64;
    #[pyattr]
    const PRESET_EXTREME: i64 = sys::LZMA_PRESET_EXTREME as i64;

    #[pyattr(name = "LZMAError")]
    fn error_class(vm: &Vm) -> Res<Value> {
        Ok(ERROR.get(vm)?.to_value())
    }

    /// Test whether the given integrity check is supported.
    ///
    /// Always returns True for CHECK_NONE and CHECK_CRC32.
    #[pyfunction(sig = "(check_id, /)")]
    fn is_check_supported(_: &Vm, check_id: i32) -> bool {
        super::stream::is_check_supported(check_id)
    }

    /// Return a bytes object encoding the options (properties) of the filter specified by *filter* (a dict).
    ///
    /// The result does not include the filter ID itself, only the options.
    #[pyfunction(sig = "(filter, /)")]
    fn _encode_filter_properties(vm: &Vm, filter: &Value) -> Res<Value> {
        let filter = filters::Filter::parse(vm, filter)?;
        filter
            .properties()
            .map(Bytes::new_value)
            .map_err(|code| fault(vm, code).unwrap_or_else(|| vm.system_error("no properties")))
    }

    /// Return a dict of the options (properties) of the filter with this ID.
    ///
    /// The result includes the filter ID, with the options that the encoded properties give.
    #[pyfunction(sig = "(filter_id, encoded_props, /)")]
    fn _decode_filter_properties(vm: &Vm, filter_id: &Value, encoded_props: Readable<'_>) -> Res<Value> {
        let id = filters::filter_id(vm, filter_id)?;
        filters::decode_properties(vm, id, &encoded_props.0)
    }

    /// A compressor; `done` once it was flushed.
    pub struct Compressor {
        coder: Coder,
        done: bool,
    }

    #[pyclass(
        name = "LZMACompressor",
        module = "_lzma",
        gc = false,
        doc = "LZMACompressor(format=FORMAT_XZ, check=-1, preset=None, filters=None)\n\nCreate a compressor object for compressing data incrementally.\n\nformat specifies the container format to use for the output. This can\nbe FORMAT_XZ (default), FORMAT_ALONE, or FORMAT_RAW.\n\nFor one-shot compression, use the compress() function instead."
    )]
    pub struct LZMACompressor {
        state: Opaque<Exclusive<Compressor>>,
    }

    #[pymethods]
    impl LZMACompressor {
        #[slot(sig = "(format=FORMAT_XZ, check=-1, preset=None, filters=None)")]
        fn __new__(
            vm: &Vm,
            cls: &Py<Type>,
            format: Option<i32>,
            check: Option<i32>,
            preset: Option<&Value>,
            filters: Option<&Value>,
        ) -> Res<Value> {
            let preset = preset.filter(|preset| !preset.is_none());
            let filters = filters.filter(|filters| !filters.is_none());
            if preset.is_some() && filters.is_some() {
                return Err(vm.value_error("Cannot specify both preset and filter chain"));
            }
            let preset = match preset {
                Some(preset) => filters::uint32(vm, preset)?,
                None => sys::LZMA_PRESET_DEFAULT,
            };
            let format = format.unwrap_or(1);
            let check = check.unwrap_or(-1);
            if format != 1 && check != -1 && check != 0 {
                return Err(vm.value_error("Integrity checks are only supported by FORMAT_XZ"));
            }
            let chain = filters.map(|filters| Chain::parse(vm, filters)).transpose()?;
            let coder = match (format, chain) {
                (1, chain) => {
                    let check = if check == -1 {
                        sys::LZMA_CHECK_CRC64
                    } else {
                        check as sys::lzma_check
                    };
                    Coder::xz_encoder(preset, check, chain)
                }
                (2, None) => match filters::LzmaOptions::preset(preset) {
                    Some(options) => Coder::alone_encoder(&options),
                    None => return Err(filters::invalid_preset(vm, preset)),
                },
                (2, Some(chain)) => match chain.single_lzma1() {
                    Some(options) => Coder::alone_encoder(options),
                    None => {
                        return Err(
                            vm.value_error("Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter")
                        );
                    }
                },
                (3, Some(chain)) => Coder::raw_encoder(&chain),
                (3, None) => return Err(vm.value_error("Must specify filters for FORMAT_RAW")),
                _ => return Err(vm.value_error(format!("Invalid container format: {format}"))),
            };
            let coder = coder.map_err(|code| fault(vm, code).unwrap_or_else(|| vm.memory_error()))?;
            let this = LZMACompressor {
                state: Opaque(Exclusive::new(Compressor { coder, done: false })),
            };
            Ok(Py::with_class(cls, this).into_value())
        }

        /// Provide data to the compressor object.
        ///
        /// Returns a chunk of compressed data if possible, or b'' otherwise.
        ///
        /// When you have finished providing data to the compressor, call the
        /// flush() method to finish the compression process.
        #[pymethod(sig = "($self, data, /)")]
        fn compress(vm: &Vm, this: &Py<LZMACompressor>, data: Readable<'_>) -> Res<Value> {
            let result = this.state.0.with(vm, this.header(), |state| {
                (!state.done).then(|| vm.detached(|| state.coder.encode(&data.0, false)))
            });
            match result {
                None => Err(vm.value_error("Compressor has been flushed")),
                Some(result) => out(vm, result),
            }
        }

        /// Finish the compression process.
        ///
        /// Returns the compressed data left in internal buffers.
        ///
        /// The compressor object may not be used after this method is called.
        #[pymethod(sig = "($self, /)")]
        fn flush(vm: &Vm, this: &Py<LZMACompressor>) -> Res<Value> {
            let result = this.state.0.with(vm, this.header(), |state| {
                if std::mem::replace(&mut state.done, true) {
                    return None;
                }
                Some(vm.detached(|| state.coder.encode(&[], true)))
            });
            match result {
                None => Err(vm.value_error("Repeated call to flush()")),
                Some(result) => out(vm, result),
            }
        }
    }

    fn out(vm: &Vm, result: Result<Vec<u8>, sys::lzma_ret>) -> Res<Value> {
        match result {
            Ok(out) => Ok(Bytes::new_value(out)),
            Err(code) => Err(fault(vm, code).unwrap_or_else(|| vm.memory_error())),
        }
    }

    #[pyclass(
        name = "LZMADecompressor",
        module = "_lzma",
        gc = false,
        doc = "Create a decompressor object for decompressing data incrementally.\n\n  format\n    Specifies the container format of the input stream.  If this is\n    FORMAT_AUTO (the default), the decompressor will automatically detect\n    whether the input is FORMAT_XZ or FORMAT_ALONE.\n  memlimit\n    Limit the amount of memory used by the decompressor.\n  filters\n    A custom filter chain, for FORMAT_RAW only.\n\nFor one-shot decompression, use the decompress() function instead."
    )]
    pub struct LZMADecompressor {
        state: Opaque<Exclusive<Incremental<Decoding>>>,
    }

    #[pymethods]
    impl LZMADecompressor {
        #[slot(sig = "(format=FORMAT_AUTO, memlimit=None, filters=None)")]
        fn __new__(
            vm: &Vm,
            cls: &Py<Type>,
            format: Option<i32>,
            memlimit: Option<&Value>,
            filters: Option<&Value>,
        ) -> Res<Value> {
            let format = format.unwrap_or(0);
            let mut limit = u64::MAX;
            if let Some(given) = memlimit.filter(|given| !given.is_none()) {
                if format == 3 {
                    return Err(vm.value_error("Cannot specify memory limit with FORMAT_RAW"));
                }
                limit = filters::unsigned(vm, given)?;
            }
            let filters = filters.filter(|filters| !filters.is_none());
            if format == 3 && filters.is_none() {
                return Err(vm.value_error("Must specify filters for FORMAT_RAW"));
            }
            if format != 3 && filters.is_some() {
                return Err(vm.value_error("Cannot specify filters except with FORMAT_RAW"));
            }
            let chain = filters.map(|filters| Chain::parse(vm, filters)).transpose()?;
            let format = match format {
                0 => Format::Auto,
                1 => Format::Xz,
                2 => Format::Alone,
                3 => Format::Raw,
                _ => return Err(vm.value_error(format!("Invalid container format: {format}"))),
            };
            let decoding = Decoding::new(format, limit, chain)
                .map_err(|code| fault(vm, code).unwrap_or_else(|| vm.memory_error()))?;
            let this = LZMADecompressor {
                state: Opaque(Exclusive::new(Incremental::holding_back(decoding))),
            };
            Ok(Py::with_class(cls, this).into_value())
        }

        /// Decompress *data*, returning uncompressed data as bytes.
        ///
        /// If *max_length* is nonnegative, returns at most *max_length* bytes of
        /// decompressed data. If this limit is reached and further output can be
        /// produced, *self.needs_input* will be set to ``False``. In this case, the next
        /// call to *decompress()* may provide *data* as b'' to obtain more of the output.
        ///
        /// Attempting to decompress data after the end of stream is reached raises an
        /// EOFError.  Any data found after the end of the stream is ignored and saved in
        /// the unused_data attribute.
        #[pymethod(sig = "($self, /, data, max_length=-1)")]
        fn decompress(
            vm: &Vm,
            this: &Py<LZMADecompressor>,
            data: Readable<'_>,
            max_length: Option<isize>,
        ) -> Res<Value> {
            match incremental::decompress(vm, this.header(), &this.state.0, &data.0, max_length) {
                None => Err(vm.eof_error("Already at end of stream")),
                Some(result) => out(vm, result),
            }
        }

        /// ID of the integrity check used by the input stream.
        #[getter]
        fn check(vm: &Vm, this: &Py<LZMADecompressor>) -> i64 {
            this.state
                .0
                .with(vm, this.header(), |state| i64::from(state.decoder.check))
        }

        /// True if the end-of-stream marker has been reached.
        #[getter]
        fn eof(vm: &Vm, this: &Py<LZMADecompressor>) -> bool {
            this.state.0.with(vm, this.header(), |state| state.eof)
        }

        /// Data found after the end of the compressed stream.
        #[getter]
        fn unused_data(vm: &Vm, this: &Py<LZMADecompressor>) -> Value {
            Bytes::new_value(this.state.0.with(vm, this.header(), |state| state.unused.clone()))
        }

        /// True if more input is needed before more decompressed data can be produced.
        #[getter]
        fn needs_input(vm: &Vm, this: &Py<LZMADecompressor>) -> bool {
            this.state.0.with(vm, this.header(), |state| state.needs_input)
        }
    }
}
