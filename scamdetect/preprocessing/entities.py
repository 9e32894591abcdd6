"""Money, telephone numbers, links and places in a cleaned text, each with its span there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from scamdetect import data
from scamdetect.preprocessing.cleaning import is_link
from scamdetect.preprocessing.tokens import tokenize

__all__ = ["Link", "Money", "Phone", "Place", "links", "money", "phones", "places"]

UNITS = {"jt": 1e6, "jtan": 1e6, "juta": 1e6, "jutaan": 1e6, "rb": 1e3, "rban": 1e3, "ribu": 1e3, "ribuan": 1e3}
UNITS |= {"k": 1e3, "m": 1e9, "milyar": 1e9, "miliar": 1e9}
PERIODS = {"jam": "hour", "hari": "day", "harian": "day", "malam": "day", "shift": "day", "minggu": "week"}
PERIODS |= {"pekan": "week", "bulan": "month", "bulanan": "month", "month": "month", "tahun": "year"}
PERIODS |= {"year": "year", "day": "day", "hour": "hour", "week": "week"}
MONTHS = {"hour": 26 * 8.0, "day": 26.0, "week": 52 / 12, "month": 1.0, "year": 1 / 12}
"""How many of a period a month of full work has."""

VAGUE = {"belasan": (11.0, 19.0), "puluhan": (20.0, 90.0), "ratusan": (100.0, 900.0)}
NUMBER_WORDS = ["nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh"]
NUMBERS = {word: float(value) for value, word in enumerate(NUMBER_WORDS)}
NUMBERS |= {"sebelas": 11.0, "seratus": 100.0, "seribu": 1000.0, "se": 1.0}
NUMBERS |= {f"{word} belas": value + 10 for word, value in list(NUMBERS.items()) if 2 <= value <= 9}
NUMBERS |= {f"{word} puluh": value * 10 for word, value in list(NUMBERS.items()) if 2 <= value <= 9}

_NUMBER = r"\d{1,3}(?:[.,]\d{3})+(?:,\d{1,2})?|\d{1,9}(?:[.,]\d{1,2})?"


class Span(NamedTuple):
    """A place in the cleaned text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money, or a range, in a currency and for a period of work.

    Parameters
    ----------
    low, high : float
        Equal for a single amount.
    currency : str
        ISO 4217 code; ``USDT`` for the crypto-currency.
    period : {"hour", "day", "week", "month", "year"} or None
    start, end : int
        Span in the cleaned text.
    """

    low: float
    high: float
    currency: str
    period: str | None
    start: int
    end: int

    def monthly_rupiah(self) -> tuple[float, float] | None:
        """Return the range in rupiah a month of full work; None for a currency without a known rate.

        An amount without a period counts as a month's.
        """
        rate = _rates().get(self.currency)
        if rate is None:
            return None
        factor = rate * MONTHS[self.period or "month"]
        return self.low * factor, self.high * factor


class Phone(NamedTuple):
    """A telephone number with the region of its country, as ISO 3166 code, if it can be told."""

    number: str
    region: str | None
    start: int
    end: int


class Link(NamedTuple):
    """A link, handle or address; `kind` is its token class without ``#``."""

    kind: str
    start: int
    end: int


class Place(NamedTuple):
    """A place of the gazetteer."""

    name: str
    kind: str
    country: str
    risk: str
    start: int
    end: int


@cache
def _rates() -> dict[str, float]:
    return {row["code"]: float(row["rupiah"]) for row in data.rows("currencies.tsv")}


@cache
def _currencies() -> dict[str, str]:
    """Currency codes by the names that a cleaned text may give them."""
    return {name: row["code"] for row in data.rows("currencies.tsv") for name in row["names"].split(",")}


@cache
def _expression() -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, _currencies()), key=len, reverse=True))
    units = "|".join(sorted(UNITS, key=len, reverse=True))
    words = "|".join(sorted(NUMBERS, key=len, reverse=True))
    periods = "|".join(sorted(PERIODS, key=len, reverse=True))
    vague = "|".join(VAGUE)
    return re.compile(
        rf"(?<![a-z0-9])(?P<before>{names})?[ .:]{{0,2}}"
        rf"(?:(?P<low>{_NUMBER})(?: ?(?P<lowunit>{units})(?![a-z]))?"
        rf"(?: ?(?:-|~|s/d|sd|sampai|hingga|to) ?(?:{names})?[ .]?(?P<high>{_NUMBER}))?"
        rf"|(?P<word>{words})(?= ?(?:{units}|{names})(?![a-z]))|(?P<vague>{vague})(?= juta| ribu))"
        rf"(?: ?(?P<unit>{units})(?![a-z]))?(?:,-)?(?: ?(?P<after>{names})(?![a-z]))?"
        rf"(?: ?(?:/|per ?|se|tiap |a )?(?P<period>{periods})(?![a-z]))?"
    )


_PAY_BEFORE = re.compile(r"(?:gaji|salary|upah|fee|honor|penghasilan|pendapatan|basic|gapok)[^.\n]{0,20}$")


