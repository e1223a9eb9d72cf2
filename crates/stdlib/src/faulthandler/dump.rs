//! `faulthandler`: writing tracebacks with nothing but system calls.

use std::ffi::CStr;

use lisle_runtime::native::{Str, Vm};

use crate::syscall::c;

/// The frames of one thread that are shown at most.
const MAX_FRAMES: usize = 100;
/// The characters of a name that are shown at most.
const MAX_TEXT: usize = 500;

/// How many native frames are shown.
const NATIVE_FRAMES: usize = 32;

/// The native stack of this thread; not for handlers of signals.
pub fn native_stack(out: &Out) {
    let mut frames = [std::ptr::null_mut(); NATIVE_FRAMES];
    // SAFETY: the array is as long as is said.
    let count = unsafe { libc::backtrace(frames.as_mut_ptr(), NATIVE_FRAMES as i32) };
    let count = usize::try_from(count).unwrap_or(0).min(NATIVE_FRAMES);
    out.text("Current thread's C stack trace (most recent call first):\n");
    for frame in &frames[..count] {
        let address = frame.addr();
        // SAFETY: plain data.
        let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
        // SAFETY: any address can be asked for.
        let known = unsafe { libc::dladdr(*frame, &mut info) } != 0;
        if !known || info.dli_fname.is_null() {
            out.text(&format!("  Binary file \"<unknown>\" [{address:#x}]\n"));
            continue;
        }
        // SAFETY: names that dladdr gives end in a zero byte and stay as long as the file is loaded.
        let file = unsafe { CStr::from_ptr(info.dli_fname) }.to_string_lossy();
        let (symbol, start) = if info.dli_sname.is_null() {
            (String::new(), info.dli_fbase.addr())
        } else {
            // SAFETY: as above.
            let name = unsafe { CStr::from_ptr(info.dli_sname) };
            (name.to_string_lossy().into_owned(), info.dli_saddr.addr())
        };
        let offset = address.wrapping_sub(start);
        out.text(&format!(
            "  Binary file \"{file}\", at {symbol}+{offset:#x} [{address:#x}]\n"
        ));
    }
    if count == NATIVE_FRAMES {
        out.text("  <truncated rest of calls>\n");
    }
}

/// A descriptor to write to.
pub struct Out(pub i32);

impl Out {
    fn bytes(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match c!(write(self.0, bytes.as_ptr().cast(), bytes.len())) {
                n @ 1.. => bytes = &bytes[(n as usize).min(bytes.len())..],
                _ => return,
            }
        }
    }

    pub fn text(&self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&self, mut n: u64, base: u64, least: usize) {
        let mut digits = [b'0'; 20];
        let mut at = digits.len();
        while n > 0 || digits.len() - at < least.max(1) {
            at -= 1;
            let digit = (n % base) as u8;
            digits[at] = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            n /= base;
            if at == 0 {
                break;
            }
        }
        self.bytes(&digits[at..]);
    }

    /// A name, with what is not ASCII escaped.
    fn name(&self, name: &Str) {
        let view = name.view();
        let mut plain = [0u8; 64];
        let mut have = 0;
        for code in view.chars().take(MAX_TEXT) {
            if have == plain.len() {
                self.bytes(&plain);
                have = 0;
            }
            match code {
                0x20..=0x7e => {
                    plain[have] = code as u8;
                    have += 1;
                }
                _ => {
                    self.bytes(&plain[..have]);
                    have = 0;
                    let (mark, digits) = match code {
                        0..=0xff => ("\\x", 2),
                        0x100..=0xffff => ("\\u", 4),
                        _ => ("\\U", 8),
                    };
                    self.text(mark);
                    self.number(code.into(), 16, digits);
                }
            }
        }
        self.bytes(&plain[..have]);
        if view.len() > MAX_TEXT {
            self.text("...");
        }
    }
}

/// A thread's header and frames.
pub fn thread(out: &Out, vm: &Vm, current: bool) {
    out.text(if current { "Current thread 0x" } else { "Thread 0x" });
    out.number(vm.thread.ident(), 16, 16);
    out.text(" (most recent call first):\n");
    if current && lisle_runtime::memory::collector::is_running() {
        out.text("  Garbage-collecting\n");
    }
    lines(out, vm);
}

/// The calling thread's frames under a header: that of a stack, or of a thread with its number.
pub fn frames(out: &Out, vm: &Vm, header: Option<&str>) {
    match header {
        Some("Current thread") => thread(out, vm, true),
        _ => {
            out.text("Stack (most recent call first):\n");
            lines(out, vm);
        }
    }
}

fn lines(out: &Out, vm: &Vm) {
    let mut count = 0;
    vm.visit_frames(&mut |file, line, name| {
        count += 1;
        if count > MAX_FRAMES {
            out.text("  ...\n");
            return false;
        }
        out.text("  File \"");
        out.name(file);
        out.text("\", line ");
        out.number(line.into(), 10, 1);
        out.text(" in ");
        out.name(name);
        out.text("\n");
        true
    });
    if count == 0 {
        out.text("  <no Python frame>\n");
    }
}
