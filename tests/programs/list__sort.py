def attempt(label, f):
    try:
        print(label, repr(f()))
    except Exception as e:
        print(label, type(e).__name__, e)
class Random:
    def __init__(self, seed): self.x = seed
    def randrange(self, n): self.x = (self.x * 6364136223846793005 + 1442695040888963407) % 2**64; return (self.x >> 33) % n
    def random(self): return self.randrange(1000) / 1000
rnd = Random(5)
def check(data, **kw):
    a = list(data); a.sort(**kw)
    print(a if len(a) < 20 else (len(a), a[:3], a[-3:]))
    return a
check([3, 1, 2]); check([3, 1, 2], reverse=True); check([]); check([1]); check('hello'); check([1.5, -2.0, 0.0, -0.0, 1e300, 3.0]); check([1, 2.5, True, -1, 2**70, -2**70])
check(['b', 'a', 'é', '中', '😀', 'B', '']); check([(1, 'b'), (1, 'a'), (0, 'z')]); check([[2], [1, 5], [1]]); check(['bb', 'a', 'ccc'], key=len); check(['bb', 'a', 'ccc'], key=len, reverse=True)
check('aAbBcC', key=str.lower); check('aAbBcC', key=str.lower, reverse=True); check(range(10), key=lambda x: x % 3); check(range(10), key=lambda x: x % 3, reverse=True); check([0.0, -0.0, 0.0], reverse=True)
check([1, 2, 3], key=lambda x: -x); check([1, 2, 3], key=None)
for n in (10, 63, 64, 65, 100, 1000, 3000):
    for m in (3, 1000000):
        data = [rnd.randrange(m) for _ in range(n)]
        class W:
            __slots__ = ('v', 'i')
            def __init__(self, v, i): self.v = v; self.i = i
            def __lt__(self, o): return self.v < o.v
        ws = [W(v, i) for i, v in enumerate(data)]
        for shape in range(4):
            w = sorted(ws)
            assert all((a.v, a.i) < (b.v, b.i) for a, b in zip(w, w[1:])), 'stable'
            w = sorted(ws, reverse=True)
            assert all((-a.v, a.i) < (-b.v, b.i) for a, b in zip(w, w[1:])), 'stable reverse'
            k = sorted(ws, key=lambda w: w.v)
            assert all((a.v, a.i) < (b.v, b.i) for a, b in zip(k, k[1:]))
            ws = [W(w.v, i) for i, w in enumerate(sorted(ws) if shape == 0 else sorted(ws)[::-1] if shape == 1 else ws + ws[:n // 2])]
print('stable')
attempt('mix', lambda: [1, 'a'].sort()); attempt('pos', lambda: [].sort(1)); attempt('kw', lambda: [].sort(foo=1)); attempt('key', lambda: [1].sort(key=5)); attempt('none', lambda: [None, None].sort()); attempt('one', lambda: [None].sort())
a = [3, 1, 2]
def key(x): a.append(x); return x
attempt('mod', lambda: a.sort(key=key)); print(sorted(a))
a = [3, 1, 2]
def key(x): print(a); return x
a.sort(key=key); print(a)
a = [3, 1, 2]
def key(x): raise KeyError(x)
attempt('raise', lambda: a.sort(key=key)); print(a)
class C:
    n = 0
    def __init__(self, v): self.v = v
    def __repr__(self): return f'C{self.v}'
    def __lt__(self, o):
        C.n += 1
        if C.n == 30: raise ZeroDivisionError('now')
        return self.v < o.v
b = [C(rnd.randrange(100)) for _ in range(50)]
before = sorted(map(repr, b))
attempt('raise', lambda: b.sort()); print(sorted(map(repr, b)) == before)
class Liar:
    def __lt__(self, o): return rnd.random() < .5
c = [Liar() for _ in range(500)]; ids = sorted(map(id, c)); c.sort(); print(sorted(map(id, c)) == ids)
class N:
    def __lt__(self, o): return NotImplemented
attempt('ni', lambda: [N(), N()].sort())
class T:
    def __init__(self, v): self.v = v
    def __lt__(self, o): return 'x' if self.v < o.v else ''
print([t.v for t in sorted([T(3), T(1), T(2)])])
class Cmp:
    count = 0
    def __init__(self, v): self.v = v
    def __lt__(self, o): Cmp.count += 1; return self.v < o.v
for data in (range(1000), range(1000, 0, -1)):
    Cmp.count = 0
    sorted(map(Cmp, data)); print(Cmp.count)
nan = float('nan'); d = [3.0, nan, 1.0]; d.sort(); print(len(d))
e = [1, 2]
class Evil:
    def __lt__(self, o): e.clear(); e.append(5); return True
e[:] = [Evil(), Evil()]
attempt('evil', lambda: e.sort()); print(len(e))
print(sorted({3: 1, 1: 2}), sorted('cab', reverse=True), sorted((2, 1), key=lambda x: x))
attempt('sorted', lambda: sorted(1))
