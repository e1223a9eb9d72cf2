//! The `_zstd` module, on the zstd library.
//!
//! Invariant: a context is worked on by one call at a time, detached; the dictionary it refers to lives as long as it does. Digested
//! dictionaries are not shared between contexts.

mod context;

use lisle_runtime::native::{Exc, Vm, pymodule};
use lisle_runtime::types::exceptions;

use crate::exception::ExceptionClass;

/// `zstd.ZstdError`.
pub static ERROR: ExceptionClass = ExceptionClass::new("compression.zstd", "ZstdError", &exceptions::EXCEPTION)
    .with_doc("An error occurred in the zstd library.");

/// "Unable to decompress Zstandard data: .."
pub fn fault(vm: &Vm, what: &str, code: usize) -> Exc {
    if code == context::NO_MEMORY {
        return vm.memory_error();
    }
    ERROR.error(vm, format!("Unable to {what}: {}", context::error_name(code)))
}

#[pymodule(name = "_zstd", types(ZstdCompressor, ZstdDecompressor, ZstdDict))]
pub mod module {
    use super::context::{self, CompressContext, DecompressContext, DictKind, Fault};
    use super::{ERROR, fault};
    use crate::exclusive::Exclusive;
    use crate::incremental::{self, Incremental};
    use lisle_runtime::intern;
    use lisle_runtime::memory::trace::Opaque;
    use lisle_runtime::native::*;
    use lisle_runtime::types::buffer::Readable;
    use lisle_runtime::types::bytes::Bytes;
    use lisle_runtime::types::dict::Dict;
    use lisle_runtime::types::exceptions;
    use lisle_runtime::types::module::Module;
    use lisle_runtime::types::tuple::Tuple;
    use std::sync::Arc;

    #[pyattr(name = "ZstdError")]
    fn error_class(vm: &Vm) -> Res<Value> {
        Ok(ERROR.get(vm)?.to_value())
    }

    #[init]
    fn init(_: &Vm, module: &Py<Module>) -> Res<()> {
        for (name, value) in context::constants() {
            module.set(name, Value::int(value));
        }
        module.set("zstd_version", Value::from(context::version().as_str()));
        Ok(())
    }

    /// Train a Zstandard dictionary on sample data.
    #[pyfunction(sig = "(samples_bytes, samples_sizes, dict_size, /)")]
    fn train_dict(vm: &Vm, samples_bytes: &Py<Bytes>, samples_sizes: &Py<Tuple>, dict_size: isize) -> Res<Value> {
        let size = positive(vm, dict_size)?;
        let sizes = sample_sizes(vm, samples_bytes, samples_sizes)?;
        let samples = samples_bytes.as_slice();
        match vm.detached(|| context::train(samples, &sizes, size)) {
            Ok(dict) => Ok(Bytes::new_value(dict)),
            Err(code) => Err(fault(vm, "train the Zstandard dictionary", code)),
        }
    }

    /// Finalize a Zstandard dictionary.
    #[pyfunction(sig = "(custom_dict_bytes, samples_bytes, samples_sizes, dict_size, compression_level, /)")]
    fn finalize_dict(
        vm: &Vm,
        custom_dict_bytes: &Py<Bytes>,
        samples_bytes: &Py<Bytes>,
        samples_sizes: &Py<Tuple>,
        dict_size: isize,
        compression_level: i32,
    ) -> Res<Value> {
        let size = positive(vm, dict_size)?;
        let sizes = sample_sizes(vm, samples_bytes, samples_sizes)?;
        let (content, samples) = (custom_dict_bytes.as_slice(), samples_bytes.as_slice());
        match vm.detached(|| context::finalize(content, samples, &sizes, size, compression_level)) {
            Ok(dict) => Ok(Bytes::new_value(dict)),
            Err(code) => Err(fault(vm, "finalize the Zstandard dictionary", code)),
        }
    }

    fn positive(vm: &Vm, size: isize) -> Res<usize> {
        match usize::try_from(size) {
            Ok(size) if size > 0 => Ok(size),
            _ => Err(vm.value_error("dict_size argument should be positive number.")),
        }
    }

