"""Native objects that pass an operation on to another, nested 100,000 deep: each operation ends in a result or a RecursionError.

Not recorded: CPython overflows the stack for most of these, and counts others in recursion limits of its own.
"""
import itertools
import operator
import symtable
import threading
import types

DEEP = 100_000


def nested(wrap, innermost, levels=DEEP):
    value = innermost
    for _ in range(levels):
        value = wrap(value)
    return value


def attempt(name, operation, end=RecursionError):
    """`end`: how the operation ends where the stack is large enough, if not in a value."""
    try:
        operation()
    except (RecursionError, end):
        pass
    except Exception as e:
        print(name, type(e).__name__, e)


def nothing(*args):
    pass


ITERATORS = {
    "enumerate": enumerate,
    "zip": zip,
    "map": lambda x: map(operator.pos, x),
    "filter": lambda x: filter(None, x),
    "iter of a call": lambda x: iter(x.__next__, 0),
    "chain": itertools.chain,
    "chain from iterable": lambda x: itertools.chain.from_iterable([x]),
    "islice": lambda x: itertools.islice(x, 5),
    "takewhile": lambda x: itertools.takewhile(bool, x),
    "dropwhile": lambda x: itertools.dropwhile(operator.not_, x),
    "accumulate": itertools.accumulate,
    "cycle": itertools.cycle,
    "groupby": itertools.groupby,
    "compress": lambda x: itertools.compress(x, [1, 1]),
    "pairwise": itertools.pairwise,
    "batched": lambda x: itertools.batched(x, 1),
    "zip_longest": itertools.zip_longest,
    "starmap": lambda x: itertools.starmap(operator.pos, x),
    "filterfalse": lambda x: itertools.filterfalse(operator.not_, x),
    "tee": lambda x: itertools.tee(x, 1)[0],
}


# Each level of pairs takes an item away; an item is no list of arguments.
ENDS = {"pairwise": StopIteration, "starmap": TypeError}


def iterators():
    for name, wrap in ITERATORS.items():
        iterator = nested(wrap, iter([1, 2, 3]))
        attempt(name, lambda: next(iterator), ENDS.get(name, RecursionError))
        del iterator
    print("iterators")


def proxies():
    proxy = nested(types.MappingProxyType, {1: 2})
    for name, operation in {
        "get": lambda: proxy.get(1),
        "in": lambda: 1 in proxy,
        "iter": lambda: iter(proxy),
        "list": lambda: list(proxy),
        "reversed": lambda: reversed(proxy),
        "copy": lambda: proxy.copy(),
        "keys": lambda: proxy.keys(),
        "values": lambda: proxy.values(),
        "items": lambda: proxy.items(),
        "or": lambda: proxy | {},
        "ror": lambda: {} | proxy,
        "len": lambda: len(proxy),
        "bool": lambda: bool(proxy),
        "item": lambda: proxy[1],
        "repr": lambda: repr(proxy),
        "str": lambda: str(proxy),
        "hash": lambda: hash(proxy),
        "eq": lambda: proxy == {},
    }.items():
        try:
            operation()
        except RecursionError:
            pass
        except TypeError as e:
            if name != "hash":
                print(name, e)
    print("proxies")


def descriptors():
    for wrap in (staticmethod, classmethod, property):
        # `classmethod` and `staticmethod` copy the names of what they wrap, level by level.
        value = nested(wrap, nothing, DEEP if wrap is property else 20_000)
        attempt(wrap.__name__, lambda: value.__isabstractmethod__)
        attempt(wrap.__name__, lambda: getattr(value, "__name__", None))
        if wrap is not property:
            attempt(wrap.__name__, lambda: value.__get__(1, int))
        attempt(wrap.__name__, lambda: repr(value))
        if wrap is staticmethod:
            attempt("call", lambda: value())
    setter = property()
    for _ in range(DEEP):
        setter = property(None, setter.__set__)
    try:
        setter.__set__(1, 2)
    except (RecursionError, AttributeError):
        pass
    print("descriptors")


def methods():
    method = nested(lambda f: types.MethodType(f, 1), nothing)
    for name, operation in {
        "hash": lambda: hash(method),
        "repr": lambda: repr(method),
        "doc": lambda: method.__doc__,
        "name": lambda: method.__name__,
        "reduce": lambda: method.__reduce__(),
        "eq": lambda: method == types.MethodType(method.__func__, 1),
        "call": lambda: method(),
    }.items():
        attempt(name, operation)
    partly = nested(lambda f: types.MethodType(f, 1), lambda *args: len(args), 100)
    assert partly() == 100
    print("methods")


def others():
    attempt("slice", lambda: hash(nested(lambda s: slice(s, None), 1)))
    attempt("generic alias", lambda: nested(lambda a: types.GenericAlias(a, int), list).mro)
    attempt("attrgetter", lambda: operator.attrgetter(".".join(["real"] * DEEP))(1))
    print("others")


def code():
    for levels in (300, 3_000):
        source = "lambda:" * levels + "1"
        first, second = compile(source, "f", "eval"), compile(source, "f", "eval")
        attempt("hash", lambda: hash(first))
        attempt("eq", lambda: first == second)
        attempt("replace", lambda: first.replace(co_name="x") == first)
        del first, second
        attempt("symtable", lambda: symtable.symtable(source, "f", "eval"))
    print("code")


def all_of_them():
    for f in (iterators, proxies, descriptors, methods, others, code):
        f()


all_of_them()
threading.stack_size(32768)
thread = threading.Thread(target=all_of_them)
thread.start()
thread.join()
