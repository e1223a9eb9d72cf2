//! `syslog`: messages to the system's log.
//!
//! Invariant: the name that was passed to `openlog` lives on, since the C library keeps a pointer to it.

use std::ffi::CString;

use lisle_runtime::intern;
use lisle_runtime::native::{Py, Res, Str, Value, Vm, pymodule};
use lisle_runtime::sync::Mutex;
use lisle_runtime::types::list::List;
use lisle_runtime::types::module::Module;

use crate::constants;
use crate::syscall::{audit, c};

constants::constants! {
    LOG_ALERT LOG_AUTH LOG_AUTHPRIV LOG_CONS LOG_CRIT LOG_CRON LOG_DAEMON LOG_DEBUG LOG_EMERG LOG_ERR LOG_FTP
    LOG_INFO LOG_KERN LOG_LOCAL0 LOG_LOCAL1 LOG_LOCAL2 LOG_LOCAL3 LOG_LOCAL4 LOG_LOCAL5 LOG_LOCAL6 LOG_LOCAL7 LOG_LPR
    LOG_MAIL LOG_NDELAY LOG_NEWS LOG_NOTICE LOG_NOWAIT LOG_ODELAY LOG_PERROR LOG_PID LOG_SYSLOG LOG_USER LOG_UUCP
    LOG_WARNING
}

/// Whether the log is open, and under which name.
struct Log {
    open: bool,
    name: Option<CString>,
}

static LOG: Mutex<Log> = Mutex::new(Log {
    open: false,
    name: None,
});

/// The program's name, from `sys.argv`.
fn program_name(vm: &Vm) -> Option<CString> {
    let argv = lisle_runtime::interp::sys_attr(vm, intern!("argv"))?;
    let first = argv.downcast::<List>()?.get(0)?;
    let first = first.downcast::<Str>()?.to_string_lossy();
    let name = first.rsplit('/').next().unwrap_or_default();
    CString::new(name).ok().filter(|name| !name.is_empty())
}

fn c_text(vm: &Vm, text: &Py<Str>) -> Res<CString> {
    let made = lisle_runtime::types::encoding::encode(vm, text, "utf-8", "strict")?;
    let bytes = lisle_runtime::types::buffer::get_bytes(vm, &made)?.into_owned();
    CString::new(bytes).map_err(|_| vm.value_error("embedded null character"))
}

fn open(vm: &Vm, name: Option<CString>, option: i32, facility: i32) -> Res<()> {
    audit!(
        vm,
        "syslog.openlog",
        name.as_ref()
            .map_or(Value::NONE, |name| Value::from(&*name.to_string_lossy())),
        Value::int(option.into()),
        Value::int(facility.into())
    );
    let mut log = LOG.lock();
    let ident = name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
    c!(openlog(ident, option, facility));
    log.open = true;
    log.name = name;
    Ok(())
}

#[pymodule(name = "syslog")]
pub mod module {
    use super::*;

    /// Set logging options of subsequent syslog() calls.
    #[pyfunction(sig = "(ident=<unrepresentable>, logoption=0, facility=8)")]
    fn openlog(vm: &Vm, ident: Option<&Py<Str>>, logoption: i32, facility: Option<i32>) -> Res<()> {
        let name = match ident {
            Some(ident) => Some(c_text(vm, ident)?),
            None => program_name(vm),
        };
        open(vm, name, logoption, facility.unwrap_or(libc::LOG_USER))
    }

    /// Send the string message to the system logger.
    #[pyfunction(sig = "(*args)")]
    fn syslog(vm: &Vm, args: &[Value]) -> Res<()> {
        let (priority, message) = match args {
            [message] => (libc::LOG_INFO, message),
            [priority, message] => (crate::syscall::int_arg(vm, priority)?, message),
            _ => return Err(vm.type_error("syslog.syslog requires 1 to 2 arguments")),
        };
        let Some(message) = message.downcast::<Str>() else {
            let found = message.ty().name();
            return Err(vm.type_error(format!("syslog() argument must be str, not {found}")));
        };
        audit!(vm, "syslog.syslog", Value::int(priority.into()), message.to_value());
        let message = c_text(vm, message)?;
        if !LOG.lock().open {
            open(vm, program_name(vm), 0, libc::LOG_USER)?;
        }
        vm.detached(|| c!(syslog(priority, c"%s".as_ptr(), message.as_ptr())));
        Ok(())
    }

    /// Reset the syslog module values and call the system library closelog().
    #[pyfunction(sig = "()")]
    fn closelog(vm: &Vm) -> Res<()> {
        audit!(vm, "syslog.closelog");
        let mut log = LOG.lock();
        if log.open {
            c!(closelog());
            log.open = false;
            log.name = None;
        }
        Ok(())
    }

    /// Set the priority mask to maskpri and return the previous mask value.
    #[pyfunction(sig = "(maskpri, /)")]
    fn setlogmask(vm: &Vm, maskpri: i32) -> Res<i32> {
        audit!(vm, "syslog.setlogmask", Value::int(maskpri.into()));
        Ok(c!(setlogmask(maskpri)))
    }

    /// Calculates the mask for the individual priority pri.
    #[pyfunction(name = "LOG_MASK", sig = "(pri, /)")]
    fn log_mask(_vm: &Vm, pri: i64) -> i64 {
        1i64.checked_shl(pri as u32).unwrap_or(0)
    }

    /// Calculates the mask for all priorities up to and including pri.
    #[pyfunction(name = "LOG_UPTO", sig = "(pri, /)")]
    fn log_upto(_vm: &Vm, pri: i64) -> i64 {
        1i64.checked_shl((pri + 1) as u32).unwrap_or(0) - 1
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<Module>) -> Res<()> {
        constants::add(module, CONSTANTS);
        Ok(())
    }
}
