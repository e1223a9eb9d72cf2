//! `zlib.compressobj`, `zlib.decompressobj` and `zlib._ZlibDecompressor`.
//!
//! Invariant: the state of each is worked on by one call at a time; a stream that was finished is gone (`None`).

use lisle_runtime::memory::room::{self, NoMemory};
use lisle_runtime::memory::trace::Opaque;
use lisle_runtime::native::*;
use lisle_runtime::types::buffer::Readable;
use lisle_runtime::types::bytes::Bytes;

use super::fault;
use super::stream::{self, Stream};
use crate::exclusive::Exclusive;
use crate::incremental::{Decoder, Incremental, Step};

/// Compresses all of the input and flushes.
///
/// # Errors
/// zlib's code.
pub fn deflate_all(stream: &mut Stream, input: &[u8], flush: i32) -> Result<Vec<u8>, i32> {
    let (mut out, mut at) = (Vec::new(), 0);
    loop {
        let step = stream.step_into(&input[at..], &mut out, usize::MAX, flush);
        at += step.consumed;
        match step.code {
            stream::STREAM_END => return Ok(out),
            stream::OK | stream::BUF_ERROR => {}
            code => return Err(code),
        }
        if step.consumed == 0 && step.produced == 0
            || flush == stream::NO_FLUSH && at == input.len() && step.produced == 0
        {
            return Ok(out);
        }
    }
}

/// A stream that decompresses, for an object.
pub fn new_inflate(vm: &Vm, wbits: i32) -> Res<Stream> {
    Stream::inflate(wbits).map_err(|code| match code {
        stream::MEM_ERROR => vm.memory_error(),
        stream::STREAM_ERROR => vm.value_error("Invalid initialization option"),
        code => fault(vm, code, "while creating decompression object", None),
    })
}

/// A code and the message that goes with it.
type Failure = (i32, Option<String>);

#[pyclass(name = "Compress", module = "zlib", gc = false, no_new)]
pub struct Compress {
    stream: Opaque<Exclusive<Option<Stream>>>,
}

impl Compress {
    pub fn make(stream: Stream) -> Value {
        Py::new(Compress {
            stream: Opaque(Exclusive::new(Some(stream))),
        })
        .into_value()
    }
}

/// Runs a compression step of an object.
fn deflate(vm: &Vm, this: &Py<Compress>, input: &[u8], flush: i32, what: &str) -> Res<Value> {
    let result: Result<Vec<u8>, Failure> = this.stream.0.with(vm, this.header(), |slot| {
        let Some(stream) = slot else {
            return Err((stream::STREAM_ERROR, None));
        };
        let result = vm.detached(|| deflate_all(stream, input, flush));
        let result = result.map_err(|code| (code, stream.message()));
        if flush == stream::FINISH && result.is_ok() {
            *slot = None;
        }
        result
    });
    match result {
        Ok(out) => Ok(Bytes::new_value(out)),
        Err((code, message)) => Err(fault(vm, code, what, message)),
    }
}

fn copy_compress(vm: &Vm, this: &Py<Compress>) -> Res<Value> {
    let copy = this.stream.0.with(vm, this.header(), |slot| match slot {
        Some(stream) => stream.copy(),
        None => Err(stream::STREAM_ERROR),
    });
    match copy {
        Ok(stream) => Ok(Compress::make(stream)),
        Err(stream::STREAM_ERROR) => Err(vm.value_error("Inconsistent stream state")),
        Err(stream::MEM_ERROR) => Err(vm.memory_error()),
        Err(code) => Err(fault(vm, code, "while copying compression object", None)),
    }
}

#[pymethods]
impl Compress {
    /// Returns a bytes object containing compressed data.
    ///
    ///   data
    ///     Binary data to be compressed.
    ///
    /// After calling this function, some of the input data may still
    /// be stored in internal buffers for later processing.
    /// Call the flush() method to clear these buffers.
    #[pymethod(sig = "($self, data, /)")]
    fn compress(vm: &Vm, this: &Py<Compress>, data: Readable<'_>) -> Res<Value> {
        deflate(vm, this, &data.0, stream::NO_FLUSH, "while compressing data")
    }

