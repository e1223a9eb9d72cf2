"""Records how CPython formats and reads numbers and texts: `python3.13 record_formats.py > formats.txt`.

A line is tab-separated: operation, arguments, answer. Texts are `unicode_escape`, floats `float.hex`; an answer after
`!` is the exception, after `=` the value. Specs with a separator in the fraction are new in 3.14 and left out.
"""
import _string
import random
import re

random.seed(314)
NEW = re.compile(r"\.\d*[,_]")


def esc(text):
    return text.encode("unicode_escape").decode()


def ask(run, *fields):
    try:
        answer = "=" + esc(str(run()))
    except Exception as e:
        answer = f"!{type(e).__name__}: {esc(str(e))}"
    print("\t".join([*fields, answer]))


FLOATS = [0.0, -0.0, 1.0, -1.0, 0.1, 0.5, 1.5, 2.5, 1e16, 1e15, 123456789012345680.0, 9999999999999998.0, 1e-4, 1e-5, 0.00012345,
          1e22, 1e23, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 9.5, 99.5, 999999.5, 0.05, 0.15, 0.25,
          0.000123456789, 1234567.891, float("inf"), float("-inf"), float("nan"), 2.675, 1e100, 2.0**-44, 9007199254740993.0,
          5.5, -0.001, -0.4, 6.02e23, 123456.0, 1e5, 1e6, 999999.9999999, 0.0001, 0.00001]
FLOATS += [2.0**k for k in range(-1074, 1024, 37)]
FLOATS += [random.uniform(-1, 1) * 10.0 ** random.randrange(-30, 30) for _ in range(150)]
for _ in range(150):
    FLOATS.append(float.fromhex(f"0x1.{random.getrandbits(52):013x}p{random.randrange(-1022, 1024)}"))


def some_float():
    return random.choice(FLOATS)


for x in FLOATS + [2.0**k for k in range(-1074, 1024, 3)] + [2.0**k for k in range(-60, 60)]:
    ask(lambda: repr(x), "repr", x.hex())
for x in FLOATS[:150]:
    ask(lambda: x.hex(), "hex", x.hex())
for _ in range(700):
    x = some_float()
    n = random.choice([0, 1, 2, 3, 5, 10, 15, 17, 20, 50, 320, -1, -2, -3, -5, -20, -100, -300, -308, -309, 323, 324])
    ask(lambda: float.hex(round(x, n)), "round", x.hex(), str(n))
for x, n in [(25.0, -1), (35.0, -1), (9.5e22, -23), (5e22, -23), (1.7e308, -308), (1.2e308, -308), (1e308, -309), (5.0, -1),
             (5.000001, -1), (-7.5, -1), (0.5, 0), (-0.4, 0), (1.7976931348623157e308, -308), (9e307, -308)]:
    ask(lambda: float.hex(round(x, n)), "round", x.hex(), str(n))
for text in ["1_0.0_1", "1_.0", "1._0", "1e_5", "1e1_0", "1_e5", "inf_", "in_f", ".5", "5.", ".", "e5", "1e", "1e+", "infinity",
             "iNf", "-nan", "+inf", "nan(1)", "0x10", "1.5\0", "\uff11.\uff15", "1e400", "-1e-400", "_1.0", "1__0", "1e5_", "\x1c5",
             "\xa05", "5\x85", "", " ", "+", "1.5e3 ", "\t1\v", "--1", "1 2", "\u0661e\u0662", "infinit", "+-1", "1e5.5"]:
    ask(lambda: float(text), "float", esc(text))
for text in ["1+2j", "1-2J", "(1+2j)", " ( 1+2j ) ", "j", "+j", "-j", "1+j", "1+", "2j+1", "1e5j", "nan+infj", "infj", "inf",
             "1_0+2_0j", "(1", "1)", "1+2", "1 + 2j", "1+ 2j", "", "()", "1j ", "--1j", "1+-2j", "1e", "i", "1e5+1e-3j", ".5j",
             "(j)", "1jj", "1.5.5", "0x1j", "infinity-nanj", "\uff11+\uff12j", "1_+1j", "_1j", "((1))", "( )", "1+1e5j", "1e5-j"]:
    ask(lambda: complex(text), "complex", esc(text))
