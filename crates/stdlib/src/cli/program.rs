//! Running the program: a command, a module, a file, a folder or archive, standard input.
//!
//! Invariant: `__main__` is in `sys.modules` before any of its code runs.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use lisle_compiler::{Mode, Options};
use lisle_runtime::builtins::compile::{Undecodable, compile_source, decode, source_text};
use lisle_runtime::intern;
use lisle_runtime::interp;
use lisle_runtime::native::{Py, Res, Slot, Str, Value, Vm, pymodule};
use lisle_runtime::types::code::Code;
use lisle_runtime::types::exceptions;
use lisle_runtime::types::list::List;
use lisle_runtime::types::module::Module;
use lisle_runtime::vm::Exc;

use super::config::{Config, Program, config};
use super::interactive;
use crate::sys::hooks;
use crate::sys::info::from_os;

/// The program and its text, when it is in no file: tracebacks show its lines.
static TEXT: [Slot; 2] = [Slot::empty(), Slot::empty()];

/// Lets `linecache` know the lines of a program that is in no file. Called when a traceback is about to be shown.
pub fn register_text(vm: &Vm) -> Res<()> {
    if TEXT.iter().all(Slot::is_empty) {
        return Ok(());
    }
    let linecache = vm.import_module("linecache")?;
    register_with(vm, &vm.getattr(&linecache, intern!("_register_code"))?)
}

fn register_with(vm: &Vm, register: &Value) -> Res<()> {
    let [code, text] = &TEXT;
    let (Some(code), Some(text)) = (code.take(), text.take()) else {
        return Ok(());
    };
    let name = vm.getattr(&code, intern!("co_filename"))?;
    vm.call(register, &[code, text, name]).map(drop)
}

/// `_lisle_program`: what the library asks of the program that runs.
#[pymodule(name = "_lisle_program", doc = "What the library asks of the program that runs.")]
pub mod module {
    use super::*;

    /// Calls register(code, text, filename) for a program that is in no file, once.
    #[pyfunction(sig = "(register, /)")]
    fn register_text(vm: &Vm, register: &Value) -> Res<()> {
        register_with(vm, register)
    }
}

/// Runs the configured program and, if asked for, an interactive session after it; gives the exit code.
pub fn run(vm: &Vm) -> u8 {
    let config = config();
    let mut code = match run_program(vm, config) {
        Ok(code) => code,
        Err(exc) => {
            if config.inspect {
                hooks::remember(vm, &exc);
                hooks::call_excepthook(vm, &exc);
                u8::from(!exc.is_instance(exceptions::SYSTEM_EXIT.get()))
            } else {
                report(vm, exc)
            }
        }
    };
    let asked = config.inspect || config.env("PYTHONINSPECT").is_some();
    let interactive = interactive::on_terminal() || config.interactive;
    if asked && interactive && config.program != Program::Stdin {
        code = interactive::session(vm, false);
    }
    code
}

/// Shows an uncaught exception; gives the exit code.
pub fn report(vm: &Vm, exc: Exc) -> u8 {
    if exc.is_instance(exceptions::SYSTEM_EXIT.get()) {
        return super::exit_code(vm, &exc);
    }
    hooks::remember(vm, &exc);
    let interrupted = exc.is_instance(exceptions::KEYBOARD_INTERRUPT.get());
    hooks::call_excepthook(vm, &exc);
    if interrupted {
        super::finish::end_by_interrupt();
        return 130;
    }
    1
}

