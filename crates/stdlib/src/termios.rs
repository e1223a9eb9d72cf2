//! `termios`: terminal attributes.
//!
//! Invariant: attributes travel as a list of six numbers and a list of control characters, as CPython has them.

use lisle_runtime::native::{Py, Res, Value, Vm, pymodule};
use lisle_runtime::threads::ParkReason;
use lisle_runtime::types::bytes::Bytes;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;
use lisle_runtime::types::module::Module;

use crate::constants;
use crate::exception::ExceptionClass;
use crate::posix::path::list_or_tuple;
use crate::syscall::{CResult, Fd, Sys, c, check, retrying, zeroed};

constants::constants! {
    B0 B1000000 B110 B115200 B1152000 B1200 B134 B150 B1500000 B1800 B19200 B200 B2000000 B230400 B2400 B2500000 B300
    B3000000 B3500000 B38400 B4000000 B460800 B4800 B50 B500000 B57600 B576000 B600 B75 B921600 B9600 BRKINT BS0 BS1
    BSDLY CBAUD CBAUDEX CIBAUD CLOCAL CR0 CR1 CR2 CR3 CRDLY CREAD CRTSCTS CS5 CS6 CS7 CS8 CSIZE CSTOPB ECHO ECHOCTL
    ECHOE ECHOK ECHOKE ECHONL ECHOPRT EXTA EXTB EXTPROC FF0 FF1 FFDLY FIOASYNC FIOCLEX FIONBIO FIONCLEX FIONREAD
    FLUSHO HUPCL ICANON ICRNL IEXTEN IGNBRK IGNCR IGNPAR IMAXBEL INLCR INPCK ISIG ISTRIP IUCLC IUTF8 IXANY IXOFF IXON
    NCCS NL0 NL1 NLDLY NOFLSH OCRNL OFDEL OFILL OLCUC ONLCR ONLRET ONOCR OPOST PARENB PARMRK PARODD PENDIN TAB0 TAB1
    TAB2 TAB3 TABDLY TCFLSH TCGETA TCGETS TCIFLUSH TCIOFF TCIOFLUSH TCION TCOFLUSH TCOOFF TCOON TCSADRAIN TCSAFLUSH
    TCSANOW TCSBRK TCSBRKP TCSETA TCSETAF TCSETAW TCSETS TCSETSF TCSETSW TCXONC TIOCCONS TIOCEXCL TIOCGETD
    TIOCGICOUNT TIOCGLCKTRMIOS TIOCGPGRP TIOCGSERIAL TIOCGSOFTCAR TIOCGWINSZ TIOCINQ TIOCLINUX TIOCMBIC TIOCMBIS
    TIOCMGET TIOCMIWAIT TIOCMSET TIOCM_CAR TIOCM_CD TIOCM_CTS TIOCM_DSR TIOCM_DTR TIOCM_LE TIOCM_RI TIOCM_RNG
    TIOCM_RTS TIOCM_SR TIOCM_ST TIOCNOTTY TIOCNXCL TIOCOUTQ TIOCPKT TIOCSCTTY TIOCSERCONFIG TIOCSERGETLSR
    TIOCSERGETMULTI TIOCSERGSTRUCT TIOCSERGWILD TIOCSERSETMULTI TIOCSERSWILD TIOCSETD TIOCSLCKTRMIOS TIOCSPGRP
    TIOCSSERIAL TIOCSSOFTCAR TIOCSTI TIOCSWINSZ TOSTOP VDISCARD VEOF VEOL VEOL2 VERASE VINTR VKILL VLNEXT VMIN VQUIT
    VREPRINT VSTART VSTOP VSUSP VSWTC VT0 VT1 VTDLY VTIME VWERASE XCASE XTABS _POSIX_VDISABLE
    ;
    CDSUSP = 25, CEOF = 4, CEOL = 0, CEOT = 4, CERASE = 127, CFLUSH = 15, CINTR = 3, CKILL = 21, CLNEXT = 22,
    CQUIT = 28, CRPRNT = 18, CSTART = 17, CSTOP = 19, CSUSP = 26, CWERASE = 23, IOCSIZE_MASK = 1073676288,
    IOCSIZE_SHIFT = 16, NCC = 8, N_MOUSE = 2, N_PPP = 3, N_SLIP = 1, N_STRIP = 4, N_TTY = 0, TIOCPKT_DATA = 0,
    TIOCPKT_DOSTOP = 32, TIOCPKT_FLUSHREAD = 1, TIOCPKT_FLUSHWRITE = 2, TIOCPKT_NOSTOP = 16, TIOCPKT_START = 8,
    TIOCPKT_STOP = 4, TIOCSER_TEMT = 1, VSWTCH = 7,
}

