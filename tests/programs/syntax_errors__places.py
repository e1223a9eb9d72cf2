# What is said of sources that are not Python, and where.
SOURCES = [
    "f(a b)", "x = [1, 2 3]", "print 1", "exec x, y", "if x\n  pass", "while x\n  pass", "for x in y\n  pass", "def f()\n  pass",
    "class A\n  pass", "try:\n  pass\nx = 1", "try\n  pass", "with a as b\n  pass", "if x:\npass", "def f():\npass\n", "class A:\n",
    "match x\n  case 1: pass", "match x:\n  case 1\n    pass", "match x:\n  case a as 1: pass\n"[:0] + "match x:\n  case {**_}: pass",
    "f() = 1", "a + 1 = 2", "None = 1", "(a, f()) = 1", "[a, 1] = b", "x, 1 = y", "del f()", "del (a, 1)", "for 1 in x: pass",
    "with a as f(): pass", "a, b += 1", "f() += 1", "(yield) = 1", "x: int: str", "(a, b): int", "[a]: int", "f(): int",
    "f(x=1, 2)", "f(**x, 1)", "f(**x, *y)", "f(x for x in y, 1)", "f(1, x for x in y)", "f(x=)", "f(1=2)", "f(True=1)", "f(a.b=1)",
    "f(x=1, x=2)", "f(*)", "f(x y for x in z)", "{x, y for x in z}", "[x, y for x in z]", "[*x for x in y]", "{**x for x in y}", "(*x)", "(**x)",
    "{1: 2, 3}", "{1:}", "{1: *a}", "{1: 2, 3: }", "[x for x if y]", "[x for x y]", "x if y", "x = y if z", "lambda *: 1", "def f(*): pass",
    "def f(a=1, b): pass", "def f(*a, *b): pass", "def f(**a, b): pass", "def f(/): pass", "def f(a, /, b, /): pass", "def f(*a, /): pass",
    "def f(a, (b)): pass", "def f(*a=1): pass", "def f(**a=1): pass", "def f(a=): pass", "lambda (a): 1", "import a from b", "import", "from a import",
    "from a import b,", "from a import (b", "x = = 1", "if x = 1: pass", "while x = 1: pass", "(x = 1)", "(a.b := 1)",
    "try: pass\nexcept: pass\nexcept* A: pass", "try: pass\nexcept*: pass", "else: pass", "  x = 1", "x = 1\n  y = 2", "if x:\n    a\n  b",
    "(", "[1, 2", "x = {\n1", ")", "(]", "x = (1\ny = 2\n", "x = 'abc", "x = '''abc", "f'{'", "f'{a b}'", "f'{}'", "f'{!r}'", "f'{a!x}'",
    "f'{a!}'", "f'{a:{'", "f'}'", "f'{a", "f'{lambda x: 1}'", "f'{*}'", "f'{a$b}'", "1_", "1__0", "0b12", "0o8", "0x", "01", "1e", "1.e+", "1abc",
    "\\ x", "x \\", "a ? b", "a $ b", "a\u00a0b", "\u20ac", "'\\x1'", "'\\N{nope}'", "b'\\x1'", "b'\u00e9'", "u'a' b'b'", "def f[](): pass",
    "def f[*T: int](): pass", "def f[**P: (int, str)](): pass", "type X[T: int, T] = 1", "class A[T, T]: pass", "return 1", "yield 1", "await x",
    "break", "continue", "nonlocal x", "global x; x: int"[:0] + "x = 1\nglobal x", "def f(x): global x", "def f(): nonlocal y", "x <> y", "not", "@", "a.1",
    "a..b", "1 2", "a b", "'a' b", "x = yield = 1", "def", "class", "for", "with", "async x", "async def", "assert", "del", "lambda", "*x", "a[*b:c]",
    "from __future__ import braces", "from __future__ import nope", "x = 1\nfrom __future__ import annotations", "f(a, b for b in c, d)", "f((x)=2)",
]
for source in SOURCES:
    try:
        compile(source, "<test>", "exec")
        print(repr(source), "accepted")
    except SyntaxError as e:
        print(repr(source), type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno)
