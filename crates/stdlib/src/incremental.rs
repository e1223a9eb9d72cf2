//! What the decompressors of `bz2`, `lzma` and `zstd` have in common: input comes in pieces, output may be limited.
//!
//! Invariant: `pending`, from `seen` on, is input that the decoder has not seen; after the end of the stream the rest of it is
//! in `unused`.

use lisle_runtime::memory::room::{self, NoMemory};

use lisle_runtime::memory::header::Header;
use lisle_runtime::native::Vm;

use crate::exclusive::Exclusive;

/// What a decoder did with a piece of input.
pub struct Step {
    pub consumed: usize,
    pub produced: usize,
    /// The stream has ended.
    pub end: bool,
}

/// A decoder that works from one piece of memory into another.
pub trait Decoder: Send + 'static {
    type Error;
    /// What stands for memory that the system does not give.
    fn no_memory(_: NoMemory) -> Self::Error;
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Self::Error>;
}

/// A decompressor object's state.
pub struct Incremental<D> {
    pub decoder: D,
    pending: Vec<u8>,
    seen: usize,
    pub eof: bool,
    pub unused: Vec<u8>,
    pub needs_input: bool,
    /// The decoder may have more output without more input when a limit stops it.
    holds_back: bool,
}

/// The method `decompress(data, max_length)` of an object with that header: `None` after the end of its stream.
pub fn decompress<D: Decoder>(
    vm: &Vm,
    header: &Header,
    state: &Exclusive<Incremental<D>>,
    data: &[u8],
    max_length: Option<isize>,
) -> Option<Result<Vec<u8>, D::Error>> {
    let max = max_length.and_then(|max| usize::try_from(max).ok());
    state.with(vm, header, |state| {
        (!state.eof).then(|| vm.detached(|| state.decompress(data, max)))
    })
}

/// How much output is asked for at once.
const CHUNK: usize = 64 * 1024;

impl<D: Decoder> Incremental<D> {
    pub fn new(decoder: D) -> Incremental<D> {
        Incremental {
            decoder,
            pending: Vec::new(),
            seen: 0,
            eof: false,
            unused: Vec::new(),
            needs_input: true,
            holds_back: false,
        }
    }

    /// For a decoder that may have more output without more input when a limit stops it.
    pub fn holding_back(decoder: D) -> Incremental<D> {
        Incremental {
            holds_back: true,
            ..Incremental::new(decoder)
        }
    }

    /// Takes more input and gives out what it decodes to, `max` bytes at most. Not to be called after the end.
    ///
    /// # Errors
    /// The decoder's; what was pending is dropped then.
    pub fn decompress(&mut self, data: &[u8], max: Option<usize>) -> Result<Vec<u8>, D::Error> {
        let mut held = std::mem::take(&mut self.pending);
        let mut at = std::mem::take(&mut self.seen);
        if !held.is_empty() && !data.is_empty() {
            held.drain(..at);
            at = 0;
            room::append(&mut held, data).map_err(D::no_memory)?;
        }
        let input: &[u8] = if held.is_empty() { data } else { &held };
        let limit = max.unwrap_or(usize::MAX);
        let mut out = Vec::new();
        while out.len() < limit {
            let have = out.len();
            let room = (limit - have).min(CHUNK.max(have).min(1 << 24));
            room::grow(&mut out, room).map_err(D::no_memory)?;
            let step = self.decoder.step(&input[at..], &mut out[have..]);
            let step = match step {
                Ok(step) => step,
                Err(error) => {
                    self.needs_input = false;
                    return Err(error);
                }
            };
            out.truncate(have + step.produced);
            at += step.consumed;
            if step.end {
                self.eof = true;
                break;
            }
            let stuck = step.consumed == 0 && step.produced == 0;
            if stuck || at == input.len() && step.produced < room {
                break;
            }
        }
        let rest = &input[at..];
        if self.eof {
            self.needs_input = false;
            self.unused = room::copied(rest).map_err(D::no_memory)?;
            return Ok(out);
        }
        self.needs_input = rest.is_empty() && !(self.holds_back && out.len() >= limit);
        if !rest.is_empty() && held.is_empty() {
            self.pending = room::copied(rest).map_err(D::no_memory)?;
        } else if !rest.is_empty() {
            self.pending = held;
            self.seen = at;
        }
        Ok(out)
    }
}
