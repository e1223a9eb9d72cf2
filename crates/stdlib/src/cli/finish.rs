//! The end: waiting for threads, exit functions, flushing, finalizers, the exit code.
//!
//! Invariant: the order is CPython's: threads, `atexit`, streams, then the daemon threads stop for good and signals have their
//! default actions, then the program's own modules go so that finalizers run, then the streams again.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use lisle_runtime::intern;
use lisle_runtime::interp;
use lisle_runtime::memory::collector;
use lisle_runtime::native::{Py, Str, Value, Vm};
use lisle_runtime::text::StrBuilder;
use lisle_runtime::types::dict::Dict;
use lisle_runtime::types::module::Module;
use lisle_runtime::types::weakref::Watch;
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
    let mut line = StrBuilder::new();
    if let Ok(text) = vm.str(&code) {
        line.push_view(text.view());
    }
    line.push(u32::from('\n'));
    let line = Str::from_buf(line.finish());
    let stderr = interp::sys_attr(vm, intern!("stderr")).filter(|f| !f.is_none());
    let written = stderr.map(|file| vm.call_method(&file, intern!("write"), &[line.to_value()]));
    if !matches!(written, Some(Ok(_))) {
        hooks::write_fd(2, &line.to_string_lossy());
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
        vm.unraisable(exc, Some("Exception ignored on threading shutdown"), None);
    }
    crate::atexit::run_exit_functions(vm);
    let mut failed = flush(vm);
    lisle_runtime::threads::begin_finalization();
    crate::signal::finish();
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

/// What a session left in `sys`, which would keep frames of the program.
const LEFT_IN_SYS: [&str; 7] = [
    "ps1",
    "ps2",
    "last_exc",
    "last_type",
    "last_value",
    "last_traceback",
    "__interactivehook__",
];

/// Lets go of the program's own modules, so that finalizers run, with all names still there where nothing but the modules' own functions
/// refers to them. What stays alive is emptied, the last module first. The library's modules have no finalizers that matter.
fn clear_modules(vm: &Vm) {
    collector::collect(vm, 2);
    collector::silence();
    let sys = interp::sys_dict();
    for name in LEFT_IN_SYS {
        let name = Str::intern(name);
        if sys.get_str(&name).is_some() {
            sys.set_str(&name, Value::NONE);
        }
    }
    for name in ["stdin", "stdout", "stderr"] {
        if let Some(first) = sys.get_str(&Str::intern(&format!("__{name}__"))) {
            sys.set_str(&Str::intern(name), first);
        }
    }
    interp::builtins().set_str(intern!("_"), Value::NONE);
    let watched = forget_modules(vm);
    collector::collect(vm, 2);
    for dict in watched.iter().rev() {
        if let Some(dict) = dict.get().and_then(|d| d.try_into_py::<Dict>().ok()) {
            clear_dict(vm, &dict);
        }
    }
    collector::collect(vm, 2);
}

/// Takes the program's modules out of `sys.modules`; what they hold, in the order of import.
fn forget_modules(vm: &Vm) -> Vec<Watch> {
    let modules = interp::modules();
    let mut watched = Vec::new();
    for (name, value) in modules.snapshot() {
        let Some(module) = value.downcast::<Module>() else {
            continue;
        };
        let is_main = name.downcast::<Str>().is_some_and(|n| n.is_text("__main__"));
        if is_main || is_from_a_file(module) {
            watched.push(Watch::new(module.dict().as_value()));
            // A finalizer that imports it shall not load it again.
            let _ = modules.set(vm, &name, Value::NONE);
        }
    }
    watched
}

/// Empties the names of a module: those with one underscore first.
fn clear_dict(vm: &Vm, dict: &Py<Dict>) {
    let names = dict.snapshot();
    for turn in [true, false] {
        for (key, value) in &names {
            let Some(text) = key.downcast::<Str>().map(|k| k.to_string_lossy()) else {
                continue;
            };
            let private = text.starts_with('_') && !text.starts_with("__");
            if private == turn && text != "__builtins__" && !value.is_none() {
                let _ = dict.set(vm, key, Value::NONE);
            }
        }
    }
}

/// Whether the module's code is in a file of the system, not in the executable.
fn is_from_a_file(module: &Py<Module>) -> bool {
    let file = module.dict().get_str(intern!("__file__"));
    file.and_then(|f| f.downcast::<Str>().map(|f| f.to_string_lossy()))
        .is_some_and(|f| !f.starts_with(crate::packed::ROOT))
}

/// Writes what a build that counts itself has counted (see tools/optimize.py): the process ends without what usually does it.
#[cfg(lisle_profiled)]
fn write_profile() {
    unsafe extern "C" {
        safe fn __llvm_profile_write_file() -> std::ffi::c_int;
    }
    __llvm_profile_write_file();
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
    #[cfg(lisle_profiled)]
    write_profile();
    // Daemon threads may still be in system calls: nothing that they use may be taken down.
    // SAFETY: ends the process without running anything else.
    unsafe { libc::_exit(code.into()) }
}
