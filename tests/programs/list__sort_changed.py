"""Lists that are changed while they are sorted."""

from functools import cmp_to_key


def attempt(change):
    global items

    def compare(x, y):
        change()
        return (x > y) - (x < y)

    items = [2, 1, 3]
    try:
        items.sort(key=cmp_to_key(compare))
    except ValueError as e:
        print(e, items)
    else:
        print("sorted", items)


attempt(lambda: None)
attempt(lambda: items.append(3))
attempt(lambda: (items.append(3), items.pop()))
attempt(lambda: (items.append(3), items.clear()))
attempt(lambda: items.clear())
attempt(lambda: items.__setitem__(slice(None), []))
attempt(lambda: items.extend([]))
attempt(lambda: items.extend([1]))
seen = []
attempt(lambda: seen.append((len(items), items == [])))
print(set(seen))
attempt(lambda: items.insert(0, 0))
attempt(lambda: items.reverse())
attempt(lambda: items.sort())
