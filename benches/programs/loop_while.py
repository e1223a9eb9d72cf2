"""A while loop that counts."""


def main():
    i = 0
    while i < 5_000_000:
        i += 1


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
