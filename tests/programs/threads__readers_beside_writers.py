"""Threads read lists and dicts while others change them in every way: what is read was there, and what is always there is found."""

import random
import threading
from collections import OrderedDict


class Item:
    __slots__ = ("n", "check")

    def __init__(self, n):
        self.n = n
        self.check = n * 7


items = [Item(i) for i in range(100)]
plain = {i: i for i in range(50)} | {f"s{i}": i for i in range(50)}
ordered = OrderedDict(plain)
errors = []
done = threading.Event()


def guarded(work):
    def run(seed):
        try:
            work(random.Random(seed))
        except BaseException as error:
            errors.append(repr(error))

    return run


def verify(item):
    if item.check != item.n * 7:
        errors.append(("torn", item.n))


@guarded
def read_list(r):
    while not done.is_set():
        for item in items:
            verify(item)
        for at in (r.randrange(120), r.randrange(10), -1, -5):
            try:
                verify(items[at])
            except IndexError:
                pass


@guarded
def change_list(r):
    for _ in range(12000):
        match r.randrange(14):
            case 0:
                items.append(Item(r.randrange(10**6)))
            case 1 if items:
                try:
                    verify(items.pop())
                except IndexError:
                    pass
            case 2:
                items.insert(r.randrange(50), Item(1))
            case 3:
                try:
                    del items[r.randrange(60)]
                except IndexError:
                    pass
            case 4:
                items[10:20] = [Item(i) for i in range(r.randrange(20))]
            case 5:
                items.reverse()
            case 6:
                items.extend(Item(i) for i in range(5))
            case 7 if r.random() < 0.05:
                items.clear()
            case 8:
                items[:] = [Item(i) for i in range(r.randrange(200))]
            case 9:
                try:
                    items[r.randrange(50)] = Item(3)
                except IndexError:
                    pass
            case 10:
                del items[::3]
            case 11:
                try:
                    items.sort(key=lambda item: item.n)
                except ValueError:
                    pass
            case 12:
                items.extend(items[:20])
            case 13:
                del items[200:]


@guarded
def read_dicts(r):
    while not done.is_set():
        for d in (plain, ordered):
            for i in range(50):
                if d.get(i) != i:
                    errors.append(("lost", type(d), i))
                if f"s{i}" not in d:
                    errors.append(("lost name", type(d), i))
                if i + 10**6 in d or f"t{i}" in d:
                    errors.append(("ghost", type(d), i))


@guarded
def change_dicts(r):
    for _ in range(3000):
        i = r.randrange(1000) + 100
        for d in (plain, ordered):
            match r.randrange(7):
                case 0:
                    d[i] = i
                case 1:
                    d.pop(i, None)
                case 2:
                    d[f"x{i}"] = i
                case 3:
                    d.pop(f"x{i}", None)
                case 4:
                    for j in range(50):
                        d[j] = j
                case 5:
                    for j in range(2000, 2060):
                        d[j] = j
                    for j in range(2000, 2060):
                        d.pop(j, None)
                case 6:
                    ordered.move_to_end(r.randrange(50), last=r.random() < 0.5)
                    ordered.move_to_end(f"s{r.randrange(50)}")


readers = [threading.Thread(target=work, args=(n,)) for n, work in enumerate([read_list, read_list, read_dicts, read_dicts])]
writers = [threading.Thread(target=work, args=(n,)) for n, work in enumerate([change_list, change_list, change_dicts, change_dicts])]
for thread in readers + writers:
    thread.start()
for thread in writers:
    thread.join()
done.set()
for thread in readers:
    thread.join()
print("errors", errors[:5])
