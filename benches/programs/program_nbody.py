"""The planets' motion: floats in lists and tuples."""

PI = 3.141592653589793
SOLAR_MASS = 4 * PI * PI
YEAR = 365.24


def bodies():
    return [
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], SOLAR_MASS),
        ([4.84143144246472090, -1.16032004402742839, -0.103622044471123109],
         [0.00166007664274403694 * YEAR, 0.00769901118419740425 * YEAR, -0.0000690460016972063023 * YEAR],
         0.000954791938424326609 * SOLAR_MASS),
        ([8.34336671824457987, 4.12479856412430479, -0.403523417114321381],
         [-0.00276742510726411 * YEAR, 0.00499852801234917238 * YEAR, 0.0000230417297573763929 * YEAR],
         0.000285885980666130812 * SOLAR_MASS),
        ([12.8943695621391310, -15.1111514016986312, -0.223307578892655734],
         [0.00296460137564761618 * YEAR, 0.00237847173959480950 * YEAR, -0.0000296589568540237556 * YEAR],
         0.0000436624404335156298 * SOLAR_MASS),
        ([15.3796971148509165, -25.9193146099879641, 0.179258772950371181],
         [0.00268067772490389322 * YEAR, 0.00162824170038242295 * YEAR, -0.0000951592254519715870 * YEAR],
         0.0000515138902046611451 * SOLAR_MASS),
    ]


def pairs_of(items):
    return [(items[i], items[j]) for i in range(len(items)) for j in range(i + 1, len(items))]


def advance(dt, n, system, pairs):
    for _ in range(n):
        for (p1, v1, m1), (p2, v2, m2) in pairs:
            dx = p1[0] - p2[0]
            dy = p1[1] - p2[1]
            dz = p1[2] - p2[2]
            mag = dt * ((dx * dx + dy * dy + dz * dz) ** -1.5)
            b1, b2 = m1 * mag, m2 * mag
            v1[0] -= dx * b2
            v1[1] -= dy * b2
            v1[2] -= dz * b2
            v2[0] += dx * b1
            v2[1] += dy * b1
            v2[2] += dz * b1
        for r, v, _m in system:
            r[0] += dt * v[0]
            r[1] += dt * v[1]
            r[2] += dt * v[2]


def main():
    system = bodies()
    advance(0.01, 30_000, system, pairs_of(system))


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
