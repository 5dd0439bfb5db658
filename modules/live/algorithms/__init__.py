"""How a large order is worked: a schedule decides when, a router where, and bookkeeping sees to it that no more is
out than is left.

`parent.py` is the order to be worked, `heard.py` what an algorithm is told, `children.py` what became of the orders
that it sent, `algorithm.py` the step that all share, `kinds.py` the algorithms, `settings.py` how they are asked for.
`almgren.py`, `volume.py` and `schedule.py` are their arithmetic, `routing.py` the choice of venues. All of it is
pure: the time, the market and the fills come in, tickets go out. `replaying.py` runs the same objects in the event
engine, `modules/live/working/` over the desk.
"""
