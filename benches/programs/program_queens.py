"""Eight queens by permutations: generators, sets, tuples."""


def permutations(items):
    items = list(items)
    n = len(items)
    if n <= 1:
        yield tuple(items)
        return
    for i in range(n):
        rest = items[:i] + items[i + 1 :]
        for tail in permutations(rest):
            yield (items[i],) + tail


def main():
    found = 0
    columns = range(8)
    for order in permutations(columns):
        if len({order[i] + i for i in columns}) == 8 == len({order[i] - i for i in columns}):
            found += 1
    return found


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
