"""Figures with their uncertainty: what a set of predictions on labelled texts is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score, roc_auc_score

__all__ = ["Interval", "bootstrap", "calibration_error", "figures", "slices", "threshold_for"]

Floats = npt.NDArray[np.float64]
TRAFFICKING = "trafficking"
RESAMPLES = 1000
BINS = 10
SMALLEST_SLICE = 5
"""A slice with fewer texts says nothing and is left out."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


def threshold_for(scores: Floats, budget: float) -> float:
    """Return the lowest threshold at which at most a share `budget` of `scores` is flagged.

    Parameters
    ----------
    scores : array of shape (n,)
        P(trafficking) of texts that are no trafficking offers.
    budget : float
        Share of them that may be flagged by mistake.

    >>> threshold_for(np.array([0.1, 0.2, 0.3, 0.9]), 0.25)
    0.6
    """
    if not len(scores):
        return 0.5
    ordered = np.sort(scores)[::-1]
    allowed = int(np.floor(budget * len(ordered)))
    if allowed >= len(ordered):
        return 0.0
    highest_kept_out = float(ordered[allowed])
    above = float(ordered[allowed - 1]) if allowed else 1.0
    if above > highest_kept_out:
        return (above + highest_kept_out) / 2
    return float(np.nextafter(above, 2.0))


def calibration_error(truth: npt.NDArray[np.bool_], probability: Floats) -> float:
    """Return the expected calibration error over ten equal-width bins.

    >>> calibration_error(np.array([True, False]), np.array([1.0, 0.0]))
    0.0
    """
    if not len(truth):
        return 0.0
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    error = 0.0
    for b in range(BINS):
        inside = bins == b
        if inside.any():
            error += inside.mean() * abs(truth[inside].mean() - probability[inside].mean())
    return float(error)


def bootstrap(
    value: Callable[[npt.NDArray[np.int_]], float], groups: Sequence[str], seed: int = 0
) -> Interval:
    """Return a figure with a 95% interval from resampling whole groups.

    Parameters
    ----------
    value : callable
        Takes row numbers (with repetitions) and returns the figure.
    groups : sequence of str
        The group of each row.
    seed : int, default 0
    """
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    rng = np.random.default_rng(seed)
    found: list[float] = []
    for _ in range(RESAMPLES):
        picked = rng.integers(0, len(members), len(members))
        with np.errstate(all="ignore"):
            figure = value(np.concatenate([members[i] for i in picked]))
        if np.isfinite(figure):
            found.append(figure)
    whole = value(np.arange(len(codes)))
    if not found:
        return Interval(whole, float("nan"), float("nan"))
    low, high = np.percentile(found, [2.5, 97.5])
    return Interval(whole, float(low), float(high))


def _share(part: npt.NDArray[np.bool_], of: npt.NDArray[np.bool_]) -> float:
    return float(part[of].mean()) if of.any() else float("nan")


def figures(
    labels: Sequence[str],
    probabilities: Floats,
    classes: Sequence[str],
    threshold: float,
    groups: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the headline figures of predictions.

    Parameters
    ----------
    labels : sequence of str, length n
        True labels.
    probabilities : array of shape (n, n_classes)
    classes : sequence of str
        Labels in the order of the columns.
    threshold : float
        P(trafficking) from which a text is flagged.
    groups : sequence of str, optional
        With it, recall and false flags come with group-bootstrap intervals.

    Returns
    -------
    dict
        ``texts``, ``recall`` (of trafficking, flagged), ``false_flags`` (share of the other texts that
        are flagged), ``precision``, ``macro_f1`` (of the most probable label), ``auc``,
        ``average_precision``, ``calibration_error``, ``confusion``; a figure is None where the data
        cannot give it.
    """
    truth = np.asarray(labels)
    column = list(classes).index(TRAFFICKING)
    probability = probabilities[:, column]
    positive = truth == TRAFFICKING
    flagged = probability >= threshold
    best = np.asarray(classes)[probabilities.argmax(axis=1)]
    present = sorted(set(truth))
    result: dict[str, Any] = {
        "texts": len(truth),
        "trafficking": int(positive.sum()),
        "recall": _share(flagged, positive),
        "false_flags": _share(flagged, ~positive),
        "false_flags_legit": _share(flagged, truth == "legit"),
        "precision": _share(positive, flagged),
        "macro_f1": float(f1_score(truth, best, labels=present, average="macro", zero_division=0)),
        "auc": float(roc_auc_score(positive, probability)) if 0 < positive.sum() < len(truth) else None,
        "average_precision": float(average_precision_score(positive, probability)) if positive.any() else None,
        "calibration_error": calibration_error(positive, probability),
        "confusion": {
            "labels": list(classes),
            "rows_true_columns_predicted": confusion_matrix(truth, best, labels=list(classes)).tolist(),
        },
    }
    if groups is not None and len(truth):
        for name, of in (("recall", positive), ("false_flags", ~positive)):
            interval = bootstrap(lambda rows, of=of: _share(flagged[rows], of[rows]), groups)  # type: ignore[misc]
            result[f"{name}_interval"] = [interval.low, interval.high]
    return {
        key: None if isinstance(value, float) and np.isnan(value) else value for key, value in result.items()
    }


def slices(
    rows: Sequence[dict[str, str]], flagged: npt.NDArray[np.bool_], by: str
) -> list[dict[str, Any]]:
    """Return, for each value of a column and each side of the question, how many texts are flagged.

    Parameters
    ----------
    rows : sequence of dict
        With ``label`` and the column `by`.
    flagged : array of bool, shape (n,)
    by : str
    """
    found: list[dict[str, Any]] = []
    cells: dict[tuple[str, str], list[bool]] = {}
    for row, flag in zip(rows, flagged.tolist(), strict=True):
        side = "trafficking" if row["label"] == TRAFFICKING else "other"
        cells.setdefault((row[by] or "-", side), []).append(flag)
    for (value, side), flags in sorted(cells.items()):
        if len(flags) >= SMALLEST_SLICE:
            found.append({by: value, "side": side, "texts": len(flags), "flagged": sum(flags) / len(flags)})
    return found
