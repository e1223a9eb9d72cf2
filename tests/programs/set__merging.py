"""Sets that are made, copied and merged at once, with elements that only Python code can compare."""


class Key:
    """Equal to others of the same name; all have one of three hashes."""

    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return len(self.name) % 3

    def __eq__(self, other):
        LOG.append((self.name, getattr(other, "name", other)))
        return isinstance(other, Key) and self.name == other.name

    def __repr__(self):
        return self.name


LOG = []
made = {Key("a"), 1, Key("bb"), Key("a"), 1.0, Key("cc"), True}
print(len(made), sorted(map(str, made)), len(LOG) > 0)
for left in ({1, 2, 3}, set(), {Key("x"), 5}, frozenset(range(40)), {"a", "b", (1, 2)}):
    for right in ({3, 4}, frozenset(), {Key("x"), Key("y")}, set(range(100)), {(1, 2), b"z"}):
        both = left | right
        assert len(both) == len(left) + len([item for item in right if item not in left])
        assert left <= both and right <= both and type(both) is type(left)
        copy = set(left)
        copy |= right
        assert copy == both and copy >= left
        union = left.union(right, [7], (8,))
        assert union == both | {7, 8}
        print(len(both), len(left & right), len(left - right), len(left ^ right))
print({1, 2, 3}, {*"abc"} == set("abc"), {*[3, 1, 2]}, {1, 2, 3, 4, 5, 6, 7, 8, 9})


class Changes:
    """Adds to a set while it is compared with an element."""

    def __hash__(self):
        return 1

    def __eq__(self, other):
        if len(target) < 5:
            target.add(len(target) + 100)
        return False


target = set()
target = {1, Changes(), "x"}
target |= {Changes(), 50}
print(len(target) >= 5, 50 in target)

values = {1, 2, 3}
it = iter(values)
next(it)
values.add(99)
for _ in range(2):
    try:
        next(it)
    except RuntimeError as exc:
        print(exc)
done = iter({1})
print(list(done), list(done), next(done, "end"))
