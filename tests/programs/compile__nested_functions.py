"""Functions nested a thousand deep are compiled, compared and hashed in time that grows with the source.

Recorded with 5 levels in the place of 100: CPython compares in exponential time.
"""
import time


def nested(levels):
    return compile("lambda:" * levels + "1", "f", "eval")


def depth(code):
    levels = 0
    while True:
        inner = [c for c in code.co_consts if hasattr(c, "co_consts")]
        if not inner:
            return levels
        levels, code = levels + 1, inner[0]


begin = time.process_time()
print(depth(nested(2_000)))
a, b = nested(100), nested(100)
print(a == b, a != b, hash(a) == hash(b), a is b)
c = compile("lambda:" * 100 + "2", "f", "eval")
print(a == c)

# Constants are the same if their types are, and the signs of their zeros.
for x, y in [
    ("0.0", "-0.0"), ("0.0", "0.0"), ("0", "0.0"), ("1", "True"), ("(0.0, 1)", "(-0.0, 1)"), ("(0, 1)", "(0, True)"),
    ("0j", "0.0"), ("-0j", "0j"), ("'a'", "b'a'"), ("x in {0.0, 1}", "x in {0.0, 1}"), ("'a'", "'a'"), ("10**20", "10**20"),
]:
    f, g = (compile(source, "f", "eval") for source in (x, y))
    print(x, y, f == g)

print(time.process_time() - begin < 20)
