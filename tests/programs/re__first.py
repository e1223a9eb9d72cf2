"""Searches that pass over characters no match begins with: in long texts, of each width, found where they are."""
import random
import re

random.seed(7)
PATTERNS = [
    "[cgt]gggtaaa|tttaccc[acg]", "a[act]ggtaaa|tttacc[agt]t", "x+y", "x*y", "x*?y", "(?:ab)+c", "(?:ab)*c", "(?:ab){2,3}", "(?:a|b|)c", "(?=x)[xyz]",
    "(?!x)[xyz]", "(?<=a)b", "(?<!a)b", r"\bfoo\b", r"\d+", r"\D", r"\w+\s", "^a", "(?m)^a", "a$", "(?m)a$", "", "(?i)straße", "(?i)[k-m]q", "(?i)ſ", "[^a-y]",
    "[\u0100-\u0200]", "é|z", "(?>a|ab)c", "(a)?b", "(a)|b", "(?P<x>a)(?P=x)", "(?:a??)b", "a{0}b", "(?:)b", ".b", "(?s).b", "[^\n]z", "(?a)\\w!", "x?", "(?:x?)y",
    "\n", "\x00", "(?:a|[b-d]|\\d)(?:e|f)", "(?i:Q)z", "(?-i:Q)z", "(a(b(c)?)?)?d", "()b(?(1)c|d)", "x++y", "(?:xy)*+z", "[[:]a",
]
ALPHABETS = ["acgt", "abcdefxyz \n019", "abéz straSSESſK qQz!", "ab\u0101\u0150\u2028xyz", "a\U0001F600b foo \x00d"]
total = 0
for alphabet in ALPHABETS:
    for length in (0, 10, 255, 256, 257, 3000):
        text = "".join(random.choice(alphabet) for _ in range(length))
        for end in ("", "x", "tttacccg", "foo"):
            whole = text + end
            for number, pattern in enumerate(PATTERNS):
                compiled = re.compile(pattern)
                spans = [match.span() for match in compiled.finditer(whole)]
                found = compiled.search(whole, 3)
                part = compiled.search(whole, 1, max(len(whole) - 5, 0))
                key = (spans, found and found.span(), part and part.span(), len(compiled.split(whole)), compiled.sub("-", whole, count=3))
                total = (total * 31 + len(spans) + sum(a * 3 + b for a, b in spans[:50])) % 1000000007
                if length == 257 and end == "x":
                    print(repr(pattern), len(spans), spans[:3], found and found.span(), part and part.span())
print(total)
data = bytes(random.choice(b"acgtN\xff") for _ in range(5000))
for pattern in (b"agggtaaa|tttaccct", b"[cgt]gg", b"\xff+", rb"[^\x00-\x7f]N", rb"(?i)n\xff", b"(?:)", b"NN|\xff\xff", rb"(?L)\wN"):
    found = [match.span() for match in re.finditer(pattern, data)]
    print(pattern, len(found), found[:3])
scanner = re.compile("[bx]y|z").scanner("a" * 300 + "xy" + "a" * 300 + "z")
print(scanner.search().span(), scanner.search().span(), scanner.search())
