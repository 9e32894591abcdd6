"""Checks of a labelled dataset: the mistakes that make a model learn the wrong thing."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer

from scamdetect.preprocessing import read
from scamdetect.training.corpus import CATEGORIES, COLUMNS, Example, read_corpus
from scamdetect.training.shape import shape_auc

__all__ = ["Near", "Validation", "validate"]

SAME = 0.5
"""Jaccard similarity of character 5-grams above which two texts are near-duplicates."""

SISTERS = 0.35
"""Similarity above which two texts of different groups are listed."""

RUN = 8
"""Words in a row that two texts of different groups should not share."""

MOST_ERRORS = 1000
BLOCK = 500


@dataclass(frozen=True, slots=True)
class Near:
    """Two texts that are much alike."""

    first: str
    second: str
    similarity: float
    same_group: bool


@dataclass(frozen=True, slots=True)
class Validation:
    """What `validate` found.

    Parameters
    ----------
    errors : list of str
        Faults that make the dataset unfit: each names file and row.
    near : list of Near
        Pairs above `SAME` anywhere, or above `SISTERS` across groups.
    shared_runs : dict of str to list of str
        Runs of eight words that texts of different groups share, with the texts' ids.
    texts_sharing_runs : float
        Share of the texts that have such a run.
    counts : dict
        By label, category, channel, register, region.
    lengths : dict
        By label: quartiles of characters, and share above 700.
    diversity : dict
        By label: distinct words per 1,000 words (over samples of 1,000), and words that stand once.
    shape_auc : float or None
    leading_terms : dict of str to list of str
        By label, the terms with the largest weight in a model of this dataset.
    openings : list of tuple
        Three-word openings that occur more than three times, with their number.
    """

    errors: list[str]
    near: list[Near]
    shared_runs: dict[str, list[str]]
    texts_sharing_runs: float
    counts: dict[str, dict[str, int]]
    lengths: dict[str, dict[str, float]]
    diversity: dict[str, dict[str, float]]
    shape_auc: float | None
    leading_terms: dict[str, list[str]] = field(default_factory=dict)
    openings: list[tuple[str, int]] = field(default_factory=list)

    @property
    def duplicates(self) -> list[Near]:
        """Pairs that are near-duplicates; a sound dataset has none."""
        return [pair for pair in self.near if pair.similarity > SAME and not pair.same_group]

    def to_dict(self) -> dict[str, Any]:
        """Return the findings, ready for JSON."""
        return {
            "errors": self.errors,
            "near": [[n.first, n.second, round(n.similarity, 3), n.same_group] for n in self.near],
            "shared_runs": self.shared_runs,
            "texts_sharing_runs": self.texts_sharing_runs,
            "counts": self.counts,
            "lengths": self.lengths,
            "diversity": self.diversity,
            "shape_auc": self.shape_auc,
            "leading_terms": self.leading_terms,
            "openings": self.openings,
        }


def validate(
    data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], leading_terms: bool = False
) -> Validation:
    """Check labelled texts.

    Parameters
    ----------
    data : path or sequence of paths
    leading_terms : bool, default False
        Whether to fit a model and list the terms it leans on.

    Raises
    ------
    DatasetError
        If a file cannot be read at all.
    """
    examples = read_corpus(data, allowed=None)
    texts = [example.text for example in examples]
    labels = [example.label for example in examples]
    groups = [example.group for example in examples]
    runs, sharing = _shared_runs(examples)
    return Validation(
        errors=list(_errors(examples))[:MOST_ERRORS],
        near=_near(examples),
        shared_runs=runs,
        texts_sharing_runs=sharing,
        counts={
            name: dict(Counter(f"{e.label}/{getattr(e, name)}" if name != "label" else e.label for e in examples).most_common())
            for name in ("label", "category", "channel", "register", "region")
        },
        lengths={label: _lengths([t for t, x in zip(texts, labels, strict=True) if x == label]) for label in sorted(set(labels))},
        diversity={label: _diversity([t for t, x in zip(texts, labels, strict=True) if x == label]) for label in sorted(set(labels))},
        shape_auc=shape_auc(texts, labels, groups),
        leading_terms=_leading_terms(texts, labels, groups) if leading_terms else {},
        openings=_openings(texts),
    )


def _errors(examples: Sequence[Example]) -> Iterator[str]:
    ids: dict[str, Example] = {}
    known: dict[str, Example] = {}
    for example in examples:
        place = f"{example.file}: row {example.row}"
        if not example.text.strip():
            yield f"{place}: empty text"
        if example.label not in CATEGORIES:
            yield f"{place}: unknown label {example.label!r}"
        elif example.category and example.category not in CATEGORIES[example.label]:
            yield f"{place}: category {example.category!r} is none of label {example.label!r}"
        if example.id in ids:
            yield f"{place}: id {example.id!r} stands already at {ids[example.id].file}: row {ids[example.id].row}"
        ids.setdefault(example.id, example)
        text = " ".join(example.text.casefold().split())
        if text in known:
            yield f"{place}: the same text as {known[text].file}: row {known[text].row}"
        known.setdefault(text, example)
        for name in COLUMNS:
            if "\x00" in getattr(example, name):
                yield f"{place}: column {name} holds a NUL character"


def _near(examples: Sequence[Example]) -> list[Near]:
    """Return similar pairs, found block by block with sparse products of 5-gram sets."""
    vectorizer = CountVectorizer(analyzer=_fivegrams, binary=True, dtype=np.float32)
    sets = sp.csr_matrix(vectorizer.fit_transform([example.text for example in examples]))
    sizes = np.asarray(sets.sum(axis=1)).ravel()
    found: list[Near] = []
    for start in range(0, len(examples), BLOCK):
        common = (sets[start : start + BLOCK] @ sets.T).tocoo()
        first, second = common.row + start, common.col
        similarity = common.data / (sizes[first] + sizes[second] - common.data)
        for i in np.flatnonzero((first < second) & (similarity > SISTERS)):
            a, b = examples[first[i]], examples[second[i]]
            if a.group != b.group or similarity[i] > SAME:
                found.append(Near(a.id, b.id, float(similarity[i]), a.group == b.group))
    return sorted(found, key=lambda pair: -pair.similarity)


def _fivegrams(text: str) -> set[str]:
    folded = " ".join(text.casefold().split())
    return {folded[i : i + 5] for i in range(max(len(folded) - 4, 1))}


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _shared_runs(examples: Sequence[Example]) -> tuple[dict[str, list[str]], float]:
    owners: dict[str, dict[str, str]] = defaultdict(dict)
    for example in examples:
        words = _words(example.text)
        for i in range(len(words) - RUN + 1):
            owners[" ".join(words[i : i + RUN])].setdefault(example.group, example.id)
    shared = {run: sorted(by_group.values()) for run, by_group in owners.items() if len(by_group) > 1}
    touched = {name for ids in shared.values() for name in ids}
    return shared, len(touched) / max(len(examples), 1)


def _lengths(texts: Sequence[str]) -> dict[str, float]:
    sizes = np.array([len(text) for text in texts])
    low, middle, high = np.percentile(sizes, [25, 50, 75])
    return {
        "texts": float(len(sizes)),
        "quartile_1": float(low),
        "median": float(middle),
        "quartile_3": float(high),
        "longest": float(sizes.max()),
        "share_over_700": float((sizes > 700).mean()),
    }


def _diversity(texts: Iterable[str]) -> dict[str, float]:
    words = [word for text in texts for word in _words(text)]
    chunks = [len(set(words[i : i + 1000])) for i in range(0, len(words) - 999, 1000)]
    counts = Counter(words)
    once = sum(count == 1 for count in counts.values())
    return {
        "words": float(len(words)),
        "distinct": float(len(counts)),
        "distinct_per_1000": float(np.mean(chunks)) if chunks else float(len(counts)),
        "share_once": once / max(len(counts), 1),
    }


def _openings(texts: Iterable[str]) -> list[tuple[str, int]]:
    counts = Counter(" ".join(_words(text)[:3]) for text in texts)
    return [(opening, count) for opening, count in counts.most_common() if count > 3]


def _leading_terms(texts: Sequence[str], labels: Sequence[str], groups: Sequence[str]) -> dict[str, list[str]]:
    from scamdetect.training.estimator import ScamOfferClassifier

    model = ScamOfferClassifier(calibrate=False).fit(texts, labels, groups)
    weights = model.weights_
    terms = np.array([*weights.words, *(f"[{name}]" for name in weights.flags)])
    present = Counter(term for text in texts for term in set(read(text).words))
    scores = np.vstack([weights.word_weights, weights.flag_weights])
    found: dict[str, list[str]] = {}
    for column, label in enumerate(weights.classes):
        best = np.argsort(-scores[:, column])[:100]
        found[label] = [f"{terms[i]} ({present.get(terms[i], 0)})" if terms[i] in present else str(terms[i]) for i in best]
    return found
