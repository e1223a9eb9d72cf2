//! Interactive sessions: `_pyrepl` on a terminal, a plain loop elsewhere.
//!
//! Invariant: an exception in a statement never ends the session; `SystemExit` does.

use std::io::IsTerminal;

use lisle_runtime::intern;
use lisle_runtime::interp;
use lisle_runtime::native::{Py, Res, Str, Value, Vm};
use lisle_runtime::types::exceptions;
use lisle_runtime::types::module::Module;

use super::config::config;
use crate::sys::{hooks, info};

/// Whether a person sits at standard input.
pub fn on_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Runs a session in `__main__`; gives the exit code.
pub fn session(vm: &Vm, banner: bool) -> u8 {
    let result = run(vm, banner);
    match result {
        Ok(()) => 0,
        Err(exc) => super::program::report(vm, exc),
    }
}

fn run(vm: &Vm, banner: bool) -> Res<()> {
    let sys = interp::sys_dict();
    sys.set_default_str(intern!("ps1"), Value::from(">>> "));
    sys.set_default_str(intern!("ps2"), Value::from("... "));
    if banner && !config().quiet {
        let text = format!(
            "Python {} on {}\nType \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n",
            info::version(),
            std::env::consts::OS
        );
        hooks::write_fd(2, &text);
    }
    if banner {
        run_startup_file(vm)?;
    }
    if let Some(hook) = interp::sys_attr(vm, intern!("__interactivehook__"))
        && let Err(exc) = vm.call(&hook, &[])
    {
        hooks::write_fd(2, "Failed calling sys.__interactivehook__\n");
        hooks::call_excepthook(vm, &exc);
    }
    let plain = config().env("PYTHON_BASIC_REPL").is_some() || !on_terminal();
    if !plain && let Ok(repl) = vm.import_module("_pyrepl.main") {
        let console = vm.getattr(&repl, intern!("interactive_console"))?;
        return vm.call(&console, &[]).map(drop);
    }
    plain_session(vm)
}

/// `PYTHONSTARTUP`
fn run_startup_file(vm: &Vm) -> Res<()> {
    let Some(file) = config().env("PYTHONSTARTUP") else {
        return Ok(());
    };
    let main = interp::modules().get_str(intern!("__main__")).unwrap_or(Value::NONE);
    let Some(main) = main.downcast::<Module>() else {
        return Ok(());
    };
    let name = file.to_string_lossy().into_owned();
    let result = match std::fs::read(&file) {
        Ok(bytes) => {
            let builtins = interp::builtins();
            let compile = builtins.get_str(intern!("compile")).unwrap_or(Value::NONE);
            let source = lisle_runtime::types::bytes::Bytes::new_value(bytes);
            vm.call(&compile, &[source, Value::from(name.as_str()), Value::from("exec")])
                .and_then(|code| {
                    let exec = builtins.get_str(intern!("exec")).unwrap_or(Value::NONE);
                    vm.call(&exec, &[code, main.dict().into_value()])
                })
        }
        Err(e) => {
            hooks::write_fd(2, "Could not open PYTHONSTARTUP\n");
            Err(vm.os_error_from_named(&e, Value::from(name.as_str())))
        }
    };
    match result {
        Ok(_) => Ok(()),
        Err(exc) if exc.is_instance(exceptions::SYSTEM_EXIT.get()) => Err(exc),
        Err(exc) => {
            hooks::call_excepthook(vm, &exc);
            Ok(())
        }
    }
}

/// `str(sys.<name>)`
fn prompt(vm: &Vm, name: &'static Py<Str>) -> String {
    let value = interp::sys_attr(vm, name).unwrap_or(Value::NONE);
    vm.str(&value).map_or_else(|_| String::new(), |s| s.to_string_lossy())
}

/// What a line made of the statement so far.
enum Step {
    More,
    Done,
}

