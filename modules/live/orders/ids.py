"""Client ids: the same decision gives the same id, and every id tells whose it is and when it was decided.

After a loss of power a decision that is made again has the id that it had, so it is found at the venue instead of being
sent a second time; and an order at the venue that the books do not know is known as ours by its id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: sorts as the numbers do
_PAIRS: Final = tuple(a + b for a in _DIGITS for b in _DIGITS)
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_TIME_DIGITS: Final = 13
_SHAPE: Final = re.compile(rf"[{_DIGITS}]{{4}}-[{_DIGITS}]{{13}}-[{_DIGITS}]{{12}}")


def client_id(account: str, strategy: str, decided_ns: int, symbol: str, number: int = 0) -> str:
    """The id of an order, 31 characters of a-z, 0-9 and "-". `number` tells orders of one decision and symbol apart.

    decided_ns: ns UTC of the decision (the bar's close), not of the sending. Raises ValueError for a time before 1970.
    """
    return f"{tag(account)}-{_time(decided_ns)}-{_name(account, strategy, symbol, number)}"


@lru_cache(maxsize=64)
def _time(decided_ns: int) -> str:
    if not 0 <= decided_ns < 2**63:
        raise ValueError(f"decided_ns is {decided_ns}; give ns UTC since 1970")
    pairs, ns = _PAIRS, decided_ns  # of ten bits each, below the first digit
    return (
        f"{_DIGITS[ns >> 60]}{pairs[ns >> 50 & 1023]}{pairs[ns >> 40 & 1023]}{pairs[ns >> 30 & 1023]}"
        f"{pairs[ns >> 20 & 1023]}{pairs[ns >> 10 & 1023]}{pairs[ns & 1023]}"
    )


@lru_cache(maxsize=65_536)
def _name(account: str, strategy: str, symbol: str, number: int) -> str:
    return _hash(account, strategy, symbol, number)


def _hash(account: str, strategy: str, symbol: str, number: int) -> str:
    return _base32(hashlib.sha256("\0".join((account, strategy, symbol, str(number))).encode()).digest(), 12)


def numbers(ids: Collection[str], account: str, strategy: str, symbol: str, most: int) -> dict[str, int]:
    """The number of each id that was made for this strategy and symbol with a number below `most`."""
    wanted: dict[str, list[str]] = {}
    for one in ids:
        if is_of(account, one):
            wanted.setdefault(one[-12:], []).append(one)
    found: dict[str, int] = {}
    for number in range(most if wanted else 0):
        for one in wanted.pop(_hash(account, strategy, symbol, number), ()):
            found[one] = number
        if not wanted:
            break
    return found


def child_of(strategy: str, parent: str) -> str:
    """What stands in the place of the strategy in the id of a child order."""
    return f"{strategy}/{parent}"


@lru_cache(maxsize=64)
def tag(account: str) -> str:
    """The first four characters of every id of an account."""
    return _base32(hashlib.sha256(account.encode()).digest(), 4)


def is_of(account: str, client_id: str) -> bool:
    """Whether the id was made by `client_id` for this account."""
    return client_id[:4] == tag(account) and _SHAPE.fullmatch(client_id) is not None


def decided_ns(client_id: str) -> int:
    """When the order was decided on. Raises ValueError for an id of another make."""
    if _SHAPE.fullmatch(client_id) is None:
        raise ValueError(f"client_id {client_id!r} was not made by `client_id`: nobody can say when it was decided")
    value = 0
    for digit in client_id[5 : 5 + _TIME_DIGITS]:
        value = value << 5 | _VALUES[digit]
    return value


def _base32(digest: bytes, count: int) -> str:
    value = int.from_bytes(digest[:8], "big")
    return "".join(_DIGITS[value >> shift & 31] for shift in range(0, 5 * count, 5))
