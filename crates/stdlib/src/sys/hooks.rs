//! What `sys` does with results, exceptions and breakpoints, and what programs may put in its place.
//!
//! Invariant: showing an exception never fails: without the module `traceback` a plain form is written.

use std::io::Write;

use lisle_runtime::intern;
use lisle_runtime::interp;
use lisle_runtime::native::{Args, Py, Res, Str, Value, Vm, pyclass, pymethods, pymodule};
use lisle_runtime::types::exceptions;
use lisle_runtime::types::traceback::Traceback;
use lisle_runtime::types::tuple::Tuple;
use lisle_runtime::vm::Exc;

/// Writes text to `sys.<name>`, or to the file descriptor when there is no such object.
fn write_to(vm: &Vm, name: &'static Py<Str>, fd: i32, text: &Value) -> Res<()> {
    match interp::sys_attr(vm, name).filter(|f| !f.is_none()) {
        Some(file) => {
            let write = vm.getattr(&file, intern!("write"))?;
            vm.call(&write, std::slice::from_ref(text))?;
            Ok(())
        }
        None => {
            write_fd(fd, &vm.str(text)?.to_string_lossy());
            Ok(())
        }
    }
}

/// `sys.stderr` until there are streams: importers write there when they are to tell what they do.
#[pyclass(name = "stderrprinter", no_new, gc = false)]
pub struct StderrPrinter {}

#[pymethods]
impl StderrPrinter {
    #[pymethod(sig = "($self, text, /)")]
    fn write(_: &Vm, _this: &Py<StderrPrinter>, text: &Py<Str>) -> usize {
        write_fd(2, &text.to_string_lossy());
        text.len()
    }

    #[pymethod(sig = "($self, /)")]
    fn fileno(_: &Vm, _this: &Py<StderrPrinter>) -> i32 {
        2
    }

    #[pymethod(sig = "($self, /)")]
    fn isatty(_: &Vm, _this: &Py<StderrPrinter>) -> bool {
        std::io::IsTerminal::is_terminal(&std::io::stderr())
    }

    #[pymethod(sig = "($self, /)")]
    fn flush(_: &Vm, _this: &Py<StderrPrinter>) {}

    #[pymethod(sig = "($self, /)")]
    fn close(_: &Vm, _this: &Py<StderrPrinter>) {}
}

/// A new one.
pub fn preliminary_stderr() -> Value {
    Py::new(StderrPrinter {}).into_value()
}

