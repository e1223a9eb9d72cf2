"""Numbers and strings at the edges of what is read and written by special ways; keys that are one object; calls with keywords from dicts."""
import asyncio
import contextvars
import decimal
import json

for text in ("0", "-0", "-1", "99999999999999999", "-99999999999999999", "123456789012345678", "9223372036854775807", "-9223372036854775808", "9" * 40, "-" + "9" * 18,
             "1e5", "-1.5E-3", "0.1", "1E400", "01", "-", "1.", ".5", "1e", "[1,-2,3.5]", "[0x1]", "١"):
    for parse_int in (None, str):
        try:
            value = json.loads(text, parse_int=parse_int)
            print(text[:30], repr(value)[:50], type(value).__name__)
        except ValueError as exc:
            print(text[:30], type(exc).__name__, exc)
for value in (0, -1, 2**62 - 1, 2**62, -(2**62), -(2**62) - 1, 2**63, 10**30, True, [1, [-2]], {1: -1, 2**70: 0, -5: None, 1.5: "f", None: 1, True: 2}):
    print(json.dumps(value))
for text in ('""', '"plain"', '"a\\"b"', '"\\u00e9\\ud83d\\ude00\\ud800"', '"é"', '"tab\\tnl\\n"', '"\x7f"', '"\\', '"open', '"\n"', '"\\x"', '"\\u12"'):
    for strict in (True, False):
        try:
            print(ascii(text), ascii(json.loads(text, strict=strict)))
        except ValueError as exc:
            print(ascii(text), exc)
text = "".join(map(chr, range(0, 0x120))) + "\u2028\U0001F600\ud800"
print(json.dumps(text))
print(ascii(json.dumps(text, ensure_ascii=False)))
print(json.dumps("".join(map(chr, range(128)))), json.dumps("\\\"" * 3), json.dumps(""), json.dumps("\x7f", ensure_ascii=False) == '"\x7f"')
data = json.loads('[{"key": 1, "k\\u0065y2": 2, "é": 3, "a\\"b": 4}, {"key": 5, "key2": 6, "é": 7, "a\\"b": 8}, {"é": {"key": 9}}]')
names = {}
for item in [data[0], data[1], data[2], data[2]["é"]]:
    for key in item:
        print(ascii(key), names.setdefault(key, key) is key)
for text in ('{"a":1,"a":2}', '{"a', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a\n":1}', '{1:2}', "{", '{"a" 1}'):
    try:
        print(json.loads(text))
    except ValueError as exc:
        print(repr(text), exc)


def plain(a, *, k=1, **more):
    return a, k, more


class Made:
    def __init__(self, *args, **more):
        self.args = args, more


class Keys:
    def keys(self):
        return ["k", "z"]

    def __getitem__(self, name):
        return name * 2


empty, some = {}, {"k": 2, "z": 3}
print(plain(1, **empty), plain(1, **some), plain(1, **{"q": 0}, **empty, **{"k": 9}), plain(1, **Keys()), Made(1, *[2], **some).args, dict(**some, a=1))
print(int("11", **{"base": 2}), sorted([3, 1, 2], **{"reverse": True}), "{a}{b}".format(a=1, **{"b": 2}))
for call in (lambda: plain(1, **{1: 2}), lambda: plain(1, k=1, **some), lambda: plain(1, **some, **some), lambda: plain(**{"a": 1, "b": 2}, k=3), lambda: int("1", **{"bose": 2}),
             lambda: plain(1, **5), lambda: plain(*[1, 2], **some), lambda: dict(**{1: 2})):
    try:
        print(call())
    except TypeError as exc:
        print(type(exc).__name__, exc)

variable = contextvars.ContextVar("variable", default=0)


async def leaf(n, wait):
    variable.set(n)
    if wait:
        await asyncio.sleep(0)
    if n == 3:
        raise KeyError(n)
    return variable.get(), len(asyncio.all_tasks()) > 0, asyncio.current_task() is not None


async def main():
    loop = asyncio.get_running_loop()
    for factory in (None, asyncio.eager_task_factory):
        loop.set_task_factory(factory)
        variable.set(100)
        tasks = [loop.create_task(leaf(n, n % 2)) for n in range(5)]
        print([task.done() for task in tasks], variable.get())
        print(await asyncio.gather(*tasks, return_exceptions=True), variable.get())
    print(len(asyncio.all_tasks()))


asyncio.run(main())
with decimal.localcontext(prec=5):
    print(decimal.Decimal(1) / 3, contextvars.copy_context().run(lambda: decimal.Decimal(2) / 3))
print(decimal.Decimal(1) / 3)

# Quotients of long numbers.
for bits in (255, 256, 300, 1000, 20000):
    b = (1 << bits) // 3 * 2 + 1
    for q in (0, 1, 2, 3, (1 << 30) - 1, 1 << 59, (1 << 61) - 1, 1 << 62, (1 << 64) + 1, 3**100):
        for rest in (0, 1, b - 1):
            for sign in (1, -1):
                a = sign * (b * q + rest)
                for d in (b, -b):
                    assert divmod(a, d) == (a // d, a % d) and (a // d) * d + a % d == a and abs(a % d) < b, (bits, q, rest)
                    assert a % d == 0 or (a % d < 0) == (d < 0)
print("divided")
for data in (b"", b"a", bytes(range(256)) * 3, bytearray(b"abc")):
    table = bytes(255 - n for n in range(256))
    print(len(data.translate(table)), type(data.translate(table)).__name__, data.translate(table, b"a")[:4], data.translate(None, b"ab")[:4], data.translate(table).translate(table) == data)
views = memoryview(b"0123456789")[2:8]
print(bytes(views), bytes(views[::2]), bytes(views[::-1]), b"".join([views, views[1:3]]), bytearray(views), bytes(memoryview(bytearray(b"xyz"))[1:]), bytes(views.cast("H")), bytes(views[3:3]))
