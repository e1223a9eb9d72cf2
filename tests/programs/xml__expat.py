# pyexpat and what stands on it: events, entities, encodings, pieces, damage, too much.
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