for text in ["0x1p3", "1p3", "0x.8", "0x1.", ".", "0x", "", "0x1.8p", "0x1p+", "inf", "-nan", "  0x1 ", "0x1p-1075", "0x1p-1074",
             "0x1.8p-1074", "0x1p1024", "0x1.fffffffffffff7p1023", "0x1.fffffffffffff8p1023", "1.0000000000000080000001",
             "0x1.00000000000008", "0x1.00000000000018", "0x1p99999999999999999", "0x1p-99999999999999999", "infinity",
             "0x0p99999999999999999", "0x1_0", "0x" + "0" * 50 + "1", "nan1", "0x1p1p1", "+0X1P+3", "-0x0p0", "\u0661",
             "0x1.ffffffffffffffffffp0", "0x0.00000000000001p-1020", "0x1.00000000000001p-1022", "0x1.8p-1075",
             "0x0.8p-1074", "0x0.80000000000000000000001p-1074", "0x3p-1076", "0x" + "f" * 300, "0x." + "0" * 300 + "1p1200"]:
    ask(lambda: float.fromhex(text).hex(), "fromhex", esc(text))
for _ in range(200):
    text = f"0x{random.getrandbits(random.choice([4, 20, 52, 60, 64, 70, 130])):x}p{random.randrange(-1140, 1000)}"
    ask(lambda: float.fromhex(text).hex(), "fromhex", esc(text))
for text in ["0_0", "00", "01", "0x_f", "_1", "1_", "1__0", "0b", "0o8", "-0x10", "- 5", "+5", "", "  ", "0x", "-", "+", "0xg", "0_7",
             "0B101", "0O17", "zz", "Z1", "\u0663", "\xa05", "\u06605", "5\x85", "\x1c5", "1\0", "0_", "12345678901234567890", "0b1_0",
             "-9223372036854775808", "9223372036854775807", "0_0_0", "0__0", "0x__1", "+0b1", "\uff11_\uff12", "1 2", "\t7\n"]:
    for base in [0, 2, 8, 10, 16, 36]:
        ask(lambda: int(text, base), "int", str(base), esc(text))

INTS = [0, 1, -1, 3, -3, 97, 255, -255, 1000, -1000, 12345, 1234567, -1234567, 2**31, 2**63 - 1, -2**63, 2**64, 10**30, -10**30,
        10**310, 0xd800, 0x10ffff, 0x110000]
WIDTHS = ["", "", "1", "5", "07", "08", "09", "010", "12", "015", "20", "025"]
ALIGNS = ["", "", "", "<", ">", "^", "=", "*<", "*>", "*^", "*=", "0=", "\uac00^", "\xe9>"]
SIGNS = ["", "", "", "+", "-", " "]
for _ in range(1200):
    value = random.choice(INTS)
    spec = (random.choice(ALIGNS) + random.choice(SIGNS) + random.choice(["", "", "", "", "", "z"]) + random.choice(["", "", "#"])
            + random.choice(WIDTHS) + random.choice(["", "", "", ",", "_"]) + random.choice(["", "", "", "", ".3", ".0", "."])
            + random.choice(["", "", "d", "x", "X", "o", "b", "c", "n", "e", "f", "g", "%", "s", "q", "G"]))
    if not NEW.search(spec) and spec:
        ask(lambda: format(value, spec), "format_int", str(value), esc(spec))
for _ in range(1800):
    value = some_float()
    spec = (random.choice(ALIGNS) + random.choice(SIGNS) + random.choice(["", "", "", "z"]) + random.choice(["", "", "#"])
            + random.choice(WIDTHS) + random.choice(["", "", "", ",", "_"])
            + random.choice(["", "", ".0", ".1", ".2", ".3", ".6", ".10", ".17", ".30", "."])
            + random.choice(["", "", "e", "E", "f", "F", "g", "G", "n", "%", "d", "s"]))
    if not NEW.search(spec) and spec:
        ask(lambda: format(value, spec), "format_float", value.hex(), esc(spec))
for spec in [".1200f", ".1200e", ".1200g", ".1200%"]:
    ask(lambda: format(5e-324, spec), "format_float", 5e-324.hex(), spec)
for _ in range(500):
    value = complex(some_float(), some_float())
    spec = (random.choice(ALIGNS) + random.choice(SIGNS) + random.choice(["", "", "", "z"]) + random.choice(["", "", "#"])
            + random.choice(WIDTHS) + random.choice(["", "", "", ",", "_"]) + random.choice(["", "", ".0", ".2", ".10"])
            + random.choice(["", "", "", "e", "E", "f", "F", "g", "G", "n", "%", "d"]))
    if not NEW.search(spec) and spec:
        ask(lambda: format(value, spec), "format_complex", value.real.hex(), value.imag.hex(), esc(spec))
for real in [0.0, -0.0, 1.0, -1.5, float("inf"), float("nan"), 1e16]:
    for imag in [0.0, -0.0, 1.0, -2.5, float("-inf"), float("nan"), 1e-5]:
        ask(lambda: repr(complex(real, imag)), "repr_complex", real.hex(), imag.hex())
