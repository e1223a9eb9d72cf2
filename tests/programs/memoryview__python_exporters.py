class A:
    def __init__(self): self.b = bytearray(b'hello')
    def __buffer__(self, flags):
        print('buffer', flags); return memoryview(self.b)
    def __release_buffer__(self, v):
        print('release', v.tobytes())
a = A()
with memoryview(a) as m:
    print(m[0])
    m[0] = 72
    try: a.b.append(1)
    except BufferError as e: print(e)
a.b.append(1)
print(bytes(a), a.b)
print(b'abc'.__buffer__(0)[0], bytearray(b'abc').__buffer__(0x1)[0])
try: b''.__buffer__(1)
except BufferError as e: print(e)
try: b''.__buffer__(1<<40)
except OverflowError as e: print(e)
class B:
    def __buffer__(self, flags): return 5
try: memoryview(B())
except TypeError as e: print(e)
x = memoryview(bytearray(b'abc')); y = x.__buffer__(0); 
try: x.release()
except BufferError as e: print(e)
x.__release_buffer__(y); x.release(); print(len(repr(x)) > 5)