    /// Return a bytes object containing any remaining compressed data.
    ///
    ///   mode
    ///     One of the constants Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH.
    ///     If mode == Z_FINISH, the compressor object can no longer be
    ///     used after calling the flush() method.  Otherwise, more data
    ///     can still be compressed.
    #[pymethod(sig = "($self, mode=4, /)")]
    fn flush(vm: &Vm, this: &Py<Compress>, mode: Option<i32>) -> Res<Value> {
        match mode.unwrap_or(stream::FINISH) {
            stream::NO_FLUSH => Ok(Bytes::new_value([])),
            mode => deflate(vm, this, &[], mode, "while flushing"),
        }
    }

    /// Return a copy of the compression object.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<Compress>) -> Res<Value> {
        copy_compress(vm, this)
    }

    #[pymethod(sig = "($self, /)")]
    fn __copy__(vm: &Vm, this: &Py<Compress>) -> Res<Value> {
        copy_compress(vm, this)
    }

    #[pymethod(sig = "($self, memo, /)")]
    fn __deepcopy__(vm: &Vm, this: &Py<Compress>, memo: &Value) -> Res<Value> {
        let _ = memo;
        copy_compress(vm, this)
    }
}

/// What a `Decompress` works with.
struct Inflation {
    stream: Option<Stream>,
    wbits: i32,
    dictionary: Option<Vec<u8>>,
    unused: Vec<u8>,
    tail: Vec<u8>,
    eof: bool,
}

impl Inflation {
    /// Decompresses, `most` bytes at most, and sorts what is left of the input.
    fn run(&mut self, input: &[u8], most: usize, flush: i32) -> Result<Vec<u8>, (Failure, &'static str)> {
        let decompressing = "while decompressing data";
        let no_memory = |_| ((stream::MEM_ERROR, None), decompressing);
        let Some(stream) = &mut self.stream else {
            return Err(((stream::STREAM_ERROR, None), decompressing));
        };
        let (mut out, mut at) = (Vec::new(), 0);
        let code = loop {
            if out.len() >= most {
                break stream::OK;
            }
            let left = most - out.len();
            let step = stream.step_into(&input[at..], &mut out, left, flush);
            at += step.consumed;
            if step.code == stream::NEED_DICT
                && let Some(dictionary) = &self.dictionary
            {
                let code = stream.set_dictionary(dictionary);
                if code != stream::OK {
                    return Err(((code, stream.message()), "while setting zdict"));
                }
                continue;
            }
            let stuck = step.consumed == 0 && step.produced == 0;
            if stuck || !matches!(step.code, stream::OK | stream::BUF_ERROR) {
                break step.code;
            }
        };
        let rest = &input[at..];
        if code == stream::STREAM_END {
            self.eof = true;
            room::append(&mut self.unused, rest).map_err(no_memory)?;
            self.tail.clear();
        } else {
            self.tail = room::copied(rest).map_err(no_memory)?;
            // At the end, broken data counts as far as it can be read.
            if flush != stream::FINISH && !matches!(code, stream::OK | stream::BUF_ERROR) {
                return Err(((code, stream.message()), decompressing));
            }
        }
        Ok(out)
    }
}

#[pyclass(name = "Decompress", module = "zlib", gc = false, no_new)]
pub struct Decompress {
    state: Opaque<Exclusive<Inflation>>,
}

impl Decompress {
    pub fn make(vm: &Vm, mut stream: Stream, wbits: i32, dictionary: Option<Vec<u8>>) -> Res<Value> {
        // A raw stream has no place to ask for its dictionary.
        if wbits < 0
            && let Some(dictionary) = &dictionary
        {
            let code = stream.set_dictionary(dictionary);
            if code != stream::OK {
                return Err(fault(vm, code, "while setting zdict", stream.message()));
            }
        }
        let state = Inflation {
            stream: Some(stream),
            wbits,
            dictionary,
            unused: Vec::new(),
            tail: Vec::new(),
            eof: false,
        };
        Ok(Py::new(Decompress {
            state: Opaque(Exclusive::new(state)),
        })
        .into_value())
    }
}

