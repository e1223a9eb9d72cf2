"""How messages name types: those that are not written in Python with their module."""

import array
import collections
import datetime
import functools
import io
import itertools
import re
import struct
import threading
import types


class C(collections.deque):
    pass


OBJECTS = [
    datetime.date(2000, 1, 1),
    datetime.timedelta(1),
    collections.deque([1]),
    collections.OrderedDict(a=1),
    collections.defaultdict(int),
    re.compile("a"),
    io.BytesIO(),
    functools.partial(int),
    itertools.count(3),
    threading.Lock(),
    array.array("i"),
    struct.Struct("i"),
    types.SimpleNamespace(a=1),
    C([1]),
    [],
    2,
]


def attempt(function, *args):
    try:
        return repr(function(*args))
    except Exception as e:
        text = str(e)
        return f"{type(e).__name__}: {text.partition(' is not a container')[0].partition(' is not iterable')[0]}"


TRIES = [
    lambda o: o + b"",
    lambda o: "a" + o,
    lambda o: o < 1j,
    lambda o: o.nope,
    lambda o: type(o).nope,
    lambda o: setattr(type(o), "nope", 1) if type(o) is not C else None,
    lambda o: len(o) if not hasattr(o, "__len__") else None,
    lambda o: int(o) if not isinstance(o, (int, array.array)) else None,
    lambda o: -o if not isinstance(o, (int, datetime.timedelta)) else None,
    lambda o: [1][o] if not isinstance(o, int) else None,
    lambda o: "".join([o]),
    lambda o: open(o) if not isinstance(o, int) else None,
    lambda o: "%d" % o if not isinstance(o, int) else None,
    lambda o: format(o, "q") if not isinstance(o, datetime.date) else None,
    lambda o: object.__new__(type(o)) if type(o) not in (types.SimpleNamespace, C) else None,
    lambda o: list.append(o, 1) if not isinstance(o, list) else None,
    lambda o: [*o] and None if not hasattr(o, "__iter__") else None,
    lambda o: type(o).__name__,
]
for o in OBJECTS:
    for number, function in enumerate(TRIES):
        print(number, attempt(function, o))
for value in OBJECTS[2:5] + OBJECTS[8:9] + OBJECTS[10:14]:
    print(repr(value), repr(type(value)))
