"""Building and taking apart tuples."""


def main():
    a, b, c = 1, 2, 3
    for i in range(2_000_000):
        t = (a, b, i)
        a, b, c = t
        a, b = b, a


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
