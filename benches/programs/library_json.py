"""Writing and reading JSON: many small objects, and one with indentation."""
import json


def main():
    data = [
        {"id": i, "name": f"item {i}", "tags": ["a", "b\n", "é"], "price": i * 1.25, "nested": {"x": None, "y": [True, False, -i]}}
        for i in range(300)
    ]
    total = 0
    for _ in range(8):
        text = json.dumps(data)
        back = json.loads(text)
        total += len(text) + len(back)
    total += len(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False))
    for item in data:
        total += len(json.dumps(item)) + json.loads('{"k": [1, 2.5, "x"]}')["k"][0]
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
