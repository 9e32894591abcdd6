"""Stems by PySastrawi, with what it gets wrong in this field held back.

The model does not stem (docs/evaluation.md says what stems would change); cleaning asks here whether an
unknown word is Indonesian before it takes it for a misspelt key word. PySastrawi is loaded on the first
such question.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from scamdetect import data

__all__ = ["is_word", "protected", "stem"]

CACHED_WORDS = 1 << 16


@cache
def protected() -> frozenset[str]:
    """Return the words that are kept as they are: places, trades, terms of the field.

    >>> "bekasi" in protected()
    True
    """
    return frozenset(data.lines("stem_protect.txt"))


@cache
def _roots() -> frozenset[str]:
    from Sastrawi.Stemmer.StemmerFactory import StemmerFactory

    return frozenset(StemmerFactory().get_words())


@cache
def _stemmer() -> Any:
    from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
    from Sastrawi.Stemmer.Stemmer import Stemmer

    return Stemmer(ArrayDictionary(_roots()))


@lru_cache(maxsize=CACHED_WORDS)
def stem(word: str) -> str:
    """Return the stem of a lower-case word; protected words and what has no known root stay whole.

    >>> stem("penempatan"), stem("bekasi"), stem("diberangkatkan")
    ('penempatan', 'bekasi', 'berangkat')
    """
    if word in protected():
        return word
    found: str = _stemmer().stem(word)
    return found


@lru_cache(maxsize=CACHED_WORDS)
def is_word(word: str) -> bool:
    """Say whether a word is an Indonesian root or a form of one.

    >>> is_word("pemagangan"), is_word("kambojja")
    (True, False)
    """
    return word in _roots() or str(_stemmer().stem(word)) in _roots()
