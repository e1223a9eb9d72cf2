"""Instances of one class whose attributes come in any order, or have names of their own: what they hold is right, and memory is not kept for
each order."""
import random
import resource
import sys
import threading


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


random.seed(1)


class Any:
    def __init__(self, names, base):
        for i, name in enumerate(names):
            setattr(self, name, base + i)


names = [f"n{i}" for i in range(60)]
before = peak()
wrong = 0
for k in range(1500):
    random.shuffle(names)
    one = Any(names, k)
    wrong += list(vars(one).items()) != [(name, k + i) for i, name in enumerate(names)]
    wrong += [getattr(one, name) for name in names] != list(range(k, k + 60))
print(wrong, peak() - before < 90)


class Own:
    pass


objects = []
for i in range(3000):
    one = Own()
    setattr(one, f"own{i}", i)
    one.common = -i
    objects.append(one)
print(all(getattr(one, f"own{i}") == i and one.common == -i for i, one in enumerate(objects)))
print(all(list(vars(one)) == [f"own{i}", "common"] for i, one in enumerate(objects)))
for one in objects:
    del one.common
print(any(hasattr(one, "common") for one in objects))


class Shared:
    def method(self):
        return 1


def fill(seed):
    order = random.Random(seed)
    for k in range(300):
        one, keys = Shared(), [f"s{order.randrange(5000)}" for _ in range(20)]
        for key in keys:
            setattr(one, key, key)
        if one.method() != 1 or any(getattr(one, key) != key for key in keys):
            print("wrong")


threads = [threading.Thread(target=fill, args=(seed,)) for seed in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("filled")
