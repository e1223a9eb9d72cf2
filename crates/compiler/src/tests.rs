//! Snapshots of the code for the main shapes of programs, and what is refused.
//!
//! `tests/snapshots.txt` is written anew by `UPDATE_SNAPSHOTS=1 cargo test -p lisle-compiler`.

use lisle_bytecode::{CodeObject, Const, disassemble};

use crate::{Mode, Options, SyntaxErrorKind, compile, decode_source, verify};

fn listing(code: &CodeObject, out: &mut String) {
    out.push_str(&format!("-- {}\n{}", code.qualname, disassemble(code)));
    for value in &code.consts {
        if let Const::Code(inner) = value {
            listing(inner, out);
        }
    }
}

fn check(source: &str) -> CodeObject {
    let (code, _) = compile(source, Mode::Exec, &Options::default()).expect("a good program");
    verify(&code).expect("well-formed code");
    code
}

fn error(source: &str) -> String {
    match compile(source, Mode::Exec, &Options::default()) {
        Ok(_) => "accepted".into(),
        Err(e) => format!("{}:{}: {}", e.line, e.col, e.message),
    }
}

/// Programs of one shape each.
const SHAPES: &[(&str, &str)] = &[
    (
        "arithmetic",
        "def f(a, b):\n    x = a + b * 2 - 1\n    x += a\n    return -x ** 2\n",
    ),
    (
        "conditions",
        "def f(a, b):\n    if a < b and not (a == 1 or b is None):\n        return 1\n    return 0\n",
    ),
    ("chain", "def f(a, b, c):\n    return a < b() < c\n"),
    (
        "loops",
        "def f(n):\n    for i in range(n):\n        if i > 5: break\n    else:\n        return 1\n    while n:\n        n -= 1\n",
    ),
    ("calls", "def f(o, *a, **k):\n    o.m(1, x=2)\n    return g(*a, **k)\n"),
    (
        "closures",
        "def f(x):\n    y = 1\n    def g():\n        nonlocal y\n        y += x\n    return g\n",
    ),
    (
        "class",
        "class A(B, metaclass=M):\n    '''Doc.'''\n    def m(self):\n        return super().m()\n",
    ),
    (
        "try",
        "def f():\n    try:\n        return g()\n    except E as e:\n        h(e)\n    finally:\n        k()\n",
    ),
    ("with", "def f(c):\n    with c as x:\n        return x\n"),
    (
        "comprehension",
        "def f(a):\n    return [x * y for x in a if x for y in x]\n",
    ),
    (
        "generator",
        "def f(a):\n    x = yield 1\n    yield from (i for i in a)\n",
    ),
    (
        "async",
        "async def f(a):\n    async for x in a:\n        await x\n    return [y async for y in a]\n",
    ),
    ("strings", "def f(a):\n    return f'{a!r:>{a}} and {a=}'\n"),
    (
        "match",
        "def f(a):\n    match a:\n        case [1, x, *y] | {'k': x, **y}: return x\n        case P(z, k=None) if z: return z\n        case _: pass\n",
    ),
    (
        "annotations",
        "x: int = 1\ndef f(a: int) -> str: pass\nclass A:\n    b: list[A]\n",
    ),
    (
        "type parameters",
        "class A[T: int](B): pass\ndef f[*P](a=1): pass\ntype L[T] = list[T]\n",
    ),
    ("except star", "try:\n    f()\nexcept* E as e:\n    g()\n"),
    ("unbound", "def f(c):\n    if c:\n        x = 1\n    return x\n"),
];

#[test]
fn snapshots() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots.txt");
    let mut text = String::new();
    for (name, source) in SHAPES {
        text.push_str(&format!("==== {name}\n"));
        listing(&check(source), &mut text);
    }
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, &text).expect("snapshots can be written");
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    for (new, old) in text.lines().zip(known.lines()) {
        assert_eq!(new, old);
    }
    assert_eq!(text.lines().count(), known.lines().count());
}

#[test]
fn refused() {
    let cases = [
        ("return 1", "1:1: 'return' outside function"),
        ("x = (1,\ny = 2", "1:5: '(' was never closed"),
        ("if x\n  pass", "1:5: expected ':'"),
        (
            "f() = 1",
            "1:1: cannot assign to function call here. Maybe you meant '==' instead of '='?",
        ),
        ("x = 'abc", "1:5: unterminated string literal (detected at line 1)"),
        (
            "def f(a, a): pass",
            "1:10: duplicate argument 'a' in function definition",
        ),
        ("def f():\n    nonlocal x", "2:5: no binding for nonlocal 'x' found"),
        (
            "if 1:\npass",
            "2:1: expected an indented block after 'if' statement on line 1",
        ),
        (
            "print 1",
            "1:1: Missing parentheses in call to 'print'. Did you mean print(...)?",
        ),
        ("f(a b)", "1:3: invalid syntax. Perhaps you forgot a comma?"),
        ("break", "1:1: 'break' outside loop"),
        ("from __future__ import braces", "1:1: not a chance"),
        ("def f(x):\n    global x", "2:5: name 'x' is parameter and global"),
    ];
    for (source, expected) in cases {
        assert_eq!(error(source), expected, "{source}");
    }
}

#[test]
fn too_deep() {
    let cases = [
        "1+".repeat(50_000) + "x",
        "x+".repeat(50_000) + "x",
        "-".repeat(50_000) + "x",
        "not ".repeat(50_000) + "x",
        "x".to_string() + &".a".repeat(50_000),
        "x".to_string() + &"()".repeat(50_000),
        "lambda:".repeat(50_000) + "x",
        "x if x else ".repeat(50_000) + "x",
    ];
    for source in cases {
        let e = compile(&source, Mode::Exec, &Options::default()).expect_err("too deep");
        assert_eq!(e.kind, SyntaxErrorKind::Recursion);
    }
    let e = compile(&"(".repeat(50_000), Mode::Exec, &Options::default()).expect_err("too deep");
    assert!(matches!(e.kind, SyntaxErrorKind::Syntax));
}

#[test]
fn large_programs() {
    let items = |item: &str, n: usize| vec![item; n].join(", ");
    check(&format!("x = [{}]", items("a", 5_000)));
    check(&format!("f({})", items("a", 5_000)));
    check(&format!("x = {{{}}}", items("a: b", 5_000)));
    check(&format!(
        "def f(a):\n    while a:\n{}",
        "        a.b = a + 1\n".repeat(40_000)
    ));
    check(&format!("x = {}", "a + ".repeat(5_000) + "a"));
}

#[test]
fn surrogates_and_encodings() {
    let code = check("x = '\\ud800y'");
    let points = code
        .consts
        .iter()
        .any(|c| matches!(c, Const::Str(lisle_bytecode::Text::Points(p)) if p.len() == 2));
    assert!(points);
    assert_eq!(
        decode_source(b"# coding: latin-1\n\xe9").as_deref(),
        Ok("# coding: latin-1\n\u{e9}")
    );
    assert!(decode_source(b"\xff").is_err());
    assert!(decode_source(b"# coding: nope\n").is_err());
}
