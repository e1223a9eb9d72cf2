"""join, split, replace, formatting."""


def main():
    total = 0
    for i in range(30_000):
        words = ["a", "bc", "def", str(i)] * 3
        text = " ".join(words)
        total += len(text.split())
        total += len(text.replace("a", "bb"))
        total += len(f"{i:5d} {i / 3:.2f} {text!r}")
        total += len("%s %d" % (text, i))
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