    fn sample_sizes(vm: &Vm, samples: &Py<Bytes>, sizes: &Py<Tuple>) -> Res<Vec<usize>> {
        if u32::try_from(sizes.len()).is_err() || sizes.is_empty() {
            return Err(vm.value_error(format!("The number of samples should be between 1 and {}.", u32::MAX)));
        }
        let mut out = Vec::with_capacity(sizes.len());
        let mut total = 0_usize;
        for size in sizes.iter() {
            let size = vm
                .index_to_isize(size)
                .ok()
                .and_then(|size| usize::try_from(size).ok())
                .ok_or_else(|| {
                    vm.value_error(
                        "Items in samples_sizes should be an int object, with a value between 0 and SIZE_MAX.",
                    )
                })?;
            total = total.saturating_add(size);
            out.push(size);
        }
        if total != samples.len() {
            return Err(vm.value_error("The samples size tuple doesn't match the concatenation's size."));
        }
        Ok(out)
    }

    /// Get CompressionParameter/DecompressionParameter bounds.
    #[pyfunction(sig = "(parameter, is_compress)")]
    fn get_param_bounds(vm: &Vm, parameter: i32, is_compress: bool) -> Res<Value> {
        match context::bounds(parameter, is_compress) {
            Ok((low, high)) => Ok(Tuple::pair(Value::int(low.into()), Value::int(high.into())).into_value()),
            Err(code) => {
                let what = if is_compress { "compression" } else { "decompression" };
                Err(fault(vm, &format!("get zstd {what} parameter bounds"), code))
            }
        }
    }

    /// Get the size of a Zstandard frame, including the header and optional checksum.
    #[pyfunction(sig = "(frame_buffer)")]
    fn get_frame_size(vm: &Vm, frame_buffer: Readable<'_>) -> Res<usize> {
        context::frame_size(&frame_buffer.0).map_err(|code| {
            let name = context::error_name(code);
            ERROR.error(vm, format!(
                "Error when finding the compressed size of a Zstandard frame. Ensure the frame_buffer argument starts from the beginning of a frame, and its length is not less than this complete frame. Zstd error message: {name}."
            ))
        })
    }

    /// Get Zstandard frame infomation from a frame header.
    #[pyfunction(sig = "(frame_buffer)")]
    fn get_frame_info(vm: &Vm, frame_buffer: Readable<'_>) -> Res<Value> {
        match context::frame_info(&frame_buffer.0) {
            Some((size, id)) => {
                let size = size.map_or(Value::NONE, |size| Value::bigint(size.into()));
                Ok(Tuple::pair(size, Value::int(id.into())).into_value())
            }
            None => Err(ERROR.error(
                vm,
                "Error when getting information from the header of a Zstandard frame. Ensure the frame_buffer argument starts from the beginning of a frame, and its length is not less than the frame header (6~18 bytes).",
            )),
        }
    }

    /// Set CompressionParameter and DecompressionParameter types for validity check.
    #[pyfunction(sig = "(c_parameter_type, d_parameter_type)")]
    fn set_parameter_types(vm: &Vm, c_parameter_type: &Py<Type>, d_parameter_type: &Py<Type>) -> Res<()> {
        let module = vm.import_module("_zstd")?;
        vm.setattr(&module, intern!("__c_parameter_type"), c_parameter_type.as_value())?;
        vm.setattr(&module, intern!("__d_parameter_type"), d_parameter_type.as_value())
    }

