"""The fast path: from documents to class scores with numpy alone.

The model is linear in TF-IDF features, and each block of features (words, characters) is divided by the
square root of its own sum. That norm is a sum over terms, and every character n-gram lies inside one
token; so a token adds a fixed row of numbers to a document, whatever stands around it:

    character sum, character scores, word sum, word scores, flag scores

Rows are worked out once for each token and remembered. A document is then one gather and one sum, and a
whole block of documents is still one gather and one sum. The same rows say what each token contributed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from scamdetect import features, indicators
from scamdetect.preprocessing import Document

__all__ = ["Contribution", "Scorer", "Weights", "softmax"]

Floats = npt.NDArray[np.float64]

CACHED_TOKENS = 1 << 17
"""Rows of tokens that are remembered before the memory is emptied (some 20 MB)."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A linear model over the three kinds of terms; for ``n`` terms and ``k`` classes.

    Parameters
    ----------
    classes : tuple of str
        The labels, in the order of the columns.
    words, characters, flags : tuple of str
        The terms of each kind.
    word_idf, character_idf : array of shape (n,)
        What one occurrence of a term adds to the block's sum.
    word_weights, character_weights, flag_weights : array of shape (n, k)
        What one occurrence of a term adds to the scores before the division by the norm.
    intercept : array of shape (k,)
    """

    classes: tuple[str, ...]
    words: tuple[str, ...]
    characters: tuple[str, ...]
    flags: tuple[str, ...]
    word_idf: Floats
    character_idf: Floats
    word_weights: Floats
    character_weights: Floats
    flag_weights: Floats
    intercept: Floats


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one term adds to the score of each class; all of them and the intercept give the score."""

    term: str
    kind: str
    scores: Floats


class Scorer:
    """Scores documents with fixed weights, remembering the row of every token it has met."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        size = len(weights.classes)
        self._characters = slice(1, 1 + size)
        self._words = slice(2 + size, 2 + 2 * size)
        self._flags = slice(2 + 2 * size, 2 + 3 * size)
        self._word_sum = 1 + size
        self._word_ids = dict(zip(weights.words, range(len(weights.words)), strict=True))
        self._character_ids = dict(zip(weights.characters, range(len(weights.characters)), strict=True))
        self._forget()

    def _forget(self) -> None:
        width = 2 + 3 * len(self.weights.classes)
        flags = self.weights.flags
        self._table = np.zeros((4096, width))
        self._table[1 : 1 + len(flags), self._flags] = self.weights.flag_weights
        self._flag_rows = {name: row for row, name in enumerate(flags, 1)}
        self._rows = _TokenRows(self)
        self._pair_rows = _PairRows(self)
        self._filled = 1 + len(flags)

    def _add_row(self, row: Floats) -> int:
        if self._filled == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._table[self._filled] = row
        self._filled += 1
        return self._filled - 1

    def _token_row(self, token: str) -> Floats:
        row = np.zeros(self._table.shape[1])
        ids = [i for gram in features.ngrams(token) if (i := self._character_ids.get(gram)) is not None]
        if ids:
            row[0] = self.weights.character_idf[ids].sum()
            row[self._characters] = self.weights.character_weights[ids].sum(axis=0)
        self._add_word(row, token)
        return row

    def _add_word(self, row: Floats, term: str) -> None:
        if (i := self._word_ids.get(term)) is not None:
            row[self._word_sum] = self.weights.word_idf[i]
            row[self._words] = self.weights.word_weights[i]

    def _document_rows(self, document: Document, flags: Sequence[str]) -> list[int]:
        words = document.words
        rows = list(map(self._rows.__getitem__, set(words)))
        rows += map(self._pair_rows.__getitem__, set(zip(words, words[1:], strict=False)))
        rows += map(self._flag_rows.get, flags, repeat(0))
        return rows

    def scores(self, documents: Sequence[Document], flags: Sequence[Sequence[str]]) -> Floats:
        """Return the class scores (log-odds up to a constant) of documents, shape (documents, classes).

        Parameters
        ----------
        documents : sequence of Document
        flags : sequence of sequence of str
            For each document, the names of the flag features that hold.
        """
        if self._filled > CACHED_TOKENS:
            self._forget()
        ids: list[int] = []
        starts: list[int] = []
        for document, names in zip(documents, flags, strict=True):
            starts.append(len(ids))
            ids.append(0)
            ids += self._document_rows(document, names)
        if not starts:
            return np.zeros((0, len(self.weights.classes)))
        sums = np.add.reduceat(self._table[ids], starts, axis=0)
        return self._combine(sums) + self.weights.intercept

    def _combine(self, sums: Floats) -> Floats:
        character_norm, word_norm = self._norms(sums)
        return (
            sums[:, self._characters] / character_norm
            + sums[:, self._words] / word_norm
            + sums[:, self._flags]
        )

    def _norms(self, sums: Floats) -> tuple[Floats, Floats]:
        character_norm = np.sqrt(sums[:, :1])
        word_norm = np.sqrt(sums[:, self._word_sum : self._word_sum + 1])
        character_norm[character_norm == 0] = 1.0
        word_norm[word_norm == 0] = 1.0
        return character_norm, word_norm

    def contributions(self, document: Document, flags: Sequence[str]) -> list[Contribution]:
        """Return what every term of a document adds; with the intercept, they add up to the scores."""
        words = dict.fromkeys(document.words)
        pairs = dict.fromkeys(zip(document.words, document.words[1:], strict=False))
        terms = [(token, "word", self._rows[token]) for token in words]
        terms += [(" ".join(pair), "word", row) for pair in pairs if (row := self._pair_rows[pair])]
        terms += [(name, "flag", row) for name in flags if (row := self._flag_rows.get(name, 0))]
        if not terms:
            return []
        rows = self._table[[row for _, _, row in terms]]
        character_norm, word_norm = self._norms(rows.sum(axis=0, keepdims=True))
        scores = (
            rows[:, self._characters] / character_norm
            + rows[:, self._words] / word_norm
            + rows[:, self._flags]
        )
        return [
            Contribution(term, kind, row) for (term, kind, _), row in zip(terms, scores, strict=True)
        ]


class _TokenRows(dict[str, int]):
    """The table row of each token, worked out when first met."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def __missing__(self, token: str) -> int:
        row = self[token] = self._scorer._add_row(self._scorer._token_row(token))
        return row


class _PairRows(dict[tuple[str, str], int]):
    """The table row of each pair of neighbours; row 0, which is empty, for pairs outside the vocabulary."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def __missing__(self, pair: tuple[str, str]) -> int:
        scorer = self._scorer
        term = " ".join(pair)
        if term not in scorer._word_ids:
            if len(self) < CACHED_TOKENS:
                self[pair] = 0
            return 0
        row = np.zeros(scorer._table.shape[1])
        scorer._add_word(row, term)
        self[pair] = scorer._add_row(row)
        return self[pair]


def softmax(scores: Floats) -> Floats:
    """Return probabilities, row by row, for class scores.

    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return result
