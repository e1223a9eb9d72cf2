# Several threads call random methods and operators on the same objects of every builtin kind, and of the library's native kinds. Any exception
# is fine; a signal, a panic or a hang is not. Arguments: seed, steps a thread, threads, kinds ("builtin", "library" or "all").
import _thread
import array
import ast
import asyncio
import bisect
import bz2
import codecs
import collections
import contextvars
import copy
import csv
import datetime
import decimal
import functools
import hashlib
import heapq
import hmac
import io
import itertools
import json
import lzma
import mmap
import operator
import os
import pickle
import queue
import random as randoms
import re
import sqlite3
import string
from string import templatelib
import struct
import sys
import types
import warnings
import weakref
import xml.etree.ElementTree
import xml.parsers.expat
import zlib

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1
STEPS = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
THREADS = int(sys.argv[3]) if len(sys.argv) > 3 else 4
KINDS = sys.argv[4] if len(sys.argv) > 4 else "all"


class Random:
    def __init__(self, seed):
        self.state = seed * 2654435761 % 2**64

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n

    def choice(self, items):
        return items[self.below(len(items))]


class Plain:
    shared = 0

    def method(self, *args):
        return args


class Slotted:
    __slots__ = ("a", "b", "__weakref__")


class Ordered(list):
    pass


class Mapped(dict):
    def __missing__(self, key):
        return key


def generator():
    total = 0
    while True:
        got = yield total
        total += 1
        if total > 50 or got == 7:
            return total


def closure():
    cell = 0

    def inner(*args):
        nonlocal cell
        cell = len(args)
        return cell

    return inner


async def coroutine():
    return await Awaited()


async def asynchronous():
    for i in range(5):
        yield i
        await Awaited()


class Awaited:
    def __await__(self):
        yield 1
        return 2


def frame():
    made = generator()
    next(made)
    return made.gi_frame


def traceback():
    try:
        raise ValueError
    except ValueError as error:
        return error.__traceback__


loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda *args: None)


def task():
    made = asyncio.Task(coroutine(), loop=loop)
    return made


def element():
    made = xml.etree.ElementTree.Element("a", b="c")
    xml.etree.ElementTree.SubElement(made, "d")
    return made


def cursor():
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("create table a (b, c)")
    return connection.execute("insert into a values (1, 2), (3, 4) returning b")


