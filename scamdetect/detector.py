"""The only door to scoring: load a model once, then ask it about one text or millions."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np

from scamdetect import indicators
from scamdetect.errors import InputError, ModelError
from scamdetect.modelfile import Model, default_path, read_model, write_model
from scamdetect.prediction import EvidenceTable, Prediction
from scamdetect.preprocessing import Document, read
from scamdetect.preprocessing.language import is_indonesian
from scamdetect.preprocessing.passages import passages
from scamdetect.scoring import Floats, Scorer, softmax

__all__ = ["Detector", "load", "predict", "predict_many"]

BLOCK = 256
"""Texts that are scored together: enough to spread numpy's overhead, few enough to stay lazy."""

LEAST_LETTERS = 12
"""A text with fewer characters than this carries the note ``too_short``."""

VOICES = frozenset({"news_voice", "warning_voice", "question_voice", "quoted_flags"})
"""Opposites that speak of a whole text: where one holds, no passage is judged out of its context."""

TRAFFICKING, LEGIT = "trafficking", "legit"


class Detector:
    """A loaded model.

    Parameters
    ----------
    model : Model
        With the label ``trafficking`` among its classes.
    prevalence : float, optional
        Share of trafficking offers among the texts that will be scored. Probabilities and threshold are
        shifted to it by the log-odds correction; which texts are flagged stays the same.
    source : path, optional
        The folder that the model came from.

    Attributes
    ----------
    labels : tuple of str
    threshold : float
        Probability from which on a text is flagged.
    card : str
        The model card, in Markdown; empty for a model that came from no folder.
    """

    def __init__(self, model: Model, prevalence: float | None = None, source: Path | None = None) -> None:
        self.model = model
        self.labels = model.weights.classes
        if TRAFFICKING not in self.labels:
            raise ModelError(f"the model knows {', '.join(self.labels)}, but no label {TRAFFICKING!r}")
        if prevalence is not None and not 0 < prevalence < 1:
            raise InputError(f"prevalence is {prevalence!r}; it must lie between 0 and 1")
        self.prevalence = prevalence
        self.source = source
        self._scorer = Scorer(model.weights)
        self._trafficking = self.labels.index(TRAFFICKING)
        self._reference = self.labels.index(LEGIT) if LEGIT in self.labels else 1 - self._trafficking
        self._shift = 0.0
        if prevalence is not None:
            self._shift = _logit(prevalence) - _logit(model.priors[TRAFFICKING])
        self._priors_shift = np.zeros(len(self.labels))
        self._priors_shift[self._trafficking] = self._shift
        self.threshold = _shifted(model.thresholds.flag, self._shift)
        self._look = _shifted(model.thresholds.look, self._shift)

    def __repr__(self) -> str:
        return f"Detector(labels={self.labels}, threshold={self.threshold:.4f}, source={self.source!s})"

    @property
    def card(self) -> str:
        """The model card that lies in the model folder."""
        path = None if self.source is None else self.source / "MODEL_CARD.md"
        return path.read_text(encoding="utf-8") if path is not None and path.is_file() else ""

    def predict(self, text: str, explain: bool = True) -> Prediction:
        """Return the prediction for one text.

        Parameters
        ----------
        text : str
        explain : bool, default True
            Whether to work out the evidence.

        Raises
        ------
        TypeError
            If `text` is no string.
        """
        return self._predict_block([text], explain)[0]

    def predict_many(
        self, texts: Iterable[str | None], n_jobs: int = 1, explain: bool = False
    ) -> Iterator[Prediction]:
        """Yield a prediction for each text, in order, reading the input only as far as needed.

        Parameters
        ----------
        texts : iterable of str
            None counts as an empty text.
        n_jobs : int, default 1
            Processes; -1 for one on each core.
        explain : bool, default False
            Whether to work out the evidence as well.
        """
        if isinstance(texts, str):
            raise TypeError("predict_many takes an iterable of texts; for one text use predict")
        blocks = iter(lambda source=iter(texts): list(islice(source, BLOCK)), [])  # type: ignore[misc]
        if n_jobs == 1:
            for block in blocks:
                yield from self._predict_block(block, explain)
        else:
            yield from self._predict_parallel(blocks, n_jobs, explain)

    def _predict_parallel(
        self, blocks: Iterable[list[str | None]], n_jobs: int, explain: bool
    ) -> Iterator[Prediction]:
        from joblib import Parallel, delayed

        with tempfile.TemporaryDirectory(prefix="scamdetect-") as scratch:
            folder = self.source
            if folder is None:
                folder = Path(scratch) / "model"
                write_model(self.model, folder)
            work = delayed(_predict_in_worker)
            parallel = Parallel(n_jobs=n_jobs, return_as="generator", pre_dispatch="3*n_jobs")
            results = parallel(work(str(folder), self.prevalence, block, explain) for block in blocks)
            try:
                for predictions in results:
                    yield from predictions
            finally:
                results.close()

    def _predict_block(self, texts: Sequence[str | None], explain: bool) -> list[Prediction]:
        documents = [read("" if text is None else text) for text in texts]
        fired = [indicators.fired(document) for document in documents]
        flags = [indicators.feature_names(names) for names in fired]
        scores = self._scorer.scores(documents, flags)
        probabilities = softmax(scores + self._priors_shift)
        return [
            self._judge(document, names, row, probability, explain)
            for document, names, row, probability in zip(documents, fired, scores, probabilities, strict=True)
        ]

    def _judge(
        self, document: Document, fired: tuple[str, ...], scores: Floats, probabilities: Floats, explain: bool
    ) -> Prediction:
        raw = document.raw
        if not document.text:
            return self._empty(raw)
        notes: list[str] = []
        if document.truncated:
            notes.append("truncated")
        if len(document.text) < LEAST_LETTERS:
            notes.append("too_short")
        if not is_indonesian(document):
            notes.append("not_indonesian")
        shares = probabilities.tolist()
        span: tuple[int, int] | None = None
        if shares[self._trafficking] < self.threshold and (found := self._worst_passage(document, fired)):
            span, passage_scores, probability = found
            if probability > max(shares[self._trafficking], self._look):
                notes.append("passage")
                shares = self._raise(shares, probability)
                scores = passage_scores
                document = read(raw[slice(*span)])
            else:
                span = None
        probability = shares[self._trafficking]
        label = self.labels[max(range(len(shares)), key=shares.__getitem__)]
        flagged = probability >= self.threshold
        if flagged:
            risk = "high"
        elif probability >= self._look or label == "scam":
            risk = "medium"
        else:
            risk = "low"
        return Prediction(
            text=raw,
            label=label,
            flagged=flagged,
            probability=probability,
            probabilities=dict(zip(self.labels, shares, strict=True)),
            risk=risk,
            indicator_names=fired,
            notes=tuple(notes),
            log_odds=float(scores[self._trafficking] - scores[self._reference]),
            intercept=self._difference(self.model.weights.intercept),
            threshold=self.threshold,
            passage=span,
            evidence_table=self._evidence(document, span[0] if span else 0) if explain else None,
        )

    def _difference(self, scores: Floats) -> float:
        return float(scores[self._trafficking] - scores[self._reference])

    def _worst_passage(
        self, document: Document, fired: tuple[str, ...]
    ) -> tuple[tuple[int, int], Floats, float] | None:
        """Return the passage most like trafficking: its span, its scores and its shifted probability."""
        flags = [name for name in fired if indicators.catalogue()[name].kind == "flag"]
        if len(document.raw) < 200 or not flags or not VOICES.isdisjoint(fired):
            return None
        spans = passages(document.raw)
        if not spans:
            return None
        parts = [read(document.raw[start:end]) for start, end in spans]
        names = [indicators.feature_names(indicators.fired(part)) for part in parts]
        scores = self._scorer.scores(parts, names)
        shares = softmax(scores + self._priors_shift)[:, self._trafficking]
        best = int(np.argmax(shares))
        return spans[best], scores[best], _shifted(float(shares[best]), -self.model.thresholds.passage_shift)

    def _raise(self, shares: list[float], probability: float) -> list[float]:
        """Give trafficking a higher probability and the other labels what is left, in proportion."""
        rest = (1 - probability) / max(1 - shares[self._trafficking], 1e-300)
        return [probability if i == self._trafficking else share * rest for i, share in enumerate(shares)]

    def _evidence(self, document: Document, offset: int) -> EvidenceTable:
        names = indicators.feature_names(indicators.fired(document))
        contributions = self._scorer.contributions(document, names)
        spans = document.word_spans()
        places: dict[str, tuple[int, int]] = {}
        words = document.words
        for i in range(len(words) - 1, -1, -1):
            places[words[i]] = spans[i]
            if i:
                places[f"{words[i - 1]} {words[i]}"] = (spans[i - 1][0], spans[i][1])
        hits = {finding.indicator.name: finding for finding in reversed(indicators.find(document))}
        for name, finding in hits.items():
            places[f"[{name}]"] = document.span(finding.start, finding.end)
        terms = [c.term if c.kind == "word" else f"[{c.term}]" for c in contributions]
        weights = [self._difference(c.scores) for c in contributions]
        empty = (-offset, -offset)
        return EvidenceTable(
            tuple(
                (term, weight, places.get(term, empty)[0] + offset, places.get(term, empty)[1] + offset)
                for term, weight in zip(terms, weights, strict=True)
                if weight
            )
        )

    def _empty(self, raw: str) -> Prediction:
        shares = {label: 0.0 for label in self.labels}
        shares[self.labels[self._reference]] = 1.0
        return Prediction(
            text=raw,
            label=self.labels[self._reference],
            flagged=False,
            probability=0.0,
            probabilities=shares,
            risk="low",
            notes=("no_text",),
            threshold=self.threshold,
        )


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-12), 1 - 1e-12)
    return math.log(bounded / (1 - bounded))


