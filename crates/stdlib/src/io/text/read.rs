//! Reading text: chunks are decoded whole, and characters handed out of them.
//!
//! Invariant: a new chunk is stored and a line taken from it in one step, so that lines stay whole between threads.

use std::sync::atomic::Ordering::Relaxed;

use lisle_runtime::intern;
use lisle_runtime::native::{Native, Py, Res, Str, Value, Vm};
use lisle_runtime::text::{StrBuf, StrBuilder, StrView};
use lisle_runtime::types::buffer::bytes_of;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;

use super::codec::{Codec, Decoding, decode_by, decoder_state};
use super::{Below, CAN_READ, HAS_READ1, SEEKABLE, Snapshot, State, TELLING, TextIOWrapper};
use crate::io::common::{LineEnd, call0, text_value, unsupported};

/// A chunk that was read.
struct Chunk {
    text: StrBuf,
    /// The end of the stream was reached, and there is no text.
    end: bool,
    bytes: usize,
    snapshot: Option<Snapshot>,
}

impl State {
    fn store(&mut self, chunk: Chunk) {
        let chars = chunk.text.len();
        self.ratio = if chars > 0 {
            chunk.bytes as f64 / chars as f64
        } else {
            0.0
        };
        self.text = Some(chunk.text);
        self.used = 0;
        if chunk.snapshot.is_some() {
            self.snapshot = chunk.snapshot;
        }
    }

    fn rest(&self) -> StrView<'_> {
        match &self.text {
            Some(text) => {
                let view = text.view();
                view.slice(self.used.min(view.len())..view.len())
            }
            None => StrView::Ascii(b""),
        }
    }

    /// Moves characters up to the end of the line, or `limit` of the line, to `line`. Whether that ends it.
    fn take_line(&mut self, end: LineEnd, line: &mut StrBuilder, limit: Option<usize>) -> bool {
        let rest = self.rest();
        let room = limit.map_or(usize::MAX, |limit| limit.saturating_sub(line.len()));
        let split_crlf = end == LineEnd::CrLf
            && !line.is_empty()
            && line.view().get(line.len() - 1) == Some(u32::from(b'\r'))
            && rest.get(0) == Some(u32::from(b'\n'));
        let found = if split_crlf { Some(1) } else { end.find(rest, 0) };
        let to = found.unwrap_or(rest.len()).min(room);
        line.push_view(rest.slice(0..to));
        let done = found == Some(to) || to == room;
        self.used += to;
        done
    }
}

impl TextIOWrapper {
    /// Reads and decodes one chunk, about as much as `hint` characters take.
    fn read_chunk(vm: &Vm, this: &Py<TextIOWrapper>, below: &Below, hint: usize) -> Res<Chunk> {
        let codec = this.codec();
        let telling = this.has(TELLING);
        let newline = this.newline_kind();
        let decoder = if codec == Codec::Other {
            this.decoder.get()
        } else {
            None
        };
        if codec == Codec::Other && decoder.is_none() {
            return Err(unsupported(vm, "not readable"));
        }
        let before = match &decoder {
            _ if !telling => None,
            Some(decoder) => Some(decoder_state(vm, decoder)?),
            None => Some(TextIOWrapper::with_state(this, |state| {
                (state.decode.input.clone(), state.decode.flags(newline))
            })),
        };
        let mut size = this.chunk_size.load(Relaxed);
        if hint > 0 {
            let ratio = TextIOWrapper::with_state(this, |state| state.ratio).max(1.0);
            size = size.max((ratio * hint as f64) as usize);
        }
        let bytes = match below.buf(vm) {
            Some(buf) if !matches!(below, Below::Writer(_)) => {
                buf.read1(isize::try_from(size).unwrap_or(isize::MAX))?
            }
            _ => {
                let (name, shown) = if this.has(HAS_READ1) {
                    (intern!("read1"), "read1")
                } else {
                    (intern!("read"), "read")
                };
                let data = vm.call_method(below.value(), name, &[Value::usize(size)])?;
                match bytes_of(&data) {
                    Some(bytes) => bytes.into_owned(),
                    None => {
                        let found = data.ty().name();
                        return Err(vm.type_error(format!(
                            "underlying {shown}() should have returned a bytes-like object, not '{found}'"
                        )));
                    }
                }
            }
        };
        let last = bytes.is_empty();
        let count = bytes.len();
        let snapshot = before.map(|(mut input, flags)| {
            input.extend_from_slice(&bytes);
            Snapshot { flags, input }
        });
        let text = TextIOWrapper::decode(vm, this, decoder.as_ref(), bytes, last)?;
        Ok(Chunk {
            end: last && text.is_empty(),
            bytes: count,
            text,
            snapshot,
        })
    }

    /// Decodes bytes with the stream's decoder.
    pub(super) fn decode(
        vm: &Vm,
        this: &Py<TextIOWrapper>,
        decoder: Option<&Value>,
        bytes: Vec<u8>,
        last: bool,
    ) -> Res<StrBuf> {
        if let Some(decoder) = decoder {
            let text = decode_by(vm, decoder, &Bytes::new_value(bytes), last)?;
            return Ok(text
                .downcast::<Str>()
                .map_or_else(StrBuf::new, |text| text.view().to_buf()));
        }
        let decoding = Decoding {
            vm,
            codec: this.codec(),
            newline: this.newline_kind(),
            stream: this,
        };
        let mut decode = TextIOWrapper::with_state(this, |state| state.decode.clone());
        let text = decoding.run(&mut decode, bytes, last)?;
        TextIOWrapper::with_state(this, |state| state.decode = decode);
        Ok(text)
    }

