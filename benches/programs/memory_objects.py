"""Bytes an object takes, by the growth of the process: besides its place in a list."""

import os

COUNT = 200_000


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


class Plain:
    def __init__(self, n):
        self.a = n
        self.b = n
        self.c = n


class Slots:
    __slots__ = ("a", "b", "c")

    def __init__(self, n):
        self.a = n
        self.b = n
        self.c = n


def closure(n):
    return lambda: n


def generator(n):
    yield n


def began(n):
    made = generator(n)
    next(made)
    return made


async def coroutine(n):
    return n


KINDS = {
    "instance of three attributes": Plain,
    "instance with three slots": Slots,
    "empty list": lambda n: [],
    "list of one": lambda n: [n],
    "list of ten": lambda n: [n] * 10,
    "list of ten, appended": lambda n: [i for i in range(10)],
    "empty dict": lambda n: {},
    "dict of three": lambda n: {"a": n, "b": n, "c": n},
    "dict of ten": lambda n: dict.fromkeys(range(10)),
    "set of three": lambda n: {1, 2, 3},
    "tuple of two": lambda n: (n, n),
    "tuple of ten": lambda n: (n,) * 10,
    "closure": closure,
    "generator": began,
    "bound method": lambda n: [].append,
    "int": lambda n: n + 10**15,
    "large int": lambda n: n + 10**30,
    "float": lambda n: n + 0.5,
    "str of eight": lambda n: f"{n:08}",
    "str of forty": lambda n: f"{n:040}",
    "str of eight, two bytes a character": lambda n: f"{n:07}\u20ac",
    "bytes of eight": lambda n: b"%08d" % n,
    "bytearray of eight": lambda n: bytearray(8),
    "exception": ValueError,
    "range": lambda n: range(n, n + 5),
    "slice": lambda n: slice(n, n),
    "iterator of a list": lambda n: iter([]),
    "complex": lambda n: complex(n, 1),
}

def measure(make):
    """In a process of its own, which has no memory free."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        kept = [None] * COUNT
        make(0)
        before = resident()
        for i in range(COUNT):
            kept[i] = make(i)
        os.write(writer, str(round((resident() - before) / COUNT)).encode())
        os._exit(0)
    os.wait()
    found = os.read(reader, 20).decode()
    os.close(reader)
    os.close(writer)
    return found


if __name__ == "__main__":
    for name, make in KINDS.items():
        print("bytes,", name, measure(make))
