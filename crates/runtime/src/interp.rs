//! What all threads of the process share: modules, builtins, limits, hooks, signals.
//!
//! Invariant: everything here is atomic, a slot, or locked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crate::intern;
use crate::object::{Py, PySlot, Value};
use crate::sync::Mutex;
use crate::types::dict::Dict;
use crate::types::module::Module;
use crate::types::str::Str;
use crate::vm::{Exc, Res, Vm};

static RECURSION_LIMIT: AtomicUsize = AtomicUsize::new(1000);
static BUILTINS: PySlot<Dict> = PySlot::empty();
static MODULES: PySlot<Dict> = PySlot::empty();
static SYS: PySlot<Dict> = PySlot::empty();
static HANDLERS: Mutex<Vec<(i32, Value)>> = Mutex::new(Vec::new());

/// `sys.getrecursionlimit()`.
#[inline]
pub fn recursion_limit() -> usize {
    RECURSION_LIMIT.load(Relaxed)
}

/// `sys.setrecursionlimit()`.
pub fn set_recursion_limit(n: usize) {
    RECURSION_LIMIT.store(n, Relaxed);
}

/// The dict of the module `builtins`.
pub fn builtins() -> Py<Dict> {
    slot_dict(&BUILTINS)
}

/// `sys.modules`.
pub fn modules() -> Py<Dict> {
    slot_dict(&MODULES)
}

/// The dict of the module `sys`.
pub fn sys_dict() -> Py<Dict> {
    slot_dict(&SYS)
}

fn slot_dict(slot: &PySlot<Dict>) -> Py<Dict> {
    match slot.get() {
        Some(dict) => dict,
        None => {
            let dict = Dict::new_empty();
            let _ = slot.swap(Some(dict.clone()));
            dict
        }
    }
}

/// Makes `module` the one whose dict is found by [`builtins`].
pub fn set_builtins(module: &Py<Module>) {
    drop(BUILTINS.swap(Some(module.dict())));
}

/// Makes `module` the one whose dict is found by [`sys_dict`].
pub fn set_sys(module: &Py<Module>) {
    drop(SYS.swap(Some(module.dict())));
}

/// `sys.<name>`, if it is there.
pub fn sys_attr(_vm: &Vm, name: &Py<Str>) -> Option<Value> {
    sys_dict().get_str(name)
}

/// The Python handler of a signal; `None` for the default or for none.
pub fn signal_handler(signum: i32) -> Option<Value> {
    HANDLERS
        .lock()
        .iter()
        .find(|(n, _)| *n == signum)
        .map(|(_, f)| f.clone())
}

/// Sets the Python handler of a signal and returns the old one.
pub fn set_signal_handler(signum: i32, handler: Option<Value>) -> Option<Value> {
    let mut handlers = HANDLERS.lock();
    let at = handlers.iter().position(|(n, _)| *n == signum);
    let old = at.map(|i| handlers.swap_remove(i).1);
    if let Some(f) = handler {
        handlers.push((signum, f));
    }
    old
}

/// Runs the Python handlers of the signals that have arrived; in the main thread.
pub fn handle_signals(vm: &Vm) -> Res<()> {
    if !vm.thread.is_main() {
        return Ok(());
    }
    if let Some(errno) = crate::threads::signals::take_wakeup_error() {
        let message = "Exception ignored when trying to write to the signal wakeup fd";
        unraisable(vm, vm.os_error(errno, None), Some(message), None);
    }
    for signum in crate::threads::signals::take_pending() {
        let Some(handler) = signal_handler(signum) else {
            use crate::threads::signals::{Action, action};
            if signum == libc::SIGINT && matches!(action(signum), Ok(Action::Handler)) {
                return Err(vm.keyboard_interrupt());
            }
            let message = format!("Signal {signum} ignored due to race condition");
            unraisable(vm, vm.os_error_message(message), None, None);
            continue;
        };
        let frame = vm
            .frames
            .current()
            .map_or(Value::NONE, |f| vm.frame_object_of(f).into_value());
        vm.call(&handler, &[Value::int(signum.into()), frame])?;
    }
    Ok(())
}

static REPORTING: AtomicBool = AtomicBool::new(false);

