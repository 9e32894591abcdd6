"""Edits to a text, and the offsets that survive them.

A cleaning step never rewrites a text itself: it returns the edits that it wants made. The same edits
then give the new text (`apply`) and, where somebody asks for spans, the place in the raw text that each
new character came from (`Alignment.apply`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["Alignment", "Edit", "apply"]

Edit = tuple[int, int, str]
"""Replace ``text[start:end]`` by a string; edits of one step are sorted, disjoint and never empty."""


def apply(text: str, edits: Sequence[Edit]) -> str:
    """Return `text` with all `edits` made.

    >>> apply("k4mboja", [(1, 2, "a")])
    'kamboja'
    """
    parts: list[str] = []
    done = 0
    for start, end, replacement in edits:
        parts.append(text[done:start])
        parts.append(replacement)
        done = end
    parts.append(text[done:])
    return "".join(parts)


class Alignment:
    """A text with, for each of its characters, the span of the raw text behind it.

    Parameters
    ----------
    text : str
        The text as it stands now.
    starts, ends : list of int
        For character ``i``, the raw characters ``starts[i]:ends[i]``.

    Examples
    --------
    >>> aligned = Alignment.of("k4mb0ja")
    >>> aligned.apply([(1, 2, "a"), (4, 5, "o")])
    >>> aligned.text, aligned.starts[4], aligned.ends[4]
    ('kamboja', 4, 5)
    """

    __slots__ = ("ends", "starts", "text")

    def __init__(self, text: str, starts: list[int], ends: list[int]) -> None:
        self.text = text
        self.starts = starts
        self.ends = ends

    @classmethod
    def of(cls, raw: str, offset: int = 0) -> Alignment:
        """Align a raw text, which begins at `offset` in some longer raw text, with itself."""
        return cls(
            raw, list(range(offset, offset + len(raw))), list(range(offset + 1, offset + len(raw) + 1))
        )

    @classmethod
    def join(cls, parts: Iterable[Alignment]) -> Alignment:
        """Put aligned parts end to end."""
        texts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for part in parts:
            texts.append(part.text)
            starts += part.starts
            ends += part.ends
        return cls("".join(texts), starts, ends)

    def apply(self, edits: Sequence[Edit]) -> None:
        """Make `edits`; a replacement of another length than its source takes the whole source span."""
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for start, end, replacement in edits:
            starts += self.starts[done:start]
            ends += self.ends[done:start]
            if len(replacement) == end - start:
                starts += self.starts[start:end]
                ends += self.ends[start:end]
            else:
                starts += [self.starts[start]] * len(replacement)
                ends += [self.ends[end - 1]] * len(replacement)
            done = end
        self.text = apply(self.text, edits)
        self.starts = starts + self.starts[done:]
        self.ends = ends + self.ends[done:]
