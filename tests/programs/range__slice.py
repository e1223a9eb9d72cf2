def attempt(label, f):
    try:
        print(label, repr(f()))
    except Exception as e:
        print(label, type(e).__name__, e)
print(range(5), range(1, 5), range(1, 10, 3), range(0), range(5, 0, -2), list(range(5, 0, -2)), list(range(3, 3)), len(range(0, 10, 3)), len(range(10, 0, -3)))
attempt('0', lambda: range()); attempt('4', lambda: range(1, 2, 3, 4)); attempt('step', lambda: range(1, 2, 0)); attempt('float', lambda: range(1.0)); attempt('str', lambda: range('a')); attempt('kw', lambda: range(stop=1))
r = range(10, 50, 7); print(r[0], r[-1], r[1:3], r[::-1], r[::2], r[-100:100], r.start, r.stop, r.step, 17 in r, 18 in r, 17.0 in r, 'a' in r, r.index(24), r.count(24), r.count(25), True in range(2), list(reversed(r)))
attempt('idx', lambda: r[10]); attempt('idx', lambda: r['a']); attempt('index', lambda: r.index(1)); attempt('index', lambda: r.index('a')); attempt('set', lambda: setattr(r, 'start', 1))
print(range(0) == range(2, 1), range(0, 3, 2) == range(0, 4, 2), range(3) == [0, 1, 2], hash(range(0)) == hash(range(5, 1)), hash(range(0, 3, 2)) == hash(range(0, 4, 2)), range(1) == range(0, 1, 5), hash(range(5)), hash(range(1)), hash(range(0)))
b = range(10**20, 10**20 + 10, 3); print(b, len(b), list(b), b[1], b[-1], 10**20 + 3 in b, b[::-1], list(reversed(b)), b.index(10**20 + 6), bool(b), b[1:])
attempt('len', lambda: len(range(10**30))); print(range(10**30)[10**29], range(10**30)[-1], bool(range(10**30)), 10**29 in range(10**30), range(-2**63, 2**63 - 1)[-1], range(2**62, 2**62 + 3)[1], list(range(2**63 - 2, 2**63 + 2)))
it = iter(range(5)); next(it); print(type(it).__name__, it.__length_hint__(), it.__reduce__()[1:], list(it), list(it)); it = iter(range(10)); it.__setstate__(7); print(list(it)); it = iter(range(10)); it.__setstate__(100); print(list(it))
it = iter(b); next(it); print(type(it).__name__, it.__length_hint__(), it.__reduce__()[1:], list(it), list(it)); it = iter(b); it.__setstate__(2); print(list(it))
print(r.__reduce__(), [i for i in range(3)], sum(range(1000)), range(5).__len__(), list(range(-5, 5, 2)), list(range(2**62 - 1, 2**62 + 2)), max(range(10)), range(3).__iter__, sep='\n' if 0 else ' ') if False else print(r.__reduce__(), sum(range(1000)), list(range(-5, 5, 2)), list(range(2**62 - 1, 2**62 + 2)))
class I:
    def __index__(self): return 3
print(range(I()), list(range(I())), range(True), range(5)[I()], I() in range(5))
class Sub(int): pass
print(Sub(3) in range(5), range(Sub(3)))
s = slice(1, 10, 2); print(s, slice(5), slice(None), s.start, s.stop, s.step, s == slice(1, 10, 2), s < slice(2, 0), hash(slice(1, 2)) == hash(slice(1, 2, None)), s.indices(5), slice(None, None, -1).indices(4), slice(-3, None).indices(10), slice(0, 10**30).indices(10**25), s.__reduce__())
print(hash(slice(1, 2, 3)), hash(slice(None, -5, 2.5)) != 0)
attempt('slice', lambda: slice()); attempt('slice', lambda: slice(1, 2, 3, 4)); attempt('ind', lambda: slice('a').indices(3)); attempt('ind', lambda: s.indices(-1)); attempt('ind', lambda: slice(0, 1, 0).indices(3)); attempt('ind', lambda: s.indices('a')); attempt('set', lambda: setattr(s, 'start', 3)); attempt('cmp', lambda: s < 3); attempt('hash', lambda: hash(slice([]))); attempt('kw', lambda: slice(stop=1))
for st in (None, -20, -5, -1, 0, 1, 4, 20):
    for en in (None, -20, -5, -1, 0, 1, 4, 20):
        for sp in (None, -3, -1, 1, 2, 20):
            x = slice(st, en, sp)
            assert list(range(7))[x] == [list(range(7))[i] for i in range(*x.indices(7))] == list(range(7)[x]) == list(tuple(range(7))[x]), x
print('slices agree')
