"""Shape features: what a text looks like, apart from what it says.

A corpus whose labels follow from these is a corpus that a model can cheat on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scamdetect.preprocessing import read
from scamdetect.preprocessing.entities import places

__all__ = ["SHAPE", "shape", "shape_auc"]

SHAPE = (
    "log_length lines line_length words_per_line capitals shouted digits figures emoji punctuation exclamations questions "
    "bullets phone link abroad"
).split()
"""Names of the features, in the order of the columns."""

_PHONE = re.compile(r"(?:\+?62|0)[\d .()-]{8,}\d|\+\d[\d .()-]{7,}\d")
_LINK = re.compile(r"https?:|www\.|wa\.me|t\.me|\.(?:com|id|example|org|net)\b|@\w")
_EMOJI = re.compile("[\u2600-\u27bf\U0001f1e6-\U0001faff]")
_BULLET = re.compile(r"(?m)^\s*(?:[-*\u2022\u25aa-\u25cf>=~+]|\d{1,2}[.)])")


def shape(text: str) -> list[float]:
    """Return the shape features of a raw text, in the order of `SHAPE`."""
    length = max(len(text), 1)
    lines = max(text.count("\n") + 1, 1)
    words = text.split()
    letters = max(sum(map(str.isalpha, text)), 1)
    home = {"ID"}
    return [
        float(np.log(length)),
        float(np.log(lines)),
        length / lines,
        len(words) / lines,
        sum(map(str.isupper, text)) / letters,
        sum(word.isupper() and len(word) > 2 for word in words) / max(len(words), 1),
        sum(map(str.isdigit, text)) / length,
        len(re.findall(r"\d[\d.,]*", text)) / max(len(words), 1),
        min(len(_EMOJI.findall(text)), 20) / 20,
        sum(not c.isalnum() and not c.isspace() for c in text) / length,
        text.count("!") / length * 100,
        text.count("?") / length * 100,
        float(np.log1p(len(_BULLET.findall(text)))),
        float(_PHONE.search(text) is not None),
        float(_LINK.search(text) is not None),
        float(any(place.country not in home for place in places(read(text).text))),
    ]


def shape_auc(texts: Sequence[str], labels: Sequence[str], groups: Sequence[str]) -> float | None:
    """Return the macro AUC, one label against the rest, that shape features reach in cross-validation.

    None if a label has fewer than five groups.
    """
    y = np.asarray(labels)
    names = np.unique(y)
    g = np.asarray(groups)
    if len(names) < 2 or min(len(set(g[y == name])) for name in names) < 5:
        return None
    features: npt.NDArray[np.float64] = np.array([shape(text) for text in texts])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, features, y, groups=g, cv=folds, method="predict_proba")
    return float(np.mean([roc_auc_score(y == name, scores[:, i]) for i, name in enumerate(names)]))
