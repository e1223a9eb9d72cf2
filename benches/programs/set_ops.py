"""Sets: adding, membership, union and intersection."""


def main():
    hits = 0
    for _ in range(10):
        s = set()
        for i in range(50_000):
            s.add(i * 3)
        for i in range(50_000):
            if i in s:
                hits += 1
        t = set(range(50_000))
        hits += len(s & t) + len(s | t)
    return hits


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