/// Writes to a file descriptor; errors have nowhere to go.
pub fn write_fd(fd: i32, text: &str) {
    let mut out: Box<dyn Write> = if fd == 1 {
        Box::new(std::io::stdout())
    } else {
        Box::new(std::io::stderr())
    };
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Flushes `sys.<name>`.
pub fn flush(vm: &Vm, name: &'static Py<Str>) -> Res<()> {
    let Some(file) = interp::sys_attr(vm, name).filter(|f| !f.is_none()) else {
        return Ok(());
    };
    let closed = vm.getattr_opt(&file, intern!("closed"))?;
    if closed.is_some_and(|c| vm.truth(&c).unwrap_or(false)) {
        return Ok(());
    }
    vm.call_method(&file, intern!("flush"), &[]).map(drop)
}

/// Shows an exception as an uncaught one, on `sys.stderr`.
pub fn display(vm: &Vm, exc: &Exc) {
    let _ = flush(vm, intern!("stdout"));
    if display_with_module(vm, exc).is_err() {
        display_plainly(vm, exc);
    }
    let _ = flush(vm, intern!("stderr"));
}

/// By `traceback._print_exception_bltin`, which has carets, suggestions and colours.
fn display_with_module(vm: &Vm, exc: &Exc) -> Res<()> {
    if exc.is(&exceptions::MEMORY_ERROR) {
        return Err(vm.memory_error());
    }
    match interp::sys_attr(vm, intern!("stderr")) {
        None => return Err(vm.runtime_error("lost sys.stderr")),
        Some(file) if file.is_none() => return Ok(()),
        Some(_) => {}
    }
    crate::cli::register_text(vm)?;
    let module = vm.import_module("traceback")?;
    let print = vm.getattr(&module, intern!("_print_exception_bltin"))?;
    vm.call(&print, std::slice::from_ref(exc.value())).map(drop)
}

/// Files, lines and the last line.
fn display_plainly(vm: &Vm, exc: &Exc) {
    let mut out = String::new();
    let mut at = exc.object().traceback.get();
    if at.is_some() {
        out.push_str("Traceback (most recent call last):\n");
    }
    let mut shown = 0;
    while let Some(entry) = at {
        let Some(tb) = entry.downcast::<Traceback>() else { break };
        if shown < 50 {
            let (file, name) = (
                tb.frame.code.filename.to_string_lossy(),
                tb.frame.code.name.to_string_lossy(),
            );
            out.push_str(&format!("  File \"{file}\", line {}, in {name}\n", tb.line()));
        }
        shown += 1;
        at = tb.next.get();
    }
    if shown > 50 {
        out.push_str(&format!("  [{} more frames]\n", shown - 50));
    }
    let name = exc.value().ty().name();
    let text = vm
        .str(exc.value())
        .map_or_else(|_| "<exception str() failed>".into(), |s| s.to_string_lossy());
    out.push_str(&if text.is_empty() {
        format!("{name}\n")
    } else {
        format!("{name}: {text}\n")
    });
    let text = Value::from(out.as_str());
    if write_to(vm, intern!("stderr"), 2, &text).is_err() {
        write_fd(2, &out);
    }
}

/// Calls `sys.excepthook`; an exception in it is shown with the first.
pub fn call_excepthook(vm: &Vm, exc: &Exc) {
    let _ = flush(vm, intern!("stdout"));
    let Some(hook) = interp::sys_attr(vm, intern!("excepthook")) else {
        write_fd(2, "sys.excepthook is missing\n");
        return display(vm, exc);
    };
    let traceback = exc.object().traceback.get().unwrap_or(Value::NONE);
    let args = [exc.value().ty().to_value(), exc.value().clone(), traceback];
    if super::is_audited() {
        let told = [hook.clone(), args[0].clone(), args[1].clone(), args[2].clone()];
        match super::audit(vm, "sys.excepthook", &told) {
            // A hook may ask for silence in this way.
            Err(refused) if refused.is_instance(exceptions::RUNTIME_ERROR.get()) => return,
            Err(other) => display(vm, &other),
            Ok(()) => {}
        }
    }
    if let Err(second) = vm.call(&hook, &args) {
        if second.is_instance(exceptions::SYSTEM_EXIT.get()) {
            std::process::exit(crate::cli::exit_code(vm, &second).into());
        }
        write_fd(2, "Error in sys.excepthook:\n");
        display(vm, &second);
        write_fd(2, "\nOriginal exception was:\n");
        display(vm, exc);
    }
}

/// `sys.last_exc` and its parts, for debuggers.
pub fn remember(vm: &Vm, exc: &Exc) {
    let sys = interp::sys_dict();
    let traceback = exc.object().traceback.get().unwrap_or(Value::NONE);
    sys.set_str(intern!("last_exc"), exc.value().clone());
    sys.set_str(intern!("last_type"), exc.value().ty().to_value());
    sys.set_str(intern!("last_value"), exc.value().clone());
    sys.set_str(intern!("last_traceback"), traceback);
    let _ = vm;
}

/// `(type, value, traceback)` of what is being handled.
fn handled(vm: &Vm) -> Option<Exc> {
    Exc::try_from_value(vm.handled_exception()?).ok()
}

/// The import path of `PYTHONBREAKPOINT`.
fn breakpoint_target(vm: &Vm) -> Res<Option<Value>> {
    let environ = std::env::var("PYTHONBREAKPOINT").unwrap_or_default();
    let wanted = if crate::cli::config().ignore_environment {
        String::new()
    } else {
        environ
    };
    let name = match wanted.as_str() {
        "0" => return Ok(None),
        "" => "pdb.set_trace",
        other => other,
    };
    let (module, attr) = name.rsplit_once('.').unwrap_or(("builtins", name));
    let found = vm
        .import_module(module)
        .and_then(|m| vm.getattr(&m, &Str::intern(attr)));
    match found {
        Ok(f) => Ok(Some(f)),
        Err(e) if e.is_instance(exceptions::EXCEPTION.get()) => {
            let message = format!("Ignoring unimportable $PYTHONBREAKPOINT: \"{name}\"");
            vm.warn(exceptions::RUNTIME_WARNING.get(), &message, 1)?;
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

#[pymodule(name = "sys")]
pub mod module {
    use super::*;

    /// Print an object to sys.stdout and also save it in builtins._
    #[pyfunction(sig = "(object, /)")]
    fn displayhook(vm: &Vm, object: &Value) -> Res<()> {
        if object.is_none() {
            return Ok(());
        }
        let builtins = interp::builtins();
        builtins.set_str(intern!("_"), Value::NONE);
        let Some(out) = interp::sys_attr(vm, intern!("stdout")).filter(|f| !f.is_none()) else {
            return Err(vm.runtime_error("lost sys.stdout"));
        };
        let text = vm.repr(object)?.into_value();
        match vm.call_method(&out, intern!("write"), std::slice::from_ref(&text)) {
            Err(e) if e.is(&exceptions::UNICODE_ENCODE_ERROR) => {
                let encoding = vm.getattr(&out, intern!("encoding"))?;
                let escaped = vm.call_method(
                    &text,
                    intern!("encode"),
                    &[encoding.clone(), Value::from("backslashreplace")],
                )?;
                let plain = vm.call_method(&escaped, intern!("decode"), &[encoding, Value::from("strict")])?;
                vm.call_method(&out, intern!("write"), &[plain])?;
            }
            other => drop(other?),
        }
        vm.call_method(&out, intern!("write"), &[Value::from("\n")])?;
        builtins.set_str(intern!("_"), object.clone());
        Ok(())
    }

    /// Handle an exception by displaying it with a traceback on sys.stderr.
    #[pyfunction(sig = "(exctype, value, traceback, /)")]
    fn excepthook(vm: &Vm, _exctype: &Value, value: &Value, traceback: &Value) -> Res<()> {
        match Exc::try_from_value(value.clone()) {
            Ok(exc) => {
                if traceback.downcast::<Traceback>().is_some() && exc.object().traceback.is_empty() {
                    drop(exc.object().traceback.swap(Some(traceback.clone())));
                }
                display(vm, &exc);
            }
            Err(other) => {
                let got = other.ty().name();
                let text = format!("TypeError: print_exception(): Exception expected for value, {got} found\n");
                write_to(vm, intern!("stderr"), 2, &Value::from(text.as_str()))?;
            }
        }
        Ok(())
    }

    /// Handle an unraisable exception.
    #[pyfunction(sig = "(unraisable, /)")]
    fn unraisablehook(vm: &Vm, unraisable: &Value) -> Res<()> {
        if !unraisable.ty().is(super::super::info::UNRAISABLE_ARGS.ty()) {
            return Err(vm.type_error("sys.unraisablehook argument type must be UnraisableHookArgs"));
        }
        let get = |name: &'static str| vm.getattr(unraisable, &Str::intern(name));
        let (message, object, value) = (get("err_msg")?, get("object")?, get("exc_value")?);
        let head = if message.is_none() {
            "Exception ignored in".to_string()
        } else {
            vm.str(&message)?.to_string_lossy()
        };
        let mut text = head;
        if !object.is_none() {
            let shown = vm
                .repr(&object)
                .map_or_else(|_| "<object repr() failed>".to_string(), |repr| repr.to_string_lossy());
            text.push_str(": ");
            text.push_str(&shown);
            text.push('\n');
        } else {
            text.push_str(":\n");
        }
        if interp::sys_attr(vm, intern!("stderr")).is_none_or(|f| f.is_none()) {
            return Ok(());
        }
        write_to(vm, intern!("stderr"), 2, &Value::from(text.as_str()))?;
        if let Ok(exc) = Exc::try_from_value(value) {
            display(vm, &exc);
        }
        Ok(())
    }

    /// This hook function is called by built-in breakpoint().
    #[pyfunction(sig = "(*args, **kws)")]
    fn breakpointhook(vm: &Vm, args: &[Value], kws: lisle_runtime::native::KwArgs<'_>) -> Res<Value> {
        let Some(target) = breakpoint_target(vm)? else {
            return Ok(Value::NONE);
        };
        let (mut values, mut names) = (args.to_vec(), Vec::new());
        for (name, value) in kws.iter() {
            names.push(name.to_value());
            values.push(value.clone());
        }
        let names = Tuple::new(names);
        vm.call_args(&target, Args::with_names(&values, &names))
    }

    /// Return the current exception that is being handled, or None.
    #[pyfunction(sig = "()")]
    fn exception(vm: &Vm) -> Option<Value> {
        vm.handled_exception()
    }

    /// Return current exception information: (type, value, traceback).
    #[pyfunction(sig = "()")]
    fn exc_info(vm: &Vm) -> Value {
        let parts = match handled(vm) {
            Some(exc) => vec![
                exc.value().ty().to_value(),
                exc.value().clone(),
                exc.object().traceback.get().unwrap_or(Value::NONE),
            ],
            None => vec![Value::NONE; 3],
        };
        Tuple::new(parts).into_value()
    }

    /// Exit the interpreter by raising SystemExit(status).
    #[pyfunction(sig = "(status=None, /)")]
    fn exit(vm: &Vm, status: Option<&Value>) -> Res<()> {
        let args = match status.filter(|s| !s.is_none()) {
            None => Vec::new(),
            Some(status) => match status.downcast_exact::<Tuple>() {
                Some(items) => items.as_slice().to_vec(),
                None => vec![status.clone()],
            },
        };
        Err(vm.new_exception(exceptions::SYSTEM_EXIT.get(), args))
    }

    #[init]
    fn init(_vm: &Vm, module: &Py<lisle_runtime::types::module::Module>) -> Res<()> {
        let dict = module.dict();
        for name in ["displayhook", "excepthook", "unraisablehook", "breakpointhook"] {
            if let Some(value) = dict.get_str(&Str::intern(name)) {
                module.set(&format!("__{name}__"), value);
            }
        }
        Ok(())
    }
}
