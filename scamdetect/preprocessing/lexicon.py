"""The Indonesian words that cleaning knows: slang, key words, flags, and words that look like several."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from scamdetect import data

__all__ = ["Ambiguous", "ambiguous", "flags", "keywords", "known_words", "repairable", "slang"]


class Ambiguous(NamedTuple):
    """A short form that is read as ``standard`` only where one of the ``near`` words stands close by."""

    standard: str
    near: frozenset[str]


@cache
def slang() -> dict[str, str]:
    """Short and dialect forms with the standard words they stand for.

    >>> slang()["yg"]
    'yang'
    """
    return {row["form"]: row["standard"] for row in data.rows("slang.tsv")}


@cache
def ambiguous() -> dict[str, tuple[Ambiguous, ...]]:
    """Short forms that only their neighbours decide, each with its possible readings."""
    table: dict[str, list[Ambiguous]] = {}
    for row in data.rows("ambiguous.tsv"):
        reading = Ambiguous(row["standard"], frozenset(row["near"].split()))
        table.setdefault(row["form"], []).append(reading)
    return {form: tuple(readings) for form, readings in table.items()}


@cache
def keywords() -> frozenset[str]:
    """Key words of the field, which posters disguise and which cleaning therefore restores."""
    return frozenset(row["word"] for row in data.rows("keywords.tsv"))


@cache
def repairable() -> tuple[str, ...]:
    """Key words distinct enough for a misspelling to be repaired by edit distance."""
    return tuple(row["word"] for row in data.rows("keywords.tsv") if row["typo"] == "yes")


@cache
def known_words() -> frozenset[str]:
    """Words that are right as they stand, so that no repair touches them."""
    standard = {word for phrase in slang().values() for word in phrase.split()}
    return frozenset(data.lines("words.txt")) | standard | keywords() | slang().keys() | ambiguous().keys()


@cache
def flags() -> dict[str, str]:
    """Two-letter country codes, as flag emoji spell them, with the Indonesian country names."""
    return {row["iso2"].lower(): row["name"] for row in data.rows("flags.tsv")}
