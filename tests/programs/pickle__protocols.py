# pickle: all protocols, shared and recursive objects, hooks, buffers, hostile data.
import copyreg
import io
import pickle
import pickletools
import collections
import threading


class Plain:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return type(other) is type(self) and self.__dict__ == other.__dict__


class Slots:
    __slots__ = "a", "b"


class State(Plain):
    def __getstate__(self):
        return {"saved": self.x}

    def __setstate__(self, state):
        self.x = state["saved"]


class New(tuple):
    def __new__(cls, a, *, b):
        self = tuple.__new__(cls, (a, b))
        return self

    def __getnewargs_ex__(self):
        return (self[0],), {"b": self[1]}


class L(list):
    pass


class Reduced:
    def __reduce__(self):
        return (L, (), {"attr": 1}, iter([1, 2, 3]))


slots = Slots()
slots.a = 1
slots.b = [2]
shared = [1]
objects = [None, True, 0, 255, 65535, -1, 2**31, -2**63, 2**2000, 1.5, float("inf"), "", "abc", "é\ud800\n\\", "x" * 300, b"", b"\x00\xff" * 200,
           bytearray(b"ab"), (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [shared, shared], {}, {"a": {"b": 1}}, set(), {1, 2}, frozenset([3]),
           list(range(2500)), dict.fromkeys(range(1500)), Plain(1), State("s"), New(1, b=2), 1j, range(3), slice(1, 2), ..., NotImplemented, type(None),
           int, len, Plain, collections.OrderedDict(a=1), collections.Counter("abb"), ValueError("x", 1), "".join, print]
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    good = 0
    for value in objects:
        data = pickle.dumps(value, protocol)
        again = pickle.loads(data)
        if type(again) is not type(value) or repr(again) != repr(value) and again != value:
            print(protocol, value, again)
        good += pickle.loads(pickletools.optimize(data)) is not pickle
        buffer = io.BytesIO()
        pickle.Pickler(buffer, protocol).dump(value)
        buffer.seek(0)
        pickle.Unpickler(buffer).load()
    again = pickle.loads(pickle.dumps([shared, shared, Reduced()], protocol))
    print(protocol, good, again[0] is again[1], again[2], again[2].attr)
    loop = []
    loop.append(loop)
    ring = (loop, {})
    ring[1]["ring"] = ring
    again = pickle.loads(pickle.dumps(ring, protocol))
    print(again[0][0] is again[0], again[1]["ring"] is again)
    if protocol >= 2:
        again = pickle.loads(pickle.dumps(slots, protocol))
        print(again.a, again.b)


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return "id of 7" if value == 7 else None

    def reducer_override(self, value):
        if value is print:
            return str, ("was print",)
        return NotImplemented


class Unpickler(pickle.Unpickler):
    def persistent_load(self, name):
        return name.upper()

    def find_class(self, module, name):
        if name == "Plain":
            raise pickle.UnpicklingError("forbidden")
        return super().find_class(module, name)


buffer = io.BytesIO()
pickler = Pickler(buffer, 5)
pickler.dispatch_table = copyreg.dispatch_table.copy()
pickler.dispatch_table[Slots] = lambda s: (str, ("slots",))
pickler.dump([7, print, slots])
print(Unpickler(io.BytesIO(buffer.getvalue())).load(), len(pickler.memo.copy()))
try:
    Unpickler(io.BytesIO(pickle.dumps(Plain(1)))).load()
except pickle.UnpicklingError as error:
    print(error)

array = bytearray(b"0123456789")
buffers = []
data = pickle.dumps([pickle.PickleBuffer(array), pickle.PickleBuffer(b"abc")], 5, buffer_callback=buffers.append)
one, two = pickle.loads(data, buffers=buffers)
print(len(data) < 30, bytes(one), bytes(two), one is buffers[0], buffers[0].raw().obj is array)
print(pickle.loads(pickle.dumps(pickle.PickleBuffer(array), 5)))

hostile = [b"", b".", b"(", b"(.", b"0", b"1", b"2", b"a", b"e", b"(e", b"u", b"(1.", b"]u", b"\x80\xff.", b"\x80\x05", b"N", b"K", b"J\x01", b"G\x00", b"X\xff\xff\xff\xff",
           b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff", b"\x96" + b"\xff" * 8, b"\x95" + b"\xff" * 8, b"\x8b\xff\xff\xff\xff",
           b"h\x05.", b"j\xff\xff\xff\xff.", b"g99\n.", b"Np-1\n.", b"I\n.", b"Ixyz\n.", b"Lx\n.", b"Fx\n.", b"S'abc\n.", b"cno_such_module\nx\n.",
           b"cbuiltins\nno_such\n.", b"c\nlog\n.", b"\x93.", b"NN\x93.", b"NR.", b"N)R.", b"N)\x81.", b"cbuiltins\nint\nN\x81.", b"Nb.", b"]Nb.", b"](K\x01b.", b"\x82\x00.",
           b"\x82\x01.", b"\x97.", b"Q.", b"Px\n.", b"!.", b"'.", b"\xff.", b"V\\u12\n.", b"(K\x01d.", b"]K\x01K\x02s.", b"(]\x90.", b"i", b"(i\n\n.", b"o.", b"(o."]
for data in hostile:
    try:
        print(data, pickle.loads(data))
    except Exception as error:
        print(data, type(error).__name__)
good = pickle.dumps(objects[:30] + [Plain(2), New(1, b=2)], 4)
for end in range(len(good) - 1):
    try:
        pickle.loads(good[:end])
        print("loaded", end)
    except (EOFError, pickle.UnpicklingError):
        pass
deep = []
for _ in range(100000):
    deep = [deep]
try:
    pickle.dumps(deep)
except RecursionError:
    print("too deep")
while deep:
    deep = deep.pop()
print(len(repr(pickle.loads(b"]" * 500 + b"a" * 499 + b"."))))
for bad in (lambda: 1), threading.Lock(), (x for x in ()):
    try:
        pickle.dumps(bad)
    except Exception as error:
        print(type(error).__name__)
shared_pickler = pickle.Pickler(io.BytesIO())
threads = [threading.Thread(target=lambda: [shared_pickler.dump(list(range(100))) for _ in range(50)]) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print("done")
