"""Iteration over lists and tuples, enumerate and zip."""


def main():
    values = list(range(1000))
    pairs = [(i, i + 1) for i in range(1000)]
    total = 0
    for _ in range(500):
        for v in values:
            total += v
        for a, b in pairs:
            total += a
        for i, v in enumerate(values):
            total += i
        for a, b in zip(values, values):
            total += b
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
