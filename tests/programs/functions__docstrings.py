"""Docstrings are cleaned of their indentation."""

def f():
    """Top

        """
def g():
    """   Lead


    """
def h():
    """
    """
def i():
    """a
       b

      c
    """
def j():
    '''a\
  b
    '''
def k():
    """	tab
	x
    """
for x in (f,g,h,i,j,k): print(repr(x.__doc__))
