"""Named sequences of characters are known to lookup() alone, aliases to no old database."""
import unicodedata

for name in ["LATIN SMALL LETTER R WITH TILDE", "tamil syllable sai", "KEYCAP DIGIT ZERO", "KEYCAP NUMBER SIGN", "TAMIL CONSONANT KSSA",
             "NO SUCH SEQUENCE", "GREEK SMALL LETTER LAMDA", "LATIN CAPITAL LETTER GHA", "LINE FEED", "SPACE"]:
    for database in (unicodedata, unicodedata.ucd_3_2_0):
        try:
            print(name, ascii(database.lookup(name)))
        except KeyError as e:
            print(name, "KeyError", e)
try:
    eval(r'"\N{LATIN SMALL LETTER R WITH TILDE}"')
except SyntaxError as e:
    print(e.msg)
print(ascii("\u0301".encode("ascii", "namereplace")))
