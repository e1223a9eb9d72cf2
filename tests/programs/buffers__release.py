# `__buffer__` and `__release_buffer__` of Python classes; comparisons of buffers; separators in use.
class Lender:
    def __init__(self):
        self.held = False
        self.data = bytearray(b"hello")
        self.view = None

    def __buffer__(self, flags):
        self.held = True
        self.view = memoryview(self.data)
        return self.view

    def __release_buffer__(self, buffer):
        print("released", buffer is self.view, buffer.tobytes())
        self.held = False


lender = Lender()
with memoryview(lender) as view:
    print(lender.held, view.tobytes())
print(lender.held)
try:
    lender.data.clear()
except BufferError as error:
    print(error)
lender.view.release()
lender.data.clear()
print(lender.data)


class Watching(bytearray):
    def __release_buffer__(self, buffer):
        for use in (lambda: memoryview(buffer), lambda: buffer.cast("b"), lambda: buffer[:1], lambda: buffer.toreadonly()):
            try:
                use()
                print("allowed")
            except ValueError as error:
                print(error)
        print("given back", buffer.tobytes())
        super().__release_buffer__(buffer)


watching = Watching(b"abc")
with memoryview(watching) as view:
    print(view.tobytes())
watching.clear()
print(watching)

for a, b in ((b"ab", memoryview(b"ab")), (bytearray(b"ab"), memoryview(b"ab")), (b"ab", bytearray(b"ac"))):
    row = [a == b, b == a, a != b]
    for compare in (lambda: a < b, lambda: b > a, lambda: a >= b):
        try:
            row.append(compare())
        except TypeError as error:
            row.append(str(error))
    print(row)

separator = bytearray(b",")


def parts():
    separator.clear()
    yield b"a"
    yield b"b"


try:
    separator.join(parts())
except BufferError as error:
    print(error)
print(separator.join([b"a", b"b"]))


class Text(bytes):
    pass


class Giver:
    def __bytes__(self):
        return Text(b"given")


print(type(bytes(Giver())).__name__, bytes(Giver()))


class Tagged(bytearray):
    pass


import copy
import pickle

tagged = Tagged(b"\x00\xff")
tagged.note = [1]
for protocol in range(6):
    again = pickle.loads(pickle.dumps(tagged, protocol))
    print(type(again).__name__, again, again.note)
print(copy.deepcopy(tagged).note, bytearray(b"q").__reduce_ex__(2), bytearray().__reduce_ex__(4))
