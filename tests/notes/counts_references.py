# What sys.getrefcount tells of a list with two names; its argument counts too.
import sys

items = []
alias = items
print(sys.getrefcount(items))
del alias
print(sys.getrefcount(items))
