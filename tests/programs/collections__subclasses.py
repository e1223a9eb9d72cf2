# Subclasses of the containers, copies, pickling protocols.
import copy
import pickle
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from functools import lru_cache, partial, reduce, cmp_to_key, cached_property, singledispatch
from operator import attrgetter, itemgetter, methodcaller


class Deque(deque):
    def __init__(self, items=(), maxlen=None, tag=None):
        super().__init__(items, maxlen)
        self.tag = tag


d = Deque('abc', 5, tag='t')
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    for value in [
        d,
        deque('abc', 2),
        OrderedDict(a=1, b=2),
        defaultdict(list, a=[1]),
        partial(int, base=2),
        itemgetter(1, 2),
        attrgetter('a.b'),
        methodcaller('split', 'a', maxsplit=2),
        Counter('abca'),
    ]:
        again = pickle.loads(pickle.dumps(value, protocol))
        assert repr(again) == repr(value) and type(again) is type(value), (protocol, value, again)
print(pickle.loads(pickle.dumps(d)).tag, copy.copy(d).tag, copy.deepcopy(d).tag)

Point = namedtuple('Point', 'x y', defaults=[7])
p = Point(1)
print(p, p.x, p._asdict(), p._replace(x=5), Point._fields, Point.x.__doc__, copy.copy(p) == p)
print(Counter('abracadabra').most_common(2), Counter(a=3) - Counter(a=1, b=2), sum(Counter('aab').values()))


class LastUpdated(OrderedDict):
    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self.move_to_end(key)


lru = LastUpdated(a=1, b=2)
lru['a'] = 3
print(lru, list(reversed(lru)), lru == {'b': 2, 'a': 3}, lru == OrderedDict(a=3, b=2))


@lru_cache(maxsize=3)
def double(x):
    return x * 2


print([double(x) for x in [1, 2, 3, 1, 4, 1, 2]], double.cache_info(), double.cache_parameters())


@lru_cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(80), fib.cache_info())


class Lazy:
    @cached_property
    def value(self):
        print('computed')
        return 42

    @lru_cache
    def method(self, x):
        return x + 1


lazy = Lazy()
print(lazy.value, lazy.value, lazy.method(1), lazy.method(1), Lazy.method.cache_info().hits)


@singledispatch
def show(x):
    return 'object'


@show.register
def _(x: int):
    return 'int'


print(show(1), show('a'), show(True), reduce(lambda a, b: a + b, [[1], [2]], []))
print(sorted(['b', 'A', 'c'], key=cmp_to_key(lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))))
