"""A parent that is gone on with: its children that are out already, by their ids, as the desk has them.

What an algorithm knows of a child beside its order is in the child's id and terms: the slice by when it was decided,
and that it crosses by its time in force.
"""

from __future__ import annotations

from collections.abc import Sequence

from modules.live.algorithms.algorithm import Algorithm
from modules.live.algorithms.children import MOST_CHILDREN, Child
from modules.live.messages import OpenAtVenue
from modules.live.orders.ids import child_of, decided_ns, numbers
from modules.live.orders.order import OrderError


def adopt(algorithm: Algorithm, orders: Sequence[OpenAtVenue]) -> int:
    """Take in what is out; returns how many children were not known. What cannot be of this parent stops it."""
    parent, children = algorithm.parent, algorithm.children
    new = [o for o in orders if o.client_id not in children.kinds]
    whose = child_of(parent.strategy, parent.parent_id)
    named = numbers([o.client_id for o in new], parent.account, whose, parent.symbol, MOST_CHILDREN)
    for told in sorted(new, key=lambda o: (decided_ns(o.client_id), o.client_id)):
        number = named.get(told.client_id)
        if number is None or told.symbol != parent.symbol or told.lots * parent.lots <= 0:
            algorithm.stopped = algorithm.stopped or f"{told.client_id} is no child of {parent.parent_id}"
            continue
        crosses = told.time_in_force in ("ioc", "fok")
        try:
            children.adopt(told, number, Child(algorithm.slices.at(decided_ns(told.client_id)), crosses))
        except OrderError as error:
            algorithm.stopped = algorithm.stopped or f"what was heard cannot be: {error}"
    return len(new)
