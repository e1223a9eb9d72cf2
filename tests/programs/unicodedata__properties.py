import unicodedata as u

old = u.ucd_3_2_0
for c in "a1½é\u0301中가\u1100\ufb01\u2126\u0660\u00b2\U0001F600\ud800\u05d0(\uff21\0\ue000":
    for db in (u, old):
        print(ascii(c), db.category(c), db.bidirectional(c), db.combining(c), db.mirrored(c), db.east_asian_width(c),
              db.decimal(c, None), db.digit(c, None), db.numeric(c, None), repr(db.decomposition(c)), db.name(c, None))
for text in ("e\u0301\u0327", "\u1e69\u0323", "\u1100\u1161\u11a8", "\ufb01\u2126", "\u0344", "a\u0315\u0300\u05ae\u0301", "\uac00\u11a8",
             "\u2f868"):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        print(form, ascii(text), ascii(u.normalize(form, text)), u.is_normalized(form, text))
for f, args in ((u.name, "\0"), (u.lookup, ("nothing",)), (u.decimal, "x"), (u.digit, "x"), (u.numeric, "x"),
                (u.normalize, ("X", "a")), (u.category, ("ab",)), (u.category, (1,))):
    try:
        f(*args)
    except Exception as e:
        print(type(e).__name__, e)
print(u.lookup("snowman"), u.lookup("LINE FEED") == "\n", "\N{GREEK SMALL LETTER ALPHA}", old.unidata_version)
