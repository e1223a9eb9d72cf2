"""Joins, splits and formats that have ways of their own for plain ASCII text and small numbers, beside those for everything else."""

import sys

print("join")
wide = "\u00e9", "\u20ac", "\U0001f600"
for sep in ("", " ", ", ", "a longer separator with more than sixteen", "\u00e9", "\u20ac"):
    for parts in ([], ["a"], ["", ""], ["", "x", ""], ["ab", "c", "def", "x" * 20], ["q"] * 5, ["a", *wide], list(wide), ("t", "u"), ("only",)):
        print(ascii(sep.join(parts)), end=" ")
    print()


class Text(str):
    def __str__(self):
        return "other"


one = "the same"
print(" ".join([one]) is one, type(" ".join([Text("a")])), " ".join([Text("a"), "b"]), Text("-").join(["a", "b"]))
for n in range(40):
    made = "".join(["x" * n, "yz"])
    assert made == "x" * n + "yz" and len(made) == n + 2 and hash(made) == hash("x" * n + "yz"), n
print("a".join(["", ""]), "".join([""]) == "", ascii("".join(["\u00e9"])))
for bad in ([1], ["a", None], ("a", b"b"), 5):
    try:
        "-".join(bad)
    except TypeError as e:
        print(e)

print("split")
for text in ("", " ", "a", " a ", "a b", "  a\tb\nc\r\x0b\x0cd\x1c\x1d\x1e\x1fe  ", "one", "x" * 40 + " y", "a\u00a0b \u2003c", "\x00 \x7f", "\x85 \u00e9"):
    print([ascii(p) for p in text.split()], text.split(None, 1) == text.split(maxsplit=1), text.rsplit(None, 1))
whole = "whole text"[:5]
print(whole.split()[0] is whole, Text("sub").split()[0] is not Text, type(Text("sub").split()[0]))
print("a,b,,c".split(","), "abc".split("b", 1), "a b c d".split(None, 2), "a b c d".split(None, 0))

print("f-strings")
a, b, c = "x", "yy" * 10, "\u00e9"
print(f"{a}{b}", f"{a}-{b}!", f"", f"{a}", ascii(f"{a}{c}"), f"{Text('t')}", f"{a!r}:{b!s:>25}|{1}{2.5}")

print("numbers")
specs = ["", "d", "5d", "5", "1d", "0d", "05d", "20d", "100d", "<5d", "+d", ",d", "x", "5.2d", "n", "c"]
for spec in specs:
    row = []
    for number in (0, 1, -1, 42, -42, 123456, -(2**61), 2**62, 2**63, 10**25, True):
        try:
            row.append(format(number, spec))
        except (ValueError, OverflowError) as e:
            row.append(str(e))
    print(spec, ascii(row))
for spec in ("f", ".0f", ".1f", ".2f", "8.2f", "3.1f", ".9f", "30.3f", "08.2f", ".10f", ".2e", ".3g", "5f", ".2", "5d", "+.1f", ".2F"):
    row = []
    for number in (0.0, -0.0, 0.5, 1.5, 2.5, -2.5, 0.125, 0.375, 1 / 3, 2 / 3, -1e-9, 5e-324, 1e15 + 0.5, 1e16, 123456789.987654321, 1e22, 1e300,
                   0.05, 0.15, 0.25, 0.35, 1.005, 2.675, 1.0000000005, 999.995, 0.9999999995, float("inf"), float("nan"), -1e-60):
        try:
            row.append(format(number, spec))
        except ValueError as e:
            row.append(str(e))
    print(spec, row)
for i in range(200):
    x = (i * 7919 % 1009 - 500) / 64
    assert f"{x:.2f}" == "%.2f" % x and f"{x:.3f}" == "%.3f" % x, x
print(f"{3:{4}}|{2.5:{6}.{2}f}|{True:d}|{True}")

print("percent")
text = "some text"
for template, operand in (("%s %d", ("a", 5)), ("%s", text), ("%d", 7), ("w%d", -3), ("%%", ()), ("100%% of %s", "x"), ("%s%s%s", ("a", 1, "b")),
                          ("%s", ("t",)), ("%s", (("t",),)), ("%s %s", ("a", 2.5)), ("%d", 2.9), ("%5d|%-5s|", (3, "a")), ("%s", True), ("%d", True),
                          ("%s", "\u00e9"), ("\u00e9%s", "a"), ("%s %s", ("a", None)), ("%d", 2**70), ("%(k)s", {"k": 1}), ("%s", [1]), ("%s!", Text("a")),
                          ("%d %d", (0, -(2**62))), ("no operand", ()), ("%c%c", ("a", 98)), ("%i%u", (1, 2)), ("%x", 255)):
    print(ascii(template % operand), end=" ")
print()
print(("%s" % text) is text)
for template, operand in (("%s %s", "a"), ("%s", ("a", "b")), ("%d", "a"), ("%", 1), ("a%", ()), ("%s%", ("a",)), ("none", 1), ("%z", 1), ("%s", ())):
    try:
        print(template % operand)
    except (TypeError, ValueError) as e:
        print(type(e).__name__, e)
