# What is empty stays empty, however often it is taken, and at once; when the compiler computes it too.
import array
import collections
import operator

n = 2**60
for empty in [], (), "", b"", bytearray(), array.array("i"), collections.deque():
    print(operator.mul(empty, n), operator.mul(n, empty))
items = []
items *= n
print(items, [] * 2**60, () * 2**60, "" * 2**60, b"" * 2**60, 2**60 * (), (2**62) * "")
for sequence in [1], (1,), "a", b"a":
    try:
        print(sequence * (n * 4))
    except (MemoryError, OverflowError):
        print("too long")
    print(sequence * 0, sequence * -n, sequence * 2)
