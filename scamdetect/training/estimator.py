"""`ScamOfferClassifier`: TF-IDF and logistic regression as a scikit-learn estimator on raw strings."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import Tags
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import check_is_fitted

from scamdetect import features
from scamdetect.errors import DatasetError
from scamdetect.preprocessing import Document, read
from scamdetect.scoring import Scorer, Weights, softmax

__all__ = ["MassNorm", "ScamOfferClassifier", "TermCounter", "TermTable"]

Matrix = sp.csr_matrix
Codes = npt.NDArray[np.int_]
BLOCKS = ("words", "characters", "flags")


def _words(document: Document) -> list[str]:
    return features.word_terms(document.words)


def _characters(document: Document) -> list[str]:
    return features.character_terms(document.words)


def _flags(document: Document) -> tuple[str, ...]:
    return features.flag_terms(document)


ANALYZERS = {"words": _words, "characters": _characters, "flags": _flags}


@dataclass(frozen=True, slots=True)
class TermTable:
    """How often every term of a kind stands in each text, before any choice of vocabulary.

    Parameters
    ----------
    terms : array of str, shape (n_terms,)
    counts : sparse matrix of shape (n_texts, n_terms)
    """

    terms: npt.NDArray[np.object_]
    counts: Matrix

    @classmethod
    def of(cls, kind: str, documents: Iterable[Document]) -> TermTable:
        """Count the terms of one kind, ``words``, ``characters`` or ``flags``."""
        analyze = ANALYZERS[kind]
        numbers: dict[str, int] = {}
        columns = array("i")
        counts = array("i")
        ends = array("q", [0])
        for document in documents:
            found = Counter(analyze(document))
            columns.extend(numbers.setdefault(term, len(numbers)) for term in found)
            counts.extend(found.values())
            ends.append(len(columns))
        terms = np.array(list(numbers), dtype=object)
        order = np.argsort(terms)
        place = np.empty(len(terms), dtype=np.int32)
        place[order] = np.arange(len(terms))
        matrix = sp.csr_matrix(
            (np.array(counts, dtype=np.float64), place[np.array(columns, dtype=np.int32)], np.array(ends)),
            shape=(len(ends) - 1, len(terms)),
        )
        matrix.sort_indices()
        return cls(terms[order], matrix)

    def rows(self, index: npt.NDArray[np.int_]) -> TermTable:
        """Return the table of some of the texts."""
        return TermTable(self.terms, self.counts[index])


class ScamOfferClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Logistic regression over word, character and indicator features of Indonesian texts.

    1. Each text is read: cleaned, evasions undone, split into tokens (`scamdetect.preprocessing`).
    2. Its distinct tokens and pairs, and the character n-grams of its tokens, are weighted by inverse
       document frequency; each of the two blocks is divided by the square root of its sum.
    3. The names of the indicators that hold join them as features of their own.
    4. A multinomial logistic regression is fitted; its scores are calibrated on scores that it gave to
       texts left out, by folds that keep groups together, and the calibration is folded into the weights.

    Parameters
    ----------
    C : float, default 3.0
        Inverse strength of the regularisation.
    class_weight : dict, "balanced" or None, default "balanced"
    min_df : int, default 2
        Texts that a term must stand in to be counted at all.
    max_words, max_characters : int, default 40_000 and 60_000
        Terms kept of each kind, the most frequent first.
    use_flags : bool, default True
        Whether indicators are features.
    calibrate : bool, default True
        Whether probabilities are calibrated out of fold; takes `folds` more fits.
    folds : int, default 5
    max_iter : int, default 400
    random_state : int, default 0
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : Weights
        The linear model, calibrated.
    out_of_fold_ : ndarray of shape (n_texts, n_classes)
        Calibrated probabilities of each training text by models that have not seen its group; only
        with ``calibrate=True`` and enough texts.

    Examples
    --------
    >>> texts = ["butuh cs ke kamboja tiket gratis", "dicari kasir toko di depok"] * 4
    >>> model = ScamOfferClassifier(min_df=1).fit(texts, ["trafficking", "legit"] * 4)
    >>> model.predict(["kasir toko"]).tolist()
    ['legit']
    """

    def __init__(
        self,
        C: float = 3.0,
        class_weight: dict[str, float] | str | None = "balanced",
        min_df: int = 2,
        max_words: int = 40_000,
        max_characters: int = 60_000,
        use_flags: bool = True,
        calibrate: bool = True,
        folds: int = 5,
        max_iter: int = 400,
        random_state: int = 0,
    ) -> None:
        self.C = C
        self.class_weight = class_weight
        self.min_df = min_df
        self.max_words = max_words
        self.max_characters = max_characters
        self.use_flags = use_flags
        self.calibrate = calibrate
        self.folds = folds
        self.max_iter = max_iter
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags

    def fit(
        self,
        X: Iterable[str],
        y: Iterable[Any],
        groups: Iterable[Any] | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> ScamOfferClassifier:
        """Fit to texts and labels.

        Parameters
        ----------
        X : iterable of str
        y : iterable of labels
        groups : iterable, optional
            Texts of one group stay in one fold; by default each text is a group.
        sample_weight : array of shape (n_texts,), optional

        Raises
        ------
        DatasetError
            If there is no text, lengths differ, or only one label occurs.
        """
        documents = list(map(read, _checked_texts(X)))
        tables = {kind: TermTable.of(kind, documents) for kind in self._kinds()}
        return self.fit_tables(tables, y, groups, sample_weight)

    def _kinds(self) -> tuple[str, ...]:
        return BLOCKS if self.use_flags else BLOCKS[:2]

    def fit_tables(
        self,
        tables: dict[str, TermTable],
        y: Iterable[Any],
        groups: Iterable[Any] | None = None,
        sample_weight: npt.ArrayLike | None = None,
        n_jobs: int = 1,
    ) -> ScamOfferClassifier:
        """Fit to texts that are counted already; see `fit`."""
        codes, group_codes, weight = self._targets(tables, y, groups, sample_weight)
        raw = self._fit_linear(tables, codes, weight)
        self.out_of_fold_ = None
        held_out = self._held_out(tables, codes, group_codes, weight, n_jobs) if self.calibrate else None
        if held_out is not None:
            scale, shift = _fit_calibration(held_out, codes, weight)
            self.out_of_fold_ = softmax(held_out @ scale + shift)
            raw = raw.calibrated(scale, shift)
        self.weights_ = raw.rounded(tuple(map(str, self.classes_)))
        self._scorer = Scorer(self.weights_)
        return self

    def held_out_scores(
        self, tables: dict[str, TermTable], y: Iterable[Any], groups: Iterable[Any] | None = None, n_jobs: int = 1
    ) -> npt.NDArray[np.float64] | None:
        """Return uncalibrated class scores of each text by models that have not seen its group.

        Shape (n_texts, n_classes); None if there are too few texts for folds.
        """
        codes, group_codes, weight = self._targets(tables, y, groups, None)
        return self._held_out(tables, codes, group_codes, weight, n_jobs)

    def _targets(
        self,
        tables: dict[str, TermTable],
        y: Iterable[Any],
        groups: Iterable[Any] | None,
        sample_weight: npt.ArrayLike | None,
    ) -> tuple[Codes, Codes, npt.NDArray[np.float64]]:
        labels = np.asarray(list(y))
        size = tables["words"].counts.shape[0]
        if len(labels) != size:
            raise DatasetError(f"{size} texts but {len(labels)} labels")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise DatasetError(f"only one label, {self.classes_[0]!r}: nothing can be learnt from it")
        group_codes = np.arange(size) if groups is None else np.unique(list(groups), return_inverse=True)[1]
        weight = np.ones(size) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        return codes, group_codes, weight

    def _held_out(
        self,
        tables: dict[str, TermTable],
        codes: Codes,
        groups: Codes,
        weight: npt.NDArray[np.float64],
        n_jobs: int,
    ) -> npt.NDArray[np.float64] | None:
        folds = self._folds(codes, groups)
        if not folds:
            return None
        held_out = np.zeros((len(codes), len(self.classes_)))
        work = delayed(self._score_fold)
        results = Parallel(n_jobs=n_jobs)(work(tables, codes, weight, *fold) for fold in folds)
        for (_, test), scores in zip(folds, results, strict=True):
            held_out[test] = scores
        return held_out

    def _score_fold(
        self,
        tables: dict[str, TermTable],
        codes: Codes,
        weight: npt.NDArray[np.float64],
        train: Codes,
        test: Codes,
    ) -> npt.NDArray[np.float64]:
        part = {kind: table.rows(train) for kind, table in tables.items()}
        model = self._fit_linear(part, codes[train], weight[train])
        return model.scores({kind: table.rows(test) for kind, table in tables.items()})

    def _folds(self, codes: Codes, groups: Codes) -> list[tuple[Codes, Codes]]:
        """Return the folds for calibration; none if a label has too few groups for it."""
        fewest = min(len(set(groups[codes == code])) for code in range(len(self.classes_)))
        count = min(self.folds, fewest)
        if count < 2 or len(codes) < 20:
            return []
        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=self.random_state)
        folds = list(splitter.split(codes, codes, groups))
        every = set(range(len(self.classes_)))
        return folds if all(set(codes[train]) == every for train, _ in folds) else []

    def _fit_linear(
        self, tables: dict[str, TermTable], codes: Codes, weight: npt.NDArray[np.float64]
    ) -> _Linear:
        limits = {"words": self.max_words, "characters": self.max_characters, "flags": 10_000}
        blocks = {kind: _Block.fit(table, self.min_df, limits[kind], kind) for kind, table in tables.items()}
        matrix = sp.hstack([block.transform(tables[kind]) for kind, block in blocks.items()], format="csr")
        if not matrix.shape[1]:
            raise DatasetError(f"no term stands in {self.min_df} texts: too few texts to learn from")
        size = len(self.classes_)
        if self.class_weight is not None:
            named = self.class_weight
            if isinstance(named, dict):
                named = {code: named[label] for code, label in enumerate(self.classes_)}
            weight = weight * compute_class_weight(named, classes=np.arange(size), y=codes)[codes]
        model = LogisticRegression(C=self.C, max_iter=self.max_iter, tol=1e-5)
        model.fit(matrix, codes, sample_weight=weight)
        coefficients, intercept = model.coef_, model.intercept_
        if size == 2:
            coefficients = np.vstack([-coefficients / 2, coefficients / 2])
            intercept = np.array([-intercept[0] / 2, intercept[0] / 2])
        return _Linear(blocks, coefficients.T, intercept)

    def decision_function(self, X: Iterable[str]) -> npt.NDArray[np.float64]:
        """Return class scores, shape (n_texts, n_classes); for two classes the difference, shape (n_texts,)."""
        check_is_fitted(self)
        documents = [read(text) for text in _checked_texts(X)]
        flags = [features.flag_terms(document) for document in documents]
        scores = self._scorer.scores(documents, flags)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: Iterable[str]) -> npt.NDArray[np.float64]:
        """Return probabilities, shape (n_texts, n_classes), in the order of `classes_`."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([-scores / 2, scores / 2])
        return softmax(scores)

    def predict(self, X: Iterable[str]) -> npt.NDArray[Any]:
        """Return the most probable label of each text."""
        probabilities = self.predict_proba(X)
        labels: npt.NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def to_pipeline(self) -> Pipeline:
        """Return the equal scikit-learn pipeline of vectorisers, norms and a logistic regression."""
        check_is_fitted(self)
        weights = self.weights_
        union: list[tuple[str, Pipeline]] = []
        stacked: list[npt.NDArray[np.float64]] = []
        for kind, terms, idf, coefficients in (
            ("words", weights.words, weights.word_idf, weights.word_weights),
            ("characters", weights.characters, weights.character_idf, weights.character_weights),
            ("flags", weights.flags, None, weights.flag_weights),
        ):
            if not terms:
                continue
            steps = [("count", TermCounter(kind, terms))]
            if idf is not None:
                steps.append(("norm", MassNorm(idf)))
                coefficients = coefficients / idf[:, None]
            union.append((kind, Pipeline(steps)))
            stacked.append(coefficients)
        regression = LogisticRegression()
        regression.classes_ = self.classes_
        coefficients = np.vstack(stacked).T
        intercept = weights.intercept
        if len(self.classes_) == 2:
            coefficients, intercept = coefficients[1:] - coefficients[:1], intercept[1:] - intercept[:1]
        regression.coef_, regression.intercept_ = coefficients, intercept
        regression.n_features_in_ = coefficients.shape[1]
        return Pipeline([("features", FeatureUnion(union)), ("regression", regression)])

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {key: value for key, value in state.items() if key != "_scorer"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "weights_"):
            self._scorer = Scorer(self.weights_)


class TermCounter(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Counts the terms of one kind over a fixed vocabulary; a scikit-learn transformer on raw texts.

    Parameters
    ----------
    kind : {"words", "characters", "flags"}
    terms : sequence of str
    """

    def __init__(self, kind: str, terms: Sequence[str]) -> None:
        self.kind = kind
        self.terms = terms

    def fit(self, X: Iterable[str], y: object = None) -> TermCounter:
        """Learn nothing: the vocabulary is given."""
        return self

    def transform(self, X: Iterable[str]) -> Matrix:
        """Return the counts, shape (n_texts, n_terms)."""
        counter = CountVectorizer(analyzer=ANALYZERS[self.kind], vocabulary=list(self.terms), dtype=np.float64)
        return counter.transform(map(read, X)).tocsr()

    def __sklearn_is_fitted__(self) -> bool:
        return True