def _shifted(probability: float, shift: float) -> float:
    if not shift or probability in (0.0, 1.0):
        return probability
    return 1 / (1 + math.exp(-(_logit(probability) + shift)))


def load(path: str | os.PathLike[str] | None = None, prevalence: float | None = None) -> Detector:
    """Load a model folder.

    Parameters
    ----------
    path : path, optional
        The shipped model if not given.
    prevalence : float, optional
        Share of trafficking offers among the texts to be scored; see `Detector`.

    Returns
    -------
    Detector

    Raises
    ------
    ModelError
        If the folder is missing, damaged or of another version.

    Examples
    --------
    >>> import scamdetect
    >>> scamdetect.load().labels
    ('legit', 'scam', 'trafficking')
    """
    folder = default_path() if path is None else Path(path)
    return Detector(read_model(folder), prevalence, folder)


@lru_cache(maxsize=1)
def _shipped() -> Detector:
    return load()


@lru_cache(maxsize=2)
def _worker_detector(folder: str, prevalence: float | None) -> Detector:
    return load(folder, prevalence)


def _predict_in_worker(
    folder: str, prevalence: float | None, texts: list[str | None], explain: bool
) -> list[Prediction]:
    return _worker_detector(folder, prevalence)._predict_block(texts, explain)


def predict(text: str, explain: bool = True) -> Prediction:
    """Return the shipped model's prediction for one text; see `Detector.predict`.

    >>> predict("").notes
    ('no_text',)
    """
    return _shipped().predict(text, explain)


def predict_many(
    texts: Iterable[str | None], n_jobs: int = 1, explain: bool = False
) -> Iterator[Prediction]:
    """Yield the shipped model's predictions, lazily and in order; see `Detector.predict_many`.

    >>> [p.notes for p in predict_many(["", "  "])]
    [('no_text',), ('no_text',)]
    """
    return _shipped().predict_many(texts, n_jobs, explain)
