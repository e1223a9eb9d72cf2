"""Counting with dicts."""


def main():
    words = ["w%d" % (i * 7919 % 1000) for i in range(10_000)]
    for _ in range(150):
        counts = {}
        for w in words:
            counts[w] = counts.get(w, 0) + 1
    return len(counts)


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
