"""Reads and writes of global names."""

counter = 0
STEP = 1


def main():
    global counter
    for _ in range(2_500_000):
        counter += STEP
    return counter


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
