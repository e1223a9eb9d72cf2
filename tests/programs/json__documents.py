import json
def t(s,**k):
    try: print(repr(s)[:60], json.loads(s,**k))
    except Exception as e: print(repr(s)[:60], type(e).__name__, e)
for s in ['','[','[1','[1,','[1,]','{','{"a"','{"a":','{"a":1','{"a":1,','{"a":1,}','{a:1}','"abc','"\\','"\\u12','"\\x"','"\n"','nul','NaN','-Infinity','-','01','1.','1e5','-0','"\\ud83d\\ude00"','[1 2]','{"a" 1}','{"a":1 "b"}','  1  ','tru','[,1]','{,}','1e400','-a','"\\u 123"','"\\u00e"','{"a":1,"a":2}','1.5e','+1','"\x00"', '{"a":1,   }','[1,2.5,"x",null,true,{"k":[]}]','1'*30]: t(s)
t('['*200000); t('{"a":'*200000)
def d(o,**k):
    try: print(json.dumps(o,**k))
    except Exception as e: print(type(e).__name__, e)
d({1:2,None:3,True:4,1.5:5,'x':[1,'é"\n\x01\U0001F600',float('inf')]}); d({(1,2):3}); d({(1,2):3},skipkeys=True); d(float('nan'),allow_nan=False); d([1,{2}]); d({'a':1,'b':[1,2,{}],'c':[],'d':{}},indent=2); d({'b':1,'a':2},sort_keys=True); d({1:1,'a':2},sort_keys=True); x=[];x.append(x); d(x); d({'a':[1,(1,2)]},separators=(',',':')); d([1,{'k':object()}])
d("é\x7f\u2028",ensure_ascii=False); d(10**30); d([True,False,None])
# Names whose bytes are the same in memory, of one byte a character and of two.
t('{"ab": 1, "\u6261": 2}'); t('[{"\u6261": 1}, {"ab": 2}, {"ab\\u0000\\u0000": 3}, {"\U00006261": 4}]'); t('{"abcd": 1, "\u6261\u6463": 2}')
t('[' + ','.join('{"id": %d, "\u6469": 0, "no": 1, "\u6f6e": 2}' % n for n in range(3)) + ']')
