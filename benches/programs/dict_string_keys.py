"""Dicts with string keys."""


def main():
    names = ["name%d" % i for i in range(100)]
    d = {}
    total = 0
    for _ in range(10_000):
        for name in names:
            d[name] = 1
            total += d[name]
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