fn copy_decompress(vm: &Vm, this: &Py<Decompress>) -> Res<Value> {
    let copy = this.state.0.with(vm, this.header(), |state| {
        let stream = match &mut state.stream {
            Some(stream) => stream.copy()?,
            None => return Err(stream::STREAM_ERROR),
        };
        Ok(Inflation {
            stream: Some(stream),
            wbits: state.wbits,
            dictionary: state.dictionary.clone(),
            unused: state.unused.clone(),
            tail: state.tail.clone(),
            eof: state.eof,
        })
    });
    match copy {
        Ok(state) => Ok(Py::new(Decompress {
            state: Opaque(Exclusive::new(state)),
        })
        .into_value()),
        Err(stream::STREAM_ERROR) => Err(vm.value_error("Inconsistent stream state")),
        Err(stream::MEM_ERROR) => Err(vm.memory_error()),
        Err(code) => Err(fault(vm, code, "while copying decompression object", None)),
    }
}

#[pymethods]
impl Decompress {
    /// Return a bytes object containing the decompressed version of the data.
    ///
    ///   data
    ///     The binary data to decompress.
    ///   max_length
    ///     The maximum allowable length of the decompressed data.
    ///     Unconsumed input data will be stored in
    ///     the unconsumed_tail attribute.
    ///
    /// After calling this function, some of the input data may still be stored in
    /// internal buffers for later processing.
    /// Call the flush() method to clear these buffers.
    #[pymethod(sig = "($self, data, /, max_length=0)")]
    fn decompress(vm: &Vm, this: &Py<Decompress>, data: Readable<'_>, max_length: Option<isize>) -> Res<Value> {
        let most = match max_length.unwrap_or(0) {
            0 => usize::MAX,
            n => usize::try_from(n).map_err(|_| vm.value_error("max_length must be non-negative"))?,
        };
        let result = this.state.0.with(vm, this.header(), |state| {
            vm.detached(|| state.run(&data.0, most, stream::SYNC_FLUSH))
        });
        match result {
            Ok(out) => Ok(Bytes::new_value(out)),
            Err(((code, message), what)) => Err(fault(vm, code, what, message)),
        }
    }

    /// Return a bytes object containing any remaining decompressed data.
    ///
    ///   length
    ///     the initial size of the output buffer.
    #[pymethod(sig = "($self, length=16384, /)")]
    fn flush(vm: &Vm, this: &Py<Decompress>, length: Option<isize>) -> Res<Value> {
        if length.is_some_and(|length| length <= 0) {
            return Err(vm.value_error("length must be greater than zero"));
        }
        let result = this.state.0.with(vm, this.header(), |state| {
            if state.stream.is_none() {
                return Ok(Vec::new());
            }
            let tail = std::mem::take(&mut state.tail);
            let result = vm.detached(|| state.run(&tail, usize::MAX, stream::FINISH));
            if state.eof {
                state.stream = None;
            }
            result
        });
        match result {
            Ok(out) => Ok(Bytes::new_value(out)),
            Err(((code, message), what)) => Err(fault(vm, code, what, message)),
        }
    }

    /// Return a copy of the decompression object.
    #[pymethod(sig = "($self, /)")]
    fn copy(vm: &Vm, this: &Py<Decompress>) -> Res<Value> {
        copy_decompress(vm, this)
    }

    #[pymethod(sig = "($self, /)")]
    fn __copy__(vm: &Vm, this: &Py<Decompress>) -> Res<Value> {
        copy_decompress(vm, this)
    }

    #[pymethod(sig = "($self, memo, /)")]
    fn __deepcopy__(vm: &Vm, this: &Py<Decompress>, memo: &Value) -> Res<Value> {
        let _ = memo;
        copy_decompress(vm, this)
    }

    #[getter]
    fn unused_data(vm: &Vm, this: &Py<Decompress>) -> Value {
        Bytes::new_value(this.state.0.with(vm, this.header(), |state| state.unused.clone()))
    }

    #[getter]
    fn unconsumed_tail(vm: &Vm, this: &Py<Decompress>) -> Value {
        Bytes::new_value(this.state.0.with(vm, this.header(), |state| state.tail.clone()))
    }

    #[getter]
    fn eof(vm: &Vm, this: &Py<Decompress>) -> bool {
        this.state.0.with(vm, this.header(), |state| state.eof)
    }
}

/// A decoder with the dictionary it may be asked for.
struct Inflater {
    stream: Stream,
    dictionary: Option<Vec<u8>>,
}