for _ in range(500):
    value = random.choice(["", "a", "abc", "h\xe9llo", "\uac00\ub098\ub2e4", "\U0001f600x", "abcdefghij"])
    spec = (random.choice(ALIGNS) + random.choice(["", "", "", "", "+", " ", "-"]) + random.choice(["", "", "", "", "z"])
            + random.choice(["", "", "", "", "#"]) + random.choice(WIDTHS) + random.choice(["", "", "", "", ",", "_"])
            + random.choice(["", "", ".0", ".2", ".5", "."]) + random.choice(["", "", "s", "s", "d", "c", "\u1234", "\x7f"]))
    if not NEW.search(spec):
        ask(lambda: format(value, spec), "format_str", esc(value), esc(spec))
for spec in ["q", "ll", "  >5", ">>5", "x<", "{<5", ",_", "_,", "__", ",,", "10,,", "+-5", "dd", "5d5", "99999999999999999999",
             ".99999999999999999999", "1.", "e,", "\x00", "\u1234", "\xe9", "\u06635", "x5", ",\x01", "_c", ".2147483648e"]:
    ask(lambda: format(3, spec), "format_int", "3", esc(spec))
    ask(lambda: format(3.5, spec), "format_float", 3.5.hex(), esc(spec))
    ask(lambda: format("abc", spec), "format_str", "abc", esc(spec))

for _ in range(1200):
    letter = random.choice("diuoxXeEfFgG")
    spec = ("%" + "".join(random.choices("-+ #0", k=random.randrange(4))) + random.choice(["", "", "1", "5", "12", "20"])
            + random.choice(["", "", ".", ".0", ".2", ".7", ".15"]) + random.choice(["", "", "l", "h", "L"]) + letter)
    if letter in "eEfFgG":
        value = some_float()
        ask(lambda: spec % value, "percent_float", spec, value.hex())
    else:
        value = random.choice(INTS[:-4])
        ask(lambda: spec % value, "percent_int", spec, str(value))
for _ in range(150):
    spec = ("%" + "".join(random.choices("-+ #0", k=random.randrange(3))) + random.choice(["", "1", "5", "12"])
            + random.choice(["", "", ".", ".0", ".2", ".7"]) + "s")
    value = random.choice(["", "abc", "h\xe9llo", "\uac00\ub098\ub2e4"])
    ask(lambda: spec % value, "percent_str", spec, esc(value))
for template in ["%", "%5", "%(", "%(a", "%(a)", "abc%y", "%5.y", "%l", "%hhd", "%-", "%.", "%99999999999999999999d",
                 "%.99999999999999999999d", "%.2147483648d", "%5%", "%-5%|", "%(a)%", "%\xe9", "%\x01", "%\ud800", "%10",
                 "%#", "%.5", "%5.", "%L", "%(a)(b)s", "%llld", "%.3%", "%%", "a%%b%%%%", "%%%%%(a)d%%", "plain", "", "%(a)d%%"]:
    ask(lambda: template % {"a": 1}, "percent_error", esc(template))

for template in ["", "a", "{", "}", "{}", "{{", "}}", "{a", "{a!", "{a!r", "{a!r}", "{a!rx}", "{a:", "{a:{", "{a:{}", "{a:{}}",
                 "{a:{{}}}", "{a!}", "{a!}}", "{!r}", "{:}", "{a.b[c]!s:>{w}}x", "}a", "a}", "{a}}", "{{a}", "{a:}}", "{a[}]}",
                 "{a[:]}", "{a[!]}", "{a{b}}", "{a:b{c}d}", "{:{}{}}", "{a!r:", "{!", "{!}", "{a!rr:}", "{a!:}", "{ : }", "{0[{]}",
                 "{[}", "{]}", "x{y}z{w}", "{a[b]", "{a:{b", "\uac00{\uac00}{{", "{a!\uac00}", "x{{{a}}}y"]:
    ask(lambda: [tuple(part) for part in _string.formatter_parser(template)], "markup", esc(template))
for name in ["", "a", "0", "a.b", "a[b]", "a[0]", "0.b[1].c", "a.", "a[", "a[]", "a[b", "a[b]c", "a..b", ".b", "[b]", "a.b[",
             "a[0][1]", "99999999999999999999", "a[99999999999999999999]", "007", "-1", "a[-1]", "a[ 1]", " 0", "\u0661",
             "a[\u0661]", "a.b]", "a]", "a[b.c]", "a[b[c]", "a.0", "0a"]:
    def split():
        first, rest = _string.formatter_field_name_split(name)
        return [first, *rest]
    ask(split, "field_name", esc(name))
