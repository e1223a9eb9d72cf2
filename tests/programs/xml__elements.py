"""Elements, builders and parsers of xml.etree.ElementTree, with their errors; an element that threads share."""
import re, threading, warnings
import xml.etree.ElementTree as E, _elementtree as M, copy, pickle, gc, sys
def clean(s): return re.sub(r'0x[0-9a-f]+','0x',s)
def t(f,*a,**k):
    try: print(clean(repr(f(*a,**k))))
    except BaseException as e: print(type(e).__module__,type(e).__name__,clean(str(e.args)))
for c in (M.Element,M.TreeBuilder,M.XMLParser):
    print(c, c.__module__, c.__name__, c.__doc__)
    for k in sorted(c.__dict__):
        if not k.startswith('__') or k in('__copy__','__deepcopy__','__getstate__','__setstate__','__bool__'): print('  ',k,repr(getattr(c.__dict__[k],'__doc__',None)),getattr(c.__dict__[k],'__text_signature__',None))
Element=E.Element
e=Element('a'); b=Element('b'); e.append(b)
t(Element); t(Element,'a',1); t(Element,'a',{'x':1},y=2); t(Element,'a',attrib={'z':1},y=2); t(Element,'a',{},attrib={1:2}); t(Element,'a',attrib=3); t(Element,tag='a'); t(Element,'a',{},3)
t(lambda:Element('a',{},attrib={'q':2}).attrib)
t(lambda:Element('a',attrib={'q':2},r=1).attrib)
t(lambda:e[5]); t(lambda:e['x']); t(lambda:e[1.0]); t(lambda:e[:]); t(lambda:e[-1]); t(lambda:e[-2]); t(lambda: e[::0])
def s(i,v): e[i]=v
t(s,5,b); t(s,0,3); t(s,slice(0,1),[3]); t(s,slice(0,1),3); t(s,'x',b)
def d(i): del e[i]
t(d,9); t(d,'x'); t(d,slice(0,None,0)); t(s,slice(0,5,2),[b,b,b])
t(e.extend,[3]); t(e.extend,3); t(e.insert,0,3); t(e.insert,'a',b); 
t(e.insert,100,b); t(e.insert,-100,Element('q')); t(lambda:list(e)); t(e.remove,b); t(lambda:list(e))
t(s,slice(1,1),[Element('n'),Element('m')]);t(lambda:list(e)); t(d,0);t(lambda:list(e)); t(d,slice(None,None,2)); t(lambda:list(e)); t(s,0,Element('zz')); t(lambda:list(e))
def da(n): delattr(e,n)
for n in('tag','text','tail','attrib'): t(da,n)
t(lambda:setattr(e,'attrib',3)); t(lambda:setattr(e,'attrib',{'a':2})); t(lambda:e.attrib)
with warnings.catch_warnings(record=True) as w:
    warnings.simplefilter('always'); t(lambda:bool(e)); print([str(x.message) for x in w])
