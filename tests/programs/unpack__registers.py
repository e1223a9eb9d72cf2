"""Unpacking into names: what is overwritten goes after all items were taken, whatever its finalizer does."""


class Last:
    def __init__(self, name, act=None):
        self.name, self.act = name, act

    def __del__(self):
        print("gone", self.name)
        if self.act:
            self.act()


def from_list():
    items = [1, 2, 3]
    a = Last("a", items.clear)
    b = Last("b")
    c = Last("c")
    a, b, c = items
    print(a, b, c, items)


def from_tuple():
    a, b = Last("x"), Last("y")
    for a, b in zip([1, 2], [3, 4]):
        print(a, b)
    pair = (Last("p"), Last("q"))
    a, b = pair
    del pair
    print("held")
    a = b = None


def fresh():
    def pair(n):
        return [n], [n + 1]

    x, y = pair(1)
    print(x, y)
    (x, y), z = (y, x), pair(3)
    print(x, y, z)
    x, y = y, x
    print(x, y)
    same = Last("same")
    a, b = same, same
    del same
    a, b = 1, 2
    print("replaced", a, b)


def many():
    a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q = range(17)
    print(a, q)
    a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p = [Last(n) for n in range(16)]
    print("made")
    a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p = tuple(range(16))
    print(a, p)


def wrong():
    for source in ((1,), [1, 2, 3], (), "abc", 5, {1: 2, 3: 4}, {"a": 1}):
        x = y = None
        try:
            x, y = source
        except (ValueError, TypeError) as error:
            text = str(error)
            if text.startswith("too many"):
                # 3.14 says how many there were, of some types.
                text = text.split(", got")[0].rstrip(")")
            print(type(error).__name__, text, x, y)
        else:
            print(x, y)


def in_turn():
    rows = {"a": (1, 2), "b": (3, 4)}
    return [(key, x, y) for key, (x, y) in rows.items()], [i + x for i, x in enumerate((5, 6))]


from_list()
from_tuple()
fresh()
many()
wrong()
print(in_turn())
