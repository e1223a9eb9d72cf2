"""Sources without anything in them, and characters that no name may have."""

def show(source, mode):
    try:
        compile(source, "<s>", mode)
        print(ascii(source), mode, "compiles")
    except SyntaxError as e:
        print(ascii(source), mode, type(e).__name__, ascii(e.msg), e.lineno, e.offset, ascii(e.text), e.end_lineno, e.end_offset)


for source in ["", " ", "\t", "\n", "#c", " #c\n", "\n\n", "pass", "1"]:
    for mode in ("exec", "eval", "single"):
        show(source, mode)
for source in ["\u0663", "x = \u0663", "x\u0663", "\xb2", "a\xb2", "\u0661\u0662", "a = 5\u0663", "\u20ac", "1\u20ac", "\xe9\u20ac", "\u0663x", "(\u0663",
               "\xe9 = 1", "a\u0301 = 1", "\u2118 = 1", "x\xb7 = 1", "\xb7x = 1", "\u309b = 1", "\u037a = 1", "x\u200b"]:
    show(source, "exec")