t(e.makeelement,'x',3); t(e.makeelement,'x',{'q':1}); t(e.__getstate__); t(e.__setstate__,3); t(e.__setstate__,{}); t(e.__setstate__,{'tag':'x','attrib':{'k':'v'},'text':'t','_children':[]}); t(lambda:E.tostring(e))
class Sub(Element): pass
t(repr,Sub('q')); t(repr,Element.__new__(Element)); t(lambda:Element.__new__(Element).tag);t(lambda:Element.__new__(Element).text)
r=Element('r'); r.tag=r; t(repr,r)
t(E.SubElement,3,'a'); t(E.SubElement,e); t(E.SubElement,e,'x',3); t(E.SubElement,e,'x',{1:2},y=4); t(E.SubElement,e,'x',attrib=4); t(lambda:E.SubElement(e,'x',attrib={'k':1},l=2).attrib)
t(lambda:e.__deepcopy__(3)); 
t(lambda:copy.deepcopy(e)); t(lambda:copy.copy(Sub('x',a='1')))
x=E.XML('<a p="1">t<b>u</b>v</a>'); y=copy.deepcopy(x); t(lambda:E.tostring(y)); t(lambda:y is x or y[0] is x[0]); z=copy.copy(x); t(lambda:(E.tostring(z),z[0] is x[0]))
for p in range(6): t(lambda:E.tostring(pickle.loads(pickle.dumps(x,p))))
t(lambda:e.iter(3)); t(lambda:iter(e))
b=M.TreeBuilder(); t(b.close); t(b.end,'x'); t(b.data,'x'); t(b.start,'a',3); t(b.start,'a'); t(b.start,'a',{}); t(b.data,3); t(b.end,'b'); t(b.start,'z',{}); t(b.close)
b=M.TreeBuilder(comment_factory=3); t(b.comment,'x'); t(b.pi,'x','y'); t(b.pi,'x')
b=M.TreeBuilder(Sub); t(b.start,'a',{}); t(b.start,'a',None); t(b.data,'q'); t(b.data,'r'); t(b.end,'a'); t(b.data,'s'); t(b.close); 
t(M.TreeBuilder,3,4); t(M.TreeBuilder,element_factory=3,x=4)
p=M.XMLParser(); t(lambda:p.version); t(lambda:p.entity); t(lambda:p.target); t(p.feed,3); t(p.feed,'<a>'); t(p.close); t(p.close); t(p.feed,'x')
p=M.XMLParser(target=3); t(lambda:p.target);t(p.feed,'<a/>'); t(p.close)
p=M.XMLParser(target=None); t(lambda:p.target)
t(M.XMLParser,3); t(M.XMLParser,encoding=3); t(M.XMLParser,encoding='zzz')
p=M.XMLParser(encoding='zzz'); t(p.feed,'<a/>');
p=M.XMLParser(encoding='zzz'); t(p.feed,b'<a/>')
p=M.XMLParser(); t(p._setevents,3,4); t(p._setevents,[],['x']); t(p._setevents,[],[3]);t(p._setevents,[],None);t(p._setevents,[],'ab'); t(p._setevents,[],[b'start'])
p=M.XMLParser(target=3); t(p._setevents,[],None)
class T: pass
p=M.XMLParser(target=T()); t(p.feed,'<a>&b;</a>')
p=M.XMLParser(target=T()); t(p.feed,'<!DOCTYPE a SYSTEM "x"><a>&b;</a>')
p=M.XMLParser(); t(p.feed,'<!DOCTYPE a SYSTEM "x"><a>\n  &b;</a>')
p=M.XMLParser(); p.entity['b']='B!'; t(p.feed,'<!DOCTYPE a SYSTEM "x"><a>x&b;&#65;y&amp;<q/>&b;</a>'); t(lambda:E.tostring(p.close()))
p=M.XMLParser(); 
t(p._parse_whole,3)
class F:
    def __init__(s,v): s.v=v
    def read(s,n): print('read',n); v=s.v; s.v=v[:0]; return v
t(M.XMLParser()._parse_whole,F('<a/>')); t(M.XMLParser()._parse_whole,F(b'<a/>')); t(M.XMLParser()._parse_whole,F([]))
t(M.XMLParser(target=T())._parse_whole,F(b'<a/>'))
class T2:
    def __getattr__(s,n):
        if n.startswith('_'): raise AttributeError
        return lambda *a:print(n,a)
p=M.XMLParser(target=T2()); t(p.feed,'<?xml version="1.0"?><!DOCTYPE a PUBLIC "p" "s"><!--c--><?pi  d ?><a xmlns="u" xmlns:v="w" v:q="1" z="2">te\nxt<v:b/>&amp;<![CDATA[<>]]></a>'); t(p.close)
class T3(T2):
    def data(s,d): raise KeyError(d)
