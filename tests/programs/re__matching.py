import re


def t(pattern, text, flags=0, how="search"):
    m = getattr(re.compile(pattern, flags), how)(text)
    print(pattern, how, m and (m.regs, m.lastindex, m.lastgroup))


for pattern, text in [
    (r"(?:a|ab)++c", "abc"), (r"(?>a+)a", "aaa"), (r"(a|b)*+c", "ababc"), (r"(?:(a)|b)*", "ab"), (r"(?:(a)|b)*?c", "abc"),
    (r"(?<=(a))b\1", "aba"), (r"(?<!x)b", "xb ab"), (r"(a)?(?(1)b|c)", "ab c"), (r"((x)|y)+?z", "xyz"), (r"(?:x*)*y", "xxxy"),
    (r"(?:x*?)*?y", "xxxy"), (r"(?=(\w+))\1:", "abc:"), (r"(?!(a)b)\w", "ab"), (r"[а-я]+", "привет"), (r"(\w)\1", "aA bB cc"),
    (r"(?:a?){3,5}?b", "aaab"), (r"(a{2,3}){2}", "aaaaaaa"), (r"(?:(\w+),)*+(\w+)", "a,b,c"), (r"(a(b(c)?)?)*", "abcabab"),
    (r"(?P<x>a)(?P<y>b)?", "a"), (r"$", "a\n"), (r"(|a)+", "aaa"), (r"(?:|a)+", "aaa"), (r"(?:a|(b))+", "abab"), ("[^\u4e00-\u9fff]+", "abc\u4e2d"),
]:
    for flags in (0, re.I, re.M):
        for how in ("search", "match", "fullmatch"):
            t(pattern, text, flags, how)
print(re.findall(r"\w+|\W", "hé 😀 lo"), re.findall(r"(a)(b)?", "aab"), re.split(r"(,)|;", "a,b;c", maxsplit=2), re.split("x*", "axbc"))
print(re.sub(r"(\w)(\d)?", r"<\1\g<2>>", "a1b"), re.subn("x*", "-", "abxd"), re.sub("(.)", lambda m: m[1].upper(), "abc", count=2))
print(re.sub(b"a", b"\\\\n", b"cat"), re.sub("a", r"\n", "cat") == "c\nt")
p = re.compile(r"(?P<first>a)(b)?", re.I | re.X)
print(p, p.groups, p.groupindex, p.flags, p == re.compile(r"(?P<first>a)(b)?", re.I | re.X), hash(p) == hash(re.compile(p.pattern, p.flags)))
m = p.match("xAb", 1)
print(m, m.group("first", 2), m["first"], m.groups("z"), m.groupdict(), m.span(2), m.start(), m.end(1), m.pos, m.endpos, m.string, m.expand(r"\2\1"))
print([m.span() for m in re.finditer("a|", "baa")])
s = re.compile("a").scanner("aab")
print(s.match(), s.match(), s.match(), s.match())
for f, args in ((m.group, (3,)), (m.group, ("no",)), (p.match, (b"x",)), (p.match, (5,)), (re.compile, ("(",)), (re.compile, ("a**",)),
                (re.sub, ("a", r"\1", "a")), (re.sub, ("a", 5, "a")), (re.compile(b"a").match, ("a",))):
    try:
        f(*args)
    except Exception as e:
        print(type(e).__name__, e)
print(len(re.match(r"(?:a|b)*", "ab" * 100_000).group()))