impl Decoder for Inflater {
    type Error = (Failure, &'static str);

    fn no_memory(_: NoMemory) -> Self::Error {
        ((stream::MEM_ERROR, None), "while decompressing data")
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Self::Error> {
        let mut consumed = 0;
        loop {
            let step = self.stream.step(&input[consumed..], out, stream::SYNC_FLUSH);
            consumed += step.consumed;
            if step.code == stream::NEED_DICT
                && let Some(dictionary) = &self.dictionary
            {
                let code = self.stream.set_dictionary(dictionary);
                if code != stream::OK {
                    return Err(((code, self.stream.message()), "while setting zdict"));
                }
                continue;
            }
            if !matches!(step.code, stream::OK | stream::BUF_ERROR | stream::STREAM_END) {
                return Err(((step.code, self.stream.message()), "while decompressing data"));
            }
            return Ok(Step {
                consumed,
                produced: step.produced,
                end: step.code == stream::STREAM_END,
            });
        }
    }
}

#[pyclass(
    name = "_ZlibDecompressor",
    module = "zlib",
    gc = false,
    doc = "Create a decompressor object for decompressing data incrementally.\n\n  wbits = 15\n  zdict\n     The predefined compression dictionary. This is a sequence of bytes\n     (such as a bytes object) containing subsequences that are expected\n     to occur frequently in the data that is to be compressed. Those\n     subsequences that are expected to be most common should come at the\n     end of the dictionary. This must be the same dictionary as used by the\n     compressor that produced the input data."
)]
pub struct ZlibDecompressor {
    state: Opaque<Exclusive<Incremental<Inflater>>>,
}

#[pymethods]
impl ZlibDecompressor {
    #[slot(sig = "(wbits=15, zdict=b'')")]
    fn __new__(vm: &Vm, cls: &Py<Type>, wbits: Option<i32>, zdict: Option<Readable<'_>>) -> Res<Value> {
        let wbits = wbits.unwrap_or(15);
        let dictionary = zdict
            .map(|zdict| zdict.0.into_owned())
            .filter(|zdict| !zdict.is_empty());
        let mut stream = new_inflate(vm, wbits)?;
        if wbits < 0
            && let Some(dictionary) = &dictionary
        {
            let code = stream.set_dictionary(dictionary);
            if code != stream::OK {
                return Err(fault(vm, code, "while setting zdict", stream.message()));
            }
        }
        let state = Incremental::new(Inflater { stream, dictionary });
        let this = ZlibDecompressor {
            state: Opaque(Exclusive::new(state)),
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
    /// If all of the input data was decompressed and returned (either because this
    /// was less than *max_length* bytes, or because *max_length* was negative),
    /// *self.needs_input* will be set to True.
    ///
    /// Attempting to decompress data after the end of stream is reached raises an
    /// EOFError.  Any data found after the end of the stream is ignored and saved in
    /// the unused_data attribute.
    #[pymethod(sig = "($self, /, data, max_length=-1)")]
    fn decompress(vm: &Vm, this: &Py<ZlibDecompressor>, data: Readable<'_>, max_length: Option<isize>) -> Res<Value> {
        let max = usize::try_from(max_length.unwrap_or(-1)).ok();
        let result = this.state.0.with(vm, this.header(), |state| {
            if state.eof {
                return None;
            }
            Some(vm.detached(|| state.decompress(&data.0, max)))
        });
        match result {
            None => Err(vm.eof_error("End of stream already reached")),
            Some(Ok(out)) => Ok(Bytes::new_value(out)),
            Some(Err(((code, message), what))) => Err(fault(vm, code, what, message)),
        }
    }

    /// True if the end-of-stream marker has been reached.
    #[getter]
    fn eof(vm: &Vm, this: &Py<ZlibDecompressor>) -> bool {
        this.state.0.with(vm, this.header(), |state| state.eof)
    }

    /// Data found after the end of the compressed stream.
    #[getter]
    fn unused_data(vm: &Vm, this: &Py<ZlibDecompressor>) -> Value {
        Bytes::new_value(this.state.0.with(vm, this.header(), |state| state.unused.clone()))
    }

    /// True if more input is needed before more decompressed data can be produced.
    #[getter]
    fn needs_input(vm: &Vm, this: &Py<ZlibDecompressor>) -> bool {
        this.state.0.with(vm, this.header(), |state| state.needs_input)
    }
}
