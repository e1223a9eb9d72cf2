"""pickle.PickleBuffer of views: what it exports is the view, not the object behind it."""

import pickle


def attempt(f):
    try:
        return f()
    except Exception as e:
        return f"{type(e).__name__}: {e}"


data = bytearray(b"abcdefgh")
part = pickle.PickleBuffer(memoryview(data)[2:5])
print(bytes(part), bytes(part.raw()), pickle.loads(pickle.dumps(part, 5)))
out = []
text = pickle.dumps(part, 5, buffer_callback=out.append)
print([bytes(b) for b in out], b"abcdefgh" in text, pickle.loads(text, buffers=[b"x"]))
memoryview(part)[0] = ord("C")
print(data)

fixed = pickle.PickleBuffer(memoryview(data).toreadonly())
print(memoryview(fixed).readonly, fixed.raw().readonly, type(pickle.loads(pickle.dumps(fixed, 5))))

gaps = pickle.PickleBuffer(memoryview(data)[::2])
print(bytes(gaps), attempt(gaps.raw), attempt(lambda: pickle.dumps(gaps, 5)))
back = pickle.PickleBuffer(memoryview(data)[::-1])
print(bytes(back), attempt(back.raw))

wide = pickle.PickleBuffer(memoryview(data).cast("H")[1:3])
view = memoryview(wide)
print(view.format, view.shape, wide.raw().format, bytes(wide.raw()), pickle.loads(pickle.dumps(wide, 5)))
square = pickle.PickleBuffer(memoryview(data).cast("B", (2, 4)))
print(memoryview(square).shape, square.raw().shape, bytes(square.raw()))

source = memoryview(data)[1:3]
whole = pickle.PickleBuffer(data)
print(memoryview(whole).obj is data, memoryview(pickle.PickleBuffer(source)).obj is data)
print(attempt(lambda: data.append(1)))
for held in (part, fixed, gaps, back, wide, square, whole):
    held.release()
print(attempt(lambda: bytes(whole)), attempt(whole.raw), attempt(lambda: pickle.dumps(whole, 5)))

# Digits of large ints have their limit here too.
for protocol in 0, 1, 2:
    print(attempt(lambda: len(pickle.dumps(1 << 50_000, protocol))), attempt(lambda: pickle.dumps(-(10**25), protocol)))
