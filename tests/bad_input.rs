//! What a program can do wrong ends in a Python error and an exit code, never in a signal, a panic or a hang; what was written before
//! is there.

mod support;

use support::{MODES, lisle, lisle_with_input, program};

/// Program, what it prints before, and the beginning of the last line of standard error.
const CASES: &[(&str, &str, &str)] = &[
    (
        "print(1)\ndef f(): return f()\nf()",
        "1\n",
        "RecursionError: maximum recursion depth exceeded",
    ),
    (
        "class A:\n def __repr__(self): return repr(self)\nprint(1); repr(A())",
        "1\n",
        "RecursionError",
    ),
    (
        "class A:\n def __eq__(self, other): return self == other\nprint(1); A() == A()",
        "1\n",
        "RecursionError",
    ),
    (
        "def key(x): return sorted([1], key=key)\nprint(1); sorted([1], key=key)",
        "1\n",
        "RecursionError",
    ),
    (
        "class A:\n def __getattr__(self, n): return getattr(self, n)\nprint(1); A().x",
        "1\n",
        "RecursionError",
    ),
    (
        "class A:\n def __hash__(self): return hash(self)\nprint(1); {A(): 1}",
        "1\n",
        "RecursionError",
    ),
    (
        "import json\nprint(1); json.loads('[' * 200000)",
        "1\n",
        "RecursionError",
    ),
    (
        "import json\nx = []\nfor _ in range(200000): x = [x]\nprint(1); json.dumps(x)",
        "1\n",
        "RecursionError",
    ),
    (
        "x = []\nfor _ in range(200000): x = [x]\nprint(1); repr(x)",
        "1\n",
        "RecursionError",
    ),
    (
        "x = ()\nfor _ in range(200000): x = (x,)\nprint(1); hash(x)",
        "1\n",
        "RecursionError",
    ),
    (
        "x = y = None\nfor _ in range(200000): x, y = [x], [y]\nprint(1); x == y",
        "1\n",
        "RecursionError",
    ),
    (
        "import copy\nx = []\nfor _ in range(200000): x = [x]\nprint(1); copy.deepcopy(x)",
        "1\n",
        "RecursionError",
    ),
    (
        "print(1); eval('(' * 100000 + ')' * 100000)",
        "1\n",
        "SyntaxError: too many nested parentheses",
    ),
    (
        "print(1); eval('-' * 100000 + '1')",
        "1\n",
        "RecursionError: maximum recursion depth exceeded",
    ),
    (
        "print(1); eval('+'.join(['1'] * 100000))",
        "1\n",
        "RecursionError: maximum recursion depth exceeded",
    ),
    ("print(1); eval('a' + '.b' * 100000)", "1\n", ""),
    ("print(1); x = [0] * (1 << 60)", "1\n", "MemoryError"),
    ("print(1); x = 'a' * (1 << 62)", "1\n", "MemoryError"),
    ("print(1); x = bytearray(1 << 62)", "1\n", "MemoryError"),
    ("print(1); x = b'a' * (1 << 62)", "1\n", "MemoryError"),
    ("print(1); x = 1 << (1 << 60)", "1\n", ""),
    (
        "print(1); int('1' * 5000)",
        "1\n",
        "ValueError: Exceeds the limit (4300 digits) for integer string conversion",
    ),
    (
        "print(1); exec('x = 1\\0')",
        "1\n",
        "SyntaxError: source code string cannot contain null bytes",
    ),
    ("print(1); raise SystemError('x')", "1\n", "SystemError: x"),
    (
        "import threading\ndef f(): f()\nt = threading.Thread(target=f); t.start(); t.join(); print(1); 1/0",
        "1\n",
        "ZeroDivisionError: division by zero",
    ),
    (
        "print(1)\nimport sys\nsys.setrecursionlimit(100_000)\ndef f(): return f()\nf()",
        "1\n",
        "RecursionError",
    ),
    (
        "print(1)\nimport sys\nsys.setrecursionlimit(100_000)\nclass A:\n def __repr__(self): return repr(self)\nrepr(A())",
        "1\n",
        "RecursionError",
    ),
    // The dict of a class is not given away: what caches found there would go unnoticed.
    (
        "import gc\nclass C:\n f = lambda self: 1\n x = ['a']\nc = C()\nfor _ in range(99): c.f(), c.x\n\
         class E:\n def __eq__(self, o): o['f'] = o['x'] = None; return True\n __ror__ = __eq__\n\
         C.__dict__ == E(); C.__dict__ | E()\n\
         for d in gc.get_referents(C) + gc.get_referrers(C.f) + gc.get_objects():\n\
         \x20if isinstance(d, dict) and 'f' in d and d.get('x') == ['a']: d['f'] = d['x'] = [None] * 9\n\
         print(c.f(), c.x); 1/0",
        "1 ['a']\n",
        "ZeroDivisionError: division by zero",
    ),
];