    /// The options of a dict, checked: those of the other direction are refused.
    fn options(vm: &Vm, options: &Value, compress: bool) -> Res<Vec<(i32, i32)>> {
        let what = if compress { "compression" } else { "decompression" };
        let Some(dict) = options.downcast::<Dict>() else {
            let found = options.ty().name();
            return Err(vm.type_error(format!("options argument should be dict object, not {found}")));
        };
        let module = vm.import_module("_zstd")?;
        let other = if compress {
            intern!("__d_parameter_type")
        } else {
            intern!("__c_parameter_type")
        };
        let other = vm.getattr_opt(&module, other)?;
        let mut out = Vec::new();
        for (key, value) in dict.snapshot() {
            if let Some(other) = &other
                && key.ty().as_value().is(other)
            {
                let name = other.downcast::<Type>().map_or_else(String::new, |ty| ty.name());
                return Err(vm.type_error(format!("{what} options dictionary key must not be a {name} attribute")));
            }
            let int = |value: &Value, role: &str| -> Res<i32> {
                if value.downcast::<lisle_runtime::types::int::Int>().is_none()
                    && !value.is_small_int()
                    && !value.is_bool()
                {
                    let found = value.ty().name();
                    return Err(vm.type_error(format!(
                        "{what} options dictionary {role} should be an int, not {found}"
                    )));
                }
                i32::try_from(vm.index_to_i64(value)?)
                    .map_err(|_| vm.value_error(format!("{role} of {what} options dict should be a 32-bit int")))
            };
            out.push((int(&key, "key")?, int(&value, "value")?));
        }
        Ok(out)
    }

    /// A parameter that the library refused.
    fn bad_option(vm: &Vm, key: i32, value: i32, compress: bool) -> Exc {
        let what = if compress { "compression" } else { "decompression" };
        let name = context::parameter_name(key, compress);
        match context::bounds(key, compress) {
            Ok((low, high)) if !name.is_empty() => vm.value_error(format!(
                "{what} parameter '{name}' received an illegal value {value}; the valid range is [{low}, {high}]"
            )),
            _ => vm.value_error(format!("invalid {what} parameter 'unknown parameter (key {key})'")),
        }
    }

    /// What a `zstd_dict` argument stands for.
    fn dictionary(vm: &Vm, value: &Value, default: DictKind) -> Res<(Arc<context::Dictionary>, DictKind)> {
        if let Some(dict) = value.downcast::<ZstdDict>() {
            return Ok((dict.content.0.clone(), default));
        }
        if let Some(pair) = value.downcast_exact::<Tuple>()
            && let [dict, kind] = pair.as_slice()
            && let Some(dict) = dict.downcast::<ZstdDict>()
            && let Some(kind) = kind.as_small_int()
        {
            let kind = match kind {
                0 => DictKind::Digested,
                1 => DictKind::Undigested,
                2 => DictKind::Prefix,
                _ => return Err(vm.value_error("Invalid dict load type")),
            };
            return Ok((dict.content.0.clone(), kind));
        }
        Err(vm.type_error("zstd_dict argument should be a ZstdDict object."))
    }

