"""Two threads that read the same lists, dicts, strings and instances: the work of each, against one thread alone."""

import threading
from time import perf_counter


class Base:
    scale = 3

    def value(self):
        return self.n * self.scale


class Item(Base):
    def __init__(self, n):
        self.n = n


NUMBERS = list(range(1000))
ITEMS = [Item(i) for i in range(300)]
NAMES = [f"name {i}" for i in range(300)]
TABLE = {name: i for i, name in enumerate(NAMES)}


def work():
    total = 0
    for _ in range(400):
        for number in NUMBERS:
            total += number
        for at in range(1000):
            total += NUMBERS[at]
        for item in ITEMS:
            total += item.value()
        for name in NAMES:
            total += TABLE[name]
            total += len(TABLE)
        for at in range(300):
            total += at in TABLE
            total += TABLE.get(NAMES[at], 0)
    return total


def timed(count):
    threads = [threading.Thread(target=work) for _ in range(count)]
    begin = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return perf_counter() - begin


if __name__ == "__main__":
    timed(2)
    print("wall seconds of one thread", min(timed(1) for _ in range(3)))
    print("wall seconds of two threads", min(timed(2) for _ in range(3)))
