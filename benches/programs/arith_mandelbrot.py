"""Mandelbrot set with floats."""


def main():
    size, limit, inside = 250, 80, 0
    for row in range(size):
        ci = 2.0 * row / size - 1.0
        for column in range(size):
            cr = 3.0 * column / size - 2.0
            zr = zi = 0.0
            for _ in range(limit):
                zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
                if zr * zr + zi * zi > 4.0:
                    break
            else:
                inside += 1
    return inside


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
