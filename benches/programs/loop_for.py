"""An empty for loop over a range."""


def main():
    for i in range(10_000_000):
        pass


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
