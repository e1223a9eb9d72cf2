"""What is written, byte for byte: batches, memo numbers, frames; and dicts that change meanwhile."""
import hashlib
import io
import pickle
import threading


def digest(value):
    out = []
    for protocol in range(6):
        text = pickle.dumps(value, protocol)
        back = pickle.loads(text)
        same = "same" if back == value and type(back) is type(value) else "other"
        out.append(f"{len(text)}:{hashlib.sha256(text).hexdigest()[:8]}:{same}")
    return " ".join(out)


class Point:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return self.x == other.x


SIZES = (0, 1, 2, 3, 999, 1000, 1001, 1999, 2000, 2001)
for n in SIZES:
    print("list", n, digest(list(range(n))))
    print("dict", n, digest({i: str(i) for i in range(n)}))
    print("tuple", n, digest(tuple(range(n))))
    print("texts", n, digest([f"text {i % 300}" for i in range(n)]))
for n in (0, 1, 255, 256, 65535, 65536, 70000):
    print("str", n, digest("x" * n), digest("é" * n), digest("\U00010000" * n))
    print("bytes", n, digest(b"x" * n))
print("surrogate", digest("a\ud800b"))
for number in (0, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -1, -(2**31), -(2**31) - 1, 2**62, -(2**62), 2**63, 10**40, -(10**600)):
    print("int", number if abs(number) < 2**70 else "long", digest(number))
print("others", digest([None, True, False, 1.5, -0.0, float("inf"), ..., NotImplemented, 2j]))
shared = ["shared"]
print("shared", digest([shared, shared, (shared, shared), {"a": shared}]))
print("points", digest([Point(i) for i in range(5)]))
print("many", digest([[str(i)] for i in range(300)] * 2))

itself = []
itself.append(itself)
for protocol in range(6):
    back = pickle.loads(pickle.dumps(itself, protocol))
    print("itself", protocol, len(back), back[0] is back)
pair = ([],)
pair[0].append(pair)
for protocol in range(6):
    back = pickle.loads(pickle.dumps(pair, protocol))
    print("tuple itself", protocol, back[0][0] is back)


class Grows:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        self.target[len(self.target)] = 0
        return int, (1,)


class Appends:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        if len(self.target) < 6:
            self.target.append(7)
        return int, (1,)


growing = {}
growing[0] = Grows(growing)
growing[1] = 1
try:
    pickle.dumps(growing)
except RuntimeError as exc:
    print(type(exc).__name__, exc)
appended = []
appended += [Appends(appended), 2]
print("appended", pickle.loads(pickle.dumps(appended)))

# A pickler's memo, and one that is shared between dumps.
stream = io.BytesIO()
pickler = pickle.Pickler(stream, 4)
pickler.dump(["text", "other"])
first = stream.tell()
pickler.dump(["text", "new"])
print("memo", first, stream.tell(), len(pickler.memo.copy()))
copied = pickler.memo
other = pickle.Pickler(io.BytesIO(), 4)
other.memo = copied
print("copied", sorted(number for number, _ in other.memo.copy().values()))
pickler.clear_memo()
print("cleared", len(pickler.memo.copy()))

for text in (b"\x80\x04}(K\x01u.", b"(K\x01u.", b"u.", b"K\x01(s.", b"(K\x01K\x02u.", b"]K\x01s.", b"\x86.", b"K\x01\x86.", b"(\x85.", b"K\x01(K\x02\x86.", b"a.", b"]a.", b"h\x05.", b"\x94.", b"(."):
    try:
        print(text, pickle.loads(text))
    except Exception as exc:
        print(text, type(exc).__name__, exc)


# One dict, pickled by several threads while one of them changes values.
table = {f"key {i}": [i] for i in range(400)}
failures = []


def work():
    for _ in range(20):
        back = pickle.loads(pickle.dumps(table))
        if len(back) != 400 or any(type(value) is not list for value in back.values()):
            failures.append(back)


def change():
    for n in range(2000):
        table[f"key {n % 400}"] = [n]


threads = [threading.Thread(target=work) for _ in range(3)] + [threading.Thread(target=change)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("failures", len(failures))
