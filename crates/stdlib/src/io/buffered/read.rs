//! Reading through a buffer.
//!
//! Invariant: what is in the buffer is handed out before the raw stream is asked; `None` of the raw stream (it would block) ends
//! an operation with what there is.

use lisle_runtime::intern;
use lisle_runtime::memory::room as memory;
use lisle_runtime::native::{Res, Value, Vm};
use lisle_runtime::types::buffer::Buffer;
use lisle_runtime::types::bytearray::ByteArray;
use lisle_runtime::types::bytes::Bytes;

use super::{Buf, Entered, READABLE, Raw, WRITABLE};
use crate::io::base::retry_interrupted;
use crate::io::common::{expect_bytes, os_error_from_cause};
use crate::io::fileio::{room, store};

/// What a raw stream gave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Got {
    Bytes(usize),
    /// It would block.
    Nothing,
}

impl Got {
    fn count(self) -> usize {
        match self {
            Got::Bytes(n) => n,
            Got::Nothing => 0,
        }
    }
}

impl Entered<'_> {
    /// Reads once from the raw stream, at most `size` bytes behind the end of `out`, which has room for them.
    fn raw_read(&mut self, out: &mut Vec<u8>, size: usize) -> Res<Got> {
        let vm = self.buf.vm;
        let count = match &self.raw {
            Raw::File(file) => file.read_into(vm, out, size)?,
            Raw::Other(raw) => read_other(vm, raw, out, size)?,
        };
        Ok(match count {
            Some(n) => {
                self.advance_abs(n);
                Got::Bytes(n)
            }
            None => Got::Nothing,
        })
    }

    /// Reads once from the raw stream to the free end of the buffer.
    fn fill(&mut self) -> Res<Got> {
        let vm = self.buf.vm;
        let start = self.read_end.unwrap_or(0);
        if !self.ready() {
            return Err(vm.memory_error());
        }
        // The buffer is taken out for the call, which may run signal handlers or any Python code.
        let mut bytes = std::mem::take(&mut self.bytes);
        let count = match &self.raw {
            Raw::File(file) => file.read_slice(vm, &mut bytes[start..]),
            Raw::Other(raw) => {
                let mut out = Vec::new();
                let count = read_other(vm, raw, &mut out, bytes.len() - start);
                if let Ok(Some(n)) = count {
                    bytes[start..start + n].copy_from_slice(&out);
                }
                count
            }
        };
        self.bytes = bytes;
        Ok(match count? {
            Some(n) => {
                self.advance_abs(n);
                if n > 0 {
                    self.read_end = Some(start + n);
                    self.raw_pos = Some(start + n);
                }
                Got::Bytes(n)
            }
            None => Got::Nothing,
        })
    }

    /// Before anything is read past the end of the buffer.
    fn leave_buffer(&mut self) -> Res<()> {
        if self.buf.inner.has(WRITABLE) {
            self.flush_and_rewind()?;
        }
        self.forget_read();
        Ok(())
    }

    /// Everything up to the end; `None` if there is nothing and the raw stream would block.
    fn read_all(&mut self) -> Res<Option<Vec<u8>>> {
        let vm = self.buf.vm;
        let ahead = self.ahead();
        let mut all = self.take(ahead).to_vec();
        self.leave_buffer()?;
        let raw = match &self.raw {
            Raw::File(file) => {
                let rest = file.read_all(vm)?;
                return self.joined(all, rest);
            }
            Raw::Other(raw) => raw.clone(),
        };
        if let Some(readall) = vm.getattr_opt(&raw, intern!("readall"))? {
            let rest = vm.call(&readall, &[])?;
            if rest.is_none() {
                return self.joined(all, None);
            }
            let rest = memory::copied(expect_bytes(vm, &rest, "readall()")?.as_slice())?;
            return self.joined(all, Some(rest));
        }
        loop {
            let data = vm.call_method(&raw, intern!("read"), &[])?;
            if data.is_none() {
                return self.joined(all, None);
            }
            let bytes = expect_bytes(vm, &data, "read()")?.as_slice();
            if bytes.is_empty() {
                return Ok(Some(all));
            }
            self.advance_abs(bytes.len());
            memory::append(&mut all, bytes)?;
        }
    }

    fn joined(&mut self, mut all: Vec<u8>, rest: Option<Vec<u8>>) -> Res<Option<Vec<u8>>> {
        Ok(match rest {
            None if all.is_empty() => None,
            None => Some(all),
            Some(rest) => {
                self.advance_abs(rest.len());
                if all.is_empty() {
                    return Ok(Some(rest));
                }
                memory::append(&mut all, &rest)?;
                Some(all)
            }
        })
    }

    /// `size` bytes, fewer at the end of the stream or where it would block; `None` if there are none and it would.
    fn read_size(&mut self, size: usize) -> Res<Option<Vec<u8>>> {
        let vm = self.buf.vm;
        let ahead = self.ahead();
        if size <= ahead {
            return Ok(Some(self.take(size).to_vec()));
        }
        let mut out = room(vm, size)?;
        out.extend_from_slice(self.take(ahead));
        self.leave_buffer()?;
        let block = self.size.max(1);
        // Whole blocks go past the buffer.
        while size - out.len() >= block {
            let wanted = size - out.len();
            let got = self.raw_read(&mut out, wanted - wanted % block)?;
            if got.count() == 0 {
                return Ok(if got == Got::Nothing && out.is_empty() {
                    None
                } else {
                    Some(out)
                });
            }
        }
        self.pos = 0;
        self.raw_pos = Some(0);
        self.read_end = Some(0);
        while out.len() < size && self.read_end.is_some_and(|end| end < self.size) {
            let got = self.fill()?;
            if got.count() == 0 {
                return Ok(if got == Got::Nothing && out.is_empty() {
                    None
                } else {
                    Some(out)
                });
            }
            let n = self.ahead().min(size - out.len());
            out.extend_from_slice(self.take(n));
        }
        Ok(Some(out))
    }

    fn read_line(&mut self, limit: Option<usize>) -> Res<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let left = limit.map_or(usize::MAX, |limit| limit - line.len());
            let n = self.ahead().min(left);
            let seen = &self.bytes[self.pos..self.pos + n];
            if let Some(at) = memchr::memchr(b'\n', seen) {
                memory::append(&mut line, self.take(at + 1))?;
                return Ok(line);
            }
            memory::append(&mut line, self.take(n))?;
            if n == left {
                return Ok(line);
            }
            self.leave_buffer()?;
            self.pos = 0;
            if self.fill()?.count() == 0 {
                return Ok(line);
            }
        }
    }
}

