# Garbage in cycles is collected while it is made, whatever collections and the program itself free at once.
import gc


class Node:
    pass


def cycle():
    a, b = Node(), Node()
    a.other, b.other = b, a


def most(count):
    found = 0
    for i in range(count):
        cycle()
        if i % 1000 == 0:
            found = max(found, len(gc.get_objects()))
    return found


gc.collect()
start = len(gc.get_objects())
print(most(50_000) - start < 25_000)
large = [[i] for i in range(200_000)]
del large
print(most(30_000) - start < 45_000)
