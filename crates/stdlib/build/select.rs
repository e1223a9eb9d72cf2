//! Which files of the library are packed.

/// Folders and files that cannot work here, or belong to another runtime.
const LEFT_OUT: &[&str] = &[
    "README.md",
    "_dummy_os.py",
    "_dummy_thread.py",
    "_pycodecs.py",
    "_pyrepl/mypy.ini",
    "ctypes/macholib/",
    "dummy_threading.py",
    "email/architecture.rst",
    "idlelib/",
    "tkinter/",
    "tomllib/mypy.ini",
    "turtle.py",
    "turtledemo/",
    "venv/scripts/nt/",
];

/// Modules that are loaded before there is an importer, or that CPython freezes for good: tracebacks name them so.
const FROZEN: &[(&str, &str)] = &[
    ("importlib/_bootstrap.py", "importlib._bootstrap"),
    ("importlib/_bootstrap_external.py", "importlib._bootstrap_external"),
    ("zipimport.py", "zipimport"),
    ("__hello__.py", "__hello__"),
    ("__phello__/__init__.py", "__phello__"),
    ("__phello__/ham/__init__.py", "__phello__.ham"),
    ("__phello__/ham/eggs.py", "__phello__.ham.eggs"),
    ("__phello__/spam.py", "__phello__.spam"),
];

/// Whether the file at `path` is packed.
pub fn wanted(path: &str) -> bool {
    let test = path
        .split('/')
        .any(|part| matches!(part, "test" | "tests" | "__pycache__"));
    !test
        && !LEFT_OUT.iter().any(|out| {
            if out.ends_with('/') {
                path.starts_with(out)
            } else {
                path == *out
            }
        })
}

/// The path under which a file is packed.
pub fn renamed(path: String) -> String {
    if path == "PSF-LICENSE" {
        "LICENSE.txt".to_string()
    } else {
        path
    }
}

/// The name of a frozen module.
pub fn frozen_name(path: &str) -> Option<&'static str> {
    FROZEN.iter().find(|(p, _)| *p == path).map(|(_, name)| *name)
}

/// What every start of the program imports.
pub const EARLY: &[&str] = &[
    "_collections_abc.py",
    "_lisle_importer.py",
    "_py_warnings.py",
    "_sitebuiltins.py",
    "abc.py",
    "genericpath.py",
    "os.py",
    "posixpath.py",
    "site.py",
    "stat.py",
    "warnings.py",
];
