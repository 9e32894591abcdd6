"""Evaluation of a model folder on labelled texts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scamdetect.detector import Detector, load
from scamdetect.errors import DatasetError
from scamdetect.prediction import Prediction
from scamdetect.training.corpus import Data, Example, read_corpus, split_of
from scamdetect.training.metrics import figures, slices

__all__ = ["Evaluation", "evaluate"]

SLICES = ("category", "channel", "register", "region", "source")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model says of labelled texts, and what that is worth.

    Parameters
    ----------
    examples : list of Example
    predictions : list of Prediction
        One for each example.
    figures : dict
        See `scamdetect.training.metrics.figures`.
    slices : dict of str to list
        Share flagged by column, value and side.
    """

    examples: list[Example]
    predictions: list[Prediction]
    figures: dict[str, Any]
    slices: dict[str, list[dict[str, Any]]]

    def false_flags(self) -> list[tuple[Example, Prediction]]:
        """Return the texts flagged that are no trafficking offers, the surest first."""
        wrong = [(e, p) for e, p in self._pairs() if p.flagged and e.label != "trafficking"]
        return sorted(wrong, key=lambda pair: -pair[1].probability)

    def missed(self) -> list[tuple[Example, Prediction]]:
        """Return the trafficking offers that are not flagged, the least suspected first."""
        wrong = [(e, p) for e, p in self._pairs() if not p.flagged and e.label == "trafficking"]
        return sorted(wrong, key=lambda pair: pair[1].probability)

    def _pairs(self) -> list[tuple[Example, Prediction]]:
        return list(zip(self.examples, self.predictions, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return figures and slices, ready for JSON; no texts."""
        return {"figures": self.figures, "slices": self.slices}


def evaluate(
    data: Data,
    model: str | os.PathLike[str] | Detector | None = None,
    *,
    split: str | None = None,
    columns: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    n_jobs: int = 1,
) -> Evaluation:
    """Score labelled texts and compare with their labels.

    Parameters
    ----------
    data : path, sequence of paths, or sequence of Example
    model : path or Detector, optional
        The shipped model if not given.
    split : {"train", "test"}, optional
        Only the groups of this split; see `split_of`.
    columns, labels : mapping, optional
        What the data calls the columns and the labels; see `read_corpus`.
    n_jobs : int, default 1

    Raises
    ------
    DatasetError
        If the data cannot be used.
    ModelError
        If the model cannot be read.
    """
    if split not in (None, "train", "test"):
        raise DatasetError(f"split is {split!r}; it must be 'train' or 'test'")
    examples = read_corpus(data, columns, labels)
    chosen = [e for e in examples if split is None or split_of(e.group) == split]
    if not chosen:
        raise DatasetError(f"no texts in the {split} split")
    detector = model if isinstance(model, Detector) else load(model)
    predictions = list(detector.predict_many((e.text for e in chosen), n_jobs=n_jobs))
    probabilities = np.array([list(p.probabilities.values()) for p in predictions])
    flagged = np.array([p.flagged for p in predictions])
    rows = [{"label": e.label, **{name: getattr(e, name) for name in SLICES}} for e in chosen]
    return Evaluation(
        examples=chosen,
        predictions=predictions,
        figures=figures(
            [e.label for e in chosen], probabilities, detector.labels, detector.threshold, [e.group for e in chosen]
        ),
        slices={
            name: slices(rows, flagged, name) for name in SLICES if any(row[name] for row in rows)
        },
    )

