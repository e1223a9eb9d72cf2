"""Arithmetic on floats."""


def main():
    x, y, total = 0.5, 1.25, 0.0
    for i in range(2_000_000):
        x = x * 0.999 + 0.1
        y = y / 1.001 - x * 0.01
        total += x * y
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
