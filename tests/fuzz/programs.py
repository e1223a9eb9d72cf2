"""Random programs, run by two interpreters: what they print must be the same.

    python3.13 tests/fuzz/programs.py LISLE [--seed N] [--count N] [--options="-X gil=0"]

Each program is made of nested statements of all kinds (loops with `else`, `try` in all its forms, `with`, `match`, functions with
closures, defaults and stars, generators, classes, comprehensions, assignments of all shapes) over a few variables; it writes down
the value of a variable now and then, and what exceptions end its parts. Programs that differ are kept in the folder of `--keep`.
The oracle is the interpreter that runs this file.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import warnings

NAMES = ["a", "b", "c", "d", "e"]

PRELUDE = '''
import sys
sys.setrecursionlimit(300)
steps = 0
def tick():
    global steps
    steps += 1
    if steps > 3000:
        raise SystemExit("steps")
def show(*args):
    tick()
    text = []
    for x in args:
        try:
            r = repr(x)
        except RecursionError:
            raise
        except Exception as error:
            r = type(error).__name__
        if " at 0x" in r or "<generator" in r or "<function" in r:
            r = type(x).__name__
        text.append(r[:200])
    print(*text)
class Context:
    def __init__(self, name, swallow): self.name, self.swallow = name, swallow
    def __enter__(self): show("enter", self.name); return self.name
    def __exit__(self, kind, error, tb): show("exit", self.name, kind and kind.__name__); return self.swallow
class Thing:
    kept = 3
    def __init__(self, x=0, *rest, **named): self.x, self.rest, self.named = x, rest, named
    def method(self, *args, k=1): return (self.x, args, k)
    @property
    def size(self): return len(self.rest)
    @classmethod
    def made(cls, *args): return cls(*args)
    @staticmethod
    def plain(*args, **named): return args, sorted(named)
    def __repr__(self): return f"Thing({self.x!r})"
    def __eq__(self, other): return isinstance(other, Thing) and self.x == other.x
    def __hash__(self): return 7
    __match_args__ = ("x", "rest")
def gen(n):
    got = None
    try:
        for i in range(n):
            got = yield (i, got)
    except KeyError as error:
        yield ("thrown", error.args)
    finally:
        show("closed", n)
    return "end"
'''


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.lines = []
        self.depth = 0
        self.loops = 0
        self.functions = 0
        self.in_function = []
        self.budget = 60
        self.fresh = 0

    def line(self, text):
        self.lines.append("    " * self.depth + text)

    def pick(self, *choices):
        return self.r.choice(choices)

    def name(self):
        return self.r.choice(NAMES)

    def number(self):
        return self.pick("0", "1", "2", "-1", "3", "7", "10", "255", "1000003", "2**31", "-2**63", "2**70", "True", "False", "1.5", "-0.0", "1e300", "3j")

    def atom(self):
        k = self.r.randrange(10)
        if k < 4:
            return self.name()
        if k < 7:
            return self.number()
        return self.pick("None", "'ab'", "''", "'\u00e9\u4e2d\U0001f600'", "b'xy'", "()", "[]", "{}", "(1, 2)", "[3, 4, 5]", "{'k': 1}", "{1, 2}", "Thing(1)", "range(4)", "...")

    def expr(self, depth=3):
        if depth <= 0:
            return self.atom()
        e = lambda: self.expr(depth - 1)
        k = self.r.randrange(34)
        if k < 5:
            return self.atom()
        if k < 9:
            return f"({e()} {self.pick('+', '-', '*', '//', '%', '/', '&', '|', '^')} {e()})"
        if k == 9:
            return f"({e()} {self.pick('<<', '>>', '**')} {self.pick('0', '1', '2', '5', self.name() + ' % 5' if self.r.random() < 0.5 else '3')})"
        if k == 10:
            ops = "".join(f" {self.pick('<', '<=', '==', '!=', '>', '>=', 'in', 'not in', 'is', 'is not')} {e()}" for _ in range(self.r.randint(1, 3)))
            return f"({e()}{ops})"
        if k == 11:
            return f"({e()} {self.pick('and', 'or')} {e()} {self.pick('and', 'or')} {e()})"
        if k == 12:
            return f"({self.pick('not', '-', '+', '~')} {e()})"
        if k == 13:
            return f"({e()} if {e()} else {e()})"
        if k == 14:
            return "[" + ", ".join(self.pick("*" if self.r.random() < 0.2 else "", "") + e() for _ in range(self.r.randint(0, 4))) + "]"
        if k == 15:
            return "(" + "".join(e() + ", " for _ in range(self.r.randint(1, 4))) + ")"
        if k == 16:
            return "{" + ", ".join(f"{self.pick(repr('k'), '1', '(1, 2)')}: {e()}" for _ in range(self.r.randint(0, 3))) + "}"
        if k == 17:
            kind = self.pick("[{}]", "{{{}}}", "list({})", "tuple({})", "sum(1 for _ in ({}))")
            return kind.format(self.comprehension(depth - 1))
        if k == 18:
            v = self.name()
            return "{" + f"{v}: {e()} for {v} in {self.iterable(depth - 1)}" + "}"
        if k == 19:
            return f"{e()}[{e()}]" if self.r.random() < 0.5 else f"({e()})[{self.pick('', '1', '-1')}:{self.pick('', '2', '-1')}{self.pick('', ':2', ':-1')}]"
        if k == 20:
            args = ", ".join(self.name() + ("" if self.r.random() < 0.6 else f"={self.number()}") for _ in range(0))
            v = self.name()
            return f"(lambda {v}={e()}, *z{args}: ({e()}, z))({self.pick('', e())})"
        if k == 21:
            return f"({self.name()} := {e()})" if not self.no_walrus else e()
        if k == 22:
            return f"f'{{{e()}!r}}{self.pick('', 'x', '{{')}{{{self.name()}}}'" if depth < 3 else f"f'{{{self.name()}!r:>10}}'"
        if k == 23:
            return f"Thing({e()}, {e()}, key={e()}).{self.pick('x', 'rest', 'size', 'kept', 'method(' + e() + ')', 'method(' + e() + ', k=' + e() + ')', 'made(1)', 'plain(2, q=3)', 'missing')}"
        if k == 24:
            return f"{self.pick('len', 'str', 'repr', 'type', 'bool', 'list', 'tuple', 'sorted', 'int', 'abs', 'sum', 'min', 'max', 'set', 'dict', 'iter')}({e()})"
        if k == 25:
            return f"{self.pick('max', 'min', 'divmod', 'isinstance', 'getattr', 'pow', 'zip')}({e()}, {self.pick('2', e())})"
        if k == 26:
            return f"Thing.plain(*{self.pick('(1, 2)', '[]', self.name())}, **{self.pick('{}', repr({'p': 1}), self.name())})"
        if k == 27:
            return f"'%s|%r|%d' % ({e()}, {e()}, {e()})"
        if k == 28:
            return f"next(gen({self.pick('0', '1', '3')}), {e()})"
        if k == 29:
            return f"{self.pick('str', 'list', 'Thing', 'dict')}.{self.pick('__name__', 'upper', '__mro__', 'keys')}"
        if k == 30:
            return f"{{**{self.pick('{}', repr({'a': 1}), self.name())}, 'z': {e()}}}"
        if k == 31:
            return f"({e()}).{self.pick('real', 'imag', 'upper()', 'count(1)', 'get(1)', 'index(1)', 'copy()', 'append(1)', '__class__', 'bit_length()', 'join([' + repr('q') + '])')}"
        if k == 32 and self.functions:
            return f"f{self.r.randrange(self.functions)}({', '.join(e() for _ in range(self.r.randint(0, 3)))})"
        return self.atom()

    no_walrus = False

    def comprehension(self, depth):
        v = self.name()
        saved, self.no_walrus = self.no_walrus, True
        text = f"{self.expr(depth)} for {v} in {self.iterable(depth)}"
        if self.r.random() < 0.4:
            text += f" if {self.expr(depth)}"
        if self.r.random() < 0.3:
            text += f" for {self.name()} in {self.iterable(depth)}"
        self.no_walrus = saved
        return text

    def iterable(self, depth=1):
        saved, self.no_walrus = self.no_walrus, True
        k = self.r.randrange(9)
        if k < 3:
            text = f"range({self.pick('0', '1', '3', '4')})"
        elif k == 3:
            text = self.pick("'abc'", "(1, 2, 3)", "[[1, 2], [3, 4]]", "{'x': 1, 'y': 2}.items()", "gen(2)", "zip('ab', range(3))", "enumerate('ab')")
        elif k == 4:
            text = self.expr(depth)
        else:
            text = self.pick("[1, 2]", "range(2)", "(5,)", "b'ab'", "reversed([1, 2, 3])")
        self.no_walrus = saved
        return text

    def target(self, depth=1):
        k = self.r.randrange(12)
        if k < 6 or depth <= 0:
            return self.name()
        if k < 8:
            return f"{self.target(0)}, {self.target(0)}"
        if k == 8:
            return f"({self.target(0)}, *{self.name()})"
        if k == 9:
            return f"[{self.target(0)}, ({self.target(0)}, {self.target(0)})]"
        if k == 10:
            return f"{self.name()}[{self.pick('0', '-1', repr('k'), '1:2')}]"
        return f"{self.name()}.attr"

    def block(self, n=None):
        self.depth += 1
        before = len(self.lines)
        for _ in range(n or self.r.randint(1, 4)):
            self.statement()
        if len(self.lines) == before:
            self.line("pass")
        self.depth -= 1

    def statement(self):
        self.budget -= 1
        if self.budget < 0 or self.depth > 6:
            self.line(f"show({self.name()})")
            return
        k = self.r.randrange(44)
        if k < 7:
            self.line(f"{self.target()} = {self.expr()}")
        elif k == 7:
            self.line(f"{self.name()} = {self.name()} = {self.expr()}")
        elif k < 11:
            self.line(f"{self.name()} {self.pick('+', '-', '*', '//', '%', '&', '|', '^')}= {self.expr(2)}")
        elif k < 15:
            self.line(f"show({self.expr()}, {self.name()})")
        elif k < 18:
            self.line(f"if {self.expr(2)}:")
            self.block()
            if self.r.random() < 0.4:
                self.line(f"elif {self.expr(2)}:")
                self.block()
            if self.r.random() < 0.5:
                self.line("else:")
                self.block()
        elif k < 21:
            self.line(f"for {self.target()} in {self.iterable()}:")
            self.loops += 1
            self.depth += 1
            self.line("tick()")
            self.depth -= 1
            self.block()
            self.loops -= 1
            if self.r.random() < 0.3:
                self.line("else:")
                self.block()
        elif k == 21:
            self.fresh += 1
            v = f"w{self.fresh}"
            self.line(f"{v} = 0")
            self.line(f"while {v} < {self.r.randint(1, 4)}{self.pick('', ' and ' + self.expr(1))}:")
            self.loops += 1
            self.depth += 1
            self.line("tick()")
            self.line(f"{v} += 1")
            self.depth -= 1
            self.block()
            self.loops -= 1
            if self.r.random() < 0.4:
                self.line("else:")
                self.block()
        elif k < 26:
            self.attempt()
        elif k < 28:
            items = ", ".join(f"Context({self.r.randrange(100)}, {self.pick('True', 'False', 'False')})" + (f" as {self.target()}" if self.r.random() < 0.5 else "") for _ in range(self.r.randint(1, 2)))
            self.line(f"with {items}:")
            self.block()
        elif k < 30:
            self.matching()
        elif k < 34:
            self.function()
        elif k == 34:
            self.klass()
        elif k == 35:
            self.line(f"del {self.pick(self.name(), self.name() + '[0]', self.name() + '.attr')}")
        elif k == 36 and self.loops:
            self.line(self.pick("break", "continue"))
        elif k == 37 and self.in_function:
            self.line(f"return {self.expr()}")
        elif k == 38 and self.in_function and self.in_function[-1]:
            self.line(f"{self.name()} = yield {self.expr(2)}" if self.r.random() < 0.7 else f"{self.name()} = yield from {self.iterable()}")
        elif k == 39:
            self.line(f"raise {self.pick('ValueError', 'KeyError(1)', 'TypeError(2)', 'StopIteration(3)', 'ExceptionGroup(' + repr('g') + ', [ValueError(1), KeyError(2)])')}{self.pick('', ' from None', ' from ValueError(9)')}")
        elif k == 40:
            self.line(f"assert {self.expr(2)}, {self.expr(1)}")
        elif k == 41:
            self.line(f"{self.name()}: {self.pick('int', 'str')} = {self.expr(1)}")
        else:
            self.line(f"{self.expr()}")

    def attempt(self):
        self.line("try:")
        self.block()
        star = self.r.random() < 0.15
        handlers = self.r.randint(0, 2)
        saved = self.loops
        for i in range(handlers):
            if star:
                self.line(f"except* {self.pick('ValueError', 'KeyError', '(TypeError, ValueError)', 'Exception')}{self.pick('', ' as error')}:")
                # break, continue and return may not stand here.
                inner, self.loops = self.loops, 0
                functions, self.in_function = self.in_function, []
                self.block()
                self.loops, self.in_function = inner, functions
            else:
                self.line(f"except {self.pick('ValueError', 'KeyError', '(TypeError, AttributeError)', 'Exception')}{self.pick('', ' as error')}:")
                self.depth += 1
                self.line("show(type(sys.exception()).__name__)")
                self.depth -= 1
                self.block()
                if self.r.random() < 0.1:
                    self.depth += 1
                    self.line("raise")
                    self.depth -= 1
        self.loops = saved
        if handlers and self.r.random() < 0.3:
            self.line("else:")
            self.block()
        if not handlers or self.r.random() < 0.4:
            self.line("finally:")
            # 3.14 warns of jumps out of `finally`; they are tested all the same.
            self.block()

    def matching(self):
        self.line(f"match {self.expr(2)}:")
        self.depth += 1
        for _ in range(self.r.randint(1, 4)):
            v, w = self.r.sample(NAMES, 2)
            pattern = self.pick(
                "0 | 1", "'ab'", f"[{v}, {w}]", f"[{v}, *{w}]", f"({v}, 2)", "{'k': " + v + "}", "{'k': 1, **" + v + "}", f"int() as {v}",
                f"Thing({v})", f"Thing(x={v}, rest=())", "None", f"str({v})", "[[_, _], *_]", "float() | complex()", "(1 | 2 | 3) as " + v, "[]",
            )
            guard = f" if {self.expr(1)}" if self.r.random() < 0.3 else ""
            self.line(f"case {pattern}{guard}:")
            self.block()
        if self.r.random() < 0.5:
            self.line(f"case {self.pick('_', self.name())}:")
            self.block()
        self.depth -= 1

    def function(self):
        if self.depth > 3:
            self.line("pass")
            return
        own = self.functions
        generator = self.r.random() < 0.3
        names = self.r.sample(NAMES, self.r.randint(0, 3))
        params = []
        default = False
        for i, n in enumerate(names):
            default = default or self.r.random() < 0.3
            params.append(f"{n}={self.expr(1)}" if default else n)
            if i == 0 and self.r.random() < 0.2:
                params.append("/")
        if self.r.random() < 0.3:
            params.append("*args")
            if self.r.random() < 0.5:
                params.append(f"key={self.expr(1)}")
        if self.r.random() < 0.2:
            params.append("**named")
        if self.r.random() < 0.1:
            self.line("@(lambda f: f)")
        self.line(f"def f{own}({', '.join(params)}):")
        self.depth += 1
        self.line("tick()")
        others = [n for n in NAMES if n not in names]
        if others and self.r.random() < 0.4:
            n = self.r.choice(others)
            nested = any(True for _ in self.in_function)
            self.line(f"global {n}")
        self.depth -= 1
        self.in_function.append(generator)
        saved, self.loops = self.loops, 0
        self.block(self.r.randint(2, 6))
        self.loops = saved
        self.in_function.pop()
        self.depth += 1
        if generator:
            self.line(f"yield {self.expr(1)}")
        self.line(f"return {self.expr(2)}")
        self.depth -= 1
        self.functions = max(self.functions, own + 1)
        call = f"f{own}({', '.join(self.expr(1) for _ in names)})"
        self.line(f"show(list({call}))" if generator else f"show({call})")

    def klass(self):
        self.fresh += 1
        self.line(f"class C{self.fresh}({self.pick('', 'Thing', 'dict', 'list', 'Exception')}):")
        self.depth += 1
        self.line(f"{self.name()} = {self.expr(2)}")
        self.line(f"def get(self, n={self.expr(1)}): return __class__.__name__, n, super().__repr__()[:3]")
        if self.r.random() < 0.5:
            self.line(f"{self.name()} = [{self.comprehension(1)}]")
        self.depth -= 1
        self.line(f"show(C{self.fresh}().get(), sorted(n for n in vars(C{self.fresh}) if len(n) == 1))")

    def program(self):
        self.lines = []
        for n, v in zip(NAMES, ["1", "[1, 2, 3]", "'text'", "{'k': 5}", "2.5"]):
            self.line(f"{n} = {v}")
        while self.budget > 0:
            self.line("try:")
            self.block(self.r.randint(1, 4))
            self.line("except Exception as error:")
            self.line("    show(type(error).__name__, str(error)[:60] if type(error) in (KeyError, ZeroDivisionError) else '')")
            self.line(f"show({', '.join(f'globals().get({n!r})' for n in NAMES)})")
        return PRELUDE + "\n".join(self.lines) + "\n"


# 3.14 says the same of every division by zero.
DIVISION = re.compile("(?:float|complex) (?:floor )?division by zero|(?:integer division or modulo|integer modulo|float modulo) by zero|float modulo")


def run(command, path):
    try:
        # Many random programs make enormous numbers or texts.
        limited = ["bash", "-c", 'ulimit -v 4000000; exec "$@"', "-", *command, path]
        done = subprocess.run(limited, capture_output=True, timeout=40, env={**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": "0"})
    except subprocess.TimeoutExpired:
        return "timeout", "", ""
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lisle")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--options", default="")
    parser.add_argument("--keep", default=tempfile.gettempdir())
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    different = ran = 0
    for seed in range(options.seed, options.seed + options.count):
        text = Maker(seed).program()
        try:
            compile(text, "program", "exec")
        except (SyntaxError, ValueError):
            continue
        path = os.path.join(options.keep, f"fuzz-{seed}.py")
        with open(path, "w") as file:
            file.write(text)
        expected = run([sys.executable], path)
        if expected[0] == "timeout" or expected[0] < 0:
            os.unlink(path)
            continue
        got = run([options.lisle, *options.options.split()], path)
        ran += 1
        expected = expected[0], DIVISION.sub("division by zero", expected[1]), expected[2]
        same = got[:2] == expected[:2]
        if same and "panicked" not in got[2]:
            os.unlink(path)
            continue
        different += 1
        lines = list(zip(expected[1].splitlines() + [""] * 2, got[1].splitlines() + [""] * 2))
        first = next((pair for pair in lines if pair[0] != pair[1]), ("", ""))
        print(f"{path}: exit {expected[0]} against {got[0]}\n  expected {first[0]!r}\n  got      {first[1]!r}\n  {got[2].strip().splitlines()[-1:]}", flush=True)
    print(f"{ran} programs, {different} differ")
    return different > 0


if __name__ == "__main__":
    sys.exit(main())
