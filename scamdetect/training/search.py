"""The choice of settings: a small grid, judged by cross-validation that keeps groups together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from scamdetect.training.estimator import ScamOfferClassifier, TermTable

__all__ = ["GRID", "choose"]

GRID: tuple[dict[str, Any], ...] = (
    {"C": 1.0, "class_weight": "balanced"},
    {"C": 3.0, "class_weight": "balanced"},
    {"C": 10.0, "class_weight": "balanced"},
    {"C": 3.0, "class_weight": None},
)
"""Candidates from the strongest regularisation to the weakest; a tie goes to the earlier one."""

LEAST_GAIN = 5e-4
"""What a candidate must gain over an earlier one to be preferred."""

MOST_TEXTS = 6000
"""Settings are chosen on at most this many texts: more do not change the choice, but cost by the minute."""


def choose(
    classifier: ScamOfferClassifier,
    tables: dict[str, TermTable],
    labels: Sequence[str],
    groups: Sequence[str],
    n_jobs: int = 2,
    tell: Callable[[str], None] = lambda message: None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the best of `GRID` and the score of each, the mean one-against-rest AUC of held-out scores.

    With too few texts for cross-validation, the classifier's own settings are kept.
    """
    rows = _sample(groups, classifier.random_state)
    part = {kind: table.rows(rows) for kind, table in tables.items()}
    y = np.asarray(labels)[rows]
    kept = np.asarray(groups)[rows]
    scores: list[dict[str, Any]] = []
    best: dict[str, Any] = {}
    highest = -np.inf
    for number, candidate in enumerate(GRID, 1):
        tell(f"choosing settings, {number} of {len(GRID)}")
        trial = ScamOfferClassifier(**(classifier.get_params() | candidate))
        held_out = trial.held_out_scores(part, y, kept, n_jobs)
        if held_out is None:
            return {}, []
        classes = np.unique(y)
        auc = float(np.mean([roc_auc_score(y == name, held_out[:, i]) for i, name in enumerate(classes)]))
        scores.append({**candidate, "auc": round(auc, 6)})
        if auc > highest + LEAST_GAIN:
            highest, best = auc, candidate
    return best, scores


def _sample(groups: Sequence[str], seed: int) -> Any:
    """Return row numbers of at most `MOST_TEXTS` texts, whole groups."""
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    if len(codes) <= MOST_TEXTS:
        return np.arange(len(codes))
    order = np.random.default_rng(seed).permutation(codes.max() + 1)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    counts = np.bincount(codes)[order].cumsum()
    return np.flatnonzero(rank[codes] < np.searchsorted(counts, MOST_TEXTS))