static ERROR: ExceptionClass = ExceptionClass::new("termios", "error", &exceptions::EXCEPTION);

fn raise<T>(vm: &Vm, result: Sys<T>) -> Res<T> {
    result.map_err(|e| {
        let text = exceptions::os_error::strerror(e.0);
        ERROR.exception(vm, vec![Value::int(e.0.into()), Value::from(text.as_str())])
    })
}

/// A call that may block.
fn call<T: CResult>(vm: &Vm, f: impl FnMut() -> T) -> Res<()> {
    let result = retrying(vm, ParkReason::Io, f)?;
    raise(vm, result).map(drop)
}

fn attributes(vm: &Vm, fd: i32) -> Res<libc::termios> {
    // SAFETY: plain data.
    let mut mode: libc::termios = unsafe { zeroed() };
    call(vm, || c!(tcgetattr(fd, &mut mode)))?;
    Ok(mode)
}

#[pymodule(
    name = "termios",
    doc = "This module provides an interface to the Posix calls for tty I/O control.\n\nFor a complete description of these calls, see the Posix or Unix manual\npages. It is only available for those Unix versions that support Posix\ntermios style tty I/O control (and then only if configured at installation\ntime).\n\nAll functions in this module take a file descriptor fd as their first\nargument. This can be an integer file descriptor, such as returned by\nsys.stdin.fileno(), or a file object, such as sys.stdin itself."
)]
pub mod module {
    use super::*;

    #[pyattr]
    fn error(vm: &Vm) -> Res<Value> {
        ERROR.get(vm).map(|class| class.to_value())
    }

    /// Get the tty attributes for file descriptor fd.
    ///
    /// Returns a list [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]
    /// where cc is a list of the tty special characters (each a string of
    /// length 1, except the items with indices VMIN and VTIME, which are
    /// integers when these fields are defined).  The interpretation of the
    /// flags and the speeds as well as the indexing in the cc array must be
    /// done using the symbolic constants defined in this module.
    #[pyfunction(sig = "(fd, /)")]
    fn tcgetattr(vm: &Vm, fd: Fd) -> Res<Value> {
        let mode = attributes(vm, fd.0)?;
        let raw = mode.c_lflag & libc::ICANON == 0;
        let chars = mode.c_cc.iter().enumerate().map(|(at, byte)| {
            if raw && (at == libc::VMIN || at == libc::VTIME) {
                Value::int((*byte).into())
            } else {
                Bytes::new_value(vec![*byte])
            }
        });
        let chars = List::new(chars.collect()).into_value();
        let (input, output) = (c!(cfgetispeed(&mode)), c!(cfgetospeed(&mode)));
        let numbers = [mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag, input, output];
        let mut all: Vec<Value> = numbers.iter().map(|n| Value::int((*n).into())).collect();
        all.push(chars);
        Ok(List::new(all).into_value())
    }

    /// Set the tty attributes for file descriptor fd.
    ///
    /// The attributes to be set are taken from the attributes argument, which
    /// is a list like the one returned by tcgetattr(). The when argument
    /// determines when the attributes are changed: termios.TCSANOW to
    /// change immediately, termios.TCSADRAIN to change after transmitting all
    /// queued output, or termios.TCSAFLUSH to change after transmitting all
    /// queued output and discarding all queued input.
    #[pyfunction(sig = "(fd, when, attributes, /)")]
    fn tcsetattr(vm: &Vm, fd: Fd, when: i32, attributes: &Value) -> Res<()> {
        let items = attributes.downcast::<List>().map(|list| list.snapshot());
        let Some([iflag, oflag, cflag, lflag, ispeed, ospeed, cc]) = items.as_deref() else {
            return Err(vm.type_error("tcsetattr, arg 3: must be 7 element list"));
        };
        let mut mode = super::attributes(vm, fd.0)?;
        let number = |value: &Value| -> Res<u32> {
            let n = vm.index_to_i64(value)?;
            Ok(n as u32)
        };
        (mode.c_iflag, mode.c_oflag) = (number(iflag)?, number(oflag)?);
        (mode.c_cflag, mode.c_lflag) = (number(cflag)?, number(lflag)?);
        let (ispeed, ospeed) = (number(ispeed)?, number(ospeed)?);
        let chars = match cc.downcast::<List>() {
            Some(list) => list.snapshot(),
            None => Vec::new(),
        };
        if chars.len() != libc::NCCS {
            let message = format!("tcsetattr: attributes[6] must be {} element list", libc::NCCS);
            return Err(vm.type_error(message));
        }
        for (place, value) in mode.c_cc.iter_mut().zip(&chars) {
            if let Some([byte]) = value.downcast::<Bytes>().map(|b| b.as_slice()) {
                *place = *byte;
            } else if vm.int_value(value).is_some() {
                *place = vm.index_to_i64(value)? as u8;
            } else {
                return Err(vm.type_error("tcsetattr: elements of attributes must be characters or integers"));
            }
        }
        raise(vm, check(c!(cfsetispeed(&mut mode, ispeed))))?;
        raise(vm, check(c!(cfsetospeed(&mut mode, ospeed))))?;
        call(vm, || c!(tcsetattr(fd.0, when, &mode)))
    }

