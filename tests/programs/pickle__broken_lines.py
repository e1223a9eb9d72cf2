"""Lines of protocol 0 that are no numbers, and what is cut off: errors as the C module has them."""
import io
import pickle

for data in [b"I011\n.", b"I0x1F\n.", b"I01\n.", b"I00\n.", b"I+1\n.", b"I-12\n.", b"I 7\n.", b"I1_0\n.", b"I\n.", b"Ix\n.", b"I99999999999999999999\n.", b"I08\n.",
             b"L011\n.", b"L12L\n.", b"L\xff1\n.", b"L1x\n.", b"L\n.", b"F1.5\n.", b"F1.5x\n.", b"Fx\n.", b"F\n.", b"F 1\n.", b"F1e400\n.", b"Finf\n.",
             b"(lp\n.", b"(lpx\n.", b"(lp-1\n.", b"gx\n.", b"g7\n.", b"(lp0\ng0\n.", b"c\xff\nx\n.", b"cos", b"cos\n", b"cos\npath\n.", b"ibuiltins\nint\n.",
             b"(ibuiltins\nint\n.", b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00N.", b"S'a\n.", b"V\xe9\n.", b"P\xe9\n.", b"}(K\x01s.", b"\x8a\xff\x01", b"."]:
    try:
        value = pickle.Unpickler(io.BytesIO(data)).load()
        print(data, getattr(value, "__name__", value))
    except Exception as e:
        print(data, type(e).__name__, e)