    #[pyclass(
        name = "ZstdDict",
        module = "compression.zstd",
        gc = false,
        doc = "Represents a Zstandard dictionary.\n\n  dict_content\n    The content of a Zstandard dictionary as a bytes-like object.\n  is_raw\n    If true, perform no checks on *dict_content*, useful for some\n    advanced cases. Otherwise, check that the content represents\n    a Zstandard dictionary created by the zstd library or CLI.\n\nThe dictionary can be used for compression or decompression, and can be shared\nby multiple ZstdCompressor or ZstdDecompressor objects."
    )]
    pub struct ZstdDict {
        content: Opaque<Arc<context::Dictionary>>,
    }

    #[pymethods]
    impl ZstdDict {
        #[slot(sig = "(dict_content, /, *, is_raw=False)")]
        fn __new__(vm: &Vm, cls: &Py<Type>, dict_content: Readable<'_>, is_raw: Option<bool>) -> Res<Value> {
            let bytes = dict_content.0;
            if bytes.len() < 8 {
                return Err(vm.value_error("Zstandard dictionary content too short (must have at least eight bytes)"));
            }
            let dictionary = context::Dictionary::new(bytes.into_owned());
            if !is_raw.unwrap_or(false) && dictionary.id == 0 {
                return Err(vm.value_error("invalid Zstandard dictionary"));
            }
            let this = ZstdDict {
                content: Opaque(Arc::new(dictionary)),
            };
            Ok(Py::with_class(cls, this).into_value())
        }

        #[slot]
        fn __repr__(_: &Vm, this: &Py<ZstdDict>) -> String {
            let dict = &this.content.0;
            format!("<ZstdDict dict_id={} dict_size={}>", dict.id, dict.content.len())
        }

        #[slot]
        fn __len__(_: &Vm, this: &Py<ZstdDict>) -> Res<usize> {
            Ok(this.content.0.content.len())
        }

        /// The content of a Zstandard dictionary, as a bytes object.
        #[getter]
        fn dict_content(_: &Vm, this: &Py<ZstdDict>) -> Value {
            Bytes::new_value(this.content.0.content.clone())
        }

        /// the Zstandard dictionary, an int between 0 and 2**32.
        #[getter]
        fn dict_id(_: &Vm, this: &Py<ZstdDict>) -> i64 {
            this.content.0.id.into()
        }

        /// Load as a digested dictionary to compressor.
        #[getter]
        fn as_digested_dict(_: &Vm, this: &Py<ZstdDict>) -> Py<Tuple> {
            Tuple::pair(this.to_value(), Value::int(0))
        }

        /// Load as an undigested dictionary to compressor.
        #[getter]
        fn as_undigested_dict(_: &Vm, this: &Py<ZstdDict>) -> Py<Tuple> {
            Tuple::pair(this.to_value(), Value::int(1))
        }

        /// Load as a prefix to compressor/decompressor.
        #[getter]
        fn as_prefix(_: &Vm, this: &Py<ZstdDict>) -> Py<Tuple> {
            Tuple::pair(this.to_value(), Value::int(2))
        }
    }

    #[pyclass(
        name = "ZstdCompressor",
        module = "compression.zstd",
        gc = false,
        basetype,
        doc = "Create a compressor object for compressing data incrementally.\n\n  level\n    The compression level to use. Defaults to COMPRESSION_LEVEL_DEFAULT.\n  options\n    A dict object that contains advanced compression parameters.\n  zstd_dict\n    A ZstdDict object, a pre-trained Zstandard dictionary.\n\nThread-safe at method level. For one-shot compression, use the compress()\nfunction instead."
    )]
    pub struct ZstdCompressor {
        state: Opaque<Exclusive<CompressContext>>,
    }

    const CONTINUE: i32 = 0;
    const FLUSH_BLOCK: i32 = 1;
    const FLUSH_FRAME: i32 = 2;

    fn run(vm: &Vm, this: &Py<ZstdCompressor>, data: &[u8], mode: i32) -> Res<Value> {
        let result = this
            .state
            .0
            .with(vm, this.header(), |state| vm.detached(|| state.run(data, mode)));
        match result {
            Ok(out) => Ok(Bytes::new_value(out)),
            Err(code) => Err(fault(vm, "compress Zstandard data", code)),
        }
    }

    #[pymethods]
    impl ZstdCompressor {
        #[slot(sig = "(level=None, options=None, zstd_dict=None)")]
        fn __new__(
            vm: &Vm,
            cls: &Py<Type>,
            level: Option<&Value>,
            options: Option<&Value>,
            zstd_dict: Option<&Value>,
        ) -> Res<Value> {
            let level = level.filter(|level| !level.is_none());
            let options = options.filter(|options| !options.is_none());
            let mut context = CompressContext::new().ok_or_else(|| vm.memory_error())?;
            if level.is_some() && options.is_some() {
                return Err(vm.type_error("Only one of level or options should be used."));
            }
            if let Some(level) = level {
                if vm.int_value(level).is_none() {
                    return Err(vm.type_error("invalid type for level, expected int"));
                }
                let (low, high) = context::level_bounds();
                let level = vm.index_to_i64(level).unwrap_or(i64::MAX);
                let level = i32::try_from(level).ok().filter(|level| (low..=high).contains(level));
                let Some(level) = level else {
                    return Err(
                        vm.value_error(format!("illegal compression level; the valid range is [{low}, {high}]"))
                    );
                };
                context
                    .set(100, level)
                    .map_err(|code| fault(vm, "set zstd compression level", code))?;
            }
            if let Some(given) = options {
                for (key, value) in self::options(vm, given, true)? {
                    context.set(key, value).map_err(|_| bad_option(vm, key, value, true))?;
                }
            }
            if let Some(dict) = zstd_dict.filter(|dict| !dict.is_none()) {
                let (dict, kind) = dictionary(vm, dict, DictKind::Undigested)?;
                context.load(dict, kind).map_err(|code| match code {
                    Fault::Memory => vm.memory_error(),
                    Fault::Code(code) => fault(vm, "load Zstandard dictionary or prefix for compression", code),
                })?;
            }
            let this = ZstdCompressor {
                state: Opaque(Exclusive::new(context)),
            };
            Ok(Py::with_class(cls, this).into_value())
        }

        #[classattr(name = "CONTINUE")]
        fn continue_mode(_: &Vm) -> i32 {
            CONTINUE
        }

        #[classattr(name = "FLUSH_BLOCK")]
        fn flush_block_mode(_: &Vm) -> i32 {
            FLUSH_BLOCK
        }

        #[classattr(name = "FLUSH_FRAME")]
        fn flush_frame_mode(_: &Vm) -> i32 {
            FLUSH_FRAME
        }

        /// Provide data to the compressor object.
        ///
        ///   mode
        ///     Can be these 3 values ZstdCompressor.CONTINUE,
        ///     ZstdCompressor.FLUSH_BLOCK, ZstdCompressor.FLUSH_FRAME
        ///
        /// Return a chunk of compressed data if possible, or b'' otherwise. When you have
        /// finished providing data to the compressor, call the flush() method to finish
        /// the compression process.
        #[pymethod(sig = "($self, /, data, mode=0)")]
        fn compress(vm: &Vm, this: &Py<ZstdCompressor>, data: Readable<'_>, mode: Option<i32>) -> Res<Value> {
            let mode = mode.unwrap_or(CONTINUE);
            if !(CONTINUE..=FLUSH_FRAME).contains(&mode) {
                return Err(vm.value_error("mode argument wrong value, it should be one of ZstdCompressor.CONTINUE, ZstdCompressor.FLUSH_BLOCK, ZstdCompressor.FLUSH_FRAME."));
            }
            run(vm, this, &data.0, mode)
        }

        /// Finish the compression process.
        ///
        ///   mode
        ///     Can be these 2 values ZstdCompressor.FLUSH_FRAME,
        ///     ZstdCompressor.FLUSH_BLOCK
        ///
        /// Flush any remaining data left in internal buffers. Since Zstandard data
        /// consists of one or more independent frames, the compressor object can still
        /// be used after this method is called.
        #[pymethod(sig = "($self, /, mode=2)")]
        fn flush(vm: &Vm, this: &Py<ZstdCompressor>, mode: Option<i32>) -> Res<Value> {
            let mode = mode.unwrap_or(FLUSH_FRAME);
            if !(FLUSH_BLOCK..=FLUSH_FRAME).contains(&mode) {
                return Err(vm.value_error(
                    "mode argument wrong value, it should be ZstdCompressor.FLUSH_FRAME or ZstdCompressor.FLUSH_BLOCK.",
                ));
            }
            run(vm, this, &[], mode)
        }

        /// Set the uncompressed content size to be written into the frame header.
        #[pymethod(sig = "($self, size, /)")]
        fn set_pledged_input_size(vm: &Vm, this: &Py<ZstdCompressor>, size: &Value) -> Res<()> {
            let size = if size.is_none() {
                u64::MAX
            } else {
                if vm.int_value(size).is_none() {
                    let found = size.ty().name();
                    return Err(vm.type_error(format!("size argument should be an int or None, not {found}")));
                }
                // The two largest values have a meaning of their own.
                vm.int_value(size)
                    .and_then(|size| size.to_u64())
                    .filter(|size| *size < u64::MAX - 1)
                    .ok_or_else(|| {
                        vm.value_error(format!(
                            "size argument should be a positive int less than {}",
                            u64::MAX - 1
                        ))
                    })?
            };
            let result = this.state.0.with(vm, this.header(), |state| {
                (state.last_mode == FLUSH_FRAME).then(|| state.pledge(size))
            });
            match result {
                None => {
                    Err(vm.value_error("set_pledged_input_size() method must be called when last_mode == FLUSH_FRAME"))
                }
                Some(Ok(())) => Ok(()),
                Some(Err(code)) => Err(fault(vm, "set pledged uncompressed content size", code)),
            }
        }

        /// The last mode used to this compressor object, its value can be .CONTINUE, .FLUSH_BLOCK, .FLUSH_FRAME.
        #[getter]
        fn last_mode(vm: &Vm, this: &Py<ZstdCompressor>) -> i32 {
            this.state.0.with(vm, this.header(), |state| state.last_mode)
        }
    }

    #[pyclass(
        name = "ZstdDecompressor",
        module = "compression.zstd",
        gc = false,
        basetype,
        doc = "Create a decompressor object for decompressing data incrementally.\n\n  zstd_dict\n    A ZstdDict object, a pre-trained Zstandard dictionary.\n  options\n    A dict object that contains advanced decompression parameters.\n\nThread-safe at method level. For one-shot decompression, use the decompress()\nfunction instead."
    )]
    pub struct ZstdDecompressor {
        state: Opaque<Exclusive<Incremental<DecompressContext>>>,
    }

    #[pymethods]
    impl ZstdDecompressor {
        #[slot(sig = "(zstd_dict=None, options=None)")]
        fn __new__(vm: &Vm, cls: &Py<Type>, zstd_dict: Option<&Value>, options: Option<&Value>) -> Res<Value> {
            let mut context = DecompressContext::new().ok_or_else(|| vm.memory_error())?;
            if let Some(dict) = zstd_dict.filter(|dict| !dict.is_none()) {
                let (dict, kind) = dictionary(vm, dict, DictKind::Digested)?;
                context.load(dict, kind).map_err(|code| match code {
                    Fault::Memory => vm.memory_error(),
                    Fault::Code(code) => fault(vm, "load Zstandard dictionary or prefix for decompression", code),
                })?;
            }
            if let Some(given) = options.filter(|options| !options.is_none()) {
                for (key, value) in self::options(vm, given, false)? {
                    context.set(key, value).map_err(|_| bad_option(vm, key, value, false))?;
                }
            }
            let this = ZstdDecompressor {
                state: Opaque(Exclusive::new(Incremental::holding_back(context))),
            };
            Ok(Py::with_class(cls, this).into_value())
        }

        /// Decompress *data*, returning uncompressed bytes if possible, or b'' otherwise.
        ///
        ///   data
        ///     A bytes-like object, Zstandard data to be decompressed.
        ///   max_length
        ///     Maximum size of returned data. When it is negative, the size of
        ///     output buffer is unlimited. When it is nonnegative, returns at
        ///     most max_length bytes of decompressed data.
        #[pymethod(sig = "($self, /, data, max_length=-1)")]
        fn decompress(
            vm: &Vm,
            this: &Py<ZstdDecompressor>,
            data: Readable<'_>,
            max_length: Option<isize>,
        ) -> Res<Value> {
            match incremental::decompress(vm, this.header(), &this.state.0, &data.0, max_length) {
                None => Err(vm.exception_with(&exceptions::EOF_ERROR, "Already at the end of a Zstandard frame.")),
                Some(Ok(out)) => Ok(Bytes::new_value(out)),
                Some(Err(code)) => Err(fault(vm, "decompress Zstandard data", code)),
            }
        }

        /// True means the end of the first frame has been reached. If decompress data
        /// after that, an EOFError exception will be raised.
        #[getter]
        fn eof(vm: &Vm, this: &Py<ZstdDecompressor>) -> bool {
            this.state.0.with(vm, this.header(), |state| state.eof)
        }

        /// A bytes object of un-consumed input data.
        ///
        /// When ZstdDecompressor object stops after a frame is
        /// decompressed, unused input data after the frame. Otherwise this will be b''.
        #[getter]
        fn unused_data(vm: &Vm, this: &Py<ZstdDecompressor>) -> Value {
            Bytes::new_value(this.state.0.with(vm, this.header(), |state| state.unused.clone()))
        }

        /// If the max_length output limit in .decompress() method has been reached,
        /// and the decompressor has (or may has) unconsumed input data, it will be set
        /// to False. In this case, passing b'' to the .decompress() method may output
        /// further data.
        #[getter]
        fn needs_input(vm: &Vm, this: &Py<ZstdDecompressor>) -> bool {
            this.state.0.with(vm, this.header(), |state| state.needs_input)
        }
    }
}
