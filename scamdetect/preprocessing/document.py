"""One door into preprocessing: `read` turns a raw text into a `Document`.

The road of a text: lines are split into chunks at white space; each chunk is cleaned by itself (and
remembered, for the same chunks come again and again); the cleaned chunks are joined; last come the two
readings that need neighbours, letters held apart by spaces and short forms with several meanings.
Offsets into the raw text are worked out only when somebody asks for a span.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from scamdetect.preprocessing import cleaning, lexicon
from scamdetect.preprocessing.alignment import Alignment, Edit, apply
from scamdetect.preprocessing.tokens import Token, tokenize

__all__ = ["Document", "normalize", "read"]

CACHED_CHUNKS = 1 << 17
LONGEST_CACHED = 48
MAX_TEXT = 200_000
"""Characters of a text that are read; the rest is left out, and the result carries a note."""

_LETTERS_APART = re.compile(r"(?<![^ \n])[a-z0-9](?: [a-z0-9]){2,}(?![^ \n,.!?])")
_CHUNK_OR_LINE = re.compile(r"\n|\S+")
_CHUNK = re.compile(r"\S+")
_TEXT, _TOKENS, _WEIGHT = map(itemgetter, range(3))
_NEIGHBOURS = 4
ALWAYS_LOOK = 3
"""A text whose pieces weigh this much together is read once more with an eye on neighbours."""


class Piece(NamedTuple):
    """A cleaned chunk: its text, its tokens, and where in the raw chunk both come from.

    `neighbours_matter` says how strongly it asks for a look at its neighbours. `spans` are the raw spans
    of the tokens; `starts` and `ends` those of the characters, or None where each is its own.
    """

    text: str
    tokens: tuple[str, ...]
    neighbours_matter: int
    spans: tuple[tuple[int, int], ...]
    starts: tuple[int, ...] | None
    ends: tuple[int, ...] | None


class _Pieces(dict[str, Piece]):
    """Cleaned chunks by raw chunk: a bounded memory that is emptied when full."""

    def __missing__(self, chunk: str) -> Piece:
        piece = _clean_chunk(chunk)
        if len(chunk) <= LONGEST_CACHED:
            if len(self) >= CACHED_CHUNKS:
                self.clear()
            self[chunk] = piece
        return piece


def _clean_chunk(chunk: str) -> Piece:
    aligned = Alignment.of(chunk)
    for edits in cleaning.rounds(chunk):
        aligned.apply(edits)
    text, starts, ends = aligned.text, aligned.starts, aligned.ends
    tokens = tokenize(text)
    weight = int(len(text) == 1 and text.isalnum())
    if any(token.text in lexicon.ambiguous() for token in tokens):
        weight = ALWAYS_LOOK
    moved = len(text) != len(chunk) or starts != list(range(len(chunk)))
    return Piece(
        text,
        tuple(token.text for token in tokens),
        weight,
        tuple((min(starts[t.start : t.end]), max(ends[t.start : t.end])) for t in tokens),
        tuple(starts) if moved else None,
        tuple(ends) if moved else None,
    )


_PIECES = _Pieces({"\n": Piece("\n", (), 0, (), None, None)})


class Document:
    """A raw text as the model reads it.

    Parameters
    ----------
    raw : str
        The text as it came.
    text : str
        The cleaned text: printable ASCII in lower case and line breaks, single spaces.
    words : list of str
        The tokens of the cleaned text, in order.
    direct : bool
        Whether every chunk was cleaned by itself, so that no neighbours changed it.
    truncated : bool
        Whether the end of a very long text was left out.

    Examples
    --------
    >>> document = read("Gaji 10jt, ke K4MB0JA!")
    >>> document.text, document.words
    ('gaji 10jt, ke kamboja!', ['gaji', '#', 'jt', 'ke', 'kamboja'])
    >>> start = document.text.index("kamboja")
    >>> document.raw[slice(*document.span(start, start + 7))]
    'K4MB0JA'
    """

    __slots__ = ("_alignment", "_places", "direct", "raw", "text", "truncated", "words")

    def __init__(self, raw: str, text: str, words: list[str], direct: bool = True, truncated: bool = False) -> None:
        self.raw = raw
        self.text = text
        self.words = words
        self.direct = direct
        self.truncated = truncated
        self._alignment: Alignment | None = None
        self._places: tuple[list[int], list[int], list[Piece]] | None = None

    def __repr__(self) -> str:
        return f"Document({self.text!r})"

    @property
    def alignment(self) -> Alignment:
        """The cleaned text with the raw span behind each of its characters."""
        if self._alignment is None:
            self._alignment = _align(self.raw[:MAX_TEXT])
        return self._alignment

    @property
    def tokens(self) -> list[Token]:
        """The tokens with their spans in the cleaned text."""
        return tokenize(self.text)

    def word_spans(self) -> list[tuple[int, int]]:
        """Return the raw span of each of `words`."""
        if self.direct:
            return [
                (chunk.start() + start, chunk.start() + end)
                for chunk in _CHUNK.finditer(self.raw[:MAX_TEXT])
                for start, end in _PIECES[chunk[0]].spans
            ]
        return [self.span(token.start, token.end) for token in self.tokens]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the raw span (in characters) of the cleaned ``text[start:end]``; `start` < `end`."""
        if not self.direct:
            aligned = self.alignment
            return min(aligned.starts[start:end]), max(aligned.ends[start:end])
        return self._raw_place(start)[0], self._raw_place(end - 1)[1]

    def _raw_place(self, position: int) -> tuple[int, int]:
        """Return the raw span of one cleaned character."""
        if self._places is None:
            self._places = _places(self.raw[:MAX_TEXT], self.text)
        cleaned_starts, raw_starts, pieces = self._places
        number = bisect_right(cleaned_starts, position) - 1
        piece, offset = pieces[number], position - cleaned_starts[number]
        if offset >= len(piece.text):
            raw = raw_starts[number] + (piece.ends[-1] if piece.ends else len(piece.text))
            return raw, raw + 1
        if piece.starts is None or piece.ends is None:
            return raw_starts[number] + offset, raw_starts[number] + offset + 1
        return raw_starts[number] + piece.starts[offset], raw_starts[number] + piece.ends[offset]


