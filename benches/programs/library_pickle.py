"""Pickling and unpickling containers, instances and shared objects."""
import pickle


class Point:
    def __init__(self, x, y, label):
        self.x = x
        self.y = y
        self.label = label


def main():
    shared = ["shared", 1, 2.5]
    data = {
        "points": [Point(i, i * 0.5, f"p{i}") for i in range(400)],
        "table": {f"key {i}": (i, str(i), [i] * 3, shared) for i in range(400)},
        "bytes": bytes(range(256)) * 40,
        "numbers": list(range(2000)),
    }
    total = 0
    for protocol in (2, 4, 5, 5, 5):
        text = pickle.dumps(data, protocol)
        total += len(text) + len(pickle.loads(text)["points"])
    for i in range(1500):
        total += pickle.loads(pickle.dumps((i, "text", None)))[0]
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
