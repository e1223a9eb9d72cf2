//! The start: the modes, the first modules, importing, the standard streams, `site`.
//!
//! Invariant: Python code runs only when the mode is decided; `sys` is there before any other module but `builtins`.

use lisle_runtime::intern;
use lisle_runtime::interp;
use lisle_runtime::native::{Args, Res, Str, Value, Vm};
use lisle_runtime::types::tuple::Tuple;
use lisle_runtime::vm::Exc;

use super::config::config;
use crate::sys::hooks;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Starts the interpreter on the calling thread; `Err` is the exit code when it cannot.
pub fn start() -> Result<&'static Vm, u8> {
    let config = config();
    lisle_runtime::sync::init_mode(config.free, config.switch_any);
    lisle_runtime::sync::begin_alone();
    lisle_runtime::memory::alloc::set_immediate_reclaim(true);
    lisle_runtime::types::str::set_hash_seed(config.hash_seed);
    lisle_runtime::memory::reserve::init();
    let vm = Vm::enter_thread(true);
    lisle_runtime::object::bootstrap();
    interp::set_optimize(config.optimize);
    interp::set_bytes_warning(config.bytes_warning > 0);
    interp::set_verbose(config.verbose > 0);
    lisle_runtime::import::timing::set(config.import_time);
    interp::set_no_debug_ranges(config.no_debug_ranges);
    if config.int_max_str_digits != 4300 {
        lisle_runtime::types::int::set_max_str_digits(config.int_max_str_digits);
    }
    if let Err(exc) = modules(vm).and_then(|()| streams(vm)) {
        hooks::write_fd(2, "Fatal Python error: the interpreter could not start\n");
        hooks::display(vm, &exc);
        return Err(1);
    }
    crate::install_signal_handlers(vm);
    crate::tracemalloc::enable_at_start(vm);
    if !config.warn_options.is_empty()
        && let Err(exc) = vm.import_module("warnings")
    {
        // The module puts the filters in place; without it the program runs with the usual ones.
        hooks::display(vm, &exc);
    }
    match site(vm) {
        Ok(()) => Ok(vm),
        Err(exc) => {
            // As CPython: what ends `site` ends the program.
            Err(super::program::report(vm, exc))
        }
    }
}

/// `builtins`, `sys`, the importers.
fn modules(vm: &Vm) -> Res<()> {
    lisle_runtime::import::set_native_modules(crate::MODULES);
    crate::ast::install();
    lisle_runtime::import::set_library(&crate::packed::PackedLibrary);
    let modules = interp::modules();
    let builtins = lisle_runtime::import::make_native_module(vm, &lisle_runtime::builtins::BUILTINS)?;
    interp::set_builtins(&builtins);
    modules.set_str(intern!("builtins"), builtins.to_value());
    let sys = lisle_runtime::import::make_native_module(vm, &crate::sys::module::DEF)?;
    modules.set_str(intern!("sys"), sys.to_value());
    interp::sys_dict().set_str(intern!("stderr"), hooks::preliminary_stderr());
    lisle_runtime::import::init(vm)?;
    if config().check_pycs != "default"
        && let Some(imp) = modules.get_str(intern!("_imp"))
    {
        let policy = config().check_pycs.to_string_lossy();
        vm.setattr(&imp, intern!("check_hash_based_pycs"), &Value::from(policy.as_ref()))?;
    }
    Ok(())
}

/// The name that a codec gives itself.
fn codec_name(vm: &Vm, encoding: &str) -> Res<String> {
    if ["utf-8", "utf8"].iter().any(|name| encoding.eq_ignore_ascii_case(name)) {
        return Ok("utf-8".to_owned());
    }
    let codecs = vm.import_module("_codecs")?;
    let codec = vm.call_method(&codecs, intern!("lookup"), &[Value::from(encoding)])?;
    let name = vm.getattr(&codec, intern!("name"))?;
    Ok(vm.str(&name)?.to_string_lossy())
}

