"""How much memory a tree of processes holds. Read from outside: each process has a limit, their sum has none."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")
_HELD = ("RssAnon:", "RssShmem:", "VmSwap:", "VmPTE:")
_SHARED_FAIRLY = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")


def tree(root: int) -> list[int]:
    """`root` and everything below it."""
    found = [root]
    for pid in found:
        if len(found) > 10_000:
            break
        found.extend(children(pid))
    return found


def held(pids: list[int]) -> int:
    """Bytes that the processes hold; a page that several share counts once for each. Quick."""
    return sum(_sum(_PROC / str(pid) / "status", _HELD) for pid in pids)


def held_fairly(pids: list[int]) -> int:
    """Bytes that the processes hold, shared pages divided among those that share them. Slow: it walks every page."""
    return sum(_sum(_PROC / str(pid) / "smaps_rollup", _SHARED_FAIRLY) for pid in pids)


def children(pid: int) -> list[int]:
    """The processes whose parent is `pid`."""
    out: list[int] = []
    try:
        for thread in (_PROC / str(pid) / "task").iterdir():
            out.extend(int(child) for child in (thread / "children").read_text().split())
    except OSError:
        pass  # it ended while it was read
    return out


def _sum(path: Path, keys: tuple[str, ...]) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0  # it ended while it was read
    return sum(int(line.split()[1]) for line in lines if line.startswith(keys)) * 1024
