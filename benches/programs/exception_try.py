"""try and with blocks in which nothing is raised."""


class Context:
    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return False


def main():
    context = Context()
    n = 0
    for i in range(1_000_000):
        try:
            n += 1
        except ValueError:
            n = 0
        finally:
            n += 1
    for i in range(300_000):
        with context:
            n += 1
    return n


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