    /// Send a break on file descriptor fd.
    ///
    /// A zero duration sends a break for 0.25-0.5 seconds; a nonzero duration
    /// has a system dependent meaning.
    #[pyfunction(sig = "(fd, duration, /)")]
    fn tcsendbreak(vm: &Vm, fd: Fd, duration: i32) -> Res<()> {
        call(vm, || c!(tcsendbreak(fd.0, duration)))
    }

    /// Wait until all output written to file descriptor fd has been transmitted.
    #[pyfunction(sig = "(fd, /)")]
    fn tcdrain(vm: &Vm, fd: Fd) -> Res<()> {
        call(vm, || c!(tcdrain(fd.0)))
    }

    /// Discard queued data on file descriptor fd.
    ///
    /// The queue selector specifies which queue: termios.TCIFLUSH for the input
    /// queue, termios.TCOFLUSH for the output queue, or termios.TCIOFLUSH for
    /// both queues.
    #[pyfunction(sig = "(fd, queue, /)")]
    fn tcflush(vm: &Vm, fd: Fd, queue: i32) -> Res<()> {
        call(vm, || c!(tcflush(fd.0, queue)))
    }

    /// Suspend or resume input or output on file descriptor fd.
    ///
    /// The action argument can be termios.TCOOFF to suspend output,
    /// termios.TCOON to restart output, termios.TCIOFF to suspend input,
    /// or termios.TCION to restart input.
    #[pyfunction(sig = "(fd, action, /)")]
    fn tcflow(vm: &Vm, fd: Fd, action: i32) -> Res<()> {
        call(vm, || c!(tcflow(fd.0, action)))
    }

    /// Get the tty winsize for file descriptor fd.
    ///
    /// Returns a tuple (ws_row, ws_col).
    #[pyfunction(sig = "(fd, /)")]
    fn tcgetwinsize(vm: &Vm, fd: Fd) -> Res<(u16, u16)> {
        // SAFETY: plain data.
        let mut size: libc::winsize = unsafe { zeroed() };
        raise(vm, check(c!(ioctl(fd.0, libc::TIOCGWINSZ, &mut size))))?;
        Ok((size.ws_row, size.ws_col))
    }

    /// Set the tty winsize for file descriptor fd.
    ///
    /// The winsize to be set is taken from the winsize argument, which
    /// is a two-item tuple (ws_row, ws_col) like the one returned by tcgetwinsize().
    #[pyfunction(sig = "(fd, winsize, /)")]
    fn tcsetwinsize(vm: &Vm, fd: Fd, winsize: &Value) -> Res<()> {
        let items = match list_or_tuple(winsize) {
            Some(items) => items,
            None if winsize.ty().slots().getitem.is_some() => vm.collect(winsize)?,
            None => Vec::new(),
        };
        let [row, col] = items.as_slice() else {
            return Err(vm.type_error("tcsetwinsize, arg 2: must be a two-item sequence"));
        };
        let number = |value: &Value| -> Res<u16> {
            let n = vm.index_to_i64(value)?;
            u16::try_from(n).map_err(|_| vm.overflow_error("winsize value(s) out of range."))
        };
        let (row, col) = (number(row)?, number(col)?);
        // SAFETY: plain data.
        let mut size: libc::winsize = unsafe { zeroed() };
        // The size in pixels, which programs do not see, stays as it is.
        raise(vm, check(c!(ioctl(fd.0, libc::TIOCGWINSZ, &mut size))))?;
        (size.ws_row, size.ws_col) = (row, col);
        raise(vm, check(c!(ioctl(fd.0, libc::TIOCSWINSZ, &size)))).map(drop)
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<Module>) -> Res<()> {
        constants::add(module, CONSTANTS);
        Ok(())
    }
}