LIBRARY = [
    lambda: collections.deque([1, 2, 3]),
    lambda: collections.deque([1, 2, 3], 4),
    lambda: iter(collections.deque([1, 2, 3])),
    lambda: reversed(collections.deque([1, 2, 3])),
    lambda: collections.OrderedDict(a=1, b=2),
    lambda: iter(collections.OrderedDict(a=1, b=2)),
    lambda: collections.OrderedDict(a=1, b=2).items(),
    lambda: collections.defaultdict(list, a=[1]),
    lambda: collections.Counter("abca"),
    lambda: collections.ChainMap({"a": 1}, {"b": 2}),
    lambda: collections.namedtuple("Pair", "a b")(1, 2),
    lambda: struct.Struct("<HI"),
    lambda: struct.iter_unpack("<H", b"abcdef"),
    lambda: re.compile(r"(a)|(b+)"),
    lambda: re.compile(r"(a)|(b+)").match("abb"),
    lambda: re.compile(r"(a)|(b+)").finditer("abbabab"),
    lambda: re.compile(r"(a)|(b+)").scanner("abbabab"),
    lambda: contextvars.ContextVar("x", default=1),
    lambda: contextvars.copy_context(),
    lambda: functools.lru_cache(8)(str),
    lambda: functools.lru_cache(None)(repr),
    lambda: functools.partial(str, "a"),
    lambda: functools.cmp_to_key(lambda a, b: 0)(1),
    lambda: functools.cached_property(str),
    lambda: functools.singledispatch(lambda *args: args),
    lambda: operator.itemgetter(0, 1),
    lambda: operator.attrgetter("a", "b"),
    lambda: operator.methodcaller("pop"),
    lambda: itertools.chain([1, 2], "ab"),
    lambda: itertools.product([1, 2], "ab"),
    lambda: itertools.permutations([1, 2, 3]),
    lambda: itertools.combinations([1, 2, 3], 2),
    lambda: itertools.combinations_with_replacement([1, 2, 3], 2),
    lambda: itertools.accumulate([1, 2, 3]),
    lambda: itertools.groupby([1, 1, 2]),
    lambda: next(itertools.groupby([1, 1, 2]))[1],
    lambda: itertools.tee([1, 2, 3])[1],
    lambda: itertools.starmap(max, [(1, 2), (3, 4)]),
    lambda: itertools.takewhile(str, [1, 2]),
    lambda: itertools.dropwhile(str, [1, 2]),
    lambda: itertools.filterfalse(None, [0, 1]),
    lambda: itertools.zip_longest([1], [2, 3]),
    lambda: itertools.batched([1, 2, 3], 2),
    lambda: itertools.pairwise([1, 2, 3]),
    lambda: itertools.compress([1, 2, 3], [1, 0, 1]),
    lambda: itertools.islice([1, 2, 3], 2),
    lambda: itertools.repeat("a", 5),
    lambda: array.array("i", [1, 2, 3]),
    lambda: array.array("d", [1.5]),
    lambda: array.array("w", "text"),
    lambda: iter(array.array("i", [1, 2, 3])),
    lambda: memoryview(array.array("i", [1, 2, 3])),
    lambda: mmap.mmap(-1, 64),
    lambda: memoryview(mmap.mmap(-1, 64)),
    lambda: io.StringIO("some\ntext\n"),
    lambda: io.BytesIO(b"some\nbytes\n"),
    lambda: io.BytesIO(b"some").getbuffer(),
    lambda: io.BufferedReader(io.BytesIO(b"some\nbytes\n")),
    lambda: io.BufferedWriter(io.BytesIO()),
    lambda: io.BufferedRandom(io.BytesIO(b"some\nbytes\n")),
    lambda: io.TextIOWrapper(io.BytesIO(b"some\nbytes\n")),
    lambda: io.IncrementalNewlineDecoder(None, True),
    lambda: codecs.getincrementaldecoder("utf-8")(),
    lambda: codecs.getincrementaldecoder("shift_jis")(),
    lambda: codecs.getincrementalencoder("iso2022_jp")(),
    lambda: os.scandir("/"),
    lambda: datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc),
    lambda: datetime.date(2020, 1, 2),
    lambda: datetime.timedelta(1, 2),
    lambda: datetime.time(1, 2),
    lambda: datetime.timezone(datetime.timedelta(hours=1)),
    lambda: decimal.Decimal("1.5"),
    lambda: decimal.Context(prec=5),
    lambda: randoms.Random(1),
    lambda: queue.SimpleQueue(),
    lambda: csv.reader(iter(["a,b", "c,d"])),
    lambda: csv.writer(io.StringIO()),
    lambda: json.JSONDecoder().scan_once,
    lambda: json.encoder.c_make_encoder(None, str, str, None, ":", ",", False, False, True),
    lambda: pickle.Pickler(io.BytesIO()),
    lambda: pickle.Unpickler(io.BytesIO(pickle.dumps([1, {"a": "b"}]))),
    lambda: hashlib.sha256(b"a"),
    lambda: hashlib.blake2b(b"a"),
    lambda: hashlib.shake_128(b"a"),
    lambda: hmac.new(b"a", b"b", "sha1"),
    lambda: zlib.compressobj(),
    lambda: zlib.decompressobj(),
    lambda: bz2.BZ2Compressor(),
    lambda: bz2.BZ2Decompressor(),
    lambda: lzma.LZMACompressor(),
    lambda: lzma.LZMADecompressor(),
    lambda: element(),
    lambda: element().iter(),
    lambda: xml.etree.ElementTree.TreeBuilder(),
    lambda: xml.etree.ElementTree.XMLParser(),
    lambda: xml.parsers.expat.ParserCreate(),
    lambda: cursor(),
    lambda: cursor().connection,
    lambda: asyncio.Future(loop=loop),
    lambda: task(),
    lambda: coroutine(),
    lambda: coroutine().__await__(),
    lambda: asynchronous(),
    lambda: asynchronous().asend(None),
    lambda: asynchronous().athrow(ValueError),
    lambda: frame(),
    lambda: traceback(),
    lambda: closure().__closure__[0],
    lambda: closure().__code__,
    lambda: types.SimpleNamespace(a=1),
    lambda: types.MappingProxyType({"a": 1}),
    lambda: types.GenericAlias(list, (int,)),
    lambda: types.ModuleType("a"),
    lambda: int | str,
    lambda: staticmethod(len),
    lambda: classmethod(len),
    lambda: ExceptionGroup("a", [ValueError(1), TypeError()]),
    lambda: OSError(2, "a", "b"),
    lambda: weakref.ref(Plain()),
    lambda: weakref.ref(KEPT, print),
    lambda: weakref.proxy(KEPT),
    lambda: weakref.WeakValueDictionary(a=KEPT),
    lambda: weakref.WeakSet([KEPT]),
    lambda: weakref.finalize(KEPT, int),
    lambda: ast.parse("a + b"),
    lambda: ast.Name("a"),
    lambda: string.Template("$a").substitute,
    lambda: templatelib.Template("a"),
    lambda: 1j,
    lambda: iter("abc"),
    lambda: iter(b"abc"),
    lambda: iter(range(3)),
    lambda: iter((1, 2)),
    lambda: iter(iter([1, 2]).__next__, 2),
    lambda: sys.flags,
    lambda: os.stat("/"),
]
KEPT = Plain()


