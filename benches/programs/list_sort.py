"""Sorting, with and without a key."""


def main():
    state = 12345
    values = []
    for _ in range(100_000):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        values.append(state)
    for _ in range(3):
        sorted(values)
    sorted(values, key=lambda v: -v)
    sorted([str(v) for v in values[:30_000]])


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
