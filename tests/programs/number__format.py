# Format specifications of int, bool and float.
def attempt(value, spec):
    try:
        return repr(format(value, spec))
    except (ValueError, OverflowError, TypeError) as e:
        return f"{type(e).__name__}: {e}"


INTS = [0, 1, -1, 42, -12345, 123456789, 2**70, -(2**70), True, 97, 0x10ffff, 0x110000]
INT_SPECS = ["", "d", "5", "<8", ">8", "^9", "=+9", "08", "+", " ", "-", ",", "_", ",d", "_d", "012,", "b", "#b", "_b", "o", "#o", "x", "#x", "X", "#X", "#_x", "c", "5c", "<5c", "n", "e", ".3e", "f", ".2f", "g", "%", ".0%", "*^20,", "é>10", "#012x", "+#x", "z", "zd", ".3", ".3d", ",x", "_n", "s", "q", "10.2f", ",.2f", "010d", "<010", "{", "1.", ",_", "+c"]
for spec in INT_SPECS:
    for n in INTS:
        print(repr(spec), n, attempt(n, spec))
inf, nan = float("inf"), float("nan")
FLOATS = [0.0, -0.0, 1.0, 1.5, -2.5, 1234567.891, 1e-5, 1e22, 123456789012345680.0, 5e-324, 1.7976931348623157e308, inf, -inf, nan, 0.1, 1 / 3, 999999.5, 99999950.0]
FLOAT_SPECS = ["", "f", ".0f", ".1f", ".3f", "#.0f", "e", ".0e", ".2e", "#.0e", "E", "F", "g", ".3g", "#g", "G", ".10g", "n", "%", ".1%", "10", "<12", ">12", "^12", "=12", "+", " ", "012.2f", "+010.1f", ",", ",.2f", "_.2f", "_", "*^20.3f", "z.0f", "z", "+z.1f", "r", "d", ".", "010", "<010.1f", ".20", ".17g", ".50f", "012,.2f", "x", "_e", ",g", ",n", "0=10", ".3", ".1", "5.3", "-", "#", "#.3"]
for spec in FLOAT_SPECS:
    for x in FLOATS:
        print(repr(spec), x, attempt(x, spec))
for text in ["%d", "%5d", "%-5d|", "%05d", "%+d", "% d", "%x", "%#x", "%o", "%#o", "%X", "%i", "%u", "%e", "%.2f", "%g", "%c", "%s", "%r", "%10.4f", "%%%d", "%.3d", "%*d"]:
    for value in (42, -42, 10**20):
        try:
            print(text, repr(text % ((7, value) if "*" in text else value)))
        except (ValueError, OverflowError, TypeError) as e:
            print(text, type(e).__name__, e)
