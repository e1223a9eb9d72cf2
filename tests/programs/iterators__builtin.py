def attempt(label, f):
    try:
        print(label, repr(f()))
    except Exception as e:
        print(label, type(e).__name__, e)
print(list(enumerate('ab')), list(enumerate('ab', 5)), list(enumerate('a', start=2**63 - 1)), list(enumerate('ab', 2**62 - 1)), list(enumerate('ab', -1)), list(enumerate(iterable='x')))
e = enumerate('abc'); next(e); print(e.__reduce__()[1][1], type(e), enumerate[int])
attempt('enum', lambda: enumerate(1)); attempt('enum', lambda: enumerate('a', 'b')); attempt('enum', lambda: enumerate('a', 1, 2))
print(list(zip()), list(zip('ab')), list(zip('ab', range(5))), list(zip('ab', range(3), [1, 2, 3])), list(zip('ab', 'cd', strict=True)))
attempt('zip', lambda: list(zip('ab', 'c', strict=True))); attempt('zip', lambda: list(zip('a', 'cd', strict=True))); attempt('zip', lambda: list(zip('a', 'b', 'cd', strict=True))); attempt('zip', lambda: list(zip('ab', 'cd', 'c', strict=True))); attempt('zip', lambda: zip(1)); attempt('zip', lambda: zip('a', foo=1)); attempt('z', lambda: list(zip('', 'ab', strict=True)))
print(list(map(str, [1, 2])), list(map(lambda a, b: a + b, [1, 2], [10, 20, 30]))); attempt('map', lambda: map(str)); attempt('map', lambda: map()); attempt('map', lambda: map(str, 1)); attempt('map', lambda: list(map(1, [1])))
print(list(filter(None, [0, 1, '', 'a'])), list(filter(bool, [0, 2])), list(filter(lambda x: x > 1, [1, 2, 3]))); attempt('filter', lambda: filter(None)); attempt('filter', lambda: filter(None, 1)); attempt('filter', lambda: list(filter(1, [1])))
z = zip('ab', [1, 2]); print(len(z.__reduce__()), z.__reduce__()[0]); z = zip('ab', [1], strict=True); print(z.__reduce__()[2]); z.__setstate__(False); print(list(z)); m = map(str, [1]); print(m.__reduce__()[1][0]); f = filter(None, [1]); print(f.__reduce__()[1][0])
class S:
    def __len__(self): return 3
    def __getitem__(self, i):
        if i >= 3: raise IndexError
        return i * 2
print(list(S()), list(reversed(S())), type(iter(S())).__name__, iter(S()).__length_hint__())
it = iter(S()); next(it); print(it.__length_hint__(), it.__reduce__()[2]); it.__setstate__(2); print(list(it), list(it)); r = reversed(S()); next(r); print(r.__length_hint__(), r.__reduce__()[2]); r.__setstate__(0); print(list(r), r.__length_hint__(), r.__reduce__()[1])
class G:
    def __getitem__(self, i):
        if i == 2: raise StopIteration
        return i
print(list(G())); attempt('rev', lambda: reversed(G())); attempt('rev', lambda: reversed({1})); attempt('rev', lambda: reversed(1)); attempt('rev', lambda: reversed())
class NR:
    __reversed__ = None
    def __len__(self): return 1
    def __getitem__(self, i): return i
attempt('rev', lambda: reversed(NR()))
class R:
    def __reversed__(self): return iter('rev')
print(list(reversed(R())), list(reversed('abc')), list(reversed(b'ab')), list(reversed((1, 2))), type(reversed('a')).__name__)
n = iter([1, 2, 3, 0, 5]); c = iter(lambda: next(n), 0); print(list(c), list(c), type(c).__name__); c = iter(int, 1); print(next(c), next(c), c.__reduce__()[1]); c = iter(lambda: next(iter([])), 1); print(list(c))
attempt('iter', lambda: iter(1)); attempt('iter', lambda: iter(1, 2)); attempt('next', lambda: next(1)); attempt('next', lambda: next(iter([]))); print(next(iter([]), 'd'))
class B:
    def __iter__(self): return 5
attempt('iter', lambda: iter(B()))
class Boom:
    def __iter__(self): return self
    def __next__(self): raise ZeroDivisionError('boom')
attempt('boom', lambda: list(Boom())); attempt('boom', lambda: list(zip([1], Boom()))); attempt('boom', lambda: [*map(str, Boom())])
class LH:
    def __init__(self, h): self.h = h
    def __iter__(self): return iter([1])
    def __length_hint__(self): return self.h
attempt('lh', lambda: list(LH(10))); attempt('lh', lambda: list(LH(-1))); attempt('lh', lambda: list(LH('a'))); attempt('lh', lambda: list(LH(NotImplemented)))
P = type(type.__dict__)
p = P({'a': 1}); print(p, p['a'], len(p), 'a' in p, list(p), p.get('z', 9), p.keys(), p.values(), p.items(), p.copy(), p == {'a': 1}, p | {'b': 2}, list(reversed(p)), str(p), P[int, str])
attempt('set', lambda: p.__setitem__); attempt('ior', lambda: p.__ior__({})); attempt('new', lambda: P([])); attempt('new', lambda: P(1)); attempt('key', lambda: p['q']); attempt('hash', lambda: hash(p)); print({'b': 1} | p, type(p | p), p != {}, P(p))
