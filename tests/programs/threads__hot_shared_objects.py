"""Objects that several threads use all the time: nothing is lost, and in the end all of it goes."""

import gc
import sys
import threading
import weakref


class Point:
    def __init__(self, x):
        self.x = x

    def twice(self):
        return self.x + self.x


class Closing:
    """Has a finalizer: its end is to be noticed at once."""

    ended = []

    def __init__(self, name):
        self.name = name

    def __del__(self):
        Closing.ended.append(self.name)


class Word(str):
    pass


def together(work, count=4):
    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# Read by all.
shared = [Point(i) for i in range(200)]
words = [Word(f"w{i}") for i in range(200)]
table = {f"key {i}": (i, str(i)) for i in range(200)}
totals = []


def read(n):
    total = 0
    for _ in range(30):
        for point in shared:
            total += point.twice()
        for word in words:
            total += len(word)
        for key in table:
            total += table[key][0]
        first = shared[0]
        for i in range(200):
            total += shared[i] is first
            total += f"key {i}" in table
            total += i in table
    totals.append(total)


together(read)
print("totals", set(totals), len(totals))

# What is dropped by one thread while others use it.
box = [Point(-1)]
wrong = []


def swap(n):
    for i in range(20000):
        point = box[0]
        if point.twice() != 2 * point.x:
            wrong.append(point)
        if i % 50 == n:
            box[0] = Point(i)
        del point


together(swap)
print("wrong", wrong)

# A container used by all is let go: what was in it ends too.
holder = [Closing("in a list"), {"k": Closing("in a dict")}]


def touch(n):
    own = holder
    for _ in range(3000):
        own[0].name
        own[1]["k"].name
        len(own)
    del own


together(touch)
print("ended before", Closing.ended)
del holder
gc.collect()
print("ended", sorted(Closing.ended))

# All of it goes.
references = [weakref.ref(point) for point in shared] + [weakref.ref(word) for word in words] + [weakref.ref(box[0])]
del shared, words, table, box
gc.collect()
print("left", sum(reference() is not None for reference in references))


# Counts stay what they were.
one = Point(1)
before = sys.getrefcount(one)


def use(n):
    mine = one
    for _ in range(5000):
        mine.twice()
        kept = [mine, mine]
        del kept


together(use)
print("count", sys.getrefcount(one) - before)
