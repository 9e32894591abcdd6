"""The answer: label, probability, red flags and evidence, and how a layperson is told."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple

from scamdetect import data
from scamdetect.indicators import Indicator, find
from scamdetect.preprocessing import read

__all__ = ["Evidence", "EvidenceTable", "Hit", "Language", "Prediction", "advice_steps", "contacts", "highlight"]

Language = Literal["id", "en"]

VERDICTS = {
    "high": {
        "id": "Tawaran ini mirip pola perekrutan yang terkait perdagangan orang.",
        "en": "This text resembles recruitment linked to human trafficking.",
    },
    "medium": {
        "id": "Ada tanda yang perlu diperiksa sebelum tawaran ini diikuti.",
        "en": "There are signs to check before anybody follows this offer.",
    },
    "low": {
        "id": "Tidak ditemukan pola perdagangan orang. Ini bukan jaminan: tetap periksa.",
        "en": "No trafficking pattern found. This is no guarantee: verify all the same.",
    },
}
SCAM_VERDICT = {
    "id": "Teks ini mirip penipuan lowongan yang mengincar uang atau data.",
    "en": "This text resembles a job scam after money or data.",
}
RISKS = {
    "high": {"id": "tinggi", "en": "high"},
    "medium": {"id": "sedang", "en": "medium"},
    "low": {"id": "rendah", "en": "low"},
}
NOTES = {
    "no_text": {
        "id": "Tidak ada teks, jadi belum bisa dinilai.",
        "en": "There is no text, so nothing could be assessed.",
    },
    "too_short": {
        "id": "Teksnya terlalu pendek untuk dinilai dengan baik.",
        "en": "The text is too short to be assessed well.",
    },
    "not_indonesian": {
        "id": "Teks ini tampaknya bukan bahasa Indonesia, jadi hasilnya kurang dapat diandalkan.",
        "en": "The text does not seem to be Indonesian, so the result is less reliable.",
    },
    "truncated": {
        "id": "Teks sangat panjang: hanya bagian awalnya yang dibaca.",
        "en": "The text is very long: only its beginning was read.",
    },
    "passage": {
        "id": "Peringatan ini berasal dari satu bagian teks, bukan dari keseluruhannya.",
        "en": "One passage of the text raised this, not the whole of it.",
    },
}
WORDS = {
    "risk": {"id": "Tingkat risiko", "en": "Risk"},
    "reasons": {"id": "Tanda yang terlihat", "en": "Signs seen"},
    "no_reasons": {"id": "tidak ada tanda khusus yang dikenali", "en": "no particular sign recognised"},
    "weight": {"id": "Kata yang paling berpengaruh", "en": "Words that weighed most"},
    "no_weight": {"id": "tidak dihitung", "en": "not worked out"},
    "next": {"id": "Langkah berikutnya", "en": "What to do next"},
    "contact": {"id": "Hubungi", "en": "Contact"},
}
_SEVERITY_ORDER = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True, slots=True)
class Hit:
    """A red flag and its place in the original text, ``text == original[start:end]``."""

    indicator: Indicator
    start: int
    end: int
    text: str

    @property
    def name(self) -> str:
        """Identifier of the indicator."""
        return self.indicator.name

    @property
    def severity(self) -> str:
        """``low``, ``medium`` or ``high``."""
        return self.indicator.severity

    def title(self, lang: Language = "id") -> str:
        """Return the indicator's title."""
        return self.indicator.titles[lang]

    def explanation(self, lang: Language = "id") -> str:
        """Return why it matters, in a sentence or two."""
        return self.indicator.explanations[lang]


