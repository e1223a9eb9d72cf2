//! Writing through a buffer.
//!
//! Invariant: bytes reach the raw stream in the order in which they were written; those that it did not take stay in the buffer.

use lisle_runtime::intern;
use lisle_runtime::native::{Exc, Res, Value, Vm};
use lisle_runtime::types::bytes::Bytes;

use super::{Buf, Core, Entered, READABLE, Raw, would_block};
use crate::io::base::retry_interrupted;
use crate::io::common::blocking_error;

const BLOCKS: &str = "write could not complete without blocking";

impl Core {
    /// Writes into the buffer if there is room for all.
    fn buffer_all(&mut self, bytes: &[u8]) -> bool {
        if self.read_end.is_none() && self.write_end.is_none() {
            self.pos = 0;
            self.raw_pos = Some(0);
        }
        if bytes.len() > self.size.saturating_sub(self.pos) || bytes.len() >= self.size || !self.ready() {
            return false;
        }
        let from = self.pos;
        self.bytes[from..from + bytes.len()].copy_from_slice(bytes);
        if self.write_end.is_none() || self.write_pos > from {
            self.write_pos = from;
        }
        self.move_to(from + bytes.len());
        if self.write_end.is_none_or(|end| end < self.pos) {
            self.write_end = Some(self.pos);
        }
        true
    }

    /// Moves the bytes that are still to be written to the start of the buffer.
    fn shift_writes(&mut self) {
        let (from, end) = (self.write_pos, self.write_end.unwrap_or(self.write_pos));
        self.bytes.copy_within(from..end, 0);
        self.write_end = Some(end - from);
        self.raw_pos = self.raw_pos.map(|raw| raw.saturating_sub(from));
        self.pos = self.pos.saturating_sub(from);
        self.write_pos = 0;
    }
}

impl Entered<'_> {
    /// Writes once to the raw stream; `None`: it would block.
    fn raw_write(&mut self, bytes: &[u8]) -> Res<Option<usize>> {
        let vm = self.buf.vm;
        let count = match &self.raw {
            Raw::File(file) => file.write_bytes(vm, bytes)?,
            Raw::Other(raw) => write_other(vm, raw, bytes)?,
        };
        if let Some(n) = count {
            self.advance_abs(n);
        }
        Ok(count)
    }

    /// The raw stream would block, and `n` bytes were taken.
    fn blocked(&self, n: usize) -> Exc {
        // What a stream written in Python leaves in C's `errno` is nothing.
        let errno = match self.raw {
            Raw::File(_) => libc::EAGAIN,
            Raw::Other(_) => 0,
        };
        blocking_error(self.buf.vm, errno, BLOCKS, n)
    }

    /// Writes out what is to be written.
    pub(super) fn flush_writes(&mut self) -> Res<()> {
        let Some(end) = self.write_end.filter(|&end| end > self.write_pos) else {
            self.forget_write();
            return Ok(());
        };
        let rewind = self.raw_offset() + (self.pos as i64 - self.write_pos as i64);
        if rewind != 0 {
            self.raw_seek(-rewind, 1)?;
            self.raw_pos = self.raw_pos.and_then(|raw| usize::try_from(raw as i64 - rewind).ok());
        }
        while self.write_pos < end {
            // The bytes leave the buffer for the call, which may run Python code.
            let bytes = std::mem::take(&mut self.bytes);
            let written = self.raw_write(&bytes[self.write_pos..end]);
            self.bytes = bytes;
            let Some(n) = written? else {
                return Err(self.blocked(0));
            };
            self.write_pos = (self.write_pos + n).min(end);
            self.raw_pos = Some(self.write_pos);
            self.vm().safepoint()?;
        }
        self.forget_write();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Res<usize> {
        if self.buffer_all(bytes) {
            return Ok(bytes.len());
        }
        if !self.ready() {
            return Err(self.vm().memory_error());
        }
        if let Err(exc) = self.flush_writes() {
            if !would_block(&exc) {
                return Err(exc);
            }
            if self.buf.inner.has(READABLE) {
                self.forget_read();
            }
            self.shift_writes();
            let end = self.write_end.unwrap_or(0);
            let n = (self.bytes.len() - end).min(bytes.len());
            self.bytes[end..end + n].copy_from_slice(&bytes[..n]);
            self.write_end = Some(end + n);
            self.pos = (self.pos + n).min(self.bytes.len());
            if n == bytes.len() {
                return Ok(n);
            }
            return Err(self.blocked(n));
        }
        // The raw stream may be elsewhere after reading.
        let offset = self.raw_offset();
        if offset != 0 {
            self.raw_seek(-offset, 1)?;
            self.raw_pos = self.raw_pos.and_then(|raw| usize::try_from(raw as i64 - offset).ok());
        }
        let mut written = 0;
        while bytes.len() - written > self.bytes.len() {
            match self.raw_write(&bytes[written..])? {
                Some(n) => {
                    written += n.min(bytes.len() - written);
                    self.vm().safepoint()?;
                }
                None => {
                    // Not everything fits: as much as the buffer takes.
                    let size = self.bytes.len();
                    self.bytes.copy_from_slice(&bytes[written..written + size]);
                    self.raw_pos = Some(0);
                    self.forget_read_for_writing();
                    self.move_to(size);
                    self.write_pos = 0;
                    self.write_end = Some(size);
                    return Err(self.blocked(written + size));
                }
            }
        }
        self.forget_read_for_writing();
        let rest = &bytes[written..];
        self.bytes[..rest.len()].copy_from_slice(rest);
        self.write_pos = 0;
        self.write_end = Some(rest.len());
        self.move_to(rest.len());
        self.raw_pos = Some(0);
        Ok(bytes.len())
    }

    fn forget_read_for_writing(&mut self) {
        if self.buf.inner.has(READABLE) {
            self.forget_read();
        }
    }
}

/// `raw.write(..)` of an object that is no plain file.
fn write_other(vm: &Vm, raw: &Value, bytes: &[u8]) -> Res<Option<usize>> {
    let data = Bytes::new_value(bytes);
    let view = crate::io::view_of(vm, &data)?;
    let result = retry_interrupted(vm, || {
        vm.call_method(raw, intern!("write"), std::slice::from_ref(&view))
    });
    crate::io::release_view(vm, &view, &data);
    let result = result?;
    if result.is_none() {
        return Ok(None);
    }
    let count = vm.index_to_isize(&result)?;
    match usize::try_from(count) {
        Ok(n) if n <= bytes.len() => Ok(Some(n)),
        _ => {
            let size = bytes.len();
            Err(vm.os_error_message(format!(
                "raw write() returned invalid length {count} (should have been between 0 and {size})"
            )))
        }
    }
}

impl Buf<'_> {
    /// `write(bytes)`
    pub fn write(self, bytes: &[u8]) -> Res<usize> {
        let raw = self.raw()?;
        if self.raw_closed(&raw)? {
            return Err(self.vm.value_error("write to closed file"));
        }
        let done = self.with_idle(|core| (core.size > 0 && core.buffer_all(bytes)).then_some(()));
        if done.is_some() {
            return Ok(bytes.len());
        }
        let mut core = self.enter()?;
        // Another thread may have closed the stream meanwhile.
        if core.size == 0 || self.raw_closed(core.raw.value())? {
            return Err(self.vm.value_error("write to closed file"));
        }
        core.write(bytes)
    }
}
