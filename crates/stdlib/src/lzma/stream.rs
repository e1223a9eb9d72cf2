//! Streams of liblzma.
//!
//! Invariant: the stream's pointers are set for each call from slices that outlive it, and are not read afterwards.

use liblzma_sys as sys;
use lisle_runtime::memory::room::{self, NoMemory};

use super::filters::{Chain, LzmaOptions};
use crate::incremental::{Decoder, Step};

/// The check of a stream whose header was not read yet.
pub const CHECK_UNKNOWN: u32 = 16;

type Code = sys::lzma_ret;

/// A container format.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Auto,
    Xz,
    Alone,
    Raw,
}

/// An encoder or decoder of liblzma.
pub struct Coder(sys::lzma_stream);

// SAFETY: liblzma's state is not bound to a thread, and the pointers to buffers are not used between calls.
unsafe impl Send for Coder {}

impl Drop for Coder {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised by zero bytes or by liblzma.
        unsafe { sys::lzma_end(&mut self.0) };
    }
}

fn no_memory(_: NoMemory) -> Code {
    sys::LZMA_MEM_ERROR
}

pub fn is_check_supported(check: i32) -> bool {
    // SAFETY: no memory is involved.
    check >= 0 && unsafe { sys::lzma_check_is_supported(check as sys::lzma_check) } != 0
}

impl Coder {
    fn start(init: impl FnOnce(&mut sys::lzma_stream) -> Code) -> Result<Coder, Code> {
        // SAFETY: `LZMA_STREAM_INIT` is all zero bytes.
        let mut coder = Coder(unsafe { std::mem::zeroed() });
        match init(&mut coder.0) {
            sys::LZMA_OK => Ok(coder),
            code => Err(code),
        }
    }

    pub fn xz_encoder(preset: u32, check: sys::lzma_check, chain: Option<Chain>) -> Result<Coder, Code> {
        // SAFETY: liblzma copies the filters.
        Coder::start(|stream| match chain {
            None => unsafe { sys::lzma_easy_encoder(stream, preset, check) },
            Some(chain) => chain.with_raw(|filters| unsafe { sys::lzma_stream_encoder(stream, filters, check) }),
        })
    }

    pub fn alone_encoder(options: &LzmaOptions) -> Result<Coder, Code> {
        // SAFETY: the options outlive the call.
        Coder::start(|stream| unsafe { sys::lzma_alone_encoder(stream, &options.0) })
    }

    pub fn raw_encoder(chain: &Chain) -> Result<Coder, Code> {
        // SAFETY: liblzma copies the filters.
        Coder::start(|stream| chain.with_raw(|filters| unsafe { sys::lzma_raw_encoder(stream, filters) }))
    }

    /// One step: how much was read, how much written, and what liblzma says.
    fn step(&mut self, input: &[u8], out: &mut [u8], action: sys::lzma_action) -> (usize, usize, Code) {
        let stream = &mut self.0;
        stream.next_in = input.as_ptr();
        stream.avail_in = input.len();
        stream.next_out = out.as_mut_ptr();
        stream.avail_out = out.len();
        // SAFETY: both slices outlive the call.
        let code = unsafe { sys::lzma_code(stream, action) };
        (input.len() - stream.avail_in, out.len() - stream.avail_out, code)
    }

    /// Compresses all of the input, and to the end if `finish`.
    pub fn encode(&mut self, input: &[u8], finish: bool) -> Result<Vec<u8>, Code> {
        let mut out = Vec::new();
        let mut at = 0;
        let action = if finish { sys::LZMA_FINISH } else { sys::LZMA_RUN };
        loop {
            let have = out.len();
            let room = have.clamp(8 * 1024, 1 << 24);
            room::grow(&mut out, room).map_err(no_memory)?;
            let (read, written, code) = self.step(&input[at..], &mut out[have..], action);
            at += read;
            out.truncate(have + written);
            match code {
                sys::LZMA_STREAM_END => return Ok(out),
                sys::LZMA_OK | sys::LZMA_NO_CHECK | sys::LZMA_GET_CHECK => {}
                sys::LZMA_BUF_ERROR if at == input.len() && written < room => {}
                code => return Err(code),
            }
            if !finish && at == input.len() && written < room {
                return Ok(out);
            }
        }
    }
}

/// A decoder; `check` is the integrity check of its stream.
pub struct Decoding {
    coder: Coder,
    pub check: u32,
}

impl Decoding {
    pub fn new(format: Format, limit: u64, chain: Option<Chain>) -> Result<Decoding, Code> {
        let flags = sys::LZMA_TELL_ANY_CHECK | sys::LZMA_TELL_NO_CHECK;
        // SAFETY: liblzma copies the filters.
        let coder = Coder::start(|stream| unsafe {
            match (format, &chain) {
                (Format::Auto, _) => sys::lzma_auto_decoder(stream, limit, flags),
                (Format::Xz, _) => sys::lzma_stream_decoder(stream, limit, flags),
                (Format::Alone, _) => sys::lzma_alone_decoder(stream, limit),
                (Format::Raw, Some(chain)) => chain.with_raw(|filters| sys::lzma_raw_decoder(stream, filters)),
                (Format::Raw, None) => sys::LZMA_OPTIONS_ERROR,
            }
        })?;
        let check = match format {
            Format::Auto | Format::Xz => CHECK_UNKNOWN,
            Format::Alone | Format::Raw => sys::LZMA_CHECK_NONE,
        };
        Ok(Decoding { coder, check })
    }
}

impl Decoder for Decoding {
    type Error = Code;

    fn no_memory(fault: NoMemory) -> Code {
        no_memory(fault)
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Code> {
        let (consumed, produced, code) = self.coder.step(input, out, sys::LZMA_RUN);
        let end = match code {
            sys::LZMA_STREAM_END => true,
            sys::LZMA_GET_CHECK | sys::LZMA_NO_CHECK => {
                // SAFETY: allowed after these codes.
                self.check = unsafe { sys::lzma_get_check(&self.coder.0) };
                // The stream goes on behind its header.
                let step = self.step(&input[consumed..], &mut out[produced..])?;
                return Ok(Step {
                    consumed: consumed + step.consumed,
                    produced: produced + step.produced,
                    end: step.end,
                });
            }
            sys::LZMA_OK => false,
            sys::LZMA_BUF_ERROR if consumed == input.len() && produced < out.len() => false,
            code => return Err(code),
        };
        Ok(Step {
            consumed,
            produced,
            end,
        })
    }
}
