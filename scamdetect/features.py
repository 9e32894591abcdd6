"""What the model counts: one definition of the terms, for training and for scoring.

A document has three kinds of terms. *Words*: its distinct tokens and pairs of neighbouring tokens.
*Characters*: the n-grams of each distinct token, padded with a space on either side (scikit-learn's
``char_wb``). *Flags*: the names of the indicators that fire, and what their number says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from scamdetect import indicators
from scamdetect.preprocessing import Document

__all__ = ["CHARACTER_RANGE", "character_terms", "flag_terms", "ngrams", "word_terms"]

CHARACTER_RANGE = (3, 5)
"""Shortest and longest character n-gram."""


def ngrams(word: str, shortest: int = CHARACTER_RANGE[0], longest: int = CHARACTER_RANGE[1]) -> list[str]:
    """Return the character n-grams of one token; classes such as ``#wa`` have none.

    >>> ngrams("gaji", 3, 4)
    [' ga', 'gaj', 'aji', 'ji ', ' gaj', 'gaji', 'aji ']
    """
    if word[0] == "#":
        return []
    padded = f" {word} "
    return [
        padded[start : start + length]
        for length in range(shortest, longest + 1)
        for start in range(len(padded) - length + 1)
    ]


def word_terms(words: Sequence[str]) -> list[str]:
    """Return the distinct tokens and pairs of neighbours.

    >>> word_terms(["kerja", "di", "kerja"])
    ['kerja', 'di', 'kerja di', 'di kerja']
    """
    return list(dict.fromkeys(chain(words, map(" ".join, zip(words, words[1:], strict=False)))))


def character_terms(words: Iterable[str]) -> list[str]:
    """Return the n-grams of the distinct tokens, once for each token that has them."""
    return list(chain.from_iterable(map(ngrams, dict.fromkeys(words))))


def flag_terms(document: Document) -> tuple[str, ...]:
    """Return the names of the features that the indicators of a document give."""
    return indicators.feature_names(indicators.fired(document))