/// `raw.readinto(..)` of an object that is no plain file.
fn read_other(vm: &Vm, raw: &Value, out: &mut Vec<u8>, size: usize) -> Res<Option<usize>> {
    let array = ByteArray::new_value(memory::zeroed(size)?);
    let view = crate::io::view_of(vm, &array)?;
    let result = retry_interrupted(vm, || {
        vm.call_method(raw, intern!("readinto"), std::slice::from_ref(&view))
    });
    crate::io::release_view(vm, &view, &array);
    let result = result?;
    if result.is_none() {
        return Ok(None);
    }
    let count = match vm.index_to_isize(&result) {
        Ok(count) => count,
        Err(exc) => return Err(os_error_from_cause(vm, "raw readinto() failed", exc)),
    };
    let Some(n) = usize::try_from(count).ok().filter(|&n| n <= size) else {
        return Err(vm.os_error_message(format!(
            "raw readinto() returned invalid length {count} (should have been between 0 and {size})"
        )));
    };
    let n = match array.downcast::<ByteArray>() {
        Some(array) => array.with(|bytes| {
            let n = n.min(bytes.len());
            memory::append(out, &bytes[..n]).map(|()| n)
        })?,
        None => 0,
    };
    Ok(Some(n))
}

fn value_of(bytes: Option<Vec<u8>>) -> Value {
    bytes.map_or(Value::NONE, Bytes::new_value)
}

