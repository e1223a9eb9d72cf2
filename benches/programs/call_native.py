"""Calls of functions and methods of the runtime."""


def main():
    values = [3, 1, 2]
    text = "some text"
    for i in range(700_000):
        len(values)
        abs(i)
        text.startswith("some")
        isinstance(i, int)
        max(i, 5)


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
