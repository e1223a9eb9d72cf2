"""Integers beyond a machine word."""


def main():
    a, b = 0, 1
    for _ in range(60_000):
        a, b = b, a + b
    product = 1
    for i in range(1, 6_000):
        product *= i
    return (a % 1_000_007, product % 1_000_003, len(str(b % 10**3000)))


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