#[test]
fn wrong_programs_end_in_errors() {
    let runs: Vec<_> = CASES.iter().flat_map(|case| MODES.map(|mode| (case, mode))).collect();
    let failures = support::in_parallel(&runs, |((program, printed, error), mode)| {
        let run = lisle(&[*mode, &["-c", program]].concat());
        let clean = run.status.is_some_and(|s| s.code() == Some(1)) && !run.stderr.contains("panicked");
        // Notes may follow the line of the error.
        let found = error.is_empty() || run.stderr.lines().any(|line| line.starts_with(error));
        if clean && run.stdout == *printed && found {
            return None;
        }
        let tail: String = run.stderr.lines().rev().take(5).collect::<Vec<_>>().join("\n");
        Some(format!(
            "{program:?} {mode:?}: {:?}, stdout {:?}\n{tail}",
            run.status, run.stdout
        ))
    });
    assert!(failures.is_empty(), "{}", failures.join("\n----\n"));
}

/// From here on the process gets 200 MB more.
const LIMIT: &str = "import resource
taken = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (200 << 20),) * 2)
";

/// Leaves some 8 MB of these.
const FILL: &str = "hold = []
try:
    while True: hold.append(bytearray(4 << 20))
except MemoryError: del hold[-2:]
";

/// Program, and the beginning of a line of standard error. What is between braces stands for the texts above.
const REFUSALS: &[(&str, &str)] = &[
    ("{LIMIT}format(1.5, '.100000000f')", "MemoryError"),
    ("{LIMIT}'%.100000000e' % 1.5", "MemoryError"),
    ("{LIMIT}'%.120000000d' % 1", "MemoryError"),
    ("{LIMIT}b'%120000000d' % 1", "MemoryError"),
    ("{LIMIT}bin(1 << 268_000_000)", "MemoryError"),
    ("{LIMIT}x = [None] * 16_000_000\ntuple(x)", "MemoryError"),
    ("{LIMIT}x = [None] * 12_000_000\nprint(*x)", "MemoryError"),
    ("{LIMIT}x = [None] * 12_000_000\n(lambda *x: 1)(*x)", "MemoryError"),
    ("{LIMIT}x = (None,) * 20_000_000\n(lambda *x: 1)(*x)", "MemoryError"),
    ("{LIMIT}x = [0.5] * 20_000_000\nx.sort()", "MemoryError"),
    ("{LIMIT}x = [None] * 20_000_000\ndel x[::2]", "MemoryError"),
    ("{LIMIT}x = [None] * 20_000_000\nx[1:] = [1]", "MemoryError"),
    (
        "x = dict.fromkeys(range(6_000_000))\n{LIMIT}{FILL}list(x)",
        "MemoryError",
    ),
    (
        "x = dict.fromkeys(range(6_000_000))\n{LIMIT}{FILL}list(x.values())",
        "MemoryError",
    ),
    ("x = set(range(6_000_000))\n{LIMIT}{FILL}list(x)", "MemoryError"),
    ("x = set(range(6_000_000))\n{LIMIT}{FILL}y = {1}; y |= x", "MemoryError"),
    ("{LIMIT}compile('-' * 3_000_000 + '1', 'f', 'exec')", "MemoryError"),
    ("{LIMIT}compile('#' * 4_000_000, 'f', 'exec')\n1/0", "ZeroDivisionError"),
    (
        "{LIMIT}{FILL}try: compile('x = = 1', 'f', 'exec')\nexcept (MemoryError, SyntaxError): 1/0",
        "ZeroDivisionError",
    ),
    (
        "import csv, io, itertools\n{LIMIT}csv.writer(io.StringIO()).writerow(itertools.repeat('a' * 1000))",
        "MemoryError",
    ),
    ("{LIMIT}x = b'a ' * 20_000_000\nx.split()", "MemoryError"),
    ("{LIMIT}x = b'a\\n' * 20_000_000\nx.splitlines()", "MemoryError"),
    ("{LIMIT}x = 'a,' * 20_000_000\nx.rsplit(',')", "MemoryError"),
    (
        "import xml.etree.ElementTree as tree\n{LIMIT}x = tree.Element('a')\nx.append(x)\nfor y in x.iter(): pass",
        "MemoryError",
    ),
    (
        "from xml.parsers import expat\n{LIMIT}x = expat.ParserCreate()\nwhile True: x.Parse('<a>' * 1000, False)",
        "xml.parsers.expat.ExpatError: out of memory",
    ),
    (
        "import queue, itertools\n{LIMIT}x = queue.SimpleQueue()\nfor y in itertools.count(): x.put(y)",
        "MemoryError",
    ),
    ("import atexit\n{LIMIT}while True: atexit.register(int)", "MemoryError"),
    (
        "import itertools\n{LIMIT}list(itertools.batched(itertools.repeat(1), 10**10))",
        "MemoryError",
    ),
    ("{LIMIT}x = b'a\\0' * 80_000_000\nx.decode('utf-16-le')", "MemoryError"),
    ("import re\n{LIMIT}re.split('a', 'a' * 30_000_000)", "MemoryError"),
    ("import re\n{LIMIT}re.findall('', 'a' * 40_000_000)", "MemoryError"),
    ("import re\n{LIMIT}re.match('(a)*', 'a' * 40_000_000)", "MemoryError"),
    (
        "import _string\n{LIMIT}_string.formatter_parser('{}' * 10_000_000)",
        "MemoryError",
    ),
];

