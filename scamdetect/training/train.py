"""Training: from labelled texts to a model folder."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn

import scamdetect
from scamdetect.detector import Detector
from scamdetect.errors import DatasetError
from scamdetect.modelfile import Model, Thresholds, write_model
from scamdetect.preprocessing import read
from scamdetect.training.card import model_card
from scamdetect.training.corpus import Data, Example, read_corpus, split_of
from scamdetect.training.estimator import ScamOfferClassifier, TermTable
from scamdetect.training.metrics import figures, slices, threshold_for
from scamdetect.training.search import choose

__all__ = ["Progress", "fit", "train"]

LOOK_BUDGET = 0.05
"""Share of texts without a trafficking offer that may be shown for a second look."""

FEWEST = 5
"""Texts of each label that training needs at the least."""

SLICES = ("category", "channel", "register")

Progress = Callable[[str], None]
"""Told, in a few words, what is being done now."""


@dataclass(frozen=True, slots=True)
class _Cleared:
    """Texts that are fit to learn from, and what was left out."""

    examples: list[Example]
    empty: int
    repeated: int


def train(
    data: Data,
    out: str | os.PathLike[str] | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    hold_out: bool = True,
    max_false_flags: float = 0.01,
    date: str = "",
    seed: int = 0,
    n_jobs: int = 2,
    progress: Progress | None = None,
) -> Detector:
    """Train a model and, if `out` is given, write its folder.

    Parameters
    ----------
    data : path, sequence of paths, or sequence of Example
        CSV files, or folders of them, with the columns ``text`` and ``label``.
    out : path, optional
        Model folder to write; it appears complete or not at all.
    columns, labels : mapping, optional
        What the data calls the columns and the labels; see `read_corpus`.
    hold_out : bool, default True
        Whether the fifth of the groups that `split_of` calls ``test`` is kept out of training and used
        for the figures in ``metrics.json``.
    max_false_flags : float, default 0.01
        Share of the other texts that may be flagged, on texts that the scoring model has not seen.
    date : str, default ""
        Written into the model folder as it is; a clock would make two equal trainings differ.
    seed : int, default 0
    n_jobs : int, default 2
        Processes for the choice of settings.
    progress : callable, optional

    Returns
    -------
    Detector

    Raises
    ------
    DatasetError
        If the data cannot be used; the message names file, row and what to do.

    Examples
    --------
    >>> rows = [("cari kasir toko roti", "legit"), ("kirim deposit dulu baru kerja", "scam")]
    >>> rows += [("cs ke poipet, paspor dan tiket kami urus", "trafficking")]
    >>> data = [Example(str(i), f"{text} {i}", label, group=str(i)) for i in range(9) for text, label in rows]
    >>> train(data, hold_out=False, n_jobs=1).labels
    ('legit', 'scam', 'trafficking')
    """
    tell = progress or (lambda message: None)
    if not 0 <= max_false_flags < 1:
        raise DatasetError(f"max_false_flags is {max_false_flags}; it must be a share from 0 to below 1")
    tell("reading the data")
    examples = read_corpus(data, columns, labels)
    cleared = _clear(examples)
    chosen = [e for e in cleared.examples if not hold_out or split_of(e.group) == "train"]
    held_out = [e for e in cleared.examples if hold_out and split_of(e.group) == "test"]
    _check(chosen)
    classifier, settings = fit(chosen, seed=seed, n_jobs=n_jobs, progress=tell)
    truth = np.array([e.label for e in chosen])
    probabilities = classifier.out_of_fold_
    honest = probabilities is not None
    if probabilities is None:
        probabilities = classifier.predict_proba([e.text for e in chosen])
    classes = tuple(map(str, classifier.classes_))
    others = probabilities[truth != "trafficking", classes.index("trafficking")]
    thresholds = Thresholds(
        flag=threshold_for(others, max_false_flags),
        look=threshold_for(others, max(LOOK_BUDGET, max_false_flags)),
        passage_shift=PASSAGE_SHIFT,
    )
    groups = [e.group for e in chosen]
    metrics: dict[str, Any] = {
        "out_of_fold" if honest else "on_training_texts": figures(truth.tolist(), probabilities, classes, thresholds.flag, groups)
    }
    info = {
        "settings": settings,
        "max_false_flags": max_false_flags,
        "seed": seed,
        "date": date,
        "data": {
            "texts": len(chosen),
            "held_out": len(held_out),
            "left_out_empty": cleared.empty,
            "left_out_repeated": cleared.repeated,
            "labels": dict(sorted(Counter(e.label for e in chosen).items())),
            "sha256": fingerprint(chosen),
        },
        "versions": {
            "scamdetect": scamdetect.__version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "python": platform.python_version(),
        },
    }
    model = Model(
        weights=classifier.weights_,
        thresholds=thresholds,
        priors={name: float(np.mean(truth == name)) for name in classes},
        info=info,
    )
    detector = Detector(model)
    if held_out:
        tell("measuring on the texts held out")
        metrics["held_out"] = _measure(detector, held_out)
    if out is not None:
        tell(f"writing {out}")
        extra = {
            "metrics.json": json.dumps(metrics, indent=2, ensure_ascii=False) + "\n",
            "MODEL_CARD.md": model_card(model, metrics),
        }
        write_model(model, out, extra)
        return Detector(model, source=Path(out))
    return detector


PASSAGE_SHIFT = 2.5
"""What a passage's log-odds lose before they compete with the whole text's; measured in docs/evaluation.md."""


def fit(
    examples: Sequence[Example], seed: int = 0, n_jobs: int = 2, progress: Progress | None = None
) -> tuple[ScamOfferClassifier, dict[str, Any]]:
    """Choose settings by group-aware cross-validation and fit a classifier with them.

    Returns
    -------
    classifier : ScamOfferClassifier
    settings : dict
        Its parameters, and the score of every candidate.
    """
    tell = progress or (lambda message: None)
    tell(f"reading {len(examples)} texts")
    documents = [read(e.text) for e in examples]
    labels = [e.label for e in examples]
    groups = [e.group for e in examples]
    classifier = ScamOfferClassifier(random_state=seed)
    tables = {kind: TermTable.of(kind, documents) for kind in ("words", "characters", "flags")}
    parameters, scores = choose(classifier, tables, labels, groups, n_jobs, tell)
    tell("fitting the model")
    classifier.set_params(**parameters).fit_tables(tables, labels, groups, n_jobs=n_jobs)
    return classifier, {"parameters": classifier.get_params(), "candidates": scores}


def fingerprint(examples: Sequence[Example]) -> str:
    """Return a SHA-256 over texts, labels and groups, in order."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(json.dumps([example.text, example.label, example.group]).encode("ascii"))
    return digest.hexdigest()


