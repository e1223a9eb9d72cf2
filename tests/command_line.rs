//! The command line against `python`'s: options, sources of a program, exit codes, errors. Each case also runs on a CPython, if
//! there is one (`LISLE_TEST_PYTHON`, else `python3.13` or `python3.14` on the path): so the expectations stay CPython's.

mod support;

use std::process::{Command, Stdio};

use support::{Run, lisle_with_input};

struct Case {
    args: &'static [&'static str],
    input: &'static str,
    code: i32,
    stdout: &'static str,
    /// The last line of standard error.
    error: &'static str,
}

const fn case(
    args: &'static [&'static str],
    input: &'static str,
    code: i32,
    stdout: &'static str,
    error: &'static str,
) -> Case {
    Case {
        args,
        input,
        code,
        stdout,
        error,
    }
}

const CASES: &[Case] = &[
    case(&["-c", "print(1)"], "", 0, "1\n", ""),
    case(
        &["-c", "import sys; print(sys.argv)", "-x", "b"],
        "",
        0,
        "['-c', '-x', 'b']\n",
        "",
    ),
    case(&["-Sc", "print(2)"], "", 0, "2\n", ""),
    case(
        &[
            "-X",
            "cpu_count=7",
            "-c",
            "import os; print(os.cpu_count(), os.process_cpu_count())",
        ],
        "",
        0,
        "7 7\n",
        "",
    ),
    case(
        &["-X", "pycache_prefix=", "-c", "import sys; print(sys.pycache_prefix)"],
        "",
        0,
        "None\n",
        "",
    ),
    case(&["-", "a"], "import sys; print(sys.argv)", 0, "['-', 'a']\n", ""),
    case(&[], "import sys; print(sys.argv, __name__)", 0, "[''] __main__\n", ""),
    case(&["-c", "import sys; sys.exit(3)"], "", 3, "", ""),
    case(&["-c", "import sys; sys.exit()"], "", 0, "", ""),
    case(&["-c", "import sys; sys.exit(True)"], "", 1, "", ""),
    case(&["-c", "import sys; sys.exit(257)"], "", 1, "", ""),
    case(&["-c", "import sys; sys.exit(-1)"], "", 255, "", ""),
    case(&["-c", "import sys; sys.exit('why')"], "", 1, "", "why"),
    case(&["-c", "raise SystemExit(4)"], "", 4, "", ""),
    case(&["-c", "1/0"], "", 1, "", "ZeroDivisionError: division by zero"),
    case(
        &["-c", "print(1); 1/0"],
        "",
        1,
        "1\n",
        "ZeroDivisionError: division by zero",
    ),
    case(&["-c", "x ="], "", 1, "", "SyntaxError: invalid syntax"),
    case(
        &["-c", "print('a"],
        "",
        1,
        "",
        "SyntaxError: unterminated string literal (detected at line 1)",
    ),
    case(&["-O", "-c", "assert False; print(__debug__)"], "", 0, "False\n", ""),
    case(&["-c", "assert False, 'no'"], "", 1, "", "AssertionError: no"),
    case(
        &["-OO", "-c", "def f():\n 'doc'\nprint(f.__doc__)"],
        "",
        0,
        "None\n",
        "",
    ),
    case(
        &["-B", "-c", "import sys; print(sys.dont_write_bytecode)"],
        "",
        0,
        "True\n",
        "",
    ),
    case(
        &["-E", "-c", "import sys; print(sys.flags.ignore_environment)"],
        "",
        0,
        "1\n",
        "",
    ),
    case(
        &[
            "-I",
            "-c",
            "import sys; f = sys.flags; print(f.isolated, f.safe_path, f.no_user_site)",
        ],
        "",
        0,
        "1 True 1\n",
        "",
    ),
    case(
        &["-s", "-c", "import sys; print(sys.flags.no_user_site)"],
        "",
        0,
        "1\n",
        "",
    ),
    case(
        &["-S", "-c", "import sys; print('site' in sys.modules)"],
        "",
        0,
        "False\n",
        "",
    ),
    case(
        &[
            "-X",
            "a=b",
            "-Xc",
            "-c",
            "import sys; x = sys._xoptions; print(x['a'], x['c'])",
        ],
        "",
        0,
        "b True\n",
        "",
    ),
    case(
        &["-W", "error", "-c", "import warnings; warnings.warn('w')"],
        "",
        1,
        "",
        "UserWarning: w",
    ),
    case(&["-q", "-c", "import sys; print(sys.flags.quiet)"], "", 0, "1\n", ""),
    case(
        &["-u", "-c", "import sys; print(sys.stdout.write_through)"],
        "",
        0,
        "True\n",
        "",
    ),
    case(
        &["-m", "no_such_module_at_all"],
        "",
        1,
        "",
        "No module named no_such_module_at_all",
    ),
    case(&["-c"], "", 2, "", "Try `python -h' for more information."),
    case(&["-Z"], "", 2, "", "Try `python -h' for more information."),
    case(&["--nope"], "", 2, "", "Try `python -h' for more information."),
    case(
        &["/no/such/file.py"],
        "",
        2,
        "",
        "python: can't open file '/no/such/file.py': [Errno 2] No such file or directory",
    ),
    case(
        &["-c", "import atexit; atexit.register(print, 'bye'); print('hi')"],
        "",
        0,
        "hi\nbye\n",
        "",
    ),
    case(
        &["-c", "import sys; sys.stdout.write('no newline')"],
        "",
        0,
        "no newline",
        "",
    ),
    case(&["-c", "raise KeyboardInterrupt"], "", -2, "", "KeyboardInterrupt"),
    case(&["-c", "import os; os._exit(9)"], "", 9, "", ""),
    case(
        &[
            "-c",
            "import threading, time\nthreading.Thread(target=lambda: (time.sleep(.1), print('late'))).start()",
        ],
        "",
        0,
        "late\n",
        "",
    ),
    case(
        &[
            "-c",
            "import threading, time\nthreading.Thread(target=lambda: (time.sleep(60), print('never')), daemon=True).start()",
        ],
        "",
        0,
        "",
        "",
    ),
    case(
        &["-c", "class A:\n def __del__(self): print('gone')\na = A()"],
        "",
        0,
        "gone\n",
        "",
    ),
    case(&["-i", "-c", "x = 5"], "print(x)\n", 0, "5\n", ">>> >>>"),
    // What ends the program begins the session.
    case(
        &["-i", "-c", "raise KeyboardInterrupt"],
        "print(5)\n",
        0,
        "5\n",
        ">>> >>>",
    ),
    case(&["-i"], "(\n", 0, "", ">>>"),
    case(
        &["-OOO", "-c", "import sys; print(sys.flags.optimize)"],
        "",
        0,
        "3\n",
        "",
    ),
    case(
        &["-bb", "-c", "b'a' == 'a'"],
        "",
        1,
        "",
        "BytesWarning: Comparison between bytes and string",
    ),
    case(
        &["-bb", "-c", "{1: 1}.get(b'a'); 1 in [b'1']"],
        "",
        1,
        "",
        "BytesWarning: Comparison between bytes and int",
    ),
    case(
        &["-bb", "-c", "'a' != bytearray(b'a')"],
        "",
        1,
        "",
        "BytesWarning: Comparison between bytearray and string",
    ),
    case(
        &["-bb", "-c", "print(repr(b'a'), '%r' % b'a'); print('%s' % b'a')"],
        "",
        1,
        "b'a' b'a'\n",
        "BytesWarning: str() on a bytes instance",
    ),
    case(&["-c", "print(b'a' == 'a', str(b'a'))"], "", 0, "False b'a'\n", ""),
    case(&[], "print(__file__)", 0, "<stdin>\n", ""),
    case(&[], "1\0", 1, "", "SyntaxError: source code cannot contain null bytes"),
    case(
        &["-c", "import sys; del sys.stdout; print(1)"],
        "",
        1,
        "",
        "RuntimeError: lost sys.stdout",
    ),
    case(
        &["-c", "'\\t' * 1000 and ('\\t' * 1000).expandtabs(2**31 - 1)"],
        "",
        1,
        "",
        "MemoryError",
    ),
    case(
        &[
            "-c",
            "import sysconfig as s; v = s.parse_config_h(open(s.get_config_h_filename())); print(v['SIZEOF_VOID_P'], v['SIZEOF_WCHAR_T'])",
        ],
        "",
        0,
        "8 4\n",
        "",
    ),
    case(&["-c", "print(input('? '))"], "line\n", 0, "? line\n", ""),
    case(&["-c", "input()"], "", 1, "", "EOFError: EOF when reading a line"),
];

