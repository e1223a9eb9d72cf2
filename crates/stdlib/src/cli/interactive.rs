//! Interactive sessions: `_pyrepl` on a terminal, a plain loop elsewhere.
//!
//! Invariant: an exception in a statement never ends the session; `SystemExit` does.

use std::io::IsTerminal;

use lisle_runtime::intern;
use lisle_runtime::interp;
use lisle_runtime::native::{Args, Res, Str, Value, Vm};
use lisle_runtime::types::exceptions;
use lisle_runtime::types::module::Module;
use lisle_runtime::types::tuple::Tuple;

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

/// The loop of the module `code`, which reads with `input()`.
pub fn plain_session(vm: &Vm) -> Res<()> {
    let code = vm.import_module("code")?;
    let interact = vm.getattr(&code, intern!("interact"))?;
    let main = interp::modules().get_str(intern!("__main__")).unwrap_or(Value::NONE);
    let namespace = vm.getattr(&main, intern!("__dict__"))?;
    let names = ["banner", "local", "exitmsg"].map(|n| Str::intern(n).into_value());
    let names = Tuple::new(names.into());
    let values = [Value::from(""), namespace, Value::from("")];
    vm.call_args(&interact, Args::with_names(&values, &names)).map(drop)
}