/// `sys.stdin`, `sys.stdout`, `sys.stderr`.
fn streams(vm: &Vm) -> Res<()> {
    let io = match vm.import_module("_io") {
        Ok(io) => io,
        Err(e) if e.is(&lisle_runtime::types::exceptions::MODULE_NOT_FOUND_ERROR) => return Ok(()),
        Err(e) => return Err(e),
    };
    interp::builtins().set_str(intern!("open"), vm.getattr(&io, intern!("open"))?);
    let given = config().io_encoding.as_deref().unwrap_or("");
    let (encoding, given_errors) = given.split_once(':').unwrap_or((given, ""));
    let errors = match given_errors {
        "" if encoding.is_empty() => config().stream_errors,
        "" => "strict",
        other => other,
    };
    let encoding = match encoding {
        "" if config().utf8_mode => "utf-8",
        "" => crate::io::locale_encoding(),
        other => other,
    };
    let encoding = &*codec_name(vm, encoding)?;
    let sys = interp::sys_dict();
    for (fd, name, errors) in [
        (0, "stdin", errors),
        (1, "stdout", errors),
        (2, "stderr", "backslashreplace"),
    ] {
        let stream = stream(vm, &io, fd, name, encoding, errors)?;
        sys.set_str(&Str::intern(name), stream.clone());
        sys.set_str(&Str::intern(&format!("__{name}__")), stream);
    }
    // The program finds closed what it was started without.
    for fd in (0..3).filter(|fd| CLOSED.load(Relaxed) & 1 << fd != 0) {
        // SAFETY: nothing uses what Rust has opened there.
        unsafe { libc::close(fd) };
    }
    Ok(())
}

/// The standard descriptors that were closed when the process began, as bits: before `main`, Rust opens `/dev/null` in their places.
static CLOSED: AtomicU8 = AtomicU8::new(0);

/// Looks at the descriptors before Rust does.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = {
    extern "C" fn look() {
        let closed = (0..3).filter(|&fd| {
            // SAFETY: a plain query of a file descriptor.
            unsafe { libc::fcntl(fd, libc::F_GETFD) < 0 }
        });
        CLOSED.store(closed.fold(0, |bits, fd| bits | 1 << fd), Relaxed);
    }
    look
};

fn stream(vm: &Vm, io: &Value, fd: i32, name: &str, encoding: &str, errors: &str) -> Res<Value> {
    if CLOSED.load(Relaxed) & 1 << fd != 0 {
        // SAFETY: nobody has been told of what Rust put in its place.
        unsafe { libc::close(fd) };
        return Ok(Value::NONE);
    }
    // SAFETY: a plain query of a file descriptor.
    if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Ok(Value::NONE);
    }
    let write = fd != 0;
    let unbuffered = config().unbuffered && write;
    let open = vm.getattr(io, intern!("open"))?;
    let values = [
        Value::int(fd.into()),
        Value::from(if write { "wb" } else { "rb" }),
        Value::int(if unbuffered { 0 } else { -1 }),
        Value::FALSE,
    ];
    let names = Tuple::new(vec![intern!("closefd").to_value()]);
    let buffer = match vm.call_args(&open, Args::with_names(&values, &names)) {
        Ok(buffer) => buffer,
        // A directory, or a descriptor opened the other way round.
        Err(e) if e.is_instance(lisle_runtime::types::exceptions::OS_ERROR.get()) => return Ok(Value::NONE),
        Err(e) => return Err(e),
    };
    let raw = if unbuffered {
        buffer.clone()
    } else {
        vm.getattr(&buffer, intern!("raw"))?
    };
    vm.setattr(&raw, intern!("name"), &Value::from(format!("<{name}>").as_str()))?;
    let terminal = vm.call_method(&raw, intern!("isatty"), &[])?;
    let terminal = vm.truth(&terminal)?;
    let wrapper = vm.getattr(io, intern!("TextIOWrapper"))?;
    let values = [
        buffer,
        Value::from(encoding),
        Value::from(errors),
        Value::from("\n"),
        Value::from_bool((terminal || fd == 2 || config().interactive) && !unbuffered),
        Value::from_bool(unbuffered),
    ];
    let stream = vm.call(&wrapper, &values)?;
    vm.setattr(&stream, intern!("mode"), &Value::from(if write { "w" } else { "r" }))?;
    Ok(stream)
}

/// Imports `site`, unless `-S` says not to.
fn site(vm: &Vm) -> Result<(), Exc> {
    let importable = interp::modules().get_str(intern!("_frozen_importlib")).is_some();
    if config().no_site || !importable {
        return Ok(());
    }
    vm.import_module("site").map(drop)
}
