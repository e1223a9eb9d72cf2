"""Records what CPython's methods of str and bytes answer: `python3.13 record_strings.py > strings.txt`.

A line is tab-separated: type, method, the receiver, arguments, the repr of the answer. Texts, and bytes read as
Latin-1, are `unicode_escape`.
"""
import random

random.seed(314)
ALPHABETS = ["ab ", "a\u00e9 \t\n", "a\uac00b\u3000", "a\U0001f600\uac00\u00e9", "ab\r\n\x1c\x85\u2028", "\u03a3\u03c3aA'\u0301 \u01c5\u00df",
             "\t ab-+", "aA zZ1\u0130\u0149\ufb01"]


def esc(text):
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    return text.encode("unicode_escape").decode()


def text(most):
    alphabet = random.choice(ALPHABETS)
    return "".join(random.choices(alphabet, k=random.randrange(most)))


def ask(kind, name, receiver, *arguments):
    answer = getattr(receiver, name)(*arguments)
    shown = [esc(a) if isinstance(a, (str, bytes)) else str(a) for a in arguments]
    print("\t".join([kind, name, esc(receiver), *shown, esc(ascii(answer))]))


NO_ARGUMENT = ("upper lower title capitalize swapcase isalpha isalnum isdigit islower isupper istitle isspace isascii "
               "split rsplit strip lstrip rstrip").split()
for kind in ["str", "bytes"]:
    def make(most):
        made = text(most)
        return made if kind == "str" else made.encode("utf-8")

    fill = "-\u00e9\U0001f600" if kind == "str" else "-"
    for _ in range(500):
        ask(kind, random.choice(NO_ARGUMENT), make(12))
    if kind == "str":
        for _ in range(150):
            ask(kind, random.choice("casefold isdecimal isnumeric isidentifier isprintable __repr__".split()), make(8))
    else:
        for _ in range(40):
            ask(kind, "__repr__", make(8))
    for _ in range(500):
        name = random.choice("find rfind count startswith endswith partition rpartition removeprefix removesuffix strip lstrip rstrip".split())
        receiver, argument = make(12), make(3)
        if name in ("partition", "rpartition") and not argument:
            continue
        if random.random() < 0.5 and receiver:
            i = random.randrange(len(receiver))
            argument = receiver[i:i + random.randrange(1, 3)]
        ask(kind, name, receiver, argument)
    for _ in range(300):
        name = random.choice(["split", "rsplit"])
        receiver = make(12)
        i = random.randrange(len(receiver) + 1)
        separator = receiver[i:i + random.randrange(1, 3)] or receiver[:1]
        if separator:
            ask(kind, name, receiver, separator, random.choice([-1, -1, 0, 1, 2]))
    for _ in range(100):
        ask(kind, random.choice(["split", "rsplit"]), make(12), None, random.choice([-1, 0, 1, 2]))
    for _ in range(150):
        ask(kind, "splitlines", make(12), random.choice([False, True]))
    for _ in range(300):
        receiver = make(12)
        i = random.randrange(len(receiver) + 1)
        ask(kind, "replace", receiver, random.choice([receiver[i:i + random.randrange(3)], make(2)]), make(3), random.choice([-1, -1, 0, 1, 2]))
    for _ in range(150):
        one = random.choice(fill)
        ask(kind, random.choice(["center", "ljust", "rjust"]), make(6), random.randrange(12), one if kind == "str" else one.encode())
    for _ in range(60):
        ask(kind, "zfill", make(6), random.randrange(12))
    for _ in range(60):
        ask(kind, "expandtabs", make(12), random.randrange(6))