def _places(raw: str, text: str) -> tuple[list[int], list[int], list[Piece]]:
    """Return where each piece begins in the cleaned and in the raw text, and the pieces."""
    cleaned_starts: list[int] = []
    raw_starts: list[int] = []
    pieces: list[Piece] = []
    position = 0
    for chunk in _CHUNK.finditer(raw):
        piece = _PIECES[chunk[0]]
        if not piece.text:
            continue
        position = text.index(piece.text, position)
        cleaned_starts.append(position)
        raw_starts.append(chunk.start())
        pieces.append(piece)
        position += len(piece.text)
    return cleaned_starts, raw_starts, pieces


def read(raw: str) -> Document:
    """Read a raw text.

    Parameters
    ----------
    raw : str
        Any string; lone surrogates, control characters and markup included.

    Returns
    -------
    Document

    Raises
    ------
    TypeError
        If `raw` is no string.
    """
    if not isinstance(raw, str):
        raise TypeError(f"a text must be a str, not {type(raw).__name__}")
    truncated = len(raw) > MAX_TEXT
    text, words, direct = _read_pieces(raw[:MAX_TEXT] if truncated else raw)
    return Document(raw, text, words, direct, truncated)


def normalize(text: str) -> str:
    """Return the cleaned text that the model sees.

    >>> normalize("G4ji bsr, l0ker ke k.a.m.b.o.j.a")
    'gaji besar, lowongan kerja ke kamboja'
    """
    return read(text).text


