"""ctypes: types in memory, pointers, structures, functions of the C library, callbacks from several threads."""
import pickle
import threading
from ctypes import *

print(c_int(5), c_int().value, c_ubyte(300).value, c_byte(200).value, c_bool(3), c_char(b"x"), c_double(2.5))
print([sizeof(t) for t in (c_char, c_short, c_int, c_long, c_longlong, c_float, c_double, c_void_p, c_wchar, c_longdouble)])
for wrong in (lambda: c_int("x"), lambda: c_char(b"xy"), lambda: c_double("x"), lambda: c_char_p(3.5), lambda: sizeof(3)):
    try:
        wrong()
    except TypeError as e:
        print(e)
number = c_long(7)
number.value += 1
print(number.value, bool(number), c_longdouble(1.25).value, c_float(0.1).value)

Numbers = c_int * 4
a = Numbers(1, 2, 3)
a[-1] = 9
a[0:2] = [7, 8]
print(list(a), len(a), a[1:3], Numbers.__name__, memoryview(a).shape, bytes(a)[:4])
for wrong in (lambda: a[4], lambda: a["x"], lambda: Numbers(1, 2, 3, 4, 5), lambda: c_int * -1):
    try:
        wrong()
    except Exception as e:
        print(type(e).__name__, e)
text = create_string_buffer(b"hello", 10)
print(text.value, text.raw, len(text), text[1:3], text[0])
text.value = b"bye"
print(text.raw, create_unicode_buffer("wide").value)


class Point(Structure):
    _fields_ = [("x", c_int), ("y", c_double)]


class Line(Structure):
    _fields_ = [("start", Point), ("end", Point), ("name", c_char * 8), ("points", POINTER(Point))]


class Bits(Structure):
    _fields_ = [("low", c_int, 3), ("high", c_int, 5), ("rest", c_uint, 4)]


class Word(Union):
    _fields_ = [("number", c_uint32), ("bytes", c_ubyte * 4)]


class Big(BigEndianStructure):
    _fields_ = [("short", c_uint16), ("long", c_uint32)]


line = Line(Point(1, 2.5), (3, 4.5), b"line")
line.points = pointer(Point(5, 6.5))
line.start.x += 10
print(line.start.x, line.end.y, line.name, line.points[0].y, line.points.contents.x, sizeof(Line), Line.end.offset)
bits = Bits(-1, 10, 15)
bits.high = -3
print(bits.low, bits.high, bits.rest, sizeof(Bits))
print(list(Word(0x01020304).bytes), bytes(Big(1, 2)), alignment(Point), Point.x.size)
copied = pickle.loads(pickle.dumps(Point(8, 9.5)))
print(copied.x, copied.y)
memory = bytearray(8)
view = c_int.from_buffer(memory, 4)
view.value = 0x01020304
print(memory.hex(), c_int.from_buffer_copy(b"\1\0\0\0").value)
try:
    memory.append(1)
except BufferError as e:
    print("BufferError")
try:
    Point().z
except AttributeError as e:
    print(e)

where = pointer(c_int(4))
where[0] = 5
print(where.contents, bool(where), bool(POINTER(c_int)()), cast(where, POINTER(c_ubyte))[0])
try:
    POINTER(c_int)().contents
except ValueError as e:
    print(e)
print(cast(create_string_buffer(b"cast"), c_char_p).value, string_at(b"string\0more"), wstring_at("wide"))
target = create_string_buffer(6)
memmove(target, b"moved", 5)
memset(target, ord("M"), 1)
print(target.value)


class Division(Structure):
    _fields_ = [("quot", c_int), ("rem", c_int)]


libc = CDLL(None, use_errno=True)
print(libc.strlen(b"four"), libc.abs(-5), libc.toupper(ord("a")))
libc.atof.restype = c_double
print(libc.atof(b"2.5"))
libc.div.restype, libc.div.argtypes = Division, [c_int, c_int]
answer = libc.div(17, 5)
print(answer.quot, answer.rem)
libc.strchr.restype = c_char_p
print(libc.strchr(b"abcdef", ord("d")), libc.strchr(b"abc", ord("x")))
line = create_string_buffer(40)
print(libc.snprintf(line, c_size_t(40), b"%d %s %.2f", 5, b"text", c_double(2.5)), line.value)
set_errno(0)
print(libc.close(-1), get_errno())
try:
    libc.div("x", 1)
except ArgumentError as e:
    print(e)
try:
    libc.no_such_function
except AttributeError:
    print("AttributeError")

Compare = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))


def sort(n, results):
    numbers = (c_int * n)(*((i * 7919) % n for i in range(n)))
    libc.qsort(numbers, n, sizeof(c_int), Compare(lambda a, b: a[0] - b[0]))
    results.append(list(numbers) == list(range(n)))


results = []
threads = [threading.Thread(target=sort, args=(211, results)) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(results)
again = CFUNCTYPE(c_double, c_double, c_char_p)(lambda x, s: x * len(s))
print(again(1.5, b"four"))


# errno of the program, of the library's call, and within what the library calls.
import ctypes
checked = ctypes.CDLL(None, use_errno=True)
seen = []


@ctypes.CFUNCTYPE(c_int, ctypes.c_void_p, ctypes.c_void_p, use_errno=True)
def compare(a, b):
    seen.append(ctypes.get_errno())
    ctypes.set_errno(7)
    return 0


ctypes.set_errno(42)
checked.qsort((c_int * 3)(3, 2, 1), ctypes.c_size_t(3), ctypes.c_size_t(4), compare)
print(seen, ctypes.get_errno())
