def attempt(label, f):
    try:
        print(label, repr(f()))
    except Exception as e:
        print(label, type(e).__name__, e)
t = (1, 'a', 2.5)
print(t, (), (1,), t[0], t[-1], t[1:], t[::-1], t[:] is t, len(t), tuple('ab'), tuple(t) is t, tuple([1]), tuple())
attempt('idx', lambda: t[3]); attempt('idx', lambda: t['a']); attempt('idx', lambda: t[2**80]); attempt('index', lambda: t.index(9)); attempt('set', lambda: t.__setitem__)
attempt('cat', lambda: t + [1]); attempt('cat', lambda: t + 1); attempt('init', lambda: tuple(1)); attempt('init', lambda: tuple(1, 2)); attempt('kw', lambda: tuple(iterable=1)); attempt('mem', lambda: (1, 2) * 2**62); attempt('count', lambda: t.count())
print(t + (1,), t * 2, 2 * (0,), t * 0, () + t is t, t * 1 is t, (1, 1.0, True, 2).count(1), t.index('a'), (1, 2, 1).index(1, 1), 1 in t, 5 in t)
print((1, 2) < (1, 3), (1,) < (1, 0), (2,) > (1, 5), () == (), (1,) != [1], (1, (2, 3)) == (1, (2, 3)), (1, 2) >= (1, 2))
attempt('cmp', lambda: (1,) < ('a',)); attempt('cmp', lambda: (1,) < [1]); attempt('hash', lambda: hash(([],)))
print(hash(()), hash((1,)), hash((1, 2, 3)), hash((-1, -2, 0)), hash((1.5, None is None)), hash(((), ((),))), hash((2**61 - 1, 2**100, -2**61)))
r = ([],); r[0].append(r); print(r)
class T(tuple):
    def __new__(cls, *a): return super().__new__(cls, a)
s = T(1, 2, 3); s.x = 5
print(s, s.x, s[1], len(s), type(s + (1,)), type(s[:]), s == (1, 2, 3), hash(s) == hash((1, 2, 3)), T(), s.__getnewargs__(), type(s * 2), type(s * 1), [*s], {s: 1}[(1, 2, 3)])
class S(tuple):
    __slots__ = ()
print(S('ab'), S() == (), tuple(S('ab')), type(tuple(S('ab'))))
it = iter(t); next(it); print(it.__length_hint__(), it.__reduce__()[1:], list(it), it.__reduce__()[1:]); it = iter(t); it.__setstate__(1); print(list(it))
print(tuple[int, ...], tuple.__doc__[:20], t.__len__(), t.__contains__(1), t.__eq__(t), t.__lt__(1))
a, b, c = t; print(a, b, c); a, *b = t; print(a, b)
print(tuple(reversed(t)), tuple(i for i in t), sorted(((3, 1), (2, 5))))
x = ()
for i in range(200): x = (x,)
print(len(repr(x)))
