"""Attributes that threads read while others add, delete and replace them: what is there is found, with its own value."""
import threading


class Few:
    kept = "of the class"
    gone = "of the class"


class Many:
    kept = "of the class"
    gone = "of the class"


def storm(cls, extra, change):
    wrong = []
    for _ in range(150):
        obj = cls()
        obj.kept = "of the instance"
        obj.gone = "of the instance"
        for i in range(extra):
            setattr(obj, f"a{i}", i)
        last = f"a{extra - 1}"
        start = threading.Barrier(4)

        def read():
            start.wait()
            for _ in range(60):
                if obj.kept != "of the instance":
                    wrong.append("kept")
                if getattr(obj, last) != extra - 1:
                    wrong.append(last)
                if obj.gone not in ("of the instance", "of the class"):
                    wrong.append("gone")

        def write():
            start.wait()
            change(obj)

        threads = [threading.Thread(target=f) for f in (read, read, read, write)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    return sorted(set(wrong))


def delete(obj):
    del obj.gone


def show(obj):
    obj.__dict__["more"] = 1


def add(obj):
    for i in range(40):
        setattr(obj, f"b{i}", i)
    del obj.gone


for change in (delete, show, add):
    print(change.__name__, storm(Few, 2, change), storm(Many, 25, change))
