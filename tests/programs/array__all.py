# Arrays of every kind: items that fit and do not, slices, buffers, pickles.
from array import array, ArrayType, typecodes
import array as m
def err(f,*a,**k):
    try: print(f(*a,**k))
    except BaseException as e: print(type(e).__name__, e)
print(typecodes, ArrayType is array)
for c in 'bBhHiIlLqQfd':
    a=array(c,[1,2,3]); print(a, a.itemsize, a.tobytes(), a==array('d',[1,2,3]), a[1:], a[::-1], a*2, a+a)
    for v in (-1, 2**7, 2**8, 2**15, 2**16, 2**31, 2**32, 2**63, 2**64, -2**63-1, 1.5, 'x', None): err(a.append, v)
    print(a)
w=array('w','héllo\U0001F600'); print(w, w.tounicode(), len(w), w[0]); err(w.append,'ab'); err(w.append,3); w.fromunicode('zz'); print(w)
err(array); err(array,1); err(array,'ii'); err(array,'i','abc'); err(array,'i',w); err(array,'i',a=1); err(array,'i',b'abc')
a=array('i',range(10)); del a[2]; del a[::3]; print(a); a[1:3]=array('i',[7,8,9]); print(a); a[::2]=array('i',[0]*len(a[::2])); print(a); err(a.__setitem__,slice(None,None,2),array('i',[1])); err(a.__setitem__,slice(0,1),[1]); err(a.__setitem__,slice(0,1),array('b',[1])); err(lambda:a[100]); err(a.__setitem__,100,1); err(lambda:a['x']); err(a.__getitem__, 1.5)
a.insert(1,55); a.insert(-1,66); print(a, a.index(55), a.count(0), 55 in a, a.pop(), a.pop(0)); err(a.pop,99); err(array('i').pop); err(a.remove,1234); err(a.index,1234); a.remove(55); print(a); a.reverse(); print(a); a.byteswap(); print(a)
a.extend([1,2]); a.extend(array('i',[3])); err(a.extend,array('b',[3])); err(a.fromlist,(1,)); a.fromlist([5]); err(a.fromlist,[1,'x']); a.frombytes(b'\0\0\0\1'); err(a.frombytes,b'abc'); print(a); err(lambda:a+[1]); err(lambda:a+array('b',[1]))
a+=array('i',[9]); a*=2; print(a, a<array('i',[9999999]), a!=a, array('d',[float('nan')])==array('d',[float('nan')]))
mv=memoryview(a); print(mv.format, mv.shape, mv.itemsize); err(a.append,1); mv[0]=42; print(a[0]); mv.release(); a.append(1); print(bytes(array('h',[1,2])), bytearray(array('B',[1,2])))
print(a.__reduce_ex__(2)[1][0], a.__reduce_ex__(4)[1][1:3], list(iter(a))[:2], iter(a).__reduce__()[2]); a.clear(); print(a)
print(m._array_reconstructor(array,'i',9,b'\0\0\0\1'), m._array_reconstructor(array,'w',18,'hé'.encode('utf-16-le')), m._array_reconstructor(array,'d',17,b'\x40\x09\x21\xfb\x54\x44\x2d\x18'))

# Every other item of many goes away at once.
import time
before = time.monotonic()
for code in "bhiq":
    large = array(code, bytes(8_000_000))
    large[0] = large[2] = 1
    large[-1] = 2
    del large[1::2]
    print(code, len(large), large[:3], large[-1])
print(time.monotonic() - before < 20)
for part in (slice(None, None, 3), slice(None, None, -2), slice(7, 2, -1), slice(2, 9, 4), slice(9, 2), slice(-3, None), slice(None)):
    for code in "bq":
        small = array(code, range(10))
        del small[part]
        expected = list(range(10))
        del expected[part]
        print(part, small.tolist(), small.tolist() == expected)
for one, other in (
    (array("i", range(9000)), array("i", range(9000))),
    (array("i", range(9000)), array("i", [*range(8999), 0])),
    (array("i", range(9000)), array("q", range(8000))),
    (array("d", [0.0] * 5000), array("d", [-0.0] * 5000)),
    (array("d", [float("nan")]), array("d", [float("nan")])),
    (array("b", [-1, 2]), array("B", [255, 2])),
    (array("H", [1, 2]), array("d", [1, 2.5])),
):
    print(one == other, one != other, one < other, one <= other, one > other, one >= other)
