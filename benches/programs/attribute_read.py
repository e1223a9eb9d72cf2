"""Reads of instance attributes."""


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


def main():
    p = Point(1, 2)
    total = 0
    for _ in range(1_500_000):
        total += p.x + p.y + p.x
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