    /// The next line, at most `limit` characters of it; `None` at the end.
    pub(super) fn read_line(vm: &Vm, this: &Py<TextIOWrapper>, limit: Option<usize>) -> Res<Option<Value>> {
        let below = TextIOWrapper::open_below(vm, this)?;
        if !this.has(CAN_READ) {
            return Err(unsupported(vm, "not readable"));
        }
        let end = this.newline_kind().line_end();
        let found = TextIOWrapper::with_state(this, |state| {
            if !state.pending.is_empty() {
                return None;
            }
            let rest = state.rest();
            let found = end.find(rest, 0);
            let to = match limit {
                Some(limit) if limit <= found.unwrap_or(rest.len()) => limit,
                _ => found?,
            };
            let line = rest.slice(0..to);
            let line = match line {
                StrView::Ascii(_) => Str::try_from_view(line),
                other => Str::try_from_view(other.to_buf().view()),
            };
            state.used += to;
            Some(line)
        });
        if let Some(line) = found {
            let line = line.ok_or_else(|| vm.memory_error())?;
            return Ok((!line.is_empty()).then(|| line.into_value()));
        }
        let _turn = this.turn(vm, &below)?;
        TextIOWrapper::write_pending(vm, this, &below)?;
        let mut line = StrBuilder::new();
        let mut chunk: Option<Chunk> = None;
        loop {
            let done = TextIOWrapper::with_state(this, |state| {
                if let Some(chunk) = chunk.take() {
                    state.store(chunk);
                }
                state.take_line(end, &mut line, limit)
            });
            if done {
                break;
            }
            let next = TextIOWrapper::read_chunk(vm, this, &below, 0)?;
            if next.end {
                TextIOWrapper::with_state(this, State::forget_text);
                break;
            }
            chunk = Some(next);
        }
        if line.is_empty() {
            return Ok(None);
        }
        text_value(vm, line.view()).map(Some)
    }

    /// `next(stream)`
    pub(super) fn next_line(vm: &Vm, this: &Py<TextIOWrapper>) -> Res<Option<Value>> {
        this.below(vm)?;
        this.set(TELLING, false);
        let line = if this.class().is(TextIOWrapper::ty()) {
            TextIOWrapper::read_line(vm, this, None)?
        } else {
            let line = call0(vm, this.as_value(), intern!("readline"))?;
            let Some(text) = line.downcast::<Str>() else {
                let found = line.ty().name();
                let message = format!("readline() should have returned a str object, not '{found}'");
                return Err(vm.os_error_message(message));
            };
            if text.is_empty() { None } else { Some(line) }
        };
        if line.is_none() {
            TextIOWrapper::with_state(this, |state| state.snapshot = None);
            this.set(TELLING, this.has(SEEKABLE));
        }
        Ok(line)
    }

    /// `read(size)`: everything if that is negative.
    pub(super) fn read_text(vm: &Vm, this: &Py<TextIOWrapper>, size: isize) -> Res<Value> {
        let below = TextIOWrapper::open_below(vm, this)?;
        if !this.has(CAN_READ) {
            return Err(unsupported(vm, "not readable"));
        }
        let _turn = this.turn(vm, &below)?;
        TextIOWrapper::write_pending(vm, this, &below)?;
        let Ok(size) = usize::try_from(size) else {
            return TextIOWrapper::read_rest(vm, this, &below);
        };
        let mut text = StrBuilder::new();
        let mut chunk: Option<Chunk> = None;
        loop {
            TextIOWrapper::with_state(this, |state| {
                if let Some(chunk) = chunk.take() {
                    state.store(chunk);
                }
                let rest = state.rest();
                let n = rest.len().min(size - text.len());
                text.push_view(rest.slice(0..n));
                state.used += n;
            });
            if text.len() == size {
                break;
            }
            let next = TextIOWrapper::read_chunk(vm, this, &below, size - text.len())?;
            if next.end {
                break;
            }
            chunk = Some(next);
        }
        text_value(vm, text.view())
    }

    fn read_rest(vm: &Vm, this: &Py<TextIOWrapper>, below: &Below) -> Res<Value> {
        let bytes = match below.buf(vm) {
            Some(buf) if !matches!(below, Below::Writer(_)) => buf.read_bytes(-1)?,
            _ => {
                let data = call0(vm, below.value(), intern!("read"))?;
                if data.is_none() {
                    None
                } else {
                    Some(match bytes_of(&data) {
                        Some(bytes) => bytes.into_owned(),
                        None => {
                            let found = data.ty().name();
                            return Err(vm.type_error(format!(
                                "underlying read() should have returned a bytes-like object, not '{found}'"
                            )));
                        }
                    })
                }
            }
        };
        let Some(bytes) = bytes else {
            return Err(vm.new_exception(
                exceptions::BLOCKING_IO_ERROR.get(),
                vec![Value::from("Read returned None.")],
            ));
        };
        let decoder = if this.codec() == Codec::Other {
            this.decoder.get()
        } else {
            None
        };
        let new = TextIOWrapper::decode(vm, this, decoder.as_ref(), bytes, true)?;
        let all = TextIOWrapper::with_state(this, |state| {
            let rest = state.rest();
            let all = if rest.is_empty() {
                Some(new)
            } else {
                rest.concat(new.view())
            };
            state.forget_text();
            all
        });
        match all {
            Some(all) => text_value(vm, all.view()),
            None => Err(vm.memory_error()),
        }
    }
}
