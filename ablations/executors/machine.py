"""What this machine has: processors, memory, graphics cards."""

from __future__ import annotations

import os
from pathlib import Path

from ablations.executors.port import Room

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
VISIBLE = "CUDA_VISIBLE_DEVICES"


def room() -> Room:
    """Processors that this process may use, memory that is there in all, graphics cards that it may see."""
    return Room(cpus=len(os.sched_getaffinity(0)), memory_mb=memory_mb(), gpus=len(gpus()))


def memory_mb() -> int:
    """The machine's memory, or what a container is allowed of it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in _LIMITS:
        try:
            text = Path(limit).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total // 2**20


def gpus() -> tuple[str, ...]:
    """Names of the cards, as `CUDA_VISIBLE_DEVICES` spells them; that variable limits them where it is set."""
    chosen = os.environ.get(VISIBLE)
    if chosen is not None:
        names = tuple(name.strip() for name in chosen.split(","))
        # The driver reads names up to the first that is none: an empty one, or -1.
        bad = next((at for at, name in enumerate(names) if name in ("", "-1")), len(names))
        return names[:bad]
    cards = Path("/proc/driver/nvidia/gpus")
    count = len(list(cards.iterdir())) if cards.is_dir() else 0
    return tuple(str(at) for at in range(count or len(list(Path("/dev").glob("nvidia[0-9]")))))
