# The codecs of East Asian encodings: both ways, error handlers, pieces, states.
import codecs
import io

TEXTS = {
    "cp949": "한글 똠방각하 漢字 ①", "euc_kr": "한글 똠방각하 漢字", "johab": "한글 똠방각하", "iso2022_kr": "한글 a 漢字",
    "gb2312": "汉字 a", "gbk": "漢字 镕", "gb18030": "漢字 \U00012345 €\x80", "hz": "汉字~a汉", "big5": "漢字", "cp950": "漢字 €",
    "big5hkscs": "漢字 \u00ca\u0304\u00ca", "shift_jis": "漢字 ｶﾅ", "cp932": "漢字 ①髙", "euc_jp": "漢字 ｶﾅ 丂",
    "shift_jis_2004": "か\u309a漢", "euc_jis_2004": "か\u309aか", "euc_jisx0213": "\u00e6\u0300\u00e6", "shift_jisx0213": "漢",
    "iso2022_jp": "漢字 a ¥", "iso2022_jp_1": "丂 a", "iso2022_jp_2": "漢 한 汉 é"[:5], "iso2022_jp_2004": "か\u309a",
    "iso2022_jp_3": "か\u309a", "iso2022_jp_ext": "漢ｶ",
}
for name, text in TEXTS.items():
    data = text.encode(name)
    print(name, data, data.decode(name) == text)
    encoder = codecs.getincrementalencoder(name)()
    pieces = b"".join(encoder.encode(c) for c in text) + encoder.encode("", True)
    decoder = codecs.getincrementaldecoder(name)()
    again = "".join(decoder.decode(data[i:i + 1]) for i in range(len(data))) + decoder.decode(b"", True)
    print("   ", pieces == data, again == text, encoder.getstate(), decoder.getstate())
    reader = codecs.getreader(name)(io.BytesIO(data * 3))
    print("   ", reader.read(1) + reader.read() == text * 3)
    out = io.BytesIO()
    writer = codecs.getwriter(name)(out)
    writer.writelines([text, text])
    writer.reset()
    print("   ", out.getvalue() == (text * 2).encode(name) or out.getvalue())

for name in TEXTS:
    for errors in "strict", "replace", "ignore", "backslashreplace", "xmlcharrefreplace", "surrogateescape":
        for bad in b"ab\xa1", b"a\xff\xffb", b"\x80\x20", b"\xa4\xd4\xa4\xa1\xa4", b"\x1b$Xab", b"~x", b"\x81\x30\x81":
            try:
                print(name, errors, bad, ascii(bad.decode(name, errors)))
            except (UnicodeError, TypeError) as error:
                print(name, errors, error)
        try:
            print(name, errors, "a\ud800\u0b13".encode(name, errors))
        except UnicodeError as error:
            print(name, errors, ascii(str(error)))

for wrong in (lambda: codecs.getincrementaldecoder("cp949")().setstate(1),
              lambda: codecs.getincrementaldecoder("cp949")().setstate((b"x" * 9, 0)),
              lambda: codecs.getincrementalencoder("cp949")().setstate(1 << 200),
              lambda: codecs.getincrementalencoder("cp949")().__delattr__("errors"),
              lambda: b"".decode("cp949", 1)):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__)

# What could not be decoded is gone; the next bytes are decoded for themselves.
for name in TEXTS:
    decoder = codecs.getincrementaldecoder(name)()
    for data, last in (b"\x81", False), (b"\xff", True), (b"abc", True), (b"\xe3", False), (b"\x00", True), (b"d", True):
        try:
            print(name, ascii(decoder.decode(data, last)))
        except UnicodeError as error:
            print(name, error, decoder.getstate()[0])

# But where only the end is missing, what had waited waits on.
for name in "cp949", "gb18030", "euc_jp", "shift_jis", "big5":
    decoder = codecs.getincrementaldecoder(name)()
    first, second = "\u4e00".encode(name)[:1], "\u4e00".encode(name)[1:]
    for data, last in (b"a" + first, False), (b"", True), (second, False), (first, False), (second + first, True), (second, True):
        try:
            print(name, ascii(decoder.decode(data, last)))
        except UnicodeError as error:
            print(name, error, decoder.getstate()[0])
    decoder = codecs.getincrementaldecoder(name)("replace")
    print(name, ascii(decoder.decode(b"ab" + first + second + first, True)), decoder.getstate()[0])