/// Reports an exception that nobody can catch, through `sys.unraisablehook`.
pub fn unraisable(vm: &Vm, exc: Exc, message: Option<&str>, object: Option<&Value>) {
    let hook = sys_attr(vm, intern!("unraisablehook"));
    let make_args = sys_attr(vm, intern!("UnraisableHookArgs"));
    if let (Some(hook), Some(make)) = (hook, make_args) {
        let traceback = exc.object().traceback.get().unwrap_or(Value::NONE);
        let text = message.map_or(Value::NONE, Value::from);
        let fields = vec![
            exc.value().ty().to_value(),
            exc.value().clone(),
            traceback,
            text,
            object.cloned().unwrap_or(Value::NONE),
        ];
        let fields = crate::types::tuple::Tuple::new(fields).into_value();
        let result = vm.call(&make, &[fields]).and_then(|args| {
            crate::audit::audit(vm, "sys.unraisablehook", || [hook.clone(), args.clone()])?;
            vm.call(&hook, &[args])
        });
        if result.is_ok() {
            return;
        }
    }
    if !REPORTING.swap(true, Relaxed) {
        let what = object
            .and_then(|o| vm.repr(o).ok())
            .map_or_else(String::new, |r| r.to_string_lossy());
        let text = vm
            .str(exc.value())
            .map_or_else(|_| String::new(), |s| s.to_string_lossy());
        let line = format!("Exception ignored in: {what}\n{}: {text}\n", exc.value().ty().name());
        // There may be nobody to tell.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
        REPORTING.store(false, Relaxed);
    }
}

impl Vm {
    /// A name in the module `builtins`.
    pub fn builtin(&self, name: &Py<Str>) -> Res<Value> {
        builtins().get_str(name).ok_or_else(|| {
            self.attribute_error(format!(
                "module 'builtins' has no attribute '{}'",
                name.to_string_lossy()
            ))
        })
    }

    /// A name in the builtins of the running frame: what `__reduce__` refers to.
    pub fn frame_builtin(&self, name: &Py<Str>) -> Res<Value> {
        let found = match self.frames.current() {
            Some(f) => self.builtin_in(f.builtins(), name)?,
            None => builtins().get_str(name),
        };
        found.ok_or_else(|| self.attribute_error(name.to_string_lossy()))
    }

    /// `warnings.warn(message, category, stacklevel)`.
    pub fn warn(&self, category: &Py<crate::object::Type>, message: &str, stacklevel: usize) -> Res<()> {
        let warnings = self.import_module("_warnings")?;
        let warn = self.getattr(&warnings, intern!("warn"))?;
        self.call(
            &warn,
            &[Value::from(message), category.to_value(), Value::usize(stacklevel)],
        )
        .map(drop)
    }
}

static OPTIMIZE: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// The level of `-O`.
pub fn optimize() -> u8 {
    OPTIMIZE.load(Relaxed)
}

static BYTES_WARNING: AtomicBool = AtomicBool::new(false);

/// Whether comparisons of bytes with text and numbers, and `str` of bytes, warn (`-b`).
#[inline]
pub fn bytes_warning() -> bool {
    BYTES_WARNING.load(Relaxed)
}

/// `-b`.
pub fn set_bytes_warning(on: bool) {
    BYTES_WARNING.store(on, Relaxed);
}

static VERBOSE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Whether imports are to be told of (`-v`), which importlib does.
pub fn is_verbose() -> bool {
    VERBOSE.load(Relaxed)
}

/// `-v`.
pub fn set_verbose(verbose: bool) {
    VERBOSE.store(verbose, Relaxed);
}

static ASCII_SYSTEM: AtomicBool = AtomicBool::new(false);

/// The encoding of file names, arguments and the environment: UTF-8, unless the locale is the plain C locale and nothing was to be done about that.
pub fn system_encoding() -> &'static str {
    if ASCII_SYSTEM.load(Relaxed) { "ascii" } else { "utf-8" }
}

/// Text from and for the system is ASCII.
pub fn set_ascii_system() {
    ASCII_SYSTEM.store(true, Relaxed);
}

/// Sets the level of `-O`.
pub fn set_optimize(level: u8) {
    OPTIMIZE.store(level, Relaxed);
}

static NO_DEBUG_RANGES: AtomicBool = AtomicBool::new(false);

/// Whether code objects made from now on keep lines alone.
pub fn no_debug_ranges() -> bool {
    NO_DEBUG_RANGES.load(Relaxed)
}

/// `-X no_debug_ranges`.
pub fn set_no_debug_ranges(on: bool) {
    NO_DEBUG_RANGES.store(on, Relaxed);
}

/// Writes text to a stream.
pub type TextWriter = fn(&Vm, &Value, &Py<Str>) -> Res<()>;
/// The native `write` of a stream; `None` if it is to be called as a method.
pub type FindTextWriter = fn(&Vm, &Value) -> Option<TextWriter>;

static FIND_TEXT_WRITER: std::sync::OnceLock<FindTextWriter> = std::sync::OnceLock::new();

/// Tells `print` which streams can be written to natively; once.
pub fn set_find_text_writer(find: FindTextWriter) {
    let _ = FIND_TEXT_WRITER.set(find);
}

/// The native `write` of a stream, if it has one that the program did not replace.
pub fn text_writer(vm: &Vm, file: &Value) -> Option<TextWriter> {
    FIND_TEXT_WRITER.get().and_then(|find| find(vm, file))
}
