"""Writes of instance attributes."""


class Point:
    def __init__(self):
        self.x = 0
        self.y = 0


def main():
    p = Point()
    for i in range(2_000_000):
        p.x = i
        p.y = i
    return p.x


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