#[test]
fn without_memory_there_is_an_error() {
    let runs: Vec<_> = REFUSALS
        .iter()
        .flat_map(|case| MODES.map(|mode| (case, mode)))
        .collect();
    let failures = support::in_parallel(&runs, |((program, error), mode)| {
        let whole = program.replace("{LIMIT}", LIMIT).replace("{FILL}", FILL);
        let run = lisle(&[*mode, &["-c", &whole]].concat());
        let clean = run.status.is_some_and(|s| s.code() == Some(1)) && !run.stderr.contains("panicked");
        if clean && run.stderr.lines().any(|line| line.starts_with(error)) {
            return None;
        }
        let tail: String = run.stderr.lines().rev().take(5).collect::<Vec<_>>().join("\n");
        Some(format!("{program:?} {mode:?}: {:?}\n{tail}", run.status))
    });
    assert!(failures.is_empty(), "{}", failures.join("\n----\n"));
}

#[test]
fn wrong_files_end_in_errors() {
    let folder = std::env::temp_dir().join(format!("lisle-bad-input-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let cases: [(&str, &[u8], &str); 5] = [
        (
            "latin.py",
            b"x = '\xff\xfe'\n",
            "SyntaxError: Non-UTF-8 code starting with '\\xff' in file",
        ),
        (
            "null.py",
            b"x = 1\0\n",
            "SyntaxError: source code cannot contain null bytes",
        ),
        (
            "cookie.py",
            b"# coding: no-such-coding\n",
            "SyntaxError: encoding problem: no-such-coding",
        ),
        (
            "brackets.py",
            &[b'('; 100_000],
            "SyntaxError: too many nested parentheses",
        ),
        (
            "indent.py",
            b"if True:\nx = 1\n",
            "IndentationError: expected an indented block after 'if' statement on line 1",
        ),
    ];
    let mut failures = Vec::new();
    for (name, text, error) in cases {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file can be written");
        let run = lisle(&[path.to_str().expect("a plain path")]);
        let last = run.stderr.trim_end().lines().last().unwrap_or("").to_owned();
        let clean = run.status.is_some_and(|s| s.code() == Some(1));
        if !clean || !last.starts_with(error.split(" in position").next().unwrap_or(error)) {
            failures.push(format!("{name}: {:?}\n{}", run.status, run.stderr));
        }
    }
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    assert!(failures.is_empty(), "{}", failures.join("\n----\n"));
}

#[test]
fn a_broken_pipe_is_an_error() {
    use std::process::{Command, Stdio};
    for mode in MODES {
        let source = "for i in range(100000): print(i)";
        let mut child = Command::new(program())
            .args(mode)
            .args(["-c", source])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary can be started");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("the child can be waited for");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            errors.contains("BrokenPipeError: [Errno 32] Broken pipe"),
            "{mode:?}: {errors}"
        );
        assert!(
            matches!(output.status.code(), Some(1 | 120)),
            "{mode:?}: {:?}",
            output.status
        );
    }
}

#[test]
fn programs_of_random_bytes_end_in_errors() {
    // A linear congruential generator: the same bytes each time.
    let mut state = 12345_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let texts: Vec<Vec<u8>> = (0..60).map(|n| (0..40 + n * 5).map(|_| next()).collect()).collect();
    let failures = support::in_parallel(&texts, |text| {
        let run = lisle_with_input(&["-S", "-"], text);
        let clean = run.status.is_some_and(|s| s.code().is_some()) && !run.stderr.contains("panicked");
        (!clean).then(|| format!("{text:?}: {:?}\n{}", run.status, run.stderr))
    });
    assert!(failures.is_empty(), "{}", failures.join("\n----\n"));
}
