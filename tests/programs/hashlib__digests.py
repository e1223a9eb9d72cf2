import hashlib
for n in sorted(hashlib.algorithms_guaranteed):
    h=hashlib.new(n,b'abc'); h.update(b'x'*5000)
    print(n,h.hexdigest(8) if 'shake' in n else h.hexdigest(),h.digest_size,h.block_size,h.name, h.copy().digest_size)
print(hashlib.blake2b(b'a',digest_size=7,key=b'k',salt=b's',person=b'p',fanout=2,depth=3,leaf_size=5,node_offset=6,node_depth=1,inner_size=9,last_node=True).hexdigest())
print(hashlib.blake2s(b'a',digest_size=7,key=b'k',salt=b's',person=b'p',fanout=2,depth=3,leaf_size=5,node_offset=6,node_depth=1,inner_size=9,last_node=True).hexdigest())


def attempt(f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except Exception as e:
        print(type(e).__name__, e)


attempt(hashlib.sha256, "text")
attempt(hashlib.new, "nothing")
attempt(hashlib.blake2b, digest_size=65)
attempt(hashlib.blake2s, key=b"x" * 33)
