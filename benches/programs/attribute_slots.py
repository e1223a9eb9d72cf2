"""Attributes in __slots__, class attributes and properties."""


class Point:
    __slots__ = ("x", "y")
    scale = 3

    def __init__(self, x, y):
        self.x = x
        self.y = y

    @property
    def size(self):
        return self.x


def main():
    p = Point(1, 2)
    total = 0
    for i in range(700_000):
        p.x = i
        total += p.x + p.y + p.scale + p.size
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
