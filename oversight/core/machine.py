"""What the machine has."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

UNKNOWN = 2**34
"""Bytes of memory where a machine does not say."""
LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Where a container's limit stands."""


def memory() -> int:
    """Bytes of memory that this machine, or the container that we are in, has."""
    there = UNKNOWN
    with suppress(AttributeError, ValueError, OSError):
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(ValueError, OSError):  # "max", or no such file
        there = min(there, int(LIMIT.read_text()))
    return there