fn run_program(vm: &Vm, config: &Config) -> Res<u8> {
    let main = Module::new("__main__");
    main.set(
        "__builtins__",
        interp::modules().get_str(intern!("builtins")).unwrap_or(Value::NONE),
    );
    main.set("__annotations__", Value::NONE);
    drop(main.dict().remove_str(intern!("__annotations__")));
    interp::modules().set_str(intern!("__main__"), main.to_value());
    if interp::modules().get_str(intern!("_frozen_importlib")).is_some() {
        let loader = vm.import_module("_frozen_importlib")?;
        main.set("__loader__", vm.getattr(&loader, intern!("BuiltinImporter"))?);
    }
    match &config.program {
        Program::Command(text) => {
            put_first_on_path(vm, config, Value::from(""))?;
            let mut text = from_os(text);
            if let Some(s) = text.downcast::<Str>() {
                if let Err(exc) = source_text(vm, &text, "source", "<string>") {
                    hooks::write_fd(2, "Unable to decode the command from the command line:\n");
                    return Err(exc);
                }
                let line = s.to_string_lossy();
                if line.starts_with([' ', '\t', '\n', '\\']) || line.contains('\n') {
                    text = dedent(vm, text)?;
                }
            }
            run_text(vm, &main, &text, "<string>", true)
        }
        Program::Module(name) => {
            let here = std::env::current_dir().unwrap_or_default();
            put_first_on_path(vm, config, from_os(here.as_os_str()))?;
            run_as_main(vm, from_os(name), true)
        }
        Program::File(file) => run_file(vm, config, &main, file),
        Program::Stdin => {
            put_first_on_path(vm, config, Value::from(""))?;
            if interactive::on_terminal() || config.interactive {
                return Ok(interactive::session(vm, true));
            }
            let mut bytes = Vec::new();
            let read = vm.detached(|| std::io::stdin().read_to_end(&mut bytes));
            if let Err(e) = read {
                return Err(vm.os_error_from(&e));
            }
            main.set("__file__", Value::from("<stdin>"));
            let text = file_text(vm, &bytes, "<stdin>")?;
            run_text(vm, &main, &Value::from(text.as_str()), "<stdin>", true)
        }
    }
}

/// `-c` takes an indented text as a whole.
fn dedent(vm: &Vm, text: Value) -> Res<Value> {
    let lines = text.downcast::<Str>().map(|s| s.to_string_lossy()).unwrap_or_default();
    let indented = lines
        .lines()
        .filter(|l| !l.trim().is_empty())
        .all(|l| l.starts_with([' ', '\t']));
    if !indented {
        return Ok(text);
    }
    let textwrap = vm.import_module("textwrap")?;
    let dedent = vm.getattr(&textwrap, intern!("dedent"))?;
    vm.call(&dedent, &[text])
}

fn put_first_on_path(vm: &Vm, config: &Config, entry: Value) -> Res<()> {
    if config.safe_path {
        return Ok(());
    }
    let Some(path) = interp::sys_attr(vm, intern!("path")) else {
        return Ok(());
    };
    lisle_runtime::import::shadowing::set_program_folder(entry.clone());
    if let Some(path) = path.downcast::<List>() {
        path.with(|items| items.insert(0, entry))
            .map_err(|_| vm.memory_error())?;
    }
    Ok(())
}

/// Compiles and runs a text in `__main__`.
fn run_text(vm: &Vm, main: &Py<Module>, text: &Value, filename: &str, remember: bool) -> Res<u8> {
    let source = source_text(vm, text, "source", filename)?;
    if source.contains('\0') {
        let place = exceptions::SourcePlace {
            filename: Some(Value::from(filename)),
            ..Default::default()
        };
        return Err(vm.syntax_error(
            &exceptions::SYNTAX_ERROR,
            "source code cannot contain null bytes",
            place,
        ));
    }
    let options = Options {
        filename: filename.to_owned(),
        optimize: interp::optimize(),
        ..Options::default()
    };
    let code = compile_source(vm, &source, Mode::Exec, &options)?;
    if remember {
        let [kept, lines] = &TEXT;
        drop(kept.swap(Some(code.to_value())));
        drop(lines.swap(Some(Value::from(source.as_str()))));
    }
    run_main(vm, main, &code)
}

fn run_main(vm: &Vm, main: &Py<Module>, code: &Py<Code>) -> Res<u8> {
    vm.run_code(code, &main.dict(), None, None)?;
    Ok(0)
}

/// `runpy._run_module_as_main`
fn run_as_main(vm: &Vm, name: Value, alter_argv: bool) -> Res<u8> {
    let runpy = vm.import_module("runpy")?;
    let run = vm.getattr(&runpy, intern!("_run_module_as_main"))?;
    vm.call(&run, &[name, Value::from_bool(alter_argv)])?;
    Ok(0)
}

/// Whether the file may be a zip archive: the record at its end says so.
fn looks_like_archive(bytes: &[u8]) -> bool {
    const END: &[u8] = b"PK\x05\x06";
    let tail = &bytes[bytes.len().saturating_sub(65_557)..];
    tail.windows(END.len()).any(|w| w == END)
}

