"""Raising and catching."""


def fail(n):
    raise ValueError(n)


def main():
    caught = 0
    for i in range(200_000):
        try:
            fail(i)
        except ValueError as e:
            caught += 1
        try:
            {}[i]
        except KeyError:
            caught += 1
    return caught


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
