# pyexpat and what stands on it: events, entities, encodings, pieces, damage, too much.
import time
import io
import xml.dom.minidom
import xml.etree.ElementTree as ET
import xml.sax
from xml.parsers import expat

DOCUMENT = b"""<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE root [
  <!ELEMENT root (a, (b|c)*, d?)+>
  <!ATTLIST a x CDATA "d" y (one|two) #REQUIRED z NMTOKENS #IMPLIED>
  <!NOTATION n PUBLIC "-//x//y">
  <!ENTITY e "text &#233; <i>in</i>">
  <!ENTITY pic SYSTEM "pic.gif" NDATA n>
  <?pi in doctype?>
]>
<!-- comment \xe9 -->
<root xmlns="urn:d" xmlns:p="urn:p"><a y="one" z="  b   c " p:q="&lt;&#65;"/>&e;<![CDATA[<raw>&amp;]]>
<p:b/>\r\n\xe9</root>
<?end?>
"""


def trace(parser):
    events = []
    for name in dir(parser):
        if name.endswith("Handler") and name not in ("DefaultHandler", "NotStandaloneHandler", "ExternalEntityRefHandler"):
            setattr(parser, name, lambda *args, name=name: events.append((name[:-7], args)))
    parser.DefaultHandlerExpand = None
    return events


for separator in None, " ":
    parser = expat.ParserCreate(namespace_separator=separator)
    parser.buffer_text = True
    events = trace(parser)
    parser.Parse(DOCUMENT, True)
    for event in events:
        print(event)
    pieces = expat.ParserCreate(namespace_separator=separator)
    pieces.buffer_text = True
    again = trace(pieces)
    for i in range(len(DOCUMENT)):
        pieces.Parse(DOCUMENT[i:i + 1])
    pieces.Parse(b"", True)
    print([e for e in again if e[0] != "CharacterData"] == [e for e in events if e[0] != "CharacterData"])

for text in ("<a/>", "<a>\xe9</a>"):
    for encoding in "utf-8", "utf-16", "iso-8859-15", "cp1252":
        data = (f"<?xml version='1.0' encoding='{encoding}'?>" + text).encode(encoding)
        print(encoding, ascii(ET.tostring(ET.fromstring(data), "unicode")))

for bad in (b"", b"<", b"<a", b"<a>", b"<a></b>", b"<a/><b/>", b"text", b"<a b='1' b='2'/>", b"<a b=1/>", b"<a b/>", b"<a>&x;</a>", b"<a>&#0;</a>", b"<a>]]></a>", b"<a><!-- -- --></a>",
            b"<a><![CDATA[x</a>", b"<?xml version='1.0'", b" <?xml version='1.0'?><a/>", b"<a>\xff</a>", b"<a>\x01</a>", b"<1/>", b"<a></a",
            b"<p:a/>", b"<a xmlns:p=''/>", b"<a xmlns:xml='x'/>", b"<a><?xml version='1.0'?></a>"):
    parser = expat.ParserCreate(namespace_separator=" ")
    try:
        print(bad, parser.Parse(bad, True))
    except expat.ExpatError as error:
        print(bad, error.code, error)

laughs = "<!DOCTYPE l [<!ENTITY l0 'ha'>" + "".join(f"<!ENTITY l{i} '{f'&l{i - 1};' * 10}'>" for i in range(1, 12)) + "]><l>&l11;</l>"
for document in laughs, laughs.replace("<l>&l11;</l>", "<l x='&l11;'/>"):
    try:
        expat.ParserCreate().Parse(document, True)
    except expat.ExpatError as error:
        print(error.code, str(error).split(":")[0])
depth = 20000
parser = expat.ParserCreate()
seen = []
parser.EndElementHandler = seen.append
parser.Parse(b"<a>" * depth + b"</a>" * depth, True)
print(len(seen))

print(xml.dom.minidom.parseString(b"<a b='1'>x<c/></a>").toxml())


class Handler(xml.sax.ContentHandler):
    def startElement(self, name, attrs):
        print("start", name, dict(attrs))


