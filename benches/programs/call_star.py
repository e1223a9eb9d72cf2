"""Calls with *args and **kwargs."""


def positional(*args):
    return args


def named(**kwargs):
    return kwargs


def three(a, b, c):
    return a


def main():
    values = (1, 2, 3)
    for i in range(400_000):
        positional(i, i)
        named(a=i)
        three(*values)


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
