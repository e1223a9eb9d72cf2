"""Slices, concatenation and multiplication of lists."""


def main():
    values = list(range(100))
    for _ in range(300_000):
        part = values[10:20]
        part + part
        part[2:4] = (1, 2, 3)
        [0] * 10


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