xml.sax.parseString(b"<a b='1'><c/></a>", Handler())
for event, element in ET.iterparse(io.BytesIO(b"<a><b>x</b><b/></a>"), ("start", "end")):
    print(event, element.tag)


def raising(*args):
    raise KeyError("from a handler")


parser = expat.ParserCreate()
parser.StartElementHandler = raising
try:
    parser.Parse(b"<a/>", True)
except KeyError as error:
    print(error)

# Bytes that are no text, before and within what a document begins with.
for document in b'<?xml ver\x80sion="1.0"?><a/>', b"\xff\xfe<", b"\xde", b"\xe2\x82", b"\x80", b"<?xml", b"<?xml version='1.0'", \
        b"<?xml version='1.0'?\xe2", b"<?xml version='1.0'?>\xe2", b"<?xm\x80l?><a/>", b"<a>\xe2</a>", b"<a/>\x80", b"<!-- \xc3":
    for parse in xml.dom.minidom.parseString, ET.fromstring, lambda text: expat.ParserCreate().Parse(text, True):
        try:
            parse(document)
            print(document, "parsed")
        except (expat.ExpatError, ET.ParseError) as error:
            print(document, type(error).__name__, error.code)
    parser = expat.ParserCreate()
    try:
        for at in range(len(document)):
            parser.Parse(document[at : at + 1])
        parser.Parse(b"", True)
        print(document, "parsed")
    except expat.ExpatError as error:
        print(document, error.code)

# Encodings that Python knows and the parser does not, given by the program.
for name in "cp1252", "koi8-r", "nonsense", "utf-8", "utf_7", "shift_jis":
    parser = expat.ParserCreate(name)
    seen = []
    parser.StartElementHandler = lambda *args: seen.append(args)
    parser.CharacterDataHandler = lambda text: seen.append(ascii(text))
    try:
        print(name, parser.Parse(b"<a b='\xc1'>\xc0</a>", True), seen)
    except Exception as error:
        print(name, type(error).__name__, error)
        try:
            print(parser.Parse(b"<a/>", True))
        except expat.ExpatError as error:
            print(error.code)
for name in "cp1252", "nonsense":
    try:
        print(name, ascii(ET.fromstring(b"<a>\x80</a>", ET.XMLParser(encoding=name)).text))
    except (ET.ParseError, LookupError) as error:
        print(name, type(error).__name__, error)

# Many attributes, of which none is looked for among all before it.
many = 60_000
before = time.monotonic()
for document, separator in (
    ("<a " + " ".join(f"a{n}=''" for n in range(many)) + "/>", None),
    ("<a xmlns:p='u' " + " ".join(f"p:a{n}=''" for n in range(many)) + "/>", " "),
    ("<!DOCTYPE a [<!ATTLIST a " + " ".join(f"a{n} CDATA 'd'" for n in range(many)) + ">]><a b='1'/>", None),
    ("<a " + " ".join(f"a{n}=''" for n in range(many)) + " a7=''/>", None),
    ("<a xmlns:p='u' xmlns:q='u' " + " ".join(f"p:a{n}=''" for n in range(many)) + " q:a9=''/>", " "),
):
    parser = expat.ParserCreate(None, separator)
    seen = []
    parser.StartElementHandler = lambda name, attributes: seen.append(len(attributes))
    try:
        print(parser.Parse(document, True), seen)
    except expat.ExpatError as error:
        print(error.code, seen)
parser = expat.ParserCreate()
parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)


def external(context, base, system, public):
    inner = parser.ExternalEntityParserCreate(context)
    inner.Parse("<![IGNORE[" + "<![x]] >" * 60_000 + "]]>" * 60_001 + "<!ELEMENT a (b)>", True)
    return 1


parser.ExternalEntityRefHandler = external
parser.ElementDeclHandler = lambda name, model: print(name, model)
print(parser.Parse("<!DOCTYPE a SYSTEM 's'><a/>", True))
print(time.monotonic() - before < 20)
