//! The command line: options, start, running a program, exit codes.

use std::ffi::OsString;

use lisle_compiler::{Mode, Options};
use lisle_runtime::builtins::compile::compile_source;
use lisle_runtime::object::Value;
use lisle_runtime::types::module::Module;
use lisle_runtime::vm::{Exc, Vm};

/// Runs the program that the arguments (without the program's own name) ask for; returns the exit code.
pub fn run_command_line(args: Vec<OsString>) -> u8 {
    let mut free = std::env::var("PYTHON_GIL").is_ok_and(|v| v == "0");
    let mut any = false;
    let mut rest = args.into_iter().peekable();
    let mut command = None;
    while let Some(arg) = rest.peek() {
        match arg.to_string_lossy().as_ref() {
            "-X" => {
                rest.next();
                match rest.next().map(|v| v.to_string_lossy().into_owned()).as_deref() {
                    Some("gil=0") => free = true,
                    Some("gil=1") => free = false,
                    Some("switch=any") => any = true,
                    _ => {}
                }
            }
            "-c" => {
                rest.next();
                command = rest.next();
                break;
            }
            _ => break,
        }
    }
    lisle_runtime::sync::init_mode(free, any);
    lisle_runtime::memory::alloc::set_immediate_reclaim(!free);
    let vm = Vm::enter_thread(true);
    lisle_runtime::object::bootstrap();
    let result = start(vm, command, rest.next());
    match result {
        Ok(()) => 0,
        Err(exc) if exc.is_instance(lisle_runtime::types::exceptions::SYSTEM_EXIT.get()) => exit_code(vm, &exc),
        Err(exc) => {
            let text = vm
                .str(exc.value())
                .map_or_else(|_| String::new(), |s| s.to_string_lossy());
            eprintln!("{}: {text}", exc.value().ty().name());
            1
        }
    }
}

/// The exit code that `SystemExit(code)` asks for; what is no number is printed.
fn exit_code(vm: &Vm, exc: &Exc) -> u8 {
    let code = vm
        .getattr(exc.value(), lisle_runtime::intern!("code"))
        .unwrap_or(Value::NONE);
    if code.is_none() {
        return 0;
    }
    if let Some(n) = vm.int_value(&code).and_then(|n| n.to_i64()) {
        return n as u8;
    }
    eprintln!(
        "{}",
        vm.str(&code).map_or_else(|_| String::new(), |s| s.to_string_lossy())
    );
    1
}

fn start(vm: &Vm, command: Option<OsString>, file: Option<OsString>) -> Result<(), Exc> {
    let builtins = lisle_runtime::import::make_native_module(vm, &lisle_runtime::builtins::BUILTINS)?;
    lisle_runtime::interp::set_builtins(&builtins);
    let modules = lisle_runtime::interp::modules();
    modules.set(vm, &Value::from("builtins"), builtins.to_value())?;
    lisle_runtime::import::set_native_modules(crate::MODULES);
    lisle_runtime::import::set_library(&crate::packed::PackedLibrary);
    lisle_runtime::import::init(vm)?;
    let main = Module::new("__main__");
    main.set("__builtins__", builtins.to_value());
    let (source, filename) = match (command, file) {
        (Some(c), _) => (c.to_string_lossy().into_owned(), "<string>".to_string()),
        (None, Some(f)) => (
            std::fs::read_to_string(&f).unwrap_or_default(),
            f.to_string_lossy().into_owned(),
        ),
        _ => return Ok(()),
    };
    let options = Options {
        filename,
        ..Options::default()
    };
    let code = compile_source(vm, &source, Mode::Exec, &options)?;
    let globals = main.dict();
    vm.run_code(&code, &globals, None, None)?;
    Ok(())
}
