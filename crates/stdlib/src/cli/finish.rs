//! The end: waiting for threads, exit functions, flushing, finalizers, the exit code.
//!
//! Invariant: the order is CPython's: threads, `atexit`, streams, then the daemon threads stop for good, then the program's own
//! modules are cleared so that finalizers run, then the streams again.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::interp;
use lisle_runtime::memory::collector;
use lisle_runtime::native::{Py, Str, Value, Vm};
use lisle_runtime::types::module::Module;
use lisle_runtime::vm::Exc;

use crate::sys::hooks;

/// Set when Ctrl-C ended the program: the process then ends by that signal, so that its parent can see it.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The process shall end by SIGINT.
pub fn end_by_interrupt() {
    INTERRUPTED.store(true, Relaxed);
}

/// The exit code that `SystemExit(code)` asks for; what is no number is printed.
pub fn exit_code(vm: &Vm, exc: &Exc) -> u8 {
    let code = vm.getattr(exc.value(), intern!("code")).unwrap_or(Value::NONE);
    if code.is_none() {
        return 0;
    }
    if let Some(n) = vm.int_value(&code) {
        return n.to_i64().unwrap_or(-1) as u8;
    }
    let _ = hooks::flush(vm, intern!("stdout"));
    let text = vm.str(&code).map_or_else(|_| String::new(), |s| s.to_string_lossy());
    let line = Value::from(format!("{text}\n").as_str());
    let stderr = interp::sys_attr(vm, intern!("stderr")).filter(|f| !f.is_none());
    let written = stderr.map(|file| vm.call_method(&file, intern!("write"), &[line]));
    if !matches!(written, Some(Ok(_))) {
        hooks::write_fd(2, &format!("{text}\n"));
    }
    1
}

/// Takes the interpreter down; gives the exit code.
pub fn finish(vm: &Vm, code: u8) -> u8 {
    let modules = interp::modules();
    if let Some(threading) = modules.get_str(intern!("threading"))
        && let Ok(shutdown) = vm.getattr(&threading, intern!("_shutdown"))
        && let Err(exc) = vm.call(&shutdown, &[])
    {
        vm.unraisable(exc, Some("Exception ignored on threading shutdown"), Some(&threading));
    }
    if let Some(atexit) = modules.get_str(intern!("atexit"))
        && let Err(exc) = vm.call_method(&atexit, intern!("_run_exitfuncs"), &[])
    {
        hooks::display(vm, &exc);
    }
    let mut failed = flush(vm);
    lisle_runtime::threads::begin_finalization();
    clear_modules(vm);
    failed |= flush(vm);
    if failed { 120 } else { code }
}

/// Flushes the standard streams; true if stdout could not be.
fn flush(vm: &Vm) -> bool {
    let mut failed = false;
    if let Err(exc) = hooks::flush(vm, intern!("stdout")) {
        vm.unraisable(exc, Some("Exception ignored on flushing sys.stdout"), None);
        // Not again: what cannot be written stays in the buffer.
        interp::sys_dict().set_str(intern!("stdout"), Value::NONE);
        failed = true;
    }
    let _ = hooks::flush(vm, intern!("stderr"));
    failed
}

/// Drops what the program's own modules hold, `__main__` first, so that finalizers run. The library's have none that matter.
fn clear_modules(vm: &Vm) {
    let modules = interp::modules();
    collector::collect(vm, 2);
    let mut own: Vec<Py<Module>> = Vec::new();
    for (name, value) in modules.snapshot() {
        let Some(module) = value.downcast::<Module>() else {
            continue;
        };
        let is_main = name.downcast::<Str>().is_some_and(|n| n.is_text("__main__"));
        if is_main {
            own.insert(0, module.clone());
        } else if is_from_a_file(module) {
            own.push(module.clone());
        }
    }
    for module in own {
        let dict = module.dict();
        let names = dict.snapshot();
        let private = |key: &Value| {
            key.downcast::<Str>()
                .is_some_and(|k| k.to_string_lossy().starts_with('_'))
        };
        for turn in [true, false] {
            for (key, value) in &names {
                let builtins = key.downcast::<Str>().is_some_and(|k| k.is_text("__builtins__"));
                if !builtins && private(key) == turn && !value.is_none() {
                    let _ = dict.set(vm, key, Value::NONE);
                }
            }
        }
        drop(names);
    }
    collector::collect(vm, 2);
}

/// Whether the module's code is in a file of the system, not in the executable.
fn is_from_a_file(module: &Py<Module>) -> bool {
    let file = module.dict().get_str(intern!("__file__"));
    file.and_then(|f| f.downcast::<Str>().map(|f| f.to_string_lossy()))
        .is_some_and(|f| !f.starts_with(crate::packed::ROOT))
}

/// Ends the process.
pub fn leave(code: u8) -> ! {
    if INTERRUPTED.load(Relaxed) {
        // SAFETY: plain system calls; the process ends.
        unsafe {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::kill(libc::getpid(), libc::SIGINT);
        }
    }
    // Daemon threads may still be in system calls: nothing that they use may be taken down.
    // SAFETY: ends the process without running anything else.
    unsafe { libc::_exit(code.into()) }
}
