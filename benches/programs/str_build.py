"""Strings that grow by +=."""


def main():
    for _ in range(20):
        s = ""
        for i in range(100_000):
            s += "x"
    return len(s)


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
