"""Calls with positional, default and keyword arguments."""


def plain(a, b, c):
    return a


def defaults(a, b=2, c=3):
    return b


def keywords(a, *, b=1, c=2):
    return c


def main():
    for i in range(600_000):
        plain(i, i, i)
        defaults(i)
        defaults(i, 5)
        keywords(i, b=2)


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
