//! The `_bz2` module, on the `bzip2` crate.
//!
//! Invariant: a compressor or decompressor is worked on by one call at a time, detached.

use bzip2::{Action, Compress, Compression, Decompress, Error, Status};
use lisle_runtime::memory::room::{self, NoMemory};
use lisle_runtime::native::pymodule;

use crate::incremental::{Decoder, Step};

pub enum Fault {
    Library(Error),
    Memory(NoMemory),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Library(error)
    }
}

/// A compressor; `done` once it was flushed.
pub struct Compressor {
    compress: Compress,
    done: bool,
}

impl Compressor {
    /// Compresses all of the input, and to the end if `finish`.
    fn run(&mut self, input: &[u8], finish: bool) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        let mut at = 0;
        loop {
            if at == input.len() && !finish {
                return Ok(out);
            }
            let have = out.len();
            room::grow(&mut out, have.clamp(8 * 1024, 1 << 24)).map_err(Fault::Memory)?;
            let (read, written) = (self.compress.total_in(), self.compress.total_out());
            let action = if finish { Action::Finish } else { Action::Run };
            let status = self.compress.compress(&input[at..], &mut out[have..], action)?;
            at += (self.compress.total_in() - read) as usize;
            out.truncate(have + (self.compress.total_out() - written) as usize);
            if status == Status::StreamEnd {
                return Ok(out);
            }
        }
    }
}

/// A decoder. What failed once is not used again: the library's state is not made for that.
pub struct Bunzip {
    inner: Decompress,
    failed: bool,
}

impl Bunzip {
    fn new() -> Bunzip {
        Bunzip {
            inner: Decompress::new(false),
            failed: false,
        }
    }
}

impl Decoder for Bunzip {
    type Error = Fault;

    fn no_memory(fault: NoMemory) -> Fault {
        Fault::Memory(fault)
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Fault> {
        if self.failed {
            return Err(Error::Data.into());
        }
        let (read, written) = (self.inner.total_in(), self.inner.total_out());
        let status = self.inner.decompress(input, out);
        self.failed = status.is_err();
        let status = status?;
        Ok(Step {
            consumed: (self.inner.total_in() - read) as usize,
            produced: (self.inner.total_out() - written) as usize,
            end: status == Status::StreamEnd,
        })
    }
}

#[pymodule(name = "_bz2", types(BZ2Compressor, BZ2Decompressor))]
pub mod module {
    use super::{Bunzip, Compress, Compression, Compressor, Error, Fault};
    use crate::exclusive::Exclusive;
    use crate::incremental::{self, Incremental};
    use lisle_runtime::memory::trace::Opaque;
    use lisle_runtime::native::*;
    use lisle_runtime::types::buffer::Readable;
    use lisle_runtime::types::bytes::Bytes;

    fn fault(vm: &Vm, fault: Fault) -> Exc {
        let error = match fault {
            Fault::Library(error) => error,
            Fault::Memory(fault) => return fault.into(),
        };
        match error {
            Error::Param => vm.value_error("Internal error - invalid parameters passed to libbzip2"),
            Error::Data | Error::DataMagic => vm.os_error_message("Invalid data stream"),
            Error::Sequence => vm.runtime_error("Internal error - Invalid sequence of commands sent to libbzip2"),
        }
    }

    #[pyclass(
        name = "BZ2Compressor",
        module = "_bz2",
        gc = false,
        doc = "Create a compressor object for compressing data incrementally.\n\n  compresslevel\n    Compression level, as a number between 1 and 9.\n\nFor one-shot compression, use the compress() function instead."
    )]
    pub struct BZ2Compressor {
        state: Opaque<Exclusive<Compressor>>,
    }

    #[pymethods]
    impl BZ2Compressor {
        #[slot(sig = "(compresslevel=9, /)")]
        fn __new__(vm: &Vm, cls: &Py<Type>, compresslevel: Option<i32>) -> Res<Value> {
            let level = compresslevel.unwrap_or(9);
            if !(1..=9).contains(&level) {
                return Err(vm.value_error("compresslevel must be between 1 and 9"));
            }
            let state = Compressor {
                compress: Compress::new(Compression::new(level as u32), 0),
                done: false,
            };
            let this = BZ2Compressor {
                state: Opaque(Exclusive::new(state)),
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
        fn compress(vm: &Vm, this: &Py<BZ2Compressor>, data: Readable<'_>) -> Res<Value> {
            let result = this.state.0.with(vm, this.header(), |state| {
                (!state.done).then(|| vm.detached(|| state.run(&data.0, false)))
            });
            match result {
                None => Err(vm.value_error("Compressor has been flushed")),
                Some(Ok(out)) => Ok(Bytes::new_value(out)),
                Some(Err(error)) => Err(fault(vm, error)),
            }
        }

        /// Finish the compression process.
        ///
        /// Returns the compressed data left in internal buffers.
        ///
        /// The compressor object may not be used after this method is called.
        #[pymethod(sig = "($self, /)")]
        fn flush(vm: &Vm, this: &Py<BZ2Compressor>) -> Res<Value> {
            let result = this.state.0.with(vm, this.header(), |state| {
                if std::mem::replace(&mut state.done, true) {
                    return None;
                }
                Some(vm.detached(|| state.run(&[], true)))
            });
            match result {
                None => Err(vm.value_error("Repeated call to flush()")),
                Some(Ok(out)) => Ok(Bytes::new_value(out)),
                Some(Err(error)) => Err(fault(vm, error)),
            }
        }
    }

    #[pyclass(
        name = "BZ2Decompressor",
        module = "_bz2",
        gc = false,
        doc = "Create a decompressor object for decompressing data incrementally.\n\nFor one-shot decompression, use the decompress() function instead."
    )]
    pub struct BZ2Decompressor {
        state: Opaque<Exclusive<Incremental<Bunzip>>>,
    }

    #[pymethods]
    impl BZ2Decompressor {
        #[slot(sig = "()")]
        fn __new__(_vm: &Vm, cls: &Py<Type>) -> Res<Value> {
            let state = Incremental::new(Bunzip::new());
            let this = BZ2Decompressor {
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
        fn decompress(
            vm: &Vm,
            this: &Py<BZ2Decompressor>,
            data: Readable<'_>,
            max_length: Option<isize>,
        ) -> Res<Value> {
            match incremental::decompress(vm, this.header(), &this.state.0, &data.0, max_length) {
                None => Err(vm.eof_error("End of stream already reached")),
                Some(Ok(out)) => Ok(Bytes::new_value(out)),
                Some(Err(error)) => Err(fault(vm, error)),
            }
        }

        /// True if the end-of-stream marker has been reached.
        #[getter]
        fn eof(vm: &Vm, this: &Py<BZ2Decompressor>) -> bool {
            this.state.0.with(vm, this.header(), |state| state.eof)
        }

        /// Data found after the end of the compressed stream.
        #[getter]
        fn unused_data(vm: &Vm, this: &Py<BZ2Decompressor>) -> Value {
            Bytes::new_value(this.state.0.with(vm, this.header(), |state| state.unused.clone()))
        }

        /// True if more input is needed before more decompressed data can be produced.
        #[getter]
        fn needs_input(vm: &Vm, this: &Py<BZ2Decompressor>) -> bool {
            this.state.0.with(vm, this.header(), |state| state.needs_input)
        }
    }
}
