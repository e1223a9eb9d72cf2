//! A compression or decompression stream of `libz-rs-sys`, the zlib interface in Rust.
//!
//! Invariant: the stream stays where it is in memory from its initialisation to its end, and is ended once, when it is dropped.
//! Pointers to input and output are only set during a call.

use std::ffi::CStr;
use std::mem::MaybeUninit;

use libz_rs_sys as z;
use lisle_runtime::memory::room;

pub const OK: i32 = 0;
pub const STREAM_END: i32 = 1;
pub const NEED_DICT: i32 = 2;
pub const STREAM_ERROR: i32 = -2;
pub const DATA_ERROR: i32 = -3;
pub const MEM_ERROR: i32 = -4;
pub const BUF_ERROR: i32 = -5;
pub const NO_FLUSH: i32 = 0;
pub const SYNC_FLUSH: i32 = 2;
pub const FINISH: i32 = 4;
pub const DEFLATED: i32 = 8;

/// What became of a call.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    pub code: i32,
    pub consumed: usize,
    pub produced: usize,
}

/// See the module.
pub struct Stream {
    raw: Box<z::z_stream>,
    compresses: bool,
}

// SAFETY: a stream has no ties to the thread that made it; its pointers are its own allocations.
unsafe impl Send for Stream {}

const SIZE: i32 = size_of::<z::z_stream>() as i32;

impl Stream {
    /// A stream that compresses.
    ///
    /// # Errors
    /// zlib's code.
    pub fn deflate(level: i32, method: i32, wbits: i32, mem_level: i32, strategy: i32) -> Result<Stream, i32> {
        let mut raw = Box::<z::z_stream>::default();
        // SAFETY: the stream is a default one, at an address that it keeps; the version is the library's own.
        let code = unsafe {
            z::deflateInit2_(
                &mut *raw,
                level,
                method,
                wbits,
                mem_level,
                strategy,
                z::zlibVersion(),
                SIZE,
            )
        };
        if code == OK {
            Ok(Stream { raw, compresses: true })
        } else {
            Err(code)
        }
    }

    /// A stream that decompresses.
    ///
    /// # Errors
    /// zlib's code.
    pub fn inflate(wbits: i32) -> Result<Stream, i32> {
        // The library would tell of a bad size on the error output as well.
        if !matches!(wbits, 0 | -15..=-8 | 8..=15 | 24..=31 | 40..=47) {
            return Err(STREAM_ERROR);
        }
        let mut raw = Box::<z::z_stream>::default();
        // SAFETY: as above.
        let code = unsafe { z::inflateInit2_(&mut *raw, wbits, z::zlibVersion(), SIZE) };
        if code == OK {
            Ok(Stream { raw, compresses: false })
        } else {
            Err(code)
        }
    }

    /// Works on a piece of input.
    pub fn step(&mut self, input: &[u8], out: &mut [u8], flush: i32) -> Outcome {
        let input = &input[..input.len().min(u32::MAX as usize)];
        let room = out.len().min(u32::MAX as usize);
        self.raw.next_in = input.as_ptr();
        self.raw.avail_in = input.len() as u32;
        self.raw.next_out = out.as_mut_ptr();
        self.raw.avail_out = room as u32;
        // SAFETY: the stream is initialised for this direction, and the pointers and lengths are those of the slices.
        let code = unsafe {
            if self.compresses {
                z::deflate(&mut *self.raw, flush)
            } else {
                z::inflate(&mut *self.raw, flush)
            }
        };
        let outcome = Outcome {
            code,
            consumed: input.len() - self.raw.avail_in as usize,
            produced: room - self.raw.avail_out as usize,
        };
        self.raw.next_in = std::ptr::null();
        self.raw.next_out = std::ptr::null_mut();
        self.raw.avail_in = 0;
        self.raw.avail_out = 0;
        outcome
    }

    /// As [`Stream::step`], appending to `out`, at most `most` bytes.
    pub fn step_into(&mut self, input: &[u8], out: &mut Vec<u8>, most: usize, flush: i32) -> Outcome {
        let have = out.len();
        let room = most.min(have.clamp(16 * 1024, 1 << 24));
        if room::grow(out, room).is_err() {
            return Outcome {
                code: MEM_ERROR,
                consumed: 0,
                produced: 0,
            };
        }
        let outcome = self.step(input, &mut out[have..], flush);
        out.truncate(have + outcome.produced);
        outcome
    }

    /// Sets the dictionary that data was or will be compressed with; zlib's code.
    pub fn set_dictionary(&mut self, dictionary: &[u8]) -> i32 {
        let length = dictionary.len().min(u32::MAX as usize) as u32;
        // SAFETY: the stream is initialised for this direction, pointer and length are those of the slice.
        unsafe {
            if self.compresses {
                z::deflateSetDictionary(&mut *self.raw, dictionary.as_ptr(), length)
            } else {
                z::inflateSetDictionary(&mut *self.raw, dictionary.as_ptr(), length)
            }
        }
    }

    /// A copy of the stream as it is.
    ///
    /// # Errors
    /// zlib's code.
    pub fn copy(&mut self) -> Result<Stream, i32> {
        let mut raw = Box::<MaybeUninit<z::z_stream>>::new(MaybeUninit::uninit());
        if !self.compresses {
            // The library refuses a stream without output; it is not written to.
            self.raw.next_out = std::ptr::NonNull::dangling().as_ptr();
        }
        // SAFETY: both directions write the whole destination if they succeed.
        let code = unsafe {
            if self.compresses {
                z::deflateCopy(raw.as_mut_ptr(), &mut *self.raw)
            } else {
                z::inflateCopy(raw.as_mut_ptr(), &*self.raw)
            }
        };
        self.raw.next_out = std::ptr::null_mut();
        if code != OK {
            return Err(code);
        }
        // SAFETY: it was written.
        let mut raw = unsafe { raw.assume_init() };
        raw.next_out = std::ptr::null_mut();
        Ok(Stream {
            raw,
            compresses: self.compresses,
        })
    }

    /// What zlib says of the last error.
    pub fn message(&self) -> Option<String> {
        if self.raw.msg.is_null() {
            return None;
        }
        // SAFETY: zlib's messages are static C strings.
        Some(unsafe { CStr::from_ptr(self.raw.msg) }.to_string_lossy().into_owned())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the stream is initialised for this direction and not ended yet.
        unsafe {
            if self.compresses {
                z::deflateEnd(&mut *self.raw);
            } else {
                z::inflateEnd(&mut *self.raw);
            }
        }
    }
}