class Evidence(NamedTuple):
    """A term and what it adds to `Prediction.log_odds`, with its first place in the original text.

    A feature that stands nowhere in particular, such as a count of red flags, has an empty span.
    """

    term: str
    weight: float
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """Terms, weights and spans as plain tuples, which become `Evidence` when somebody looks."""

    rows: tuple[tuple[str, float, int, int], ...]

    def of(self, text: str) -> tuple[Evidence, ...]:
        """Return the evidence by the size of its weight."""
        ordered = sorted(self.rows, key=lambda row: -abs(row[1]))
        return tuple(Evidence(term, weight, i, j, text[i:j]) for term, weight, i, j in ordered)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of one text.

    Places in the text (`indicators`, `counter_indicators`, `evidence`) are worked out when they are first
    asked for, so that scoring millions of texts does not pay for what nobody reads.

    Parameters
    ----------
    text : str
        The original text.
    label : str
        The most probable label.
    flagged : bool
        Whether `probability` reaches the model's threshold.
    probability : float
        P(trafficking), between 0 and 1.
    probabilities : dict of str to float
        By label; they sum to 1.
    risk : {"high", "medium", "low"}
    indicator_names : tuple of str
        Names of the indicators that hold, opposites included.
    notes : tuple of str
        ``no_text``, ``too_short``, ``not_indonesian``, ``truncated``, ``passage``.
    log_odds : float
        Score of trafficking less the score of legit, of the text or passage that decided.
    intercept : float
        The part of `log_odds` that no term gave.
    threshold : float
        The probability from which on a text is flagged.
    passage : tuple of int, optional
        Span of the passage that decided, where it was not the whole text.
    evidence_table : EvidenceTable, optional
        Behind `evidence`; None if no explanation was asked for.

    Attributes
    ----------
    indicators : tuple of Hit
        Red flags, in the order of the text.
    counter_indicators : tuple of Hit
        What speaks against the pattern.
    evidence : tuple of Evidence
        Terms by the size of their weight; their weights and `intercept` add up to `log_odds`.

    Examples
    --------
    >>> import scamdetect
    >>> p = scamdetect.predict("admin chat 12jt, tiket paspor ditanggung, lokasi Kamboja, besok berangkat")
    >>> p.flagged, p.risk
    (True, 'high')
    """

    text: str
    label: str
    flagged: bool
    probability: float
    probabilities: dict[str, float]
    risk: str
    indicator_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    log_odds: float = 0.0
    intercept: float = 0.0
    threshold: float = 0.5
    passage: tuple[int, int] | None = None
    evidence_table: EvidenceTable | None = field(default=None, repr=False)
    _hits: list[Hit] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def indicators(self) -> tuple[Hit, ...]:
        """Red flags, in the order of the text."""
        return tuple(hit for hit in self._located() if hit.indicator.kind == "flag")

    @property
    def counter_indicators(self) -> tuple[Hit, ...]:
        """What speaks against the pattern, in the order of the text."""
        return tuple(hit for hit in self._located() if hit.indicator.kind == "counter")

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Terms by the size of their weight; empty if no explanation was asked for."""
        return () if self.evidence_table is None else self.evidence_table.of(self.text)

    def _located(self) -> list[Hit]:
        if self.indicator_names and not self._hits:
            document = read(self.text)
            spans = [(f.indicator, *document.span(f.start, f.end)) for f in find(document)]
            hits = [Hit(indicator, start, end, self.text[start:end]) for indicator, start, end in spans]
            self._hits.extend(sorted(hits, key=lambda hit: (hit.start, hit.end)))
        return self._hits

    def to_dict(self, lang: Language = "id") -> dict[str, Any]:
        """Return everything as plain lists, dicts, strings and numbers, ready for JSON."""
        return {
            "text": self.text,
            "label": self.label,
            "flagged": self.flagged,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
            "risk": self.risk,
            "threshold": self.threshold,
            "notes": list(self.notes),
            "passage": None if self.passage is None else list(self.passage),
            "log_odds": self.log_odds,
            "intercept": self.intercept,
            "indicators": [_hit_dict(hit, lang) for hit in self.indicators],
            "counter_indicators": [_hit_dict(hit, lang) for hit in self.counter_indicators],
            "evidence": [
                {"term": e.term, "weight": e.weight, "start": e.start, "end": e.end, "text": e.text}
                for e in self.evidence
            ],
        }

    def verdict(self, lang: Language = "id") -> str:
        """Return one sentence that says what was found; it never calls an offer safe."""
        if self.label == "scam" and self.risk == "medium":
            return SCAM_VERDICT[lang]
        return VERDICTS[self.risk][lang]

    def advice(self, lang: Language = "id") -> list[str]:
        """Return what to do next, and whom to call, for this level of risk."""
        steps = [step[lang] for step in advice_steps()[self.risk]]
        return steps + [f"{c['who'][lang]}: {c['contact']} ({c['for'][lang]})" for c in contacts(self.risk)]

    def top_hits(self, count: int = 3) -> list[Hit]:
        """Return the weightiest red flags, each indicator once."""
        first: dict[str, Hit] = {}
        for hit in self.indicators:
            first.setdefault(hit.name, hit)
        return sorted(first.values(), key=lambda hit: _SEVERITY_ORDER[hit.severity])[:count]

    def explain(self, lang: Language = "id") -> str:
        """Return five lines for a layperson: verdict, risk, signs, words, and the next step.

        >>> import scamdetect
        >>> len(scamdetect.predict("butuh cs, paspor dibuatin, besok terbang").explain().splitlines())
        5
        """
        reasons = "; ".join(f"{hit.title(lang)} (\u201c{_short(hit.text)}\u201d)" for hit in self.top_hits())
        words = ", ".join(_short(e.text) for e in self.evidence if e.weight > 0 and e.text)
        words = ", ".join(words.split(", ")[:6])
        notes = " ".join(NOTES[note][lang] for note in self.notes if note in NOTES)
        contact = contacts(self.risk)[0]
        lines = [
            f"{self.verdict(lang)} {notes}".strip(),
            f"{WORDS['risk'][lang]}: {RISKS[self.risk][lang]} (P = {self.probability:.2f})",
            f"{WORDS['reasons'][lang]}: {reasons or WORDS['no_reasons'][lang]}",
            f"{WORDS['weight'][lang]}: {words or WORDS['no_weight'][lang]}",
            f"{WORDS['next'][lang]}: {advice_steps()[self.risk][0][lang]} "
            f"{WORDS['contact'][lang]}: {contact['who'][lang]}, {contact['contact']}.",
        ]
        return "\n".join(" ".join(line.split()) for line in lines)

    def to_html(self, lang: Language = "id") -> str:
        """Return the text as an HTML fragment, red flags marked and titled, everything escaped."""
        marks = [(hit.start, hit.end, f"flag-{hit.severity}", hit.title(lang)) for hit in self.indicators]
        items = "".join(
            f"<li><strong>{html.escape(hit.title(lang))}</strong>: {html.escape(hit.explanation(lang))}</li>"
            for hit in self.top_hits(10)
        )
        return (
            f'<div class="scamdetect risk-{self.risk}" lang="{lang}">'
            f"<p><strong>{html.escape(self.verdict(lang))}</strong> "
            f"{WORDS['risk'][lang]}: {RISKS[self.risk][lang]}, P = {self.probability:.2f}</p>"
            f'<p style="white-space:pre-wrap">{highlight(self.text, marks)}</p>'
            f"<ul>{items}</ul></div>"
        )

    def _repr_html_(self) -> str:
        return self.to_html()


