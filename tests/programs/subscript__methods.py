"""Subscripts by methods in Python, unpacking into variables, sets against sets, isinstance by type and by what an object says."""
class Grid:
    def __init__(self): self.rows = [[1, 2], [3, 4]]
    def __getitem__(self, at):
        if isinstance(at, tuple): return self.rows[at[0]][at[1]]
        return self.rows[at]
class Loud(dict):
    def __getitem__(self, key): return ('loud', dict.__getitem__(self, key))
class Meta(type):
    def __getitem__(cls, key): return (cls.__name__, key)
class M(metaclass=Meta): pass
class Gi:
    def __class_getitem__(cls, key): return ('cgi', key)
class Kw:
    def __getitem__(self, at, more=5): return (at, more)
class Many:
    def __getitem__(self, *a): return a
class Bad:
    def __getitem__(self, at): raise KeyError(at)
class Gen:
    def __getitem__(self, at): yield at
def sub(o, at): return o[at]
for _ in range(3):
    g = Grid()
    print(sub(g, 0), sub(g, (1, 1)), g[1][0], Grid()[0], sub(Loud(a=1), 'a'), sub(M, 3), sub(Gi, 4), sub(Kw(), 1), sub(Many(), 2),
          list(sub(Gen(), 7)), sub("abc", 1), sub([1, 2], -1), sub((5,), 0), sub({1: 2}, 1), sub(b"a", 0))
    for o, at in ((Bad(), 1), ([], 0), ({}, 'x'), (5, 0), (Grid(), 9)):
        try: sub(o, at)
        except Exception as e: print(type(e).__name__, e)
Grid.__getitem__ = lambda self, at: ('new', at)
print(sub(Grid(), 1), [Grid()[i] for i in range(2)])
del Grid.__getitem__
try: sub(Grid(), 1)
except TypeError as e: print(e)
def gen(o):
    for i in range(2): yield o[i]
print(list(gen(Kw())))
class Deep:
    def __getitem__(self, at): return self[at + 1]
try: Deep()[0]
except RecursionError: print('recursion')
def own(seq):
    a, b, c = seq
    return a, b, c
def swap(a, b, c):
    a, b, c = c, a, b
    return a, b, c
def into(a):
    a, b, c = a
    return a, b, c
def into2(b):
    a, b, c = b
    return a, b, c
def starred(s):
    a, *b, c = s
    return a, b, c
def nested(s):
    (a, b), c = s
    return a, b, c
for seq in ((1, 2, 3), [1, 2, 3], 'xyz', {1: 2, 3: 4, 5: 6}, range(3), iter([7, 8, 9]), (1, 2), [], 5, [[1], [2], [3]]):
    for f in (own, into, into2):
        try: print(f(seq))
        except Exception as e: print(type(e).__name__, e)
print(swap(1, 2, 3), starred([1, 2, 3, 4]), starred((1, 2)), nested([[1, 2], 3]), nested(((1, 2), 3)))
def ten(l):
    a, b, c, d, e, f, g, h, i, j = l
    return j, i, h, g, f, e, d, c, b, a
print(ten(list(range(10))), ten(tuple(range(10))), ten('abcdefghij'))
def big(l):
    a, b, c, d, e, f, g, h, i, j, k, m, n, o = l
    return o, a
print(big(list('abcdefghijklmn')))
class Del:
    log = []
    def __init__(self, n): self.n = n
    def __del__(self): Del.log.append(self.n)
def drops(l):
    x = y = Del('old')
    x, y = l
    l.clear()
    return x.n, y.n
print(drops([Del(1), Del(2)]), Del.log)
A, B = frozenset(range(6)), frozenset([1, 3, 9])
C, D = {1, 3}, {8}
class K:
    def __init__(self, v, hook=None): self.v, self.hook = v, hook
    def __hash__(self): return 1
    def __eq__(self, o):
        if self.hook: self.hook()
        return isinstance(o, K) and self.v == o.v
    def __repr__(self): return f'K{self.v}'
print(sorted(A - B), sorted(A & B), sorted(A | B), sorted(A ^ B), A <= B, C <= A, frozenset(C) <= A, A.isdisjoint(B), A.isdisjoint(D), C < A, A >= C)
grow = set()
ks = frozenset([K(1, lambda: grow.add(len(grow))), K(2)])
other = {K(1), K(2), K(3)}
print(len(ks & other), len(ks - other), ks <= other, ks.isdisjoint(other), len(grow) > 0)
class Liar:
    @property
    def __class__(self): return int
class Sayer:
    def __getattribute__(self, n): return str if n == '__class__' else object.__getattribute__(self, n)
class Plain: pass
class Child(Plain): pass
def isi(o, c): return isinstance(o, c)
for _ in range(2):
    print(isi(Liar(), int), isi(Liar(), str), isi(Sayer(), str), isi(Child(), Plain), isi(Plain(), Child), isi(1, tuple), isi(True, int), isi(None, int),
          isi(1.5, (int, float)), isi('a', int | str), isi(Plain, type), isi(Plain(), object), isi([], dict))
p = Plain(); p.__dict__['__class__'] = int
print(isi(p, int), isi(p, Plain))


print(list((1, 2)), list([1]), tuple([1, 2]), tuple((3,)), list('ab'), list(range(2)), list({1: 2}))
t = (1, 2); print(tuple(t) is t); l = [1]; print(list(l) is l, list(l) == l)
class L2(list): pass
class T2(tuple): pass
print(type(list(L2([1]))).__name__, type(L2([1])).__name__, tuple(T2((1,))), type(tuple(T2((1,)))).__name__, L2((1, 2)), T2([1]))