p=M.XMLParser(target=T3()); t(p.feed,'<a>x<b>y</b></a>'); t(p.close)
t(M._set_factories,None,None); t(M._set_factories,3,4)
p=M.XMLParser(); ev=[]; p._setevents(ev,['start','end','start-ns','end-ns','comment','pi']); p.feed('<a xmlns="u" xmlns:q="v"><q:b>t<!--c--><?pi x?></q:b></a>'); print(clean(str(ev)))
t(M._set_factories,E.Comment,E.PI)
p=M.XMLParser(); p.feed('<a>x<!--c-->y</a>'); t(lambda:list(p.close().itertext()))
p=M.XMLParser(); p.feed('<a>x<?c d?>y<b/>z<!--q-->w</a>'); t(lambda:E.tostring(p.close()))
r=E.Element('r'); r.text='A'; c=E.Comment('cc'); c.tail='B'; r.append(c); t(lambda:list(r.itertext()))
t(e.find,3); t(e.find,''); t(e.findall,'b'); t(e.find,None); t(e.findtext,'nope'); t(e.findtext,'nope',5);t(e.iterfind,'b')
x=E.XML('<a><b/><c>t</c><d><c>u</c></d></a>'); t(x.findtext,'b'); t(x.findtext,'c'); t(x.findtext,'.//c'); t(x.find,'{*}b'); t(x.findall,b'b'); t(x.iterfind,'b'); t(lambda:[q.text for q in x.iter('c')]); t(lambda:[q.tag for q in x.iter('*')]); t(lambda:[q.tag for q in x.iter()]);t(lambda:[q.tag for q in x.iter(b'*')])
t(x.set,1); t(x.get,'q'); t(x.get,'q',3); t(x.get,[]); t(x.keys); t(x.items); t(x.set,'k','v'); t(x.keys); t(x.items); t(x.clear); t(lambda:E.tostring(x)); t(x.get,[])
b=M.TreeBuilder(insert_comments=True,insert_pis=True); p=M.XMLParser(target=b); p.feed('<!-- pre --><a>x<!-- c -->y<?p  i?>z</a><!-- post -->'); t(lambda:E.tostring(p.close()))
t(M.XMLParser(target=M.TreeBuilder()).feed,'<a/><b/>')
for ex in ('<a','<a>&x;</a>','<a></b>','','<a>\n<b></a>','<a x="1" x="2"/>','<p:a/>','<?xml version="1.0" encoding="utf-16"?><a/>'):
    p=M.XMLParser()
    try: p.feed(ex); print(clean(repr(p.close())))
    except E.ParseError as er: print(er, er.args, er.code, er.position, er.lineno, er.offset,er.msg, er.__dict__)
for enc in ('latin-1','cp1252','utf-8','utf-16','iso-8859-15','us-ascii','koi8-r','big5','nope'):
    try: data=('<?xml version="1.0" encoding="%s"?><a>\u00e9</a>'%enc).encode(enc,'xmlcharrefreplace')
    except LookupError: data=b'<?xml version="1.0" encoding="nope"?><a/>'
    t(lambda:E.XML(data).text)
o=M.XMLParser.__new__(M.XMLParser); t(o.feed,'x'); t(o.close); t(o.flush); t(o._setevents,[],None)
class P(E.XMLParser):
    def doctype(self,*a): print('never')
with warnings.catch_warnings(record=True) as w:
    warnings.simplefilter('always'); p=P(); t(p.feed,'<!DOCTYPE a><a/>'); print([(x.category.__name__,str(x.message)) for x in w])
import io
for ev,el in E.iterparse(io.BytesIO(b'<a xmlns:x="y"><b>1</b><c/></a>'),('start','end','start-ns','end-ns')): print(ev,clean(repr(el)))
pp=E.XMLPullParser(['end']); pp.feed('<a><b'); print(list(pp.read_events())); pp.feed('/>'); pp.flush(); print([(a,q.tag) for a,q in pp.read_events()]); pp.feed('</a>'); pp.close(); print([(a,q.tag) for a,q in pp.read_events()])

# Deep trees are made, walked and freed without recursion.
deep = root = Element('r')
for i in range(100000): deep = E.SubElement(deep, 'd')
print(sum(1 for q in root.iter())); del root, deep
b=M.TreeBuilder(); names=['n%d'%(i%7) for i in range(100)]
for n in names: b.start(n,{}); b.data(n)
for n in reversed(names): b.end(n); b.data('.')
root=b.close(); print(len(list(root.iter('n3'))), ''.join(root.itertext()))
shared = Element('shared'); errors = []
def work(k):
    try:
        for i in range(300):
            q = E.SubElement(shared, 'c%d' % k, {'i': str(i)}); q.text = 'text'; shared.set('k%d' % k, str(i))
            shared.find('c%d' % k); shared.get('k0'); list(shared.iter('c0')) if i % 50 == 0 else None
            if i % 3 == 0: shared.remove(q)
            if i % 10 == 0: len(list(shared)); shared[:2]; shared.items(); copy.copy(shared)
    except Exception as exc: errors.append(exc)
threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
for q in threads: q.start()
for q in threads: q.join()
print(errors, len(shared), len(shared.findall('c2')), sorted(shared.attrib.items()))
