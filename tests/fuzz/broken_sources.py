"""Compiles broken sources with Lisle and with the Python that runs this, and compares what they say.

Usage: python3.13 tests/fuzz/broken_sources.py LISLE [SEED [COUNT]]

The sources are soups of tokens, files of the library cut short, pieces of them with tokens lost, doubled and swapped, and deep nesting. A crash,
a hang or an error that is none of syntax fails; other texts or places are counted and the first shown (3.14 says some things that 3.13 does not).
"""

import glob
import json
import os
import random
import re
import subprocess
import sys
import sysconfig
import warnings

TOKENS = r"""( ) [ ] { } : , ; . = == := -> + - * ** / // @ ! != < > if else elif for in while def class return yield await async with as try
except finally import from lambda not and or is None True x y 1 2.0 'a' f'{x}' f'{x!r:>{y}}' t'{x}' match case type _ del global nonlocal
raise pass break continue print \ $ ? ` += ... 0x1 1j b'q' f"{ ' # ~ % & | ^""".split() + ['"""', "\n", "\n    ", "\t"]

NESTS = ["({})", "[{}]", "{{{}}}", "-{}", "not {}", "lambda: {}", "f({})", "x[{}]", "{}.a", "{} if x else y", "x if {} else y", "f'{{{}}}'", "*{}", "a := {}",
         "x + {}", "{} + x", "{} and x", "await {}", "if x:\n {}", "def f():\n {}", "class A:\n {}", "try:\n {}\nfinally: pass", "for x in {}: pass",
         "with {}: pass", "match x:\n case {}: pass", "[{} for x in y]", "def f(a={}): pass", "@{}\ndef f(): pass", "x = {}", "{}\\\n", "({}"]

DRIVER = """
import json, sys, warnings
warnings.simplefilter("ignore")
for line in sys.stdin:
    try:
        compile(json.loads(line), "<fuzz>", "exec")
        said = ["ok"]
    except SyntaxError as e:
        said = [type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset]
    except (RecursionError, MemoryError, OverflowError, ValueError) as e:
        said = [type(e).__name__]
    print(json.dumps(said), flush=True)
"""


def piece(chance, texts):
    lines = chance.choice(texts).split("\n")
    start = chance.randrange(len(lines))
    while start > 0 and (not lines[start] or lines[start][0] in " )#]}"):
        start -= 1
    return "\n".join(lines[start : start + chance.randrange(1, 25)]) + "\n"


def source(chance, texts):
    kind = chance.random()
    if kind < 0.2:
        return " ".join(chance.choice(TOKENS) for _ in range(chance.randrange(2, 14)))
    if kind < 0.25:
        inside = chance.choice(["x", "1", "(", "x y", "yield"])
        for _ in range(chance.choice([3, 30, 300, 3000])):
            nest = chance.choice(NESTS[:-1]) if chance.random() < 0.1 else NESTS[len(inside) % len(NESTS)]
            inside = nest.replace("{}", inside.replace("\n", "\n "), 1) if nest.count("{}") else inside
            if len(inside) > 20_000:
                break
        return inside
    text = piece(chance, texts)
    if kind < 0.4:
        return text[: chance.randrange(len(text) + 1)]
    parts = re.findall(r"\w+|\s+|[^\w\s]", text)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if not parts:
            break
        at, what = chance.randrange(len(parts)), chance.random()
        if what < 0.35:
            del parts[at]
        elif what < 0.6:
            parts.insert(at, chance.choice(TOKENS))
        elif what < 0.8:
            parts[at] = chance.choice(TOKENS)
        else:
            other = chance.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
    return "".join(parts)


def said_here(text):
    try:
        compile(text, "<fuzz>", "exec")
        return ["ok"]
    except SyntaxError as e:
        return [type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset]
    except (RecursionError, MemoryError, OverflowError, ValueError) as e:
        return [type(e).__name__]


def main():
    lisle = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
    warnings.simplefilter("ignore")
    chance = random.Random(seed)
    files = sorted(glob.glob(os.path.join(sysconfig.get_path("stdlib"), "*.py")))
    texts = [open(name, encoding="utf-8").read() for name in chance.sample(files, 20)]
    sources = [source(chance, texts) for _ in range(count)]
    sources = [text for text in sources if "\0" not in text]
    lines = "".join(json.dumps(text) + "\n" for text in sources)
    run = subprocess.run([lisle, "-c", DRIVER], input=lines, capture_output=True, text=True, timeout=60 + count // 10)
    said = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode or len(said) != len(sources):
        print(f"seed {seed}: status {run.returncode} at source {len(said)} of {len(sources)}")
        print(repr(sources[min(len(said), len(sources) - 1)])[:3000])
        print(run.stderr[-3000:])
        return 1
    others = 0
    for text, theirs in zip(sources, said):
        mine = said_here(text)
        if mine != theirs:
            others += 1
            if others <= 10:
                print(repr(text[:300]), "\n  here: ", mine, "\n  lisle:", theirs)
    print(f"seed {seed}: {len(sources)} sources, {others} with another text or place")
    return 0


if __name__ == "__main__":
    sys.exit(main())
