"""The same independent work by one thread and by two."""

from _thread import start_joinable_thread
from time import perf_counter


class Item:
    def __init__(self, n):
        self.n = n

    def get(self):
        return self.n


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def work():
    total, seen, items = 0, {}, []
    for i in range(300_000):
        item = Item(i)
        total += item.get()
        items.append(i)
        seen[i & 255] = len(items)
    fib(23)


def timed(threads):
    begin = perf_counter()
    handles = [start_joinable_thread(work) for _ in range(threads)]
    for handle in handles:
        handle.join()
    return perf_counter() - begin


if __name__ == "__main__":
    timed(1)
    print("wall seconds of one thread", min(timed(1) for _ in range(3)))
    print("wall seconds of two threads", min(timed(2) for _ in range(3)))