impl Buf<'_> {
    /// `read(size)`: -1 for everything.
    pub fn read(self, size: isize) -> Res<Value> {
        self.read_bytes(size).map(value_of)
    }

    /// As [`Buf::read`], the bytes themselves.
    pub fn read_bytes(self, size: isize) -> Res<Option<Vec<u8>>> {
        if size < -1 {
            return Err(self.vm.value_error("read length must be non-negative or -1"));
        }
        self.open_raw("read of closed file")?;
        let Ok(size) = usize::try_from(size) else {
            return self.enter()?.read_all();
        };
        if let Some(bytes) = self.with_idle(|core| (size <= core.ahead()).then(|| core.take(size).to_vec())) {
            return Ok(Some(bytes));
        }
        self.enter()?.read_size(size)
    }

    /// `read1(size)`: -1 for as much as the buffer holds. At most one call of the raw stream.
    pub fn read1(self, size: isize) -> Res<Vec<u8>> {
        self.open_raw("read of closed file")?;
        if size == 0 {
            return Ok(Vec::new());
        }
        let mut core = self.enter()?;
        let size = usize::try_from(size).unwrap_or(core.size);
        let ahead = core.ahead();
        if ahead > 0 {
            return Ok(core.take(size.min(ahead)).to_vec());
        }
        core.leave_buffer()?;
        let mut out = room(self.vm, size)?;
        core.raw_read(&mut out, size)?;
        Ok(out)
    }

    /// `readinto` and, with `once`, `readinto1`.
    pub fn read_into(self, buffer: &Buffer, once: bool) -> Res<Option<usize>> {
        self.open_raw("readinto of closed file")?;
        let size = buffer.len;
        let mut core = self.enter()?;
        let n = core.ahead().min(size);
        let mut written = n;
        if n > 0 {
            let part = core.take(n).to_vec();
            store(self.vm, buffer, 0, &part)?;
        }
        if written == size {
            return Ok(Some(size));
        }
        core.leave_buffer()?;
        core.pos = 0;
        while written < size {
            let left = size - written;
            let got = if left > core.size {
                let mut part = room(self.vm, left)?;
                let got = core.raw_read(&mut part, left)?;
                store(self.vm, buffer, written, &part)?;
                got
            } else if once && written > 0 {
                Got::Bytes(0)
            } else {
                let got = core.fill()?;
                if let Got::Bytes(n @ 1..) = got {
                    let n = n.min(left);
                    let part = core.take(n).to_vec();
                    store(self.vm, buffer, written, &part)?;
                    written += n;
                    continue;
                }
                got
            };
            match got {
                Got::Nothing if written == 0 => return Ok(None),
                Got::Nothing | Got::Bytes(0) => break,
                Got::Bytes(n) => written += n,
            }
            if once {
                break;
            }
        }
        Ok(Some(written))
    }

    /// `readline(limit)`: -1 for no limit.
    pub fn readline(self, limit: isize) -> Res<Vec<u8>> {
        self.open_raw("readline of closed file")?;
        let limit = usize::try_from(limit).ok();
        let found = self.with_idle(|core| {
            let n = core.ahead().min(limit.unwrap_or(usize::MAX));
            let seen = &core.bytes[core.pos..core.pos + n];
            match memchr::memchr(b'\n', seen) {
                Some(at) => Some(core.take(at + 1).to_vec()),
                None if Some(n) == limit => Some(core.take(n).to_vec()),
                None => None,
            }
        });
        match found {
            Some(line) => Ok(line),
            None => self.enter()?.read_line(limit),
        }
    }

    /// `peek()`
    pub fn peek(self) -> Res<Vec<u8>> {
        self.open_raw("peek of closed file")?;
        let mut core = self.enter()?;
        if self.inner.has(WRITABLE) {
            core.flush_and_rewind()?;
        }
        debug_assert!(self.inner.has(READABLE));
        if core.ahead() == 0 {
            core.forget_read();
            core.fill()?;
            core.pos = 0;
        }
        let end = core.pos + core.ahead();
        Ok(core.bytes[core.pos..end].to_vec())
    }
}
