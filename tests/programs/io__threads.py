# Streams that threads share: nothing is lost, lines stay whole.
import io
import os
import threading

path = f"/tmp/lisle-io-threads-{os.getpid()}"
THREADS, COUNT = 6, 300


def run(target):
    threads = [threading.Thread(target=target, args=(n,)) for n in range(THREADS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


expected = sorted(f"thread {n} line {i} {'x' * (i % 50)}\n" for n in range(THREADS) for i in range(COUNT))

with open(path, "w", encoding="utf-8") as f:
    run(lambda n: [f.write(f"thread {n} line {i} {'x' * (i % 50)}\n") for i in range(COUNT)])
with open(path, encoding="utf-8") as f:
    print("text writers", sorted(f) == expected)

with open(path, "rb") as f:
    seen = [[] for _ in range(THREADS)]
    run(lambda n: seen[n].extend(iter(f.readline, b"")))
    print("binary readers", sorted(line.decode() for part in seen for line in part) == expected)

with open(path, encoding="utf-8") as f:
    seen = [[] for _ in range(THREADS)]
    run(lambda n: seen[n].extend(iter(f.readline, "")))
    print("text readers", sorted(line for part in seen for line in part) == expected)

with open(path, "wb", buffering=64) as f:
    run(lambda n: [f.write(f"thread {n} line {i} {'x' * (i % 50)}\n".encode()) for i in range(COUNT)])
with open(path, encoding="utf-8") as f:
    print("binary writers", sorted(f) == expected)

b, s = io.BytesIO(), io.StringIO()
run(lambda n: [(b.write(b"%d\n" % n), s.write(f"{n}\n")) for _ in range(COUNT)])
print("memory", [b.getvalue().count(b"%d\n" % n) for n in range(THREADS)], [s.getvalue().count(f"{n}\n") for n in range(THREADS)])

# One closes while others work: errors, but nothing worse.
for mode in ("w", "wb", "r", "rb", "r+b"):
    f = open(path, mode)
    errors = set()

    def work(n):
        try:
            for i in range(200):
                if n == 0 and i == 50:
                    f.close()
                if "r" in mode:
                    f.readline()
                    f.seek(0)
                else:
                    f.write("text\n" if mode == "w" else b"bytes\n")
        except (ValueError, OSError) as exc:
            errors.add(type(exc).__name__)

    run(work)
    print(mode, f.closed)
os.remove(path)