/// Reads statements from `sys.stdin` and runs them; prompts go to standard error, as without a line editor in CPython.
pub fn plain_session(vm: &Vm) -> Res<()> {
    let codeop = vm.import_module("codeop")?;
    let compiler = vm.call(&vm.getattr(&codeop, intern!("CommandCompiler"))?, &[])?;
    let main = interp::modules().get_str(intern!("__main__")).unwrap_or(Value::NONE);
    let namespace = vm.getattr(&main, intern!("__dict__"))?;
    let compile = interp::builtins().get_str(intern!("compile")).unwrap_or(Value::NONE);
    let mut text = String::new();
    loop {
        let name = if text.is_empty() {
            intern!("ps1")
        } else {
            intern!("ps2")
        };
        let _ = hooks::flush(vm, intern!("stdout"));
        hooks::write_fd(2, &prompt(vm, name));
        let line = read_line(vm);
        let line = match line {
            Ok(line) => line,
            Err(exc) if exc.is_instance(exceptions::KEYBOARD_INTERRUPT.get()) => {
                hooks::write_fd(2, "\nKeyboardInterrupt\n");
                text.clear();
                continue;
            }
            // Somebody closed the stream.
            Err(exc) if exc.is_instance(exceptions::OS_ERROR.get()) => None,
            Err(exc) => return Err(exc),
        };
        // A line without an end is the last one.
        let ended = line.as_ref().is_none_or(|line| !line.ends_with('\n'));
        match line {
            None => {
                hooks::write_fd(2, "\n");
                if text.is_empty() {
                    return Ok(());
                }
            }
            Some(line) => {
                text.push_str(&line);
                if ended {
                    hooks::write_fd(2, &format!("{}\n", prompt(vm, intern!("ps2"))));
                    text.push('\n');
                }
            }
        }
        if ended {
            text.push('\n');
        }
        // An empty line ends a block: only the last line's own newline goes.
        match step(vm, &compiler, &namespace, text.strip_suffix('\n').unwrap_or(&text)) {
            Ok(Step::More) if !ended => {}
            Ok(Step::More) => {
                // The rest will not come: what is there is wrong.
                if let Err(exc) = vm.call(
                    &compile,
                    &[
                        Value::from(text.as_str()),
                        Value::from("<stdin>"),
                        Value::from("single"),
                    ],
                ) {
                    drop(exc.object().traceback.take());
                    hooks::remember(vm, &exc);
                    hooks::call_excepthook(vm, &exc);
                }
                text.clear();
            }
            Ok(Step::Done) => text.clear(),
            Err(exc) if exc.is_instance(exceptions::SYSTEM_EXIT.get()) => return Err(exc),
            Err(exc) => {
                text.clear();
                hooks::remember(vm, &exc);
                hooks::call_excepthook(vm, &exc);
            }
        }
    }
}

/// A line of `sys.stdin`; `None` at its end.
fn read_line(vm: &Vm) -> Res<Option<String>> {
    let Some(stdin) = interp::sys_attr(vm, intern!("stdin")).filter(|f| !f.is_none()) else {
        return Ok(None);
    };
    let line = vm.call_method(&stdin, intern!("readline"), &[])?;
    let line = vm.str(&line)?.to_string_lossy();
    Ok(Some(line).filter(|l| !l.is_empty()))
}

/// Compiles what there is and, if it is whole, runs it.
fn step(vm: &Vm, compiler: &Value, namespace: &Value, text: &str) -> Res<Step> {
    let source = Value::from(text);
    let compile = |source: &Value| {
        vm.call(
            compiler,
            &[source.clone(), Value::from("<stdin>"), Value::from("single")],
        )
    };
    let code = match compile(&source) {
        // What is wrong with a line may show only when its end is seen.
        Err(exc) if exc.is_instance(exceptions::SYNTAX_ERROR.get()) => {
            let ended = Value::from(format!("{text}\n").as_str());
            match compile(&ended) {
                Ok(_) => Err(exc),
                other => other,
            }
        }
        other => other,
    };
    let code = code.inspect_err(|exc| {
        // What compiles is no part of the program.
        drop(exc.object().traceback.take());
    })?;
    if code.is_none() {
        return Ok(Step::More);
    }
    // Tracebacks show the lines.
    let linecache = vm.import_module("linecache")?;
    let register = vm.getattr(&linecache, intern!("_register_code"))?;
    vm.call(&register, &[code.clone(), source, Value::from("<stdin>")])?;
    let exec = interp::builtins().get_str(intern!("exec")).unwrap_or(Value::NONE);
    vm.call(&exec, &[code, namespace.clone()])?;
    Ok(Step::Done)
}