fn run_file(vm: &Vm, config: &Config, main: &Py<Module>, file: &OsStr) -> Res<u8> {
    // Programs see where they are whatever folder they go to: the path is absolute, but otherwise as it was given.
    let shown = match std::env::current_dir() {
        Ok(here) => here.join(file),
        Err(_) => Path::new(file).to_owned(),
    };
    let (path, file) = (shown.as_path(), shown.as_os_str());
    if path.is_dir() {
        return run_container(vm, file);
    }
    let read = match crate::posix::packed::find(file.as_bytes()) {
        Some(crate::posix::packed::Found::File(found)) => Ok(found.read()),
        _ => std::fs::read(path),
    };
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(e) => {
            let name = config
                .orig_argv
                .first()
                .map_or_else(String::new, |a| a.to_string_lossy().into_owned());
            let reason = vm.os_error_from(&e);
            let text = vm.str(reason.value())?.to_string_lossy();
            let message = format!("{name}: can't open file '{}': {text}\n", shown.display());
            hooks::write_fd(2, &message);
            return Ok(2);
        }
    };
    let is_cache = file.as_bytes().ends_with(b".pyc");
    if !is_cache && looks_like_archive(&bytes) && has_importer(vm, file)? {
        return run_container(vm, file);
    }
    let real = path.canonicalize().unwrap_or_else(|_| shown.clone());
    let folder = real.parent().unwrap_or(Path::new("")).to_owned();
    put_first_on_path(vm, config, from_os(folder.as_os_str()))?;
    let name = from_os(file);
    main.set("__file__", name.clone());
    main.set("__cached__", Value::NONE);
    if interp::modules().get_str(intern!("_frozen_importlib")).is_some() {
        let external = vm.import_module("_frozen_importlib_external")?;
        let class = if is_cache {
            intern!("SourcelessFileLoader")
        } else {
            intern!("SourceFileLoader")
        };
        let loader = vm.call(&vm.getattr(&external, class)?, &[Value::from("__main__"), name.clone()])?;
        main.set("__loader__", loader.clone());
        if is_cache {
            let code = vm.call_method(&loader, intern!("get_code"), &[Value::from("__main__")])?;
            return match code.downcast::<Code>() {
                Some(code) => run_main(vm, main, code),
                None => Err(vm.runtime_error("Bad code object in .pyc file")),
            };
        }
    }
    let bytes = match config.skip_first_line {
        true => {
            let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
            bytes[end..].to_vec()
        }
        false => bytes,
    };
    let filename = file.to_string_lossy().into_owned();
    let text = file_text(vm, &bytes, &filename)?;
    run_text(vm, main, &Value::from(text.as_str()), &filename, false)
}

/// The text of a program's file; what cannot be decoded is worded as for files.
fn file_text(vm: &Vm, bytes: &[u8], filename: &str) -> Res<String> {
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        let start = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let line = String::from_utf8_lossy(&bytes[start..at]).into_owned();
        let place = exceptions::SourcePlace {
            filename: Some(Value::from(filename)),
            lineno: bytes[..at].iter().filter(|b| **b == b'\n').count() + 1,
            text: Some(Value::from(line.as_str())),
            ..Default::default()
        };
        return Err(vm.syntax_error(
            &exceptions::SYNTAX_ERROR,
            "source code cannot contain null bytes",
            place,
        ));
    }
    decode(vm, bytes).map_err(|e| match e {
        Undecodable::Raised(e) => e,
        Undecodable::Syntax(e) => {
            let message = match e.message.split_once(" on line ") {
                Some((head, tail)) if head.starts_with("Non-UTF-8") => {
                    format!("{head} in file {filename} on line {tail}")
                }
                _ => e.message.replace("unknown encoding", "encoding problem"),
            };
            vm.new_exception(exceptions::SYNTAX_ERROR.get(), vec![Value::from(message.as_str())])
        }
    })
}

fn has_importer(vm: &Vm, file: &OsStr) -> Res<bool> {
    let pkgutil = vm.import_module("pkgutil")?;
    let get = vm.getattr(&pkgutil, intern!("get_importer"))?;
    Ok(!vm.call(&get, &[from_os(file)])?.is_none())
}

/// A folder or archive with a module `__main__`.
fn run_container(vm: &Vm, file: &OsStr) -> Res<u8> {
    if let Some(path) = interp::sys_attr(vm, intern!("path"))
        && let Some(path) = path.downcast::<List>()
    {
        path.with(|items| items.insert(0, from_os(file)))
            .map_err(|_| vm.memory_error())?;
    }
    run_as_main(vm, Value::from("__main__"), false)
}
