# Where documents that end early are said to end: at the token that is cut off, or behind the last whole one.
import pyexpat

DOCUMENTS = [
    '<!DOCTYPE a [',
    '<!DOCTYPE a',
    '<!DOCTYPE',
    '<!DOCTYPE a [<!ELEMENT',
    '<!DOCTYPE a [<!ELEMENT b',
    "<!DOCTYPE a [\n<!ENTITY x 'y'>",
    "<!DOCTYPE a [\n<!ENTITY x 'y'>\n",
    "<!DOCTYPE a [\n<!ENTITY x 'y",
    '<!DOCTYPE a [ <!-- c',
    '<!DOCTYPE a [ ]',
    '<!DOCTYPE a [ ]>',
    '<!DOCTYPE a SYSTEM',
    "<!DOCTYPE a SYSTEM 'x",
    "<!DOCTYPE a SYSTEM 'x'",
    "<!DOCTYPE a PUBLIC 'p' ",
    '<!DOCTYPE a [<!ATTLIST b c CDATA',
    '<!DOCTYPE a [<!ATTLIST b c CDATA #IMPLIED>',
    '<!DOCTYPE a [<?pi',
    '<!DOCTYPE a [%',
    '<!DOCTYPE a [%p;',
    '<!DOCTYPE a [ <!NOTATION n ',
    '\n <!DOCTYPE a \n [\n  ',
    '<!DOCTYPE a >',
    '<!',
    '<!D',
    '<!DOCTYPE a [ x',
    '<!DOCTYPE a [<!ELEMENT b (c|',
    "<?xml version='1.0'?>\n<!DOCTYPE a [\n<!ELEMENT b (c)>\n  ",
    '<!DOCTYPE a [<!ELEMENT b EMPTY> <',
    ' <a><!-- x',
    '<a><![CDATA[x',
    '<a b',
    "<a b='x",
    '<a>&am',
    '<a>&#x',
    '<a>x',
    '<a></',
    '<a></a',
    '<?xml',
    "<?xml version='1.0'",
    '',
    '   ',
    '\n',
]

for document in DOCUMENTS:
    for pieces in [document], list(document):
        parser = pyexpat.ParserCreate()
        try:
            for piece in pieces:
                parser.Parse(piece)
            parser.Parse("", True)
            print(repr(document), "whole")
        except pyexpat.ExpatError as error:
            print(repr(document), error, error.code, parser.ErrorByteIndex)
