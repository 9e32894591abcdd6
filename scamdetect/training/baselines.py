"""What the model has to beat: a keyword list, and the script that everybody writes first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

__all__ = ["KeywordList", "textbook_script"]

KEYWORDS = (
    r"kamboja|cambodia|myanmar|laos|poipet|sihanoukville|phnom ?penh|bavet|myawaddy|judi|judol|slot|scam",
    r"tiket|pesawat|akomodasi|paspor|passport|visa",
    r"\b(?:cs|admin|customer service|telemarketing|marketing)\b",
    r"gaji (?:besar|tinggi)|\b\d{2} ?(?:jt|juta)\b|usd|dollar|dolar",
    r"tanpa pengalaman|tanpa ijazah|tanpa syarat|semua umur",
    r"langsung berangkat|segera berangkat|cepat berangkat|urgent|butuh cepat",
    r"\bmess\b|gratis|ditanggung|kasbon",
)
ENOUGH = 3
"""Kinds of keywords that must meet for the list to flag a text."""


class KeywordList(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Flags a text in which three or more of seven kinds of keywords meet; learns only the labels.

    The flag becomes the label ``trafficking``, everything else the first other label.
    """

    def fit(self, X: Iterable[str], y: Iterable[Any]) -> KeywordList:
        """Note the labels."""
        self.classes_ = np.unique(list(y))
        return self

    def predict_proba(self, X: Iterable[str]) -> npt.NDArray[np.float64]:
        """Return 1 or 0 for trafficking, the rest for the first other label."""
        hits = np.array([sum(bool(re.search(k, text.lower())) for k in KEYWORDS) for text in X])
        flagged = (hits >= ENOUGH).astype(float)
        result = np.zeros((len(hits), len(self.classes_)))
        column = list(self.classes_).index("trafficking")
        result[:, column] = flagged
        result[:, 0 if column else 1] = 1 - flagged
        return result

    def predict(self, X: Iterable[str]) -> npt.NDArray[Any]:
        """Return the labels."""
        labels: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels


@cache
def _stemmer() -> Any:
    from Sastrawi.Stemmer.StemmerFactory import StemmerFactory

    return StemmerFactory().create_stemmer()


@lru_cache(maxsize=1 << 18)
def _stem(word: str) -> str:
    stem: str = _stemmer().stem(word)
    return stem


def _stemmed(text: str) -> list[str]:
    return [_stem(word) for word in re.findall(r"[a-z]+", text.lower())]


def textbook_script(C: float = 1.0) -> Pipeline:
    """Return lower-casing, PySastrawi stems, word TF-IDF and logistic regression."""
    return make_pipeline(
        TfidfVectorizer(tokenizer=_stemmed, token_pattern=None, lowercase=False),
        LogisticRegression(C=C, class_weight="balanced", max_iter=1000),
    )
