"""Where a parser is: in events, after pieces of any size, in errors; and what is left of a tree when a handler fails."""

import xml.etree.ElementTree as ET
from xml.parsers import expat

rows = "".join(f"<row n='{i}'>caf\u00e9 {i}\r\n<b/>\u4e2d</row>\n" for i in range(6000))
document = f"\ufeff<?xml version='1.0' encoding='utf-8'?>\n<!DOCTYPE all [<!ENTITY e 'x<i/>y'>]>\n<all>&e;\n{rows}</all>\n".encode()


def places(size, every):
    parser = expat.ParserCreate()
    seen = []

    def note(kind):
        def handler(*args):
            if len(seen) % every == 0:
                seen.append((kind, parser.CurrentLineNumber, parser.CurrentColumnNumber, parser.CurrentByteIndex))
            else:
                seen.append(None)

        return handler

    parser.StartElementHandler = note("start")
    parser.EndElementHandler = note("end")
    for at in range(0, len(document), size):
        parser.Parse(document[at : at + size])
    parser.Parse(b"", True)
    return [place for place in seen if place], (parser.CurrentLineNumber, parser.CurrentColumnNumber, parser.CurrentByteIndex)


whole, end = places(len(document), 1)
print(len(whole), whole[:6], whole[-2:], end)
for size, every in ((1 << 16, 1), (100_003, 7), (4096, 500), (len(document), 5000)):
    some, last = places(size, every)
    assert last == end and some == [place for n, place in enumerate(whole) if n % every == 0], (size, every)

for text in ("<a>\n<b>\n \u00e9</c></a>", "<a>\n\r\n&no;</a>", "<a x='1' x='2'/>", "<a>" + "\n" * 70000 + "<", "<a/>\n<b/>", "", "<a>\x01"):
    for parse in (lambda: expat.ParserCreate().Parse(text.encode(), True), lambda: ET.fromstring(text)):
        try:
            parse()
        except (expat.ExpatError, ET.ParseError) as exc:
            place = exc.position if isinstance(exc, ET.ParseError) else (exc.lineno, exc.offset)
            print(type(exc).__name__, exc, place)


class Refuses:
    def __init__(self):
        self.seen = []

    def start(self, tag, attributes):
        self.seen.append(tag)
        if tag == "bad":
            raise KeyError(tag)

    def close(self):
        return self.seen


target = Refuses()
parser = ET.XMLParser(target=target)
try:
    parser.feed("<a><b/><bad/><c/>")
except KeyError as exc:
    print("refused", exc, target.seen)


def factory(tag, attributes):
    if tag == "r99":
        raise ValueError(tag)
    return ET.Element(tag, attributes)


parser = ET.XMLParser(target=ET.TreeBuilder(element_factory=factory))
try:
    parser.feed("<all>" + "".join(f"<r{i}/>" for i in range(200)) + "</all>")
except ValueError as exc:
    print("refused", exc)
pull = ET.XMLPullParser(("start", "end"))
pull.feed("<a>" + "<b>t</b>" * 100)
print(len(list(pull.read_events())))
try:
    pull.feed("<b></c>")
except ET.ParseError as exc:
    print(exc)
try:
    print([event for event, _ in pull.read_events()])
except ET.ParseError as exc:
    print(exc)
names = [f"n{i}" for i in range(300)] + ["ab", "ba", "x", ""]
tree = ET.fromstring("<t>" + "".join(f"<{n} {n}='1' b{n}='2'/>" for n in names if n) + "</t>")
print([child.tag for child in tree] == [n for n in names if n], [sorted(child.attrib) for child in tree][-3:])
