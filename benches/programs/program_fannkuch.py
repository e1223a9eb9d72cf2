"""Pancake flips: list slices and reversals."""


def main():
    n = 9
    count = list(range(1, n + 1))
    perm1 = list(range(n))
    r, most = n, 0
    while True:
        while r != 1:
            count[r - 1] = r
            r -= 1
        if perm1[0] != 0 and perm1[n - 1] != n - 1:
            perm = perm1[:]
            flips = 0
            k = perm[0]
            while k:
                perm[: k + 1] = perm[k::-1]
                flips += 1
                k = perm[0]
            if flips > most:
                most = flips
        while r != n:
            perm1.insert(r, perm1.pop(0))
            count[r] -= 1
            if count[r] > 0:
                break
            r += 1
        else:
            return most
        r += 0 if count[r] > 0 else 1


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