def money(text: str) -> list[Money]:
    """Return the amounts of money in a cleaned text.

    >>> [(m.low, m.high, m.currency, m.period) for m in money("gaji 8-12 jt/bulan, uang makan 150rb/hari")]
    [(8000000.0, 12000000.0, 'IDR', 'month'), (150000.0, 150000.0, 'IDR', 'day')]
    >>> [(m.low, m.high, m.currency) for m in money("usd 800-1.200 atau belasan juta")]
    [(800.0, 1200.0, 'USD'), (11000000.0, 19000000.0, 'IDR')]
    """
    return list(_money(text))


def _money(text: str) -> Iterator[Money]:
    names = _currencies()
    for match in _expression().finditer(text):
        before, after = match["before"], match["after"]
        currency = names.get(before or after or "")
        unit = match["unit"] or match["lowunit"]
        if match["vague"]:
            low, high = VAGUE[match["vague"]]
        elif match["word"]:
            low = high = NUMBERS[match["word"]]
        else:
            low = _value(match["low"], unit)
            high = _value(match["high"], unit) if match["high"] else low
        grouped = bool(match["low"]) and low >= 100_000
        if currency is None and unit is None:
            paid = _PAY_BEFORE.search(text[max(0, match.start() - 40) : match.start()]) is not None
            if paid and 1 <= low <= 50 and high <= 60 and match["high"]:
                unit = "juta"
            elif not (paid and grouped):
                continue
        if unit == "m" and currency is None:
            continue
        factor = UNITS[unit] if unit else 1.0
        low_unit = UNITS[match["lowunit"]] if match["lowunit"] else factor
        low, high = low * low_unit, high * factor
        if high < low:
            high = low
        period = PERIODS.get(match["period"] or "")
        start = match.start() + len(match[0]) - len(match[0].lstrip(" .:"))
        yield Money(low, high, currency or "IDR", period, start, match.end())


def _value(number: str, unit: str | None) -> float:
    """Read a number whose dots and commas may stand for thousands or for decimals."""
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", number) and (unit is None or number.count(".") + number.count(",") > 1):
        return float(re.sub(r"[.,]", "", number))
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+,\d{1,2}", number):
        whole, cents = number.rsplit(",", 1)
        return float(re.sub(r"[.,]", "", whole) + "." + cents)
    return float(number.replace(",", "."))


_PHONE = re.compile(r"(?<![\w.])(?:\+|00)?\d(?:[ ().-]{0,2}\d){7,15}(?![\w])")


def phones(text: str) -> list[Phone]:
    """Return the telephone numbers in a cleaned text, read as Indonesian unless they name a country.

    >>> [(p.number, p.region) for p in phones("wa +855 96 0000 412 atau 0812-0000-4417")]
    [('+855960000412', 'KH'), ('+6281200004417', 'ID')]
    """
    import phonenumbers

    found: list[Phone] = []
    for match in _PHONE.finditer(text):
        try:
            number = phonenumbers.parse(match[0], "ID")
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number) and re.match(r"\+|00|0|62|8", match[0]):
            written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            region = phonenumbers.region_code_for_country_code(number.country_code)
            found.append(Phone(written, None if region == "ZZ" else region, *match.span()))
    return found


def links(text: str) -> list[Link]:
    """Return the links, handles and e-mail addresses in a cleaned text.

    >>> [link.kind for link in links("daftar di siapkerja.kemnaker.go.id atau t.me/contoh")]
    ['official', 'tele']
    """
    return [
        Link(token.text[1:], token.start, token.end)
        for token in tokenize(text)
        if token.text[0] == "#" and len(token.text) > 1 and is_link(text[token.start : token.end])
    ]


@cache
def _gazetteer() -> dict[str, list[tuple[tuple[str, ...], dict[str, str]]]]:
    """Places by their first word, the longest names first."""
    table: dict[str, list[tuple[tuple[str, ...], dict[str, str]]]] = {}
    for row in data.rows("places.tsv"):
        words = tuple(token.text for token in tokenize(row["name"]))
        if words:
            table.setdefault(words[0], []).append((words, row))
    for entries in table.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return table


def places(text: str) -> list[Place]:
    """Return the places of the gazetteer that a cleaned text names.

    >>> [(p.name, p.country, p.risk) for p in places("penempatan poipet, transit di mae sot")]
    [('poipet', 'KH', 'compound'), ('mae sot', 'TH', 'transit')]
    """
    tokens = tokenize(text)
    words = [token.text for token in tokens]
    found: list[Place] = []
    i = 0
    while i < len(tokens):
        for name, row in _gazetteer().get(words[i], ()):
            if tuple(words[i : i + len(name)]) == name:
                span = Span(tokens[i].start, tokens[i + len(name) - 1].end)
                found.append(Place(row["name"], row["kind"], row["country"], row["risk"], *span))
                i += len(name)
                break
        else:
            i += 1
    return found
