import _csv,csv
def t(f,*a,**k):
    try:
        r=f(*a,**k); print(a,k, r if not isinstance(r,_csv.Dialect) else 'D')
    except Exception as e: print(a,k, type(e).__name__, e)
D=_csv.Dialect
for k in ('delimiter','escapechar','quotechar'):
    for v in (None,5,'','ab','\n','\r',' ','a',b'x'): t(D,**{k:v})
for v in (None,5,'','ab',' '): t(D,lineterminator=v)
for v in (None,5,'x',-1,6,1.0,True): t(D,quoting=v)
t(D,quotechar=None,quoting=0);t(D,quotechar='',quoting=3);t(D,delimiter=',',quotechar=',');t(D,delimiter=',',escapechar=',');t(D,quotechar='"',escapechar='"');t(D,delimiter=',',lineterminator=',');t(D,skipinitialspace=1,delimiter=' ');t(D,skipinitialspace=1,quotechar=' ');t(D,skipinitialspace=1,escapechar=' ');t(D,'excel');t(D,5);t(D,foo=1);t(D,None);t(D,lineterminator='\n"')
t(_csv.reader);t(_csv.reader,5);t(_csv.reader,[],'nope');t(_csv.reader,[],foo=1);t(_csv.writer,5);t(_csv.get_dialect,'nope');t(_csv.register_dialect,5);t(_csv.register_dialect,'x',foo=1);t(_csv.unregister_dialect,'zz');t(_csv.field_size_limit,'a');t(_csv.field_size_limit);t(_csv.field_size_limit,1<<70);t(_csv.list_dialects)
def r(lines,**k):
    rd=csv.reader(lines,**k)
    try:
        for x in rd: print(x,rd.line_num)
    except Exception as e: print(type(e).__name__,e)
r(['a,b\n','"x""y",z']);r(['a,"b\n','c"']);r(['a,"b'],strict=True);r(['a,"b'],);r(['"a"b,c'],strict=True);r(['"a"b,c']);r([5]);r([b'a']);r(['a\nb']);r(['a\r\nb']);r(['a\\'],escapechar='\\');r(['a\\','b'],escapechar='\\');r(['1,"2",x'],quoting=2);r(['1,"2",3.5'],quoting=2);r(['a,,""'],quoting=5);r(['1,,"",a'],quoting=4);r(['']);r(['',' ']);r([' a, "b" ,c'],skipinitialspace=True);r(["a'b',c"],quotechar="'");r(['"a\0b",c']);r(['a\\\n','b'],escapechar='\\',strict=True)
csv.field_size_limit(3); r(['abcd']); csv.field_size_limit(131072)
class F:
    def __init__(s): s.v=''
    def write(s,x): s.v+=x; return len(x)
def w(rows,**k):
    f=F(); wr=csv.writer(f,**k)
    try:
        for x in rows: print(wr.writerow(x))
    except Exception as e: print(type(e).__name__,e)
    print(repr(f.v))
w([[1,'a,b','c"d',None,1.5,'x\ny',''],[''],[None],[]]);w([['']],quoting=3);w([[None]],quoting=3);w([['a,b']],quoting=3);w([['a,b','c"d']],quoting=3,escapechar='\\');w([['a"b']],doublequote=False);w([['a"b',' ','\\']],doublequote=False,escapechar='\\');w([[1,'a',None,2.5,'']],quoting=2);w([[1,'a',None,2.5,'']],quoting=1);w([[1,'a',None,'']],quoting=4);w([[1,'a',None,'']],quoting=5);w([5]);w([['a b',' x']],delimiter=' ',skipinitialspace=True) ;w([[None,'']],quoting=5);w([[None]],quoting=4);w([[None]],quoting=5);w([[' a','']],skipinitialspace=True,delimiter=' ')
w([['a','\r','b;']],lineterminator='!',delimiter=';');w([['!']],lineterminator='!')
class X:
    def __str__(s): raise ValueError('q')
w([[X()]])
d=D(); print(d.delimiter,d.escapechar,repr(d.lineterminator),d.quotechar,d.quoting,d.doublequote,d.skipinitialspace,d.strict,type(d.strict))
t(csv.DictReader,['a,b','1,2']) if 0 else print(list(csv.DictReader(['a,b','1,2'])))
print(csv.Sniffer().sniff("a;b;c\n1;2;3\n").delimiter)