def highlight(text: str, marks: Sequence[tuple[int, int, str, str]]) -> str:
    """Return escaped HTML with ``<mark>`` around spans; of overlapping spans the earlier, longer one wins.

    >>> highlight("gaji <b>", [(0, 4, "flag-low", "Gaji")])
    '<mark class="flag-low" title="Gaji">gaji</mark> &lt;b&gt;'
    """
    parts: list[str] = []
    done = 0
    for start, end, css, title in sorted(marks, key=lambda mark: (mark[0], -mark[1])):
        if start < done or start >= end:
            continue
        parts.append(html.escape(text[done:start]))
        inner = html.escape(text[start:end])
        parts.append(f'<mark class="{html.escape(css)}" title="{html.escape(title)}">{inner}</mark>')
        done = end
    parts.append(html.escape(text[done:]))
    return "".join(parts)


def advice_steps() -> dict[str, list[dict[str, str]]]:
    """Return the advice for each level of risk, in both languages."""
    steps: dict[str, list[dict[str, str]]] = _advice()["steps"]
    return steps


def contacts(risk: str) -> list[dict[str, Any]]:
    """Return whom to turn to at a level of risk, from the dated advice file."""
    return [entry for entry in _advice()["contacts"] if risk in entry.get("risks", ("high", "medium", "low"))]


@cache
def _advice() -> dict[str, Any]:
    content: dict[str, Any] = data.load_json("advice.json")
    return content


def _hit_dict(hit: Hit, lang: Language) -> dict[str, Any]:
    return {
        "name": hit.name,
        "title": hit.title(lang),
        "severity": hit.severity,
        "start": hit.start,
        "end": hit.end,
        "text": hit.text,
    }


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"
