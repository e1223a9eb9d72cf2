//! Virtual environments and pip, as far as they need no network: `venv` with its scripts, `ensurepip`, a package with a script of
//! its own, and what is said of extension modules in C.

mod support;

use std::path::{Path, PathBuf};

use support::{MODES, Run, command_with_input, lisle, program};

/// Writes a wheel of a package with a script.
const MAKE_WHEEL: &str = r#"
import sys, zipfile
info = "greet-1.0.dist-info"
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("greet/__init__.py", "import sys\ndef main():\n    print('hello from', __name__, sys.argv[1:])\n")
    wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greet\nVersion: 1.0\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\ngreet = greet:main\n")
    wheel.writestr(f"{info}/RECORD", "")
"#;

/// A folder of this test run's own.
fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}

/// The run, which has to succeed.
fn done(run: Run, what: &str) -> Run {
    assert!(
        run.success(),
        "{what}: {:?}\n{}\n{}",
        run.status,
        run.stdout,
        run.stderr
    );
    run
}

fn run(program: &Path, args: &[&str]) -> Run {
    done(
        command_with_input(text(program), args, b""),
        &format!("{} {args:?}", program.display()),
    )
}

#[test]
fn environments_have_pip_and_scripts() {
    let folder = fresh("environment");
    done(lisle(&["-m", "venv", text(&folder)]), "venv");
    let bin = folder.join("bin");
    let python = bin.join("python");
    for name in [
        "lisle",
        "python",
        "python3",
        "pip",
        "activate",
        "activate.csh",
        "activate.fish",
    ] {
        assert!(bin.join(name).exists(), "bin/{name} is missing");
    }
    let config = std::fs::read_to_string(folder.join("pyvenv.cfg")).expect("pyvenv.cfg is there");
    let home = Path::new(program()).parent().expect("the program is in a folder");
    assert!(config.contains(&format!("home = {}", home.display())), "{config}");

    let prefixes = "import sys; print(sys.prefix == sys.argv[1], sys.base_prefix != sys.prefix, sys.executable)";
    for mode in MODES {
        let shown = run(&python, &[mode, &["-c", prefixes, text(&folder)]].concat());
        assert_eq!(shown.stdout, format!("True True {}\n", python.display()));
    }

    let script = format!(
        ". '{}/activate' && command -v python && echo \"$VIRTUAL_ENV\" && deactivate && echo \"[$VIRTUAL_ENV]\"",
        bin.display()
    );
    let shown = run(Path::new("/bin/sh"), &["-c", &script]);
    assert_eq!(
        shown.stdout,
        format!("{}\n{}\n[]\n", python.display(), folder.display())
    );

    // A package, its script, and out again.
    let wheel = folder.join("greet-1.0-py3-none-any.whl");
    run(&python, &["-c", MAKE_WHEEL, text(&wheel)]);
    let pip = bin.join("pip");
    run(&pip, &["install", "--no-index", "--quiet", text(&wheel)]);
    let shown = run(&bin.join("greet"), &["you"]);
    assert_eq!(shown.stdout, "hello from greet ['you']\n");
    let outside = lisle(&["-c", "import greet"]);
    assert!(
        outside.stderr.contains("ModuleNotFoundError: No module named 'greet'"),
        "{}",
        outside.stderr
    );
    run(
        &python,
        &["-X", "gil=0", "-m", "pip", "uninstall", "--yes", "--quiet", "greet"],
    );
    assert!(!bin.join("greet").exists());
}

#[test]
fn pip_comes_to_an_environment_without_it() {
    let folder = fresh("environment-without-pip");
    done(lisle(&["-m", "venv", "--without-pip", text(&folder)]), "venv");
    let python = folder.join("bin/python");
    assert!(!folder.join("bin/pip").exists());
    run(&python, &["-m", "ensurepip"]);
    let shown = run(&python, &["-m", "pip", "--version"]);
    assert!(shown.stdout.contains(text(&folder)), "{}", shown.stdout);
    assert!(shown.stdout.contains("(python 3.14)"), "{}", shown.stdout);
}

#[test]
fn extension_modules_in_c_say_that_they_cannot_be_loaded() {
    let folder = fresh("extensions");
    let package = folder.join("package");
    std::fs::create_dir_all(&package).expect("the folder can be made");
    let write = |path: PathBuf, text: &str| std::fs::write(path, text).expect("the file can be written");
    let single = format!("single.cpython-314-{}-linux-gnu.so", std::env::consts::ARCH);
    write(folder.join(&single), "");
    write(package.join("__init__.py"), "");
    write(package.join("fast.abi3.so"), "");
    let program = folder.join("program.py");
    write(
        program.clone(),
        "import importlib.util\n\
         def attempt(code):\n    try:\n        exec(code)\n    except ImportError as error:\n        \
         print(type(error).__name__, error.name, error.path and error.path.rpartition('/')[2], str(error).rpartition('/')[2])\n\
         attempt('import single')\n\
         attempt('import package.fast')\n\
         attempt('from package import fast')\n\
         attempt('import package.other')\n\
         print(importlib.util.find_spec('single'))\n",
    );
    for mode in MODES {
        let shown = done(lisle(&[mode, &[text(&program)]].concat()), "imports");
        assert_eq!(
            shown.stdout,
            format!(
                "ImportError single {single} {single}: Lisle cannot load C extension modules\n\
                 ImportError package.fast fast.abi3.so fast.abi3.so: Lisle cannot load C extension modules\n\
                 ImportError package.fast fast.abi3.so fast.abi3.so: Lisle cannot load C extension modules\n\
                 ModuleNotFoundError package.other None No module named 'package.other'\n\
                 None\n"
            ),
            "{mode:?}"
        );
    }
}
