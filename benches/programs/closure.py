"""Closures: making them, calling them, changing what they hold."""


def counter():
    n = 0

    def step(k):
        nonlocal n
        n += k
        return n

    return step


def main():
    step = counter()
    for i in range(1_000_000):
        step(i)
    for i in range(300_000):
        counter()(1)


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
