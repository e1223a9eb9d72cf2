# Calls that spread arguments over *args and **kwargs, keyword-only parameters, classes, methods, generators and decorators.
def f(a, b=2, *r, c=3, d, **k): return a, b, r, c, d, k
def g(*r, **k): return r, k
def h(a, /, b, **k): return a, b, k
def p(a, *, x=1): return a, x
class C:
    def __init__(self, *a, **k): self.v = a, k
    def m(self, *a, **k): return a, k
    def n(*a, **k): return a[1:], k
cases = [
 lambda: f(*(1,), **{"d": 4}), lambda: f(*(1,2,3,4), **{"d": 4, "z": 9, "c": 7}),
 lambda: f(*(1,2,3), **{"a": 4}), lambda: f(*(), **{"a": 1, "d": 2}), lambda: f(*(1,)),
 lambda: g(*(1,2), **{"a": 1}), lambda: g(**{}), lambda: g(*()), lambda: h(*(1,), **{"a": 5, "b": 6}),
 lambda: h(*(1,2), **{"a": 5, "b": 6}), lambda: h(**{"a": 1, "b": 2}), lambda: p(*(1,), **{"x": 3}), lambda: p(*(1,2)), lambda: p(*(1,), **{"y": 3}),
 lambda: C(*(1,2), **{"q": 1}).v, lambda: C().m(*(1,), **{"z": 1}), lambda: C().n(*(1,), **{"z": 1}),
 lambda: g(**{1: 2}), lambda: g(**{"a b": 2, "".join(["x","y"]): 3}), lambda: h(*(1,), **{"".join(["b"]): 3}), lambda: h(*(1,), **{"".join(["b","b"])[:1]: 3}),
 lambda: g(*[1,2], **{"a": 1}), lambda: g(*range(3), **{"a": 1}), lambda: f(*(1,), d=1, **{"e": 2}), lambda: f(*(1,), **{"d": 1}, **{"d": 2}),
]
def many(**k): return k
d = {f"k{i}": i for i in range(70)}
cases.append(lambda: many(**d) == d and many(**d) is not d)
class S(str): pass
cases.append(lambda: g(**{S("a"): 1}))
for n, c in enumerate(cases):
    for _ in range(3):
        try: r = c()
        except Exception as e: r = type(e).__name__, str(e)
    print(n, r)
def gen(*a, **k): yield a, k
print(list(gen(*(1,), **{"z": 2})))
import functools
def deco(fn):
    @functools.wraps(fn)
    def w(*a, **k): return fn(*a, **k)
    return w
@deco
@deco
@deco
def t(x, y=1, *z, q=0, **kk): return x, y, z, q, kk
for _ in range(3): print(t(1), t(1, 2, 3, q=4, r=5))
