"""Passages: the parts of a long or mixed text that could each be a posting of its own."""

from __future__ import annotations

import re

__all__ = ["passages"]

SHORTEST = 60
"""Characters; a shorter block belongs to the one after it."""

LONGEST = 900
"""Characters; a longer block is cut into windows."""

MOST = 64
"""Passages of one text that are looked at."""

_BREAK = re.compile(
    r"\n[ \t]*\n\s*|\n(?=[ \t]*(?:\d{1,2}[.)]|[a-hA-H][.)]|[-=_*~]{3,}|[#\u2022\u25aa-\u25cf\u2705\u27a1]|[\U0001f300-\U0001faff]))"
)
_STEP = re.compile(r"\n|[.!?]\s+")


def passages(text: str) -> list[tuple[int, int]]:
    """Return the spans of the passages of a raw text; none where the text is one passage itself.

    >>> text = "Dicari kasir toko di Depok, shift pagi, gaji sesuai UMK, bawa lamaran langsung.\\n\\n"
    >>> text += "Butuh cs untuk luar negeri, tiket dan paspor kami urus, berangkat minggu ini juga."
    >>> passages(text)
    [(0, 79), (81, 163)]
    """
    blocks: list[tuple[int, int]] = []
    start = 0
    for cut in [*_BREAK.finditer(text), None]:
        end = cut.start() if cut else len(text)
        if end - start >= SHORTEST or (cut is None and end > start):
            blocks += _windows(text, start, end)
            start = cut.end() if cut else end
        if len(blocks) >= MOST:
            break
    return blocks[:MOST] if len(blocks) > 1 else []


def _windows(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut a block into overlapping windows at line or sentence ends, if it is long."""
    if end - start <= LONGEST:
        return [(start, end)]
    steps = [start, *(match.end() for match in _STEP.finditer(text, start, end)), end]
    found: list[tuple[int, int]] = []
    position = start
    while position < end and len(found) < MOST:
        reach = [step for step in steps if position + SHORTEST <= step <= position + LONGEST // 2]
        stop = reach[-1] if reach else min(end, position + LONGEST // 2)
        found.append((position, stop))
        if stop >= end:
            break
        half = [step for step in reach if step >= position + (stop - position) // 2]
        position = half[0] if half and half[0] < stop else stop
    return found