class MassNorm(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Weights counts by `idf` and divides each row by the square root of its sum.

    Parameters
    ----------
    idf : array of shape (n_terms,)
    """

    def __init__(self, idf: npt.NDArray[np.float64]) -> None:
        self.idf = idf

    def fit(self, X: Matrix, y: object = None) -> MassNorm:
        """Learn nothing: the weights are given."""
        return self

    def transform(self, X: Matrix) -> Matrix:
        """Return the weighted rows."""
        return _mass_norm(X @ sp.diags(self.idf))

    def __sklearn_is_fitted__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class _Block:
    """One kind of terms: which of a table's columns count, and their weights; idf None for flags."""

    columns: npt.NDArray[np.int_]
    terms: tuple[str, ...]
    idf: npt.NDArray[np.float64] | None

    @classmethod
    def fit(cls, table: TermTable, min_df: int, most: int, kind: str) -> _Block:
        present = np.bincount(table.counts.indices, minlength=table.counts.shape[1])
        columns = np.flatnonzero(present >= min_df)
        if len(columns) > most:
            columns = np.sort(columns[np.argsort(-present[columns], kind="stable")[:most]])
        idf = None
        if kind != "flags":
            idf = np.log((1 + table.counts.shape[0]) / (1 + present[columns])) + 1.0
            idf = idf.astype("<f4").astype(np.float64)
        return cls(columns, tuple(table.terms[columns]), idf)

    def transform(self, table: TermTable) -> Matrix:
        counts = table.counts[:, self.columns]
        return counts if self.idf is None else _mass_norm(counts @ sp.diags(self.idf))


def _mass_norm(matrix: Matrix) -> Matrix:
    sums = np.sqrt(np.asarray(matrix.sum(axis=1)).ravel())
    sums[sums == 0] = 1.0
    return sp.csr_matrix(sp.diags(1 / sums) @ matrix)


@dataclass(frozen=True, slots=True)
class _Linear:
    """Coefficients over the blocks' columns, shape (n_terms, n_classes), and an intercept."""

    blocks: dict[str, _Block]
    coefficients: npt.NDArray[np.float64]
    intercept: npt.NDArray[np.float64]

    def scores(self, tables: dict[str, TermTable]) -> npt.NDArray[np.float64]:
        matrix = sp.hstack([block.transform(tables[kind]) for kind, block in self.blocks.items()], format="csr")
        result: npt.NDArray[np.float64] = matrix @ self.coefficients + self.intercept
        return result

    def calibrated(self, scale: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]) -> _Linear:
        return _Linear(self.blocks, self.coefficients @ scale, self.intercept @ scale + shift)

    def rounded(self, classes: tuple[str, ...]) -> Weights:
        """Return the weights as a model file keeps them, in 32 bits."""
        parts: dict[str, Any] = {}
        start = 0
        empty = _Block(np.array([], dtype=int), (), None)
        for kind, name in (("words", "word"), ("characters", "character"), ("flags", "flag")):
            block = self.blocks.get(kind, empty)
            values = self.coefficients[start : start + len(block.terms)]
            start += len(block.terms)
            parts[kind] = block.terms
            if block.idf is not None:
                parts[f"{name}_idf"] = block.idf
                values = values * block.idf[:, None]
            parts[f"{name}_weights"] = values.astype("<f4").astype(np.float64)
        return Weights(classes=classes, intercept=self.intercept.astype("<f4").astype(np.float64), **parts)


def _fit_calibration(
    scores: npt.NDArray[np.float64], codes: npt.NDArray[np.int_], weight: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return a linear map of held-out scores whose softmax is calibrated: scale (k, k) and shift (k,)."""
    model = LogisticRegression(C=10.0, max_iter=1000)
    model.fit(scores, codes, sample_weight=weight)
    if len(model.classes_) == 2:
        scale = np.column_stack([-model.coef_[0] / 2, model.coef_[0] / 2])
        return scale, np.array([-model.intercept_[0] / 2, model.intercept_[0] / 2])
    return model.coef_.T, model.intercept_


def _checked_texts(X: Iterable[str]) -> list[str]:
    if isinstance(X, str):
        raise TypeError("X is one string; give a list of texts")
    texts = np.asarray(X).ravel().tolist() if hasattr(X, "__array__") else list(X)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"text {position} is a {type(text).__name__}, not a str")
    if not texts:
        raise DatasetError("no texts to learn from or to score")
    return texts


