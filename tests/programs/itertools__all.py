# Every iterator of itertools, its arguments and its errors.
from itertools import *

print(list(accumulate([1, 2, 3, 4])), list(accumulate([1, 2, 3], lambda a, b: a * b, initial=10)))
print(list(batched('ABCDEFG', 3)))
try:
    list(batched('ABCDEFG', 3, strict=True))
except ValueError as e:
    print(e)
print(list(chain('ab', 'cd')), list(chain.from_iterable(['ab', [1, 2]])), chain[int])
print(list(compress('ABCDEF', [1, 0, 1, 0, 1, 1])))
print(list(dropwhile(lambda x: x < 3, [1, 2, 3, 4, 1])), list(takewhile(lambda x: x < 3, [1, 2, 3, 4, 1])))
print(list(filterfalse(None, [0, 1, 2, 0])))
print(list(islice('ABCDEFG', 2, None)), list(islice('ABCDEFG', 2)), list(islice('ABCDEFG', 0, None, 2)))
print(list(islice(count(), 3, 10, 3)))
for a in [(-1,), (1, -2), (1, 2, 0), ('a',), (), (1, 2, 3, 4)]:
    try:
        islice('abc', *a)
        print('ok')
    except Exception as e:
        print(type(e).__name__, e)
print(list(pairwise('abcd')), list(starmap(pow, [(2, 5), (3, 2)])), list(zip_longest('ABCD', 'xy', fillvalue='-')))
print(list(product('AB', 'xy')), list(product([0, 1], repeat=3)), list(product()))
print(list(permutations('ABC', 2)), list(permutations(range(3))))
print(list(combinations('ABCD', 2)), list(combinations_with_replacement('ABC', 2)))
print(count(3), count(3, 2), count(1.5), next(count(2.5, .5)), repeat(3), repeat(3, 4), list(repeat('x', 3)))
for start in [2**63 - 2, 2**62 - 2]:
    c = count(start)
    print([next(c) for _ in range(5)])
c = count(1, 2**70)
print([next(c) for _ in range(3)], c)
print(list(islice(cycle('abc'), 8)))
print([(k, list(g)) for k, g in groupby('AAABBC')])
a, b = tee(range(130))
print(sum(a), sum(b), tee([], 0))
a, b, c = tee('abc', 3)
print(next(a), list(b), list(a), list(c))
for make in [
    lambda: tee([], -1),
    lambda: count('a'),
    lambda: permutations('ab', 'x'),
    lambda: permutations('ab', -1),
    lambda: chain(a=1),
    lambda: product('a', repeat=-1),
    lambda: combinations('a', -1),
    lambda: repeat(),
]:
    try:
        make()
    except (TypeError, ValueError) as e:
        print(type(e).__name__, e)


class Reentrant:
    def __init__(self):
        self.n = 0
        self.inner = None

    def __iter__(self):
        return self

    def __next__(self):
        if self.inner:
            return next(self.inner)
        self.n += 1
        return self.n


source = Reentrant()
a, b = tee(source)
source.inner = a
try:
    next(a)
except RuntimeError as e:
    print(e)
