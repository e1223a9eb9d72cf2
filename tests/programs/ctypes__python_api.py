"""The functions of the C API that programs reach through ctypes.pythonapi."""

import ctypes, threading, time
api = ctypes.pythonapi
class E(Exception): pass
done = threading.Event()
seen=[]
def w():
    try:
        while True: time.sleep(0.01)
    except E as e: seen.append(type(e).__name__)
    done.set()
t = threading.Thread(target=w); t.start(); time.sleep(.05)
print(api.PyThreadState_SetAsyncExc(ctypes.c_ulong(t.ident), ctypes.py_object(E)))
print(done.wait(5), seen); t.join()
print(api.PyThreadState_SetAsyncExc(ctypes.c_ulong(1), ctypes.py_object(E)))
print(api.PyThreadState_SetAsyncExc(ctypes.c_ulong(threading.get_ident()), None))
import sys
api.PyUnicode_FromString.restype=ctypes.py_object
print(api.PyUnicode_FromString(b"abc\xc3\xa9"))
try: api.PyUnicode_FromString(b"abc\xff")
except UnicodeDecodeError as e: print(e)
x=[1]
n=sys.getrefcount(x)
api.Py_IncRef(ctypes.py_object(x)); print(sys.getrefcount(x)-n); api.Py_DecRef(ctypes.py_object(x)); print(sys.getrefcount(x)-n)
api.PyObject_Repr.restype=ctypes.py_object
print(api.PyObject_Repr(ctypes.py_object(x)), sys.getrefcount(x)-n)
api.PyBytes_FromStringAndSize.restype=ctypes.py_object
print(api.PyBytes_FromStringAndSize(b"hello", 3))
try: print(api.PyBytes_FromStringAndSize(b"hello", -3))
except SystemError as e: print(e)
print(api.PyGILState_Check())
s = api.PyGILState_Ensure(); api.PyGILState_Release(s)
print(api.Py_IsInitialized())
try: api.PyNoSuch
except AttributeError: print("none")
