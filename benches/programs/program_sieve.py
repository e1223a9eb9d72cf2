"""Primes by a sieve in a list and in a bytearray."""


def main():
    total = 0
    for make in (lambda n: [1] * n, lambda n: bytearray([1]) * n):
        n = 400_000
        flags = make(n)
        flags[0] = flags[1] = 0
        i = 2
        while i * i < n:
            if flags[i]:
                for j in range(i * i, n, i):
                    flags[j] = 0
            i += 1
        total += sum(flags)
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
