//! How long `main` of programs takes that need no library, in milliseconds, the least of some runs: for work on the instruction loop, since the
//! library need not be built. `cargo run --release -p lisle-runtime --example bare -- [--free] [--runs N] benches/programs/call_args.py ...`

use std::time::Instant;

use lisle_compiler::{Mode, Options};
use lisle_runtime::builtins::compile::compile_source;
use lisle_runtime::interp;
use lisle_runtime::native::{Value, Vm};
use lisle_runtime::types::dict::Dict;

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let free = args.first().is_some_and(|arg| arg == "--free");
    args.drain(..usize::from(free));
    let mut runs = 5;
    if args.first().is_some_and(|arg| arg == "--runs") {
        runs = args[1].parse().expect("a number of runs");
        args.drain(..2);
    }
    lisle_runtime::sync::init_mode(free, false);
    lisle_runtime::sync::begin_alone();
    lisle_runtime::memory::alloc::set_immediate_reclaim(true);
    let vm = Vm::enter_thread(true);
    lisle_runtime::object::bootstrap();
    let builtins = lisle_runtime::import::make_native_module(vm, &lisle_runtime::builtins::BUILTINS)
        .unwrap_or_else(|_| panic!("the builtins"));
    interp::set_builtins(&builtins);
    for path in args {
        let source = std::fs::read_to_string(&path).expect("a program");
        let options = Options {
            filename: path.clone(),
            ..Options::default()
        };
        let globals = Dict::new_empty();
        globals.set_str(lisle_runtime::intern!("__builtins__"), builtins.to_value());
        globals.set_str(lisle_runtime::intern!("__name__"), Value::from("bare"));
        let loaded =
            compile_source(vm, &source, Mode::Exec, &options).and_then(|code| vm.run_code(&code, &globals, None, None));
        let main = loaded
            .ok()
            .and_then(|_| globals.get_str(lisle_runtime::intern!("main")));
        let Some(main) = main else {
            println!("{path}: it needs more than the runtime, or has no main");
            continue;
        };
        let least = (0..runs)
            .map(|_| {
                let begin = Instant::now();
                vm.call(&main, &[]).unwrap_or_else(|_| panic!("{path} raised"));
                begin.elapsed()
            })
            .min()
            .unwrap_or_default();
        println!("{path}: {:.2}", least.as_secs_f64() * 1e3);
    }
}
