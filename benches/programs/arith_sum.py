"""The sum of a range, in a loop."""


def main():
    total = 0
    for i in range(1, 6_000_000):
        total += i
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
