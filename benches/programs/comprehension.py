"""List, set, dict comprehensions and filters."""


def main():
    for _ in range(60):
        squares = [i * i for i in range(10_000)]
        even = [i for i in squares if i % 2 == 0]
        names = {i: str(i) for i in range(1000)}
        rest = {i % 100 for i in even}
        mapped = list(map(lambda v: v + 1, squares))
    return len(names) + len(rest) + len(mapped)


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
