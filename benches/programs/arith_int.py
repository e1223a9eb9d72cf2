"""Arithmetic on small integers."""


def main():
    a, b, total = 1, 7, 0
    for i in range(2_000_000):
        total = total + i * 3 - (i // 7) + (i % 5)
        a = (a * 31 + b) & 0xFFFF
        b = (b ^ a) + (i >> 2) & 0xFF
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
