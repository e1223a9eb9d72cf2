# Calls with items of tuples and mappings, of all kinds of functions.
import collections
import functools
import types


def plain(a, b=2, *, c=3):
    return a, b, c


def only(a, /, b, *rest, c=5, **more):
    return a, b, rest, c, more


def nothing():
    return "nothing"


def generator(a, *, c=1):
    yield a
    yield c


class Class:
    def __init__(self, *args, **kwargs):
        self.given = args, kwargs

    def method(self, a, b=0, **more):
        return a, b, more

    def plain(self, a=1):
        return a

    @classmethod
    def of_class(cls, *args, k=0):
        return cls.__name__, args, k


class Mapping:
    def keys(self):
        return ["b", "c"]

    def __getitem__(self, key):
        return f"item {key}"


class Sub(dict):
    def keys(self):
        return ["c"]


def attempt(function, args, kwargs):
    outcomes = []
    for _ in range(3):
        try:
            result = function(*args, **kwargs)
            outcomes.append(list(result) if isinstance(result, types.GeneratorType) else result)
        except TypeError as error:
            outcomes.append(f"TypeError: {error}")
    assert outcomes[0] == outcomes[1] == outcomes[2], outcomes
    print(getattr(function, "__name__", "-"), outcomes[0])


instance = Class()
functions = [plain, only, nothing, generator, instance.method, instance.plain, Class.of_class, functools.partial(plain, b=9)]
arguments = [
    ((1,), {}),
    ((), {"a": 1}),
    ((1,), {"b": 2}),
    ((1,), {"c": 7}),
    ((1, 2), {"c": 7}),
    ((1, 2, 3), {"d": 7}),
    ((1,), {"a": 1}),
    ((1, 2), {"b": 1}),
    ([1, 2], {"k": 1}),
    (iter((1, 2)), {}),
    ((1,), Mapping()),
    ((1,), Sub(b=4)),
    ((1,), collections.OrderedDict(c=1, b=2)),
    ((1,), {1: 2}),
    ((1,), collections.defaultdict(int, b=1)),
    (([3, 1],), {"reverse": True}),
]
for function in functions:
    for args, kwargs in arguments:
        if not hasattr(args, "__next__"):
            attempt(function, args, kwargs)

for args, kwargs in [(5, {}), ((1,), 6), (5, 6), ((1,), None), ((1,), [("b", 1)])]:
    try:
        plain(*args, **kwargs)
    except TypeError as error:
        print(str(error).replace("__main__.", ""))

keywords = {"b": 1, "x": 2}
more = only(0, **keywords)[-1]
more["y"] = 3
print(keywords, more)
try:
    only(0, **keywords, **{"x": 1})
except TypeError as error:
    print(str(error).replace("__main__.", ""))


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


wrapped = decorated(decorated(plain))
print(wrapped(1), wrapped(1, c=4), wrapped(a=0, b=1), wrapped(*(1, 2), **{"c": 3}))
print(Class(*(1,), **{"a": 2}).given, decorated(instance.method)(1, z=2))


def deep(n, **kwargs):
    return n if n == 0 else deep(*(n - 1,), **kwargs)


print(deep(500, a=1))


def endless(*args, **kwargs):
    return endless(*args, **kwargs)


try:
    endless(1, a=2)
except RecursionError as error:
    print("RecursionError")


class Late:
    def __del__(self):
        print("gone")


def keeps_nothing(a, b=None):
    return None


for _ in range(2):
    keeps_nothing(*(Late(),), **{"b": Late()})
