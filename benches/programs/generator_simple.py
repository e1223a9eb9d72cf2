"""Generators."""


def count(n):
    i = 0
    while i < n:
        yield i
        i += 1


def main():
    total = 0
    for v in count(1_500_000):
        total += v
    total += sum(v * 2 for v in range(500_000))
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
