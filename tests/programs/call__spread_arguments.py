"""Calls with `*args` and `**kwargs` of methods, classes, natives and generators: what arrives, what is refused, who sees the frames."""

import asyncio
import sys
import traceback


class Plain:
    def __init__(self, *args, **kwargs):
        self.got = args, kwargs

    def method(self, a, b=2, *, c=3, **rest):
        return a, b, c, sorted(rest.items())

    def exact(self, a, b):
        return a + b

    def rest(self, *args, **kwargs):
        return args, kwargs

    @classmethod
    def of_class(cls, *args, **kwargs):
        return cls.__name__, args, kwargs

    @staticmethod
    def static(*args, **kwargs):
        return args, kwargs

    def generator(self, *args, **kwargs):
        yield args
        yield kwargs

    async def coroutine(self, *args, **kwargs):
        return args, kwargs

    def __call__(self, *args, **kwargs):
        return "called", args, kwargs


def shapes():
    p, two, none = Plain(), (1, 2), {}
    print(p.exact(*two), p.exact(1, *[5]), p.exact(*iter("ab")), p.exact(*"xy", **none))
    print(p.method(*two), p.method(*two, **{"c": 5, "d": 6}), p.method(**{"a": 1}))
    print(p.method(0, *[], b=7, **{"z": 1, "y": 2}))
    print(p.rest(*range(3)), p.rest(**{"k": 1}), p.rest(*[], **{}))
    print(p.of_class(*two, **{"k": 1}), Plain.of_class(*two), p.static(*two), Plain.static(**{"k": 1}))
    print(list(p.generator(*two, **{"k": 1})), asyncio.run(p.coroutine(*two, **{"k": 1})))
    print(p(*two, **{"k": 1}), Plain(*two, **{"k": 1}).got, Plain(**{}).got)
    bound = p.exact
    print(bound(*two), bound(*[3, 4], **{}), [p.exact][0](*two))
    p.own = lambda *args, **kwargs: ("own", args, kwargs)
    print(p.own(*two, **{"k": 1}))
    print("{} {k}".format(*two, **{"k": 9}), [3, 1, 2].index(*[2]), dict(*[[("a", 1)]], **{"b": 2}))
    print(sorted(*[[2, 3, 1]], **{"reverse": True}), "a,b".split(*[","]), str.join(*[",", "ab"]))
    values = []
    values.append(*[values])
    print(values)

    def shrinks(*args):
        given.clear()
        return args

    given = [1, 2, 3]
    print(shrinks(*given), given)

    class Name(str):
        pass

    print(p.rest(**{Name("k"): 1}), Plain(**{Name("k"): 1}).got)


def errors():
    p, nothing = Plain(), None
    calls = [
        lambda: p.exact(*[1]),
        lambda: p.exact(*[1, 2, 3]),
        lambda: p.exact(*[1], **{"a": 1}),
        lambda: p.exact(*[1, 2], **{"d": 1}),
        lambda: p.exact(**{"a": 1}),
        lambda: p.exact(*5),
        lambda: p.exact(1, *5),
        lambda: p.exact(**5),
        lambda: p.rest(**{1: 2}),
        lambda: p.rest(**{"a": 1}, **{"a": 2}),
        lambda: p.rest(a=1, **{"a": 2}),
        lambda: Plain(**{1: 2}),
        lambda: [].append(*5),
        lambda: [].append(**5),
        lambda: [].append(*[1, 2]),
        lambda: {}.update(a=1, **{"a": 2}),
        lambda: p.missing(*[1]),
        lambda: nothing(*[1]),
    ]
    for call in calls:
        try:
            print(call())
        except (TypeError, AttributeError) as error:
            print(type(error).__name__, error)

    class Wrong:
        def __init__(self, *args):
            return args

    try:
        Wrong(*[1])
    except TypeError as error:
        print(error)


class Deep:
    def down(self, *args, **kwargs):
        if not args[0]:
            return [frame.name for frame in traceback.extract_stack()[-3:]]
        return self.down(args[0] - 1, *args[1:], **kwargs)

    def endless(self, *args, **kwargs):
        return self.endless(*args, **kwargs)

    def fails(self, *args):
        raise ValueError(*args)


def frames():
    deep = Deep()
    print(deep.down(5, 6, k=7), deep.down(*[3]))
    try:
        deep.endless(*[1], **{"k": 2})
    except RecursionError:
        print("too deep")
    try:
        deep.fails(*["why"], *["not"])
    except ValueError as error:
        print(error.args, [frame.name for frame in traceback.extract_tb(error.__traceback__)])


class Dies:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name)


def lifetimes():
    def keeps_nothing(*args, **kwargs):
        del args, kwargs
        print("inside")

    keeps_nothing(*[Dies("a")], **{"k": Dies("b")})
    print("done")


def observed():
    p, seen = Plain(), []
    tool = sys.monitoring.PROFILER_ID
    sys.monitoring.use_tool_id(tool, "test")
    events = sys.monitoring.events

    def called(code, offset, callable, first):
        if code is watched.__code__:
            seen.append((type(callable).__name__, getattr(callable, "__name__", "?"), first))

    def watched():
        p.exact(*[1, 2])
        p.rest(3, *[4], **{"k": 5})
        Plain(*[6])
        [].append(*[7])

    sys.monitoring.register_callback(tool, events.CALL, called)
    sys.monitoring.set_events(tool, events.CALL)
    watched()
    sys.monitoring.set_events(tool, 0)
    sys.monitoring.free_tool_id(tool)
    print(*seen, sep="\n")

    told = []

    def profile(frame, event, argument):
        if event.startswith("c_") and frame.f_code is watched.__code__:
            told.append((event, argument.__name__))
        elif frame.f_code.co_name in ("exact", "rest", "__init__"):
            told.append((event, frame.f_code.co_name))

    sys.setprofile(profile)
    watched()
    sys.setprofile(None)
    print(*told, sep="\n")


shapes()
errors()
frames()
lifetimes()
observed()
