"""Dicts with integer keys: growth, reads, get and in."""


def main():
    total = 0
    for _ in range(5):
        d = {}
        for i in range(100_000):
            d[i] = i
        for i in range(100_000):
            if i in d:
                total += d[i]
            total += d.get(-i, 0)
        for k, v in d.items():
            total += v
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
