"""Tokens come one at a time, as the lines are read; what is wrong with a source shows where it is."""

import io
import tokenize

SOURCES = [
    "x = 1 + y.z # comment\n",
    "if x:\n    a\n\n    # c\n    b\nc",
    "def f():\n\tif 1:\n\t\tpass\n\treturn\n",
    "f'a{{b}}c{d!r:>{width}}' rf'\\{x}' f'''\n{y}\n z'''",
    "f'{a:}' f'{x=}' f'\\N{DASH}{x}'",
    "x = '''a\nb''' + y\nz",
    "(1,\n  # inside\n  2)\n",
    "a \\\n  + b\n",
    "x\r\ny\r\n",
    "01 1abc 0x1g 1_000 1e5j .5 1..real\n",
    "a<>b != c := d -> ... @= **= //=\n",
    "}",
    ")(",
    "$ ? `x`\n",
    "é = ü\n",
    "",
    "\n",
    "   ",
    "\\\n x",
    "  x\n y\n",
    "if 1:\n\tx\n        y\n",
    "(1+\n",
    "x \\\n",
    "'abc",
    "'''abc\n",
    "f'abc",
    "f'{a'",
    "f'}'",
    "0x",
    "1_",
    "a \\b\n",
]


def lines(source):
    """Tells when a line is asked for."""
    pending = source.splitlines(keepends=True)

    def readline():
        return pending.pop(0) if pending else ""

    return readline


for source in SOURCES:
    print(repr(source))
    try:
        for token in tokenize.generate_tokens(lines(source)):
            print("  ", tokenize.tok_name[token.exact_type], repr(token.string), token.start, token.end, repr(token.line))
    except (tokenize.TokenError, SyntaxError) as e:
        print("  ", type(e).__name__, e.args[0])

# Tokens before an error, and before the end is read, can be had.
asked = 0


def endless():
    global asked
    asked += 1
    return f"line{asked} = {asked}\n"


tokens = tokenize.generate_tokens(endless)
print([next(tokens).string for _ in range(6)], asked)
tokens = tokenize.generate_tokens(lines("good = 1\nbad = '\n"))
print([next(tokens).string for _ in range(4)])

text = b"# -*- coding: latin-1 -*-\nx = '\xe4'\n"
print([t.string for t in tokenize.tokenize(io.BytesIO(text).readline)])
source = "def f(a, *, b=1):\n    return f'{a:>{b}}' + \"x\"  # c\n"
print(tokenize.untokenize(tokenize.generate_tokens(io.StringIO(source).readline)) == source)