def make(random):
    """A fresh object of some kind."""
    if KINDS == "library" or KINDS == "all" and random.below(2):
        return random.choice(LIBRARY)()
    kinds = [
        lambda: [1, 2, 3],
        lambda: {"a": 1, 2: "b", (1, 2): None},
        lambda: {1, 2, "x"},
        lambda: bytearray(b"some bytes"),
        lambda: iter([1, 2, 3, 4]),
        lambda: iter({1: 2, 3: 4}),
        lambda: iter({5, 6}),
        lambda: iter({1: 2}.items()),
        lambda: reversed([1, 2, 3]),
        lambda: zip([1, 2], [3, 4]),
        lambda: map(str, [1, 2, 3]),
        lambda: filter(None, [0, 1, 2]),
        lambda: enumerate("abc"),
        lambda: generator(),
        lambda: closure(),
        lambda: Plain(),
        lambda: Slotted(),
        lambda: Ordered([3, 2, 1]),
        lambda: Mapped(a=1),
        lambda: {"k": [1]}.keys(),
        lambda: {"k": [1]}.values(),
        lambda: ValueError("x", 1),
        lambda: property(len),
        lambda: type("Made", (Plain,), {"x": 1}),
        lambda: memoryview(bytearray(b"abcdef")),
        lambda: frozenset([1, 2]),
        lambda: range(5),
        lambda: slice(1, 2),
        lambda: (1, [2], "3"),
        lambda: "some text",
        lambda: b"text",
        lambda: 10**20,
        lambda: 1.5,
        lambda: super(Ordered, Ordered()),
        lambda: [].append,
        lambda: Plain().method,
        lambda: _thread.allocate_lock(),
        lambda: _thread.RLock(),
        lambda: _thread._local(),
    ]
    return random.choice(kinds)()


