from _functools import *
from _functools import _lru_cache_wrapper
import _functools, _operator as op, _heapq as hq, _bisect as bs, _queue
def err(f,*a,**k):
    try: print(f(*a,**k))
    except BaseException as e: print(type(e).__name__, e)
p=partial(pow,2); print(p(5), p.func, p.args, p.keywords); p.x=1; print(p.__dict__, p.__reduce__()[0])
q=partial(int,base=2); print(q('101'), q('7',base=8)); err(partial); err(partial,3); err(q,'1',bas=3)
def f(*a,**k): return a,sorted(k.items())
print(partial(partial(f,1,a=1),2,b=2)(3,c=3,a=9), repr(partial(f,1,x=2))[:20])
class C: m=partial(f,1)
print(cmp_to_key(lambda a,b:b-a), sorted([3,1,2],key=cmp_to_key(lambda a,b:b-a))) if 0 else print(sorted([3,1,2],key=cmp_to_key(lambda a,b:b-a)))
K=cmp_to_key(lambda a,b:a-b); print(K(1)<K(2), K(obj=1).obj); err(lambda:K(1)<1); err(hash,K(1))
print(reduce(op.add,[1,2,3]), reduce(op.add,[],5)); err(reduce,op.add,[]); err(reduce,op.add,3)
calls=[]
class Info:
    def __new__(c,*a): return a
def g(*a,**k): calls.append(a); return a
g.__name__='g'
c=_lru_cache_wrapper(g,3,False,Info)
for i in [1,2,3,1,4,2,1,(1,),'a']: c(i)
print(c.cache_info(), calls); c(1,2,k=3); c(1,2,k=3); print(c.cache_info()); c.cache_clear(); print(c.cache_info())
c=_lru_cache_wrapper(g,None,True,Info); c(3); c(3.0); c(3); print(c.cache_info()); err(c,[]); c=_lru_cache_wrapper(g,0,False,Info); c(1);c(1); print(c.cache_info())
class M:
    @lambda f:_lru_cache_wrapper(f,10,False,Info)
    def m(self,x): return x*2
m=M(); print(m.m(4), m.m(4), M.m.cache_info())
print(op.add(1,2), op.mod(7,3), op.and_(6,3), op.not_(0), op.concat([1],[2]), op.iconcat([1],[2]), op.index(True), op.countOf([1,2,1],1), op.indexOf([1,2],2), op.length_hint([1,2]), op.length_hint(1,5), op.call(f,1,a=2), op.contains('abc','b'))
err(op.concat,1,2); err(op.indexOf,[1],2); err(op.abs,'a'); err(op.neg,'a'); err(op.index,1.5); err(op.add,1); err(op.getitem,[1],5)
print(op.itemgetter(1)('abc'), op.itemgetter(1,0)('abc'), op.itemgetter('a'), op.attrgetter('real')(5), op.attrgetter('a.b','c'), op.attrgetter('real','imag')(5), op.methodcaller('upper')('a'), op.methodcaller('split','a',maxsplit=1)('bacad'), op.methodcaller('f',1,b=2))
err(op.itemgetter); err(op.itemgetter(1)); err(op.itemgetter,1,a=2); err(op.attrgetter,3); err(op.attrgetter('x.y'),3); err(op.methodcaller); err(op.methodcaller,3); err(op.methodcaller('x'),3)
print(op.itemgetter(1,2).__reduce__(), op.attrgetter('a').__reduce__(), op.methodcaller('a',1).__reduce__())
print(op._compare_digest('a','a'), op._compare_digest(b'a',b'b'), op._compare_digest('a','ab')); err(op._compare_digest,'a',b'a'); err(op._compare_digest,'\xe9','a')
h=[5,3,8,1,9,2]; hq.heapify(h); print(h); hq.heappush(h,0); print(h, hq.heappop(h), h, hq.heapreplace(h,7), hq.heappushpop(h,-1), h); err(hq.heappop,[]); err(hq.heappush,(),1)
class X:
    def __init__(s,n): s.n=n
    def __lt__(s,o): return s.n<o.n
def lcg(n,s=12345):
    for _ in range(n):
        s=(s*1103515245+12345)&0x7fffffff; yield s%1000
h=[X(i) for i in lcg(200)]; hq.heapify(h); r=[]
for i in lcg(100,7): hq.heappush(h,X(i))
while h: r.append(hq.heappop(h).n)
print(r==sorted(r), len(r))
h=[(i,str(i)) for i in lcg(300)]; hq.heapify(h); r=[hq.heappop(h) for _ in range(300)]; print(r==sorted(r))
h=[1.5,2,True,3.0]; hq.heapify(h); print(h)
a=[1,2,2,3]; print(bs.bisect_left(a,2), bs.bisect_right(a,2), bs.bisect_right(a,2,0,2), bs.bisect_left([3,2,1],2,key=lambda x:-x)); bs.insort_right(a,2.5); bs.insort_left(a,0); print(a); err(bs.bisect_left,a,1,-1)
q=_queue.SimpleQueue(); q.put(1); q.put(2); print(q.get(), q.qsize(), q.empty(), q.get_nowait()); err(q.get_nowait); err(q.get,timeout=0.01); err(q.get,False); err(q.get,timeout=-1)
print(_queue.Empty, _queue.Empty.__mro__)