fn check(case: &Case, name: &str, run: &Run) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;
    let status = run.status?;
    let code = status.code().unwrap_or_else(|| -status.signal().unwrap_or(0));
    let last = run.stderr.trim_end_matches('\n').lines().last().unwrap_or("");
    // Both name themselves as they were called.
    let last = last.replace(name, "python");
    let last = last
        .rsplit_once(": No module named")
        .map_or(last.clone(), |(_, m)| format!("No module named{m}"));
    let good = code == case.code && run.stdout == case.stdout && last.trim_end() == case.error.trim_end();
    let (args, stdout, stderr) = (case.args, &run.stdout, &run.stderr);
    (!good).then(|| format!("{args:?}: exit {code}, stdout {stdout:?}, stderr:\n{stderr}"))
}

#[test]
fn command_lines_do_what_pythons_do() {
    let name = support::program();
    let failures = support::in_parallel(CASES, |case| {
        let run = lisle_with_input(case.args, case.input.as_bytes());
        if run.status.is_none() {
            return Some(format!("{:?}: hangs", case.args));
        }
        check(case, name, &run)
    });
    assert!(failures.is_empty(), "{}", failures.join("\n----\n"));
}

fn find_python() -> Option<String> {
    let asked = std::env::var("LISLE_TEST_PYTHON").ok();
    let candidates = asked.into_iter().chain(["python3.14".into(), "python3.13".into()]);
    candidates.into_iter().find(|name| {
        let mut command = Command::new(name);
        command
            .args(["-c", "import sys; sys.exit(sys.version_info < (3, 13))"])
            .stderr(Stdio::null());
        command.status().is_ok_and(|s| s.success())
    })
}

