//! The command line: options, start, running a program, exit codes.

use std::ffi::OsString;

use lisle_compiler::{Mode, Options};
use lisle_runtime::builtins::compile::compile_source;
use lisle_runtime::native::{Py, Res, Str, pyfunction};
use lisle_runtime::object::Value;
use lisle_runtime::types::module::Module;
use lisle_runtime::types::native_function::NativeFunction;
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
        Err(exc) => {
            let text = vm
                .str(exc.value())
                .map_or_else(|_| String::new(), |s| s.to_string_lossy());
            eprintln!("{}: {text}", exc.value().ty().name());
            1
        }
    }
}

/// Import a native module.
///
/// Stands in for the import system, which is not wired yet: it knows the modules written in Rust alone.
#[pyfunction(name = "__import__", sig = "(name, globals=None, locals=None, fromlist=(), level=0)")]
fn import_native(
    vm: &Vm,
    name: &Py<Str>,
    _globals: Option<&Value>,
    _locals: Option<&Value>,
    _fromlist: Option<&Value>,
    _level: Option<&Value>,
) -> Res<Value> {
    let modules = lisle_runtime::interp::modules();
    if let Some(module) = modules.get_str(name) {
        return Ok(module);
    }
    let text = name.to_string_lossy();
    match crate::MODULES.iter().find(|def| def.name == text) {
        Some(def) => {
            let module = lisle_runtime::import::make_native_module(vm, def)?;
            drop(modules.replace_str(name, module.to_value()));
            Ok(module.into_value())
        }
        None => Err(vm.module_not_found_error(format!("No module named '{text}'"), Some(name.to_value()))),
    }
}

fn start(vm: &Vm, command: Option<OsString>, file: Option<OsString>) -> Result<(), Exc> {
    let builtins = lisle_runtime::import::make_native_module(vm, &lisle_runtime::builtins::BUILTINS)?;
    lisle_runtime::interp::set_builtins(&builtins);
    if builtins.dict().get_str(lisle_runtime::intern!("__import__")).is_none() {
        let import = NativeFunction::new_value(&IMPORT_NATIVE_DEF, None, None);
        builtins.set("__import__", import);
    }
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
