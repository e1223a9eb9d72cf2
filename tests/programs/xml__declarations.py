"""Where declarations of XML are wrong, marks of byte order in columns, and text before an error."""
import xml.parsers.expat as expat


def parse(*chunks):
    out = []
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.XmlDeclHandler = lambda *args: out.append(args)
    parser.StartElementHandler = lambda name, attrs: out.append((name, parser.CurrentColumnNumber, parser.CurrentByteIndex))
    parser.CharacterDataHandler = out.append
    try:
        for chunk in chunks[:-1]:
            parser.Parse(chunk)
        parser.Parse(chunks[-1], True)
    except expat.ExpatError as e:
        out.append(str(e))
    print(out)


for inside in [b' version="1.0"', b' version="1.0" encodencoding="utf-8"', b' version="1.0" standalone="maybe"', b' versio="1.0"', b' encoding="utf-8"',
               b' version="1.0" encoding="utf-8" ', b' version="1.0" encoding="8u"', b' version="1.0"encoding="utf-8"', b" version='1.0' standalone = 'yes' ",
               b' version=1.0', b' version="1.0" x', b'', b' ', b' version="1.0" standalone="yes" encoding="utf-8"', b' version="1&0"', b' version',
               b' version="1.0" standalone="yes" x', b' version = "1.0"  standalone= "no"', b' ="1.0"', b' version="1.0', b' vml version="1.0"']:
    parse(b"<?xml" + inside + b"?><a/>")
for encoding in ("utf-8-sig", "utf-16", "utf-16-le"):
    parse("<a/>".encode(encoding))
    parse("<a b=1/>".encode(encoding))
    parse("<a>\n<b c=1/>".encode(encoding))
parse(b"<a>text<")
parse(b"<a>text", b"more<", b"/a>")
parse(b"<a>text", b"more<b></a>")
parse(b"<a>text&")
