"""Red flags of an offer and their opposites: what each one is, and where it stands in a text.

An indicator is an entry of ``data/indicators.json``: its names and explanations, how much it weighs, the
element of trafficking that it relates to, its source, and patterns over the cleaned text. All patterns
are matched at once by one google-re2 set, in time linear in the text; only those that match are looked
at again for their places, for a negation before them, and, where a pattern is not enough, by a function
of `scamdetect.checks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any, Literal

import re2

from scamdetect import checks, data
from scamdetect.errors import InputError
from scamdetect.preprocessing import Document

__all__ = ["Finding", "Indicator", "catalogue", "feature_names", "find", "fired"]

Language = Literal["id", "en"]
SEVERITIES = ("low", "medium", "high")
MOST_HITS = 20
"""Hits of one indicator that are reported; a text that repeats itself says no more."""

REACH = 60
"""Characters before and after a hit in which a guard is looked for."""

MEMORY = 64 << 20
"""Bytes that the automaton of all patterns may take."""


@dataclass(frozen=True)
class Indicator:
    """A red flag, or an opposite, as the catalogue declares it.

    Parameters
    ----------
    name : str
        Stable identifier.
    kind : {"flag", "counter"}
        Whether it speaks for the pattern or against it.
    severity : {"low", "medium", "high"}
    titles, explanations : dict of str
        By language, ``id`` and ``en``.
    element : str
        What it relates to in UU 21/2007 or in the ILO's operational indicators.
    source : str
        Where the pattern is reported.
    patterns : tuple of str
        RE2 expressions over cleaned text.
    not_after, not_before : tuple of str
        Expressions that undo a hit when they stand right before or after it, within its sentence.
    check : str or None
        A function of `scamdetect.checks` that has the last word on a hit.
    """

    name: str
    kind: str
    severity: str
    titles: dict[str, str]
    explanations: dict[str, str]
    element: str
    source: str
    patterns: tuple[str, ...]
    not_after: tuple[str, ...]
    not_before: tuple[str, ...]
    check: str | None

    def title(self, lang: Language = "id") -> str:
        """Return the title in a language."""
        return self.titles[lang]

    @cached_property
    def expression(self) -> str:
        """All patterns as one expression."""
        return "|".join(f"(?:{pattern})" for pattern in self.patterns)

    @cached_property
    def _search(self) -> Any:
        return re2.compile(self.expression)

    @cached_property
    def _not_after(self) -> Any:
        return re2.compile(rf"(?:{'|'.join(self.not_after)})[^.!?\n]*$") if self.not_after else None

    @cached_property
    def _not_before(self) -> Any:
        return re2.compile(rf"^[^.!?\n]*?(?:{'|'.join(self.not_before)})") if self.not_before else None

    def spans(self, document: Document, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield the places in the cleaned text where the indicator holds."""
        check = getattr(checks, self.check) if self.check else None
        for match in self._search.finditer(text):
            start, end = match.span()
            if start == end:
                continue
            if self._not_after is not None and self._not_after.search(text[max(0, start - REACH) : start]):
                continue
            if self._not_before is not None and self._not_before.search(text[end : end + REACH]):
                continue
            if check is None or check(document, start, end):
                yield start, end


@dataclass(frozen=True, slots=True)
class Finding:
    """An indicator and a place in the cleaned text where it holds."""

    indicator: Indicator
    start: int
    end: int


@cache
def catalogue() -> dict[str, Indicator]:
    """Return all indicators by name, in the order of the data file.

    >>> catalogue()["visa_tourist_or_later"].severity
    'high'
    """
    content = data.load_json("indicators.json")
    macros: dict[str, str] = {name: "|".join(words) for name, words in content["words"].items()}
    found: dict[str, Indicator] = {}
    for entry in content["indicators"]:
        guards = content["guards"]
        found[entry["name"]] = Indicator(
            name=entry["name"],
            kind=entry["kind"],
            severity=entry["severity"],
            titles=entry["title"],
            explanations=entry["explanation"],
            element=entry["element"],
            source=entry["source"],
            patterns=tuple(_fill(pattern, macros) for pattern in entry["patterns"]),
            not_after=tuple(_fill(p, macros) for p in _guards(entry.get("not_after", []), guards)),
            not_before=tuple(_fill(p, macros) for p in _guards(entry.get("not_before", []), guards)),
            check=entry.get("check"),
        )
    return found


def _fill(pattern: str, macros: dict[str, str]) -> str:
    """Replace ``<name>`` by the words of that name, and ``~n`` by a gap of at most n words."""
    for name, words in macros.items():
        pattern = pattern.replace(f"<{name}>", rf"\b(?:{words})\b")
    for size in range(1, 10):
        pattern = pattern.replace(f"~{size}", rf"(?:[^\w.!?\n]+\w+){{0,{size}}}?[^\w.!?\n]+")
    return pattern


def _guards(entries: Iterable[str], shared: dict[str, list[str]]) -> Iterator[str]:
    for entry in entries:
        if entry.startswith("@"):
            yield from shared[entry[1:]]
        else:
            yield entry


@cache
def _matcher() -> tuple[Any, tuple[Indicator, ...]]:
    options = re2.Options()
    options.max_mem = MEMORY
    matcher = re2.Set.SearchSet(options)
    indicators = tuple(catalogue().values())
    for indicator in indicators:
        try:
            matcher.Add(indicator.expression)
        except re2.error as error:
            raise InputError(f"indicators.json: {indicator.name}: {error}") from error
    matcher.Compile()
    return matcher, indicators


def find(document: Document) -> list[Finding]:
    """Return every hit of every indicator in a document, at most `MOST_HITS` of each."""
    text = document.text.encode("ascii")
    findings: list[Finding] = []
    matcher, indicators = _matcher()
    for number in sorted(matcher.Match(text) or ()):
        indicator = indicators[number]
        for hit, (start, end) in enumerate(indicator.spans(document, text)):
            if hit == MOST_HITS:
                break
            findings.append(Finding(indicator, start, end))
    return findings


def fired(document: Document) -> tuple[str, ...]:
    """Return the names of the indicators that hold in a document; quicker than `find`."""
    text = document.text.encode("ascii")
    matcher, indicators = _matcher()
    return tuple(
        indicators[number].name
        for number in sorted(matcher.Match(text) or ())
        if next(indicators[number].spans(document, text), None) is not None
    )


@lru_cache(maxsize=1 << 16)
def feature_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the model's flag features for the names of the indicators that hold.

    Besides each name, these say how many flags, strong flags and opposites there are.

    >>> feature_names(("visa_tourist_or_later",))
    ('visa_tourist_or_later', 'flags>=1', 'high>=1')
    """
    indicators = [catalogue()[name] for name in names]
    flags = [indicator for indicator in indicators if indicator.kind == "flag"]
    counts = {
        "flags": len(flags),
        "high": sum(indicator.severity == "high" for indicator in flags),
        "medium": sum(indicator.severity == "medium" for indicator in flags),
        "counters": len(indicators) - len(flags),
    }
    levels = [f"{kind}>={level}" for kind, count in counts.items() for level in range(1, min(count, 5) + 1)]
    return (*names, *levels)