def _clear(examples: Sequence[Example]) -> _Cleared:
    """Leave out empty texts and exact repetitions; the same text under two labels is an error."""
    first: dict[str, Example] = {}
    empty = repeated = 0
    for example in examples:
        text = " ".join(example.text.split())
        if not text:
            empty += 1
        elif text not in first:
            first[text] = example
        elif first[text].label != example.label:
            other = first[text]
            raise DatasetError(
                f"{example.file or 'data'}: row {example.row}: the same text is {example.label!r} here "
                f"and {other.label!r} in {other.file or 'data'}, row {other.row}; settle which is right"
            )
        else:
            repeated += 1
    return _Cleared(list(first.values()), empty, repeated)


def _check(examples: Sequence[Example]) -> None:
    counts = Counter(e.label for e in examples)
    if "trafficking" not in counts or len(counts) < 2:
        found = ", ".join(f"{label}: {count}" for label, count in sorted(counts.items())) or "none"
        raise DatasetError(f"training needs texts labelled trafficking and others; found {found}")
    for label, count in counts.items():
        if count < FEWEST:
            raise DatasetError(f"only {count} texts labelled {label!r} to train on; {FEWEST} are the least")


def _measure(detector: Detector, examples: Sequence[Example]) -> dict[str, Any]:
    predictions = list(detector.predict_many(e.text for e in examples))
    probabilities = np.array([list(p.probabilities.values()) for p in predictions])
    flagged: npt.NDArray[np.bool_] = np.array([p.flagged for p in predictions])
    labels = [e.label for e in examples]
    groups = [e.group for e in examples]
    rows = [{"label": e.label, **{name: getattr(e, name) for name in SLICES}} for e in examples]
    return {
        **figures(labels, probabilities, detector.labels, detector.threshold, groups),
        "slices": {name: slices(rows, flagged, name) for name in SLICES},
    }
