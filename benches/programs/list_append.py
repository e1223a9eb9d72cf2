"""Growing and shrinking lists."""


def main():
    for _ in range(20):
        values = []
        for i in range(100_000):
            values.append(i)
        while values:
            values.pop()


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
