"""Reads and writes of list items."""


def main():
    values = list(range(1000))
    total = 0
    for _ in range(1500):
        for i in range(1000):
            total += values[i]
            values[i] = i
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
