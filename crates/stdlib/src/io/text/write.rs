//! Writing text: small pieces are collected and passed on in chunks.
//!
//! Invariant: bytes are passed on in the order in which they were added; while they are on their way, others may be added.

use std::sync::atomic::Ordering::Relaxed;

use lisle_runtime::intern;
use lisle_runtime::native::{Py, Res, Str, Vm};
use lisle_runtime::types::bytes::Bytes;

use super::codec::Codec;
use super::{Below, CAN_WRITE, LINE_BUFFERING, TextIOWrapper, WRITE_THROUGH};
use crate::io::base::retry_interrupted;
use crate::io::common::{call0, unsupported};
use crate::io::fileio::FileIO;
use crate::io::stringio::replace_newlines;

impl TextIOWrapper {
    /// `write(text)`
    pub(super) fn write_text(vm: &Vm, this: &Py<TextIOWrapper>, text: &Py<Str>) -> Res<usize> {
        let below = TextIOWrapper::open_below(vm, this)?;
        if !this.has(CAN_WRITE) {
            return Err(unsupported(vm, "not writable"));
        }
        let mut view = text.view();
        let line_buffering = this.has(LINE_BUFFERING);
        let ending = this.newline_kind().written();
        let replaced;
        let mut flush = false;
        if ending.is_some() || line_buffering {
            let has_lf = view.find_char(u32::from(b'\n')).is_some();
            flush = line_buffering && (has_lf || view.find_char(u32::from(b'\r')).is_some());
            if let Some(ending) = ending.filter(|_| has_lf) {
                replaced = replace_newlines(view, ending);
                view = replaced.view();
            }
        }
        let bytes = this.encode(vm, text, view)?;
        let chunk = this.chunk_size.load(Relaxed);
        let full = TextIOWrapper::add_pending(vm, this, &below, &bytes, chunk)?;
        if full || flush || this.has(WRITE_THROUGH) {
            TextIOWrapper::write_pending(vm, this, &below)?;
        }
        if flush {
            below.flush(vm)?;
        }
        if this.codec() == Codec::Other
            && let Some(decoder) = this.decoder.get()
        {
            call0(vm, &decoder, intern!("reset"))?;
        }
        Ok(text.len())
    }

    /// Adds bytes to those that wait, which are passed on before they become too many. Whether they are many now.
    fn add_pending(vm: &Vm, this: &Py<TextIOWrapper>, below: &Below, bytes: &[u8], chunk: usize) -> Res<bool> {
        loop {
            let added = TextIOWrapper::with_state(this, |state| {
                if !state.pending.is_empty() && state.pending.len() + bytes.len() > chunk {
                    return None;
                }
                if state.pending.capacity() == 0 {
                    state.pending.reserve(chunk.min(super::CHUNK_SIZE).max(bytes.len()));
                }
                state.pending.extend_from_slice(bytes);
                // What was read ahead is no longer what comes next.
                if state.snapshot.is_some() {
                    state.forget_text();
                }
                if !state.decode.input.is_empty() {
                    state.decode.input = Vec::new();
                }
                state.decode.newline = Default::default();
                Some(state.pending.len() >= chunk)
            });
            if let Some(full) = added {
                return Ok(full);
            }
            TextIOWrapper::write_pending(vm, this, below)?;
        }
    }

    /// Passes on what waits.
    pub(super) fn write_pending(vm: &Vm, this: &Py<TextIOWrapper>, below: &Below) -> Res<()> {
        if TextIOWrapper::with_state(this, |state| state.pending.is_empty()) {
            return Ok(());
        }
        let _turn = this.turn(vm, below)?;
        let mut bytes = TextIOWrapper::with_state(this, |state| std::mem::take(&mut state.pending));
        if bytes.is_empty() {
            return Ok(());
        }
        match below.buf(vm) {
            Some(buf) if !matches!(below, Below::Reader(_)) => {
                let written = buf.write(&bytes);
                // The memory is used again.
                bytes.clear();
                if bytes.capacity() <= 2 * super::CHUNK_SIZE {
                    TextIOWrapper::with_state(this, |state| {
                        if state.pending.capacity() == 0 {
                            std::mem::swap(&mut state.pending, &mut bytes);
                        }
                    });
                }
                written.map(drop)
            }
            _ => {
                if let Some(file) = below.value().downcast_exact::<FileIO>() {
                    // A file takes no more than it can at once, when a signal comes or what reads a pipe ends.
                    let mut rest = &bytes[..];
                    while let Some(n) = file.write_bytes(vm, rest)?
                        && n < rest.len()
                    {
                        rest = &rest[n..];
                        vm.safepoint()?;
                    }
                    return Ok(());
                }
                let data = Bytes::new_value(bytes);
                retry_interrupted(vm, || {
                    vm.call_method(below.value(), intern!("write"), std::slice::from_ref(&data))
                })
                .map(drop)
            }
        }
    }
}
