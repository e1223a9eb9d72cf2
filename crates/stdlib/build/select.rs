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

/// What many programs import, in the order in which `import asyncio, argparse, platform, json, random, typing, pathlib, tempfile, queue, pickle` does.
pub const COMMON: &[&str] = &[
    "keyword.py",
    "operator.py",
    "reprlib.py",
    "collections/__init__.py",
    "concurrent/__init__.py",
    "io.py",
    "types.py",
    "enum.py",
    "re/_constants.py",
    "re/_parser.py",
    "re/_casefix.py",
    "re/_compiler.py",
    "functools.py",
    "copyreg.py",
    "re/__init__.py",
    "linecache.py",
    "textwrap.py",
    "__future__.py",
    "codeop.py",
    "codecs.py",
    "token.py",
    "tokenize.py",
    "_weakrefset.py",
    "weakref.py",
    "copy.py",
    "ast.py",
    "annotationlib.py",
    "_opcode_metadata.py",
    "opcode.py",
    "dis.py",
    "importlib/__init__.py",
    "importlib/machinery.py",
    "inspect.py",
    "dataclasses.py",
    "_colorize.py",
    "contextlib.py",
    "traceback.py",
    "string/__init__.py",
    "threading.py",
    "logging/__init__.py",
    "concurrent/futures/_base.py",
    "concurrent/futures/__init__.py",
    "heapq.py",
    "socket.py",
    "encodings/aliases.py",
    "encodings/__init__.py",
    "locale.py",
    "signal.py",
    "selectors.py",
    "subprocess.py",
    "struct.py",
    "base64.py",
    "ssl.py",
    "asyncio/constants.py",
    "asyncio/coroutines.py",
    "contextvars.py",
    "asyncio/format_helpers.py",
    "asyncio/events.py",
    "asyncio/exceptions.py",
    "asyncio/base_futures.py",
    "asyncio/futures.py",
    "asyncio/protocols.py",
    "asyncio/transports.py",
    "asyncio/log.py",
    "asyncio/sslproto.py",
    "asyncio/mixins.py",
    "asyncio/locks.py",
    "asyncio/base_tasks.py",
    "asyncio/queues.py",
    "asyncio/timeouts.py",
    "asyncio/tasks.py",
    "asyncio/staggered.py",
    "asyncio/trsock.py",
    "asyncio/base_events.py",
    "asyncio/graph.py",
    "asyncio/runners.py",
    "asyncio/streams.py",
    "asyncio/subprocess.py",
    "asyncio/taskgroups.py",
    "asyncio/threads.py",
    "asyncio/base_subprocess.py",
    "asyncio/selector_events.py",
    "asyncio/unix_events.py",
    "asyncio/__init__.py",
    "gettext.py",
    "argparse.py",
    "platform.py",
    "json/scanner.py",
    "json/decoder.py",
    "json/encoder.py",
    "json/__init__.py",
    "bisect.py",
    "random.py",
    "typing.py",
    "fnmatch.py",
    "glob.py",
    "pathlib/_os.py",
    "pathlib/__init__.py",
    "datetime.py",
    "shutil.py",
    "tempfile.py",
    "queue.py",
    "_compat_pickle.py",
    "pickle.py",
];