def _read_pieces(raw: str) -> tuple[str, list[str], bool]:
    text, tokens, weight = _join_pieces(raw)
    direct = True
    for _ in range(cleaning.MAX_ROUNDS):
        edits = _neighbour_edits(text) if weight >= ALWAYS_LOOK else []
        if not edits:
            break
        direct = False
        text, tokens, weight = _join_pieces(apply(text, edits))
    return text, tokens, direct


def _join_pieces(raw: str) -> tuple[str, list[str], int]:
    chunks: list[str] = []
    for line in raw.split("\n"):
        chunks += line.split()
        chunks.append("\n")
    pieces = list(map(_PIECES.__getitem__, chunks))
    text = " ".join(filter(None, map(_TEXT, pieces))).replace("\n ", "\n").replace(" \n", "\n").strip()
    return text, list(chain.from_iterable(map(_TOKENS, pieces))), sum(map(_WEIGHT, pieces))


def _neighbour_edits(text: str) -> list[Edit]:
    return _join_letters(text) or _decide_ambiguous(text)


def _join_letters(text: str) -> list[Edit]:
    """Join letters that stand apart.

    >>> apply("g a j i besar", _join_letters("g a j i besar"))
    'gaji besar'
    """
    edits: list[Edit] = []
    for match in _LETTERS_APART.finditer(text):
        joined = match[0].replace(" ", "")
        if sum(map(str.isalpha, joined)) * 2 > len(joined):
            edits.append((match.start(), match.end(), _split_keywords(joined)))
    return edits


def _split_keywords(letters: str) -> str:
    """Put spaces around the key words in a run of joined letters, the longest first from the left."""
    words: list[str] = []
    rest = position = 0
    keywords = lexicon.keywords()
    while position < len(letters):
        for length in range(min(cleaning.LONGEST_WORD, len(letters) - position), 3, -1):
            word = cleaning.clean(letters[position : position + length])
            if word in keywords:
                words += [letters[rest:position], word]
                position += length
                rest = position
                break
        else:
            position += 1
    return " ".join(filter(None, [*words, letters[rest:]]))


def _decide_ambiguous(text: str) -> list[Edit]:
    """Write out the short forms whose neighbours say how to read them.

    >>> apply("penempatan pp gaji dolar", _decide_ambiguous("penempatan pp gaji dolar"))
    'penempatan phnom penh gaji dolar'
    """
    edits: list[Edit] = []
    tokens = tokenize(text)
    for i, token in enumerate(tokens):
        for reading in lexicon.ambiguous().get(token.text, ()):
            near = tokens[max(0, i - _NEIGHBOURS) : i] + tokens[i + 1 : i + 1 + _NEIGHBOURS]
            if not reading.near.isdisjoint(other.text for other in near):
                edits.append((token.start, token.end, reading.standard))
                break
    return edits


def _align(raw: str) -> Alignment:
    aligned = _join_aligned(Alignment.of(raw))
    for _ in range(cleaning.MAX_ROUNDS):
        edits = _neighbour_edits(aligned.text)
        if not edits:
            break
        aligned.apply(edits)
        aligned = _join_aligned(aligned)
    return aligned


def _join_aligned(source: Alignment) -> Alignment:
    """Do what `_join_pieces` does, and keep every character's place."""
    parts: list[Alignment] = []
    for match in _CHUNK_OR_LINE.finditer(source.text):
        start, end = match.span()
        part = Alignment(match[0], source.starts[start:end], source.ends[start:end])
        if match[0] != "\n":
            for edits in cleaning.rounds(match[0]):
                part.apply(edits)
        if not part.text:
            continue
        if parts and part.text != "\n" and parts[-1].text != "\n":
            before, after = parts[-1].ends[-1], part.starts[0]
            parts.append(Alignment(" ", [min(before, after)], [max(before, after)]))
        parts.append(part)
    joined = Alignment.join(parts)
    left = len(joined.text) - len(joined.text.lstrip())
    right = len(joined.text.rstrip())
    return Alignment(joined.text[left:right], joined.starts[left:right], joined.ends[left:right])