# What would end the process, block for good, or make an object too large to be of use.
AVOID = {"__pow__", "__rpow__", "__lshift__", "__rlshift__", "acquire", "acquire_lock", "__enter__", "_acquire_restore", "__class__", "__getstate__", "__reduce__", "__reduce_ex__"}
# Those of one kind alone.
AVOID |= {
    "Random._randbelow", "Random._randbelow_with_getrandbits", "Random._randbelow_without_getrandbits", "SimpleQueue.get", "Future.get_loop", "Task.get_loop", "Decimal.scaleb", "Decimal.shift", "Decimal.__int__", "Decimal.__trunc__", "Decimal.__floor__", "Decimal.__ceil__", "Decimal.__round__",
    "Decimal.as_integer_ratio", "Decimal.__format__", "Connection.enable_load_extension", "Connection.load_extension",
}
OPERATORS = [
    lambda a, b: a == b,
    lambda a, b: a < b,
    lambda a, b: a + b,
    lambda a, b: a | b,
    lambda a, b: a in b,
    lambda a, b: a[0],
    lambda a, b: a[b],
    lambda a, b: a[:2],
    lambda a, b: len(a),
    lambda a, b: repr(a)[:50],
    lambda a, b: hash(a),
    lambda a, b: list(zip(range(20), a)),
    lambda a, b: next(a),
    lambda a, b: a.send(b),
    lambda a, b: a.__setitem__(0, b),
    lambda a, b: a.__setitem__(slice(0, 2), [b]),
    lambda a, b: a.__delitem__(0),
    lambda a, b: setattr(a, "a", b),
    lambda a, b: getattr(a, "a"),
    lambda a, b: delattr(a, "a"),
    lambda a, b: setattr(type(a), "shared", b),
    lambda a, b: a.__dict__.update(z=b),
    lambda a, b: a.__dict__.clear(),
    lambda a, b: setattr(a, "__dict__", {"a": b}),
    lambda a, b: setattr(a, "__class__", type(b)),
    lambda a, b: a.sort(key=lambda x: str(x)[:9]),
    lambda a, b: a.extend(b),
    lambda a, b: a.update(b),
    lambda a, b: a.pop(),
    lambda a, b: a.clear(),
    lambda a, b: a.copy(),
    lambda a, b: isinstance(a, type(b)),
    lambda a, b: a(b),
]
if KINDS != "builtin":
    OPERATORS += [
        lambda a, b: a * 2,
        lambda a, b: a - b,
        lambda a, b: a & b,
        lambda a, b: a % b,
        lambda a, b: bool(a),
        lambda a, b: str(a)[:50],
        lambda a, b: f"{a:>20}"[:50],
        lambda a, b: list(map(str, zip(range(5), reversed(a)))),
        lambda a, b: bytes(a),
        lambda a, b: memoryview(a).tolist(),
        lambda a, b: memoryview(a).cast("B").release(),
        lambda a, b: [*zip(range(5), a), *zip(range(5), b)],
        lambda a, b: dict(a),
        lambda a, b: a.f_locals.update(total=b),
        lambda a, b: setattr(a, "tb_next", b),
        lambda a, b: setattr(a, "cell_contents", b),
        lambda a, b: setattr(a, "__code__", b),
        lambda a, b: setattr(a, "__doc__", b),
        lambda a, b: setattr(a, "__cause__", b),
        lambda a, b: setattr(a, "__traceback__", b),
        lambda a, b: setattr(a, "__bases__", (type(b),)),
        lambda a, b: a.__init__(b),
        lambda a, b: a.__init__(),
        lambda a, b: a.__setstate__(b),
        lambda a, b: type(a).__new__(type(a)).__init__(b),
        lambda a, b: pickle.loads(pickle.dumps(a)),
        lambda a, b: copy.copy(a),
        lambda a, b: copy.deepcopy(a),
        lambda a, b: json.dumps(a),
        lambda a, b: heapq.heappush(a, b),
        lambda a, b: heapq.heappop(a),
        lambda a, b: bisect.insort(a, b),
        lambda a, b: struct.pack_into("<H", a, 0, 5),
        lambda a, b: struct.unpack_from("<H", a),
        lambda a, b: io.BytesIO(a).readinto(b),
        lambda a, b: a.readinto(b),
        lambda a, b: zlib.crc32(a),
        lambda a, b: re.sub("a", "b", a),
        lambda a, b: re.findall(b"a", a),
        lambda a, b: functools.reduce(operator.add, a, b),
        lambda a, b: "".join(a),
        lambda a, b: b"".join(a),
        lambda a, b: csv.writer(io.StringIO()).writerow(a),
        lambda a, b: compile(a, "a", "exec"),
        lambda a, b: ast.unparse(a),
        lambda a, b: weakref.ref(a, b),
        lambda a, b: weakref.proxy(a).clear(),
        lambda a, b: contextvars.copy_context().run(a, b),
        lambda a, b: a.execute("select * from a").fetchall(),
        lambda a, b: xml.etree.ElementTree.tostring(a)[:50],
        lambda a, b: sys.getsizeof(a),
        lambda a, b: sys.getrefcount(a),
        lambda a, b: loop._ready.clear(),
    ]


def step(random, shared):
    a, b = bounded(random, shared), bounded(random, shared)
    if random.below(8) == 0:
        shared[random.below(len(shared))] = make(random)
        return
    if (hasattr(b, "__next__") or isinstance(b, Ordered)) and not hasattr(a, "__next__"):
        # An iterator of the list that it extends never ends; nor do two lists that extend each other and are no plain ones.
        b = 3
    if random.below(2):
        random.choice(OPERATORS)(a, b)
        return
    kind = type(a).__name__
    names = [n for n in dir(a) if n not in AVOID and f"{kind}.{n}" not in AVOID]
    method = getattr(a, random.choice(names))
    args = [(), (b,), (0,), (1, b), ("a",), (-1,)][random.below(6)]
    result = method(*args)
    if random.below(4) == 0:
        size = result.__sizeof__() if isinstance(result, (list, str, bytes, bytearray, int, tuple)) else 0
        if size < 2000:
            shared[random.below(len(shared))] = result


def bounded(random, shared):
    """One of the objects; what has grown large is replaced, so that nothing grows without bound."""
    at = random.below(len(shared))
    item = shared[at]
    try:
        large = len(item) > 300
    except Exception:
        large = isinstance(item, int) and item > 2**2000
    if large:
        shared[at] = item = make(random)
    return item


def work(seed, shared, done):
    random = Random(seed)
    try:
        for i in range(STEPS):
            try:
                step(random, shared)
            except Exception:
                pass
    finally:
        done.release()


warnings.simplefilter("ignore")
start = Random(SEED)
shared = [make(start) for _ in range(24)]
locks = []
for n in range(THREADS):
    lock = _thread.allocate_lock()
    lock.acquire()
    locks.append(lock)
    _thread.start_new_thread(work, (SEED * 1000 + n + 1, shared, lock))
for lock in locks:
    lock.acquire()
print("done")
