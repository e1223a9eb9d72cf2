"""Coroutines that await each other."""


class Pause:
    def __await__(self):
        yield 1


async def leaf():
    await Pause()
    return 1


async def branch(n):
    total = 0
    for _ in range(n):
        total += await leaf()
    return total


def main():
    coroutine = branch(200_000)
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