#[test]
fn cpython_agrees_with_the_cases() {
    let Some(python) = find_python() else {
        eprintln!("no CPython 3.13 or newer here: the cases were not compared with one");
        return;
    };
    let mut failures = Vec::new();
    for case in CASES {
        let run = support::command_with_input(&python, case.args, case.input.as_bytes());
        failures.extend(check(case, &python, &run));
    }
    assert!(failures.is_empty(), "{python}\n{}", failures.join("\n----\n"));
}

#[test]
fn verbose_imports_are_told() {
    for mode in support::MODES {
        let run = lisle_with_input(&[mode, &["-v", "-c", "import colorsys; print(1)"]].concat(), b"");
        assert!(run.success() && run.stdout == "1\n", "{}", run.stderr);
        assert!(run.stderr.contains("\nimport 'colorsys' # <"), "{}", run.stderr);
    }
}

#[test]
fn sessions_without_a_terminal_show_lines_and_end_once() {
    let input = b"def f(x):\n    y = x\n    return 1 / y\n\nf(0)\ndef g(x, x): pass\n";
    for mode in support::MODES {
        let run = lisle_with_input(&[mode, &["-I", "-i"]].concat(), input);
        let error = &run.stderr;
        assert!(
            error.contains("line 3, in f\n    return 1 / y\n           ~~^~~\n"),
            "{error}"
        );
        assert!(
            error.contains("duplicate argument 'x' in function definition"),
            "{error}"
        );
        assert!(!error.contains("codeop"), "{error}");
        assert_eq!(error.matches(">>> ").count(), 4, "{error}");
    }
}

#[test]
fn a_script_knows_where_it_is() {
    let folder = std::env::temp_dir().join(format!("lisle-script-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written to");
    let text = "import sys\nprint(__file__, sys.argv[0], (lambda: 0).__code__.co_filename)\n";
    std::fs::write(folder.join("script.py"), text).expect("the folder was made");
    let output = Command::new(support::program())
        .arg("script.py")
        .current_dir(&folder)
        .output()
        .expect("lisle starts");
    let here = folder.join("script.py");
    let expected = format!("{0} script.py {0}\n", here.display());
    let _ = std::fs::remove_dir_all(&folder);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn messages_that_cannot_be_written_change_no_exit_code() {
    let cases: [(&[&str], i32); 6] = [
        (&["-Z"], 2),
        (&["/no/such/file.py"], 2),
        (&["-m", "no_such_module_at_all"], 1),
        (&["-X", "tracemalloc=x", "-c", "1"], 1),
        (&["-c", "1/0"], 1),
        (
            &[
                "-c",
                "import _thread, time; _thread.start_new_thread(lambda: 1/0, ()); time.sleep(.2)",
            ],
            0,
        ),
    ];
    for (args, code) in cases {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("the system has it");
        let status = Command::new(support::program())
            .args(args)
            .stderr(full)
            .status()
            .expect("lisle starts");
        assert_eq!(status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn a_wish_in_the_environment_begins_no_session_without_a_terminal() {
    let output = Command::new(support::program())
        .args(["-c", "print(1)"])
        .env("PYTHONINSPECT", "1")
        .stdin(Stdio::null())
        .output()
        .expect("lisle starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_list_beside_the_executable_is_the_whole_path() {
    let folder = std::env::temp_dir().join(format!("lisle-pth-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written to");
    let exe = folder.join("lisle");
    std::os::unix::fs::symlink(support::program(), &exe).expect("the folder was made");
    let library = lisle_with_input(&["-c", "import os; print(os.path.dirname(os.__file__))"], b"").stdout;
    let list = format!(
        "# nothing else\n{library}../{}/here\n",
        folder.file_name().expect("it has one").to_string_lossy()
    );
    std::fs::write(folder.join("lisle._pth"), list).expect("the folder was made");
    let output = Command::new(&exe)
        .args([
            "-c",
            "import sys; print(sys.path); print(sys.flags.isolated, sys.flags.no_site, sys.flags.ignore_environment)",
        ])
        .env("PYTHONPATH", "/elsewhere")
        .output()
        .expect("lisle starts");
    let _ = std::fs::remove_dir_all(&folder);
    let expected = format!("['{}', '{}']\n1 1 1\n", library.trim(), folder.join("here").display());
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn closed_streams_are_none() {
    let lisle = support::program();
    let script = format!(
        "{lisle} -c 'import sys; sys.exit(3 if sys.stdout is None and sys.stdin is None and sys.stderr else 4)' >&- <&-"
    );
    let status = Command::new("sh").args(["-c", &script]).status().expect("sh starts");
    assert_eq!(status.code(), Some(3));
}
