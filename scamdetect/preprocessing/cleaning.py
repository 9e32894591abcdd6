"""Cleaning steps: what a poster did to a word is undone, so that the model reads what a person reads.

Each step is one small function from a text to the edits that it wants made. `clean` runs them on one
chunk (a raw stretch without white space) until none of them wants anything, which makes cleaning
idempotent. No step looks across a space; what needs neighbours is in `document`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

from anyascii import anyascii

from scamdetect.preprocessing import lexicon, stems
from scamdetect.preprocessing.alignment import Edit, apply

__all__ = ["STEPS", "clean", "fold", "is_link", "rounds"]

MAX_ROUNDS = 12
"""More rounds than any chunk needs: a chunk that still changes then is left as it is."""

LONGEST_WORD = 32
"""Longer runs of letters are no words that a key word could hide in."""

LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g", "@": "a"}
LEET |= {"$": "s", "!": "i"}
LEET_TABLE = str.maketrans(LEET)
LEET_L_TABLE = str.maketrans({**LEET, "1": "l"})

CURRENCY = {"€": " eur ", "£": " gbp ", "¥": " yen ", "₩": " won ", "฿": " baht ", "₱": " peso ", "₫": " vnd "}
CURRENCY |= {"₹": " rupee ", "៛": " riel ", "₭": " kip "}
PERIODS = {"bln": "bulan", "th": "tahun", "thn": "tahun", "hr": "hari", "org": "orang", "mgg": "minggu"}

_NOT_PLAIN = re.compile(r"[^\x21-\x7e]+")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_ENTITY = re.compile(r"&(?:nbsp|amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-f]{1,6});|</?(?:br|p|li|ul|b|i|div|span)/?>")
_RUN = re.compile(r"\S+")
_LINK = re.compile(
    r"(?:[\w(\[<\"'*]*)?(?:https?:/|www\.|wa\.me|t\.me|(?:[\w-]+\.)+(?:com|id|net|org|info|xyz|site|online|me|ly|io"
    r"|app|link|top|vip|club|co|example|test)(?:[/:?]|\W*$))|[^@]+@[\w-]+\.|@[\w.]{3,}"
)
_SEPARATED = re.compile(r"(?<![a-z0-9])[a-z0-9]([._*|/~+\-])[a-z0-9](?:\1[a-z0-9])+(?![a-z0-9])")
_BROKEN = re.compile(r"[a-z0-9]+(?:[*_~^|'`\".:#=+\-]{1,3}[a-z0-9]+)+")
_PUNCTUATION = re.compile(r"[^a-z0-9]+")
_MASKED = re.compile(r"[a-z0-9]+(?:\*{1,3}[a-z0-9]+)+")
_LEET_WORD = re.compile(r"(?<![a-z0-9@$])(?=[0-9@$!]*[a-z])[a-z0-9@$!]*[0-9@$][a-z0-9@$!]*(?![a-z0-9@$])")
_INNER_DIGIT = re.compile(r"[a-z]{2,}[013457][a-z]+|[a-z]+[013457][a-z]{2,}")
_CODE = re.compile(r"b?p[23]mi|[a-z]{1,2}\d[a-z]{1,2}|\d+[a-z]+|[a-z]+\d+")
_STRETCHED = re.compile(r"([a-hj-z])\1{2,}|(i)\2{3,}")
_DOUBLED_WORD = re.compile(r"(?<![a-z0-9])([a-z]{3,})2(?:(nya|an)?(?![a-z0-9]))")
_COUNTED = re.compile(rf"(?<![a-z])(\d+)({'|'.join(PERIODS)})(?![a-z0-9])")
_WORD = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9]*(?![a-z0-9])")
_VOWELS = re.compile(r"[aeiou]")


def fold(text: str) -> list[Edit]:
    """Turn every character outside printable ASCII into ASCII, a space, or nothing.

    Styled and look-alike letters become plain ones, marks and zero-width characters go, flags become
    country names, and emoji become spaces.

    >>> apply("𝗞аmb𝟬ja", fold("𝗞аmb𝟬ja")), apply("🇰🇭", fold("🇰🇭")), apply("ga\\u200bji", fold("ga\\u200bji"))
    ('Kamb0ja', ' kamboja ', 'gaji')
    """
    edits: list[Edit] = []
    for match in _NOT_PLAIN.finditer(text):
        run, offset = match[0], match.start()
        position = 0
        for flag in _FLAG.finditer(run):
            edits += _fold_characters(run[position : flag.start()], offset + position)
            code = anyascii(flag[0]).lower()
            edits.append((offset + flag.start(), offset + flag.end(), f" {lexicon.flags().get(code, code)} "))
            position = flag.end()
        edits += _fold_characters(run[position:], offset + position)
    return edits


def _fold_characters(run: str, offset: int) -> Iterator[Edit]:
    for position, character in enumerate(run, offset):
        yield position, position + 1, _fold_character(character)


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    if character in CURRENCY:
        return CURRENCY[character]
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf", "Cs", "Sk") or character == "\u3164":
        return ""
    if category in ("Cc", "Co", "Cn", "Zs", "Zl", "Zp"):
        return " "
    ascii_form = anyascii(character)
    if category == "So" and not (ascii_form.isalnum() and len(ascii_form) <= 2):
        return " "
    if category == "Lo" and ord(character) >= 0x2E80 and ascii_form:
        return f" {ascii_form} "
    return "".join(c if "\x20" <= c <= "\x7e" else " " for c in ascii_form)


def lower(text: str) -> list[Edit]:
    """Lower-case a folded text.

    >>> apply("GAJI", lower("GAJI"))
    'gaji'
    """
    lowered = text.lower()
    return [(0, len(text), lowered)] if lowered != text else []


def strip_markup(text: str) -> list[Edit]:
    """Turn the HTML entities and bare tags of scraped ads into spaces.

    >>> apply("gaji<br>uang&nbsp;makan", strip_markup("gaji<br>uang&nbsp;makan"))
    'gaji uang makan'
    """
    return [(m.start(), m.end(), " ") for m in _ENTITY.finditer(text)]


def join_separated(run: str) -> list[Edit]:
    """Join letters that one and the same sign holds apart.

    >>> apply("k.a.m.b.0.j.a", join_separated("k.a.m.b.0.j.a")), join_separated("1.2.3")
    ('kamb0ja', [])
    """
    edits: list[Edit] = []
    for match in _SEPARATED.finditer(run):
        joined = match[0].replace(match[1], "")
        if sum(map(str.isalpha, joined)) >= 3 and (joined.isalpha() or _unleet_key(joined)):
            edits.append((match.start(), match.end(), joined))
    return edits


def join_broken(run: str) -> list[Edit]:
    """Join a key word that signs break in two, and fill the vowel that a star hides.

    >>> apply("kam-boja", join_broken("kam-boja")), apply("j*dol", join_broken("j*dol"))
    ('kamboja', 'judol')
    >>> join_broken("kerja-gaji")
    []
    """
    edits: list[Edit] = []
    for match in _BROKEN.finditer(run):
        broken = match[0]
        if len(broken) > LONGEST_WORD:
            continue
        joined = _PUNCTUATION.sub("", broken)
        word = joined if joined in lexicon.keywords() else _unleet_key(joined)
        if word and any(part not in lexicon.known_words() for part in _PUNCTUATION.split(broken)):
            edits.append((match.start(), match.end(), word))
        elif _MASKED.fullmatch(broken) and (word := _unmask(broken)):
            edits.append((match.start(), match.end(), word))
    return edits


@lru_cache(maxsize=4096)
def _unmask(masked: str) -> str | None:
    pattern = re.compile(re.sub(r"\*+", "[a-z]{0,3}", masked.translate(LEET_TABLE)))
    found = [word for word in lexicon.keywords() if pattern.fullmatch(word)]
    return found[0] if len(found) == 1 else None


def unleet(run: str) -> list[Edit]:
    """Turn the digits and signs inside a word back into letters; real numbers and codes stay.

    >>> apply("k4mb0ja", unleet("k4mb0ja")), apply("5lot", unleet("5lot")), unleet("10jt"), unleet("bp2mi")
    ('kamboja', 'slot', [], [])
    """
    edits: list[Edit] = []
    for match in _LEET_WORD.finditer(run):
        word = match[0]
        if len(word) > LONGEST_WORD:
            continue
        bare = word.rstrip("!")
        letters = _unleet_key(bare)
        if letters is None and _INNER_DIGIT.fullmatch(bare) and not _CODE.fullmatch(bare):
            letters = bare.translate(LEET_TABLE)
            letters = letters if letters in lexicon.known_words() or stems.is_word(letters) else None
        if letters and letters != bare:
            edits.append((match.start(), match.start() + len(bare), letters))
    return edits


@lru_cache(maxsize=8192)
def _unleet_key(word: str) -> str | None:
    if word.isdigit():
        return None
    for table in (LEET_TABLE, LEET_L_TABLE):
        letters = word.translate(table)
        if letters in lexicon.keywords():
            return letters
        squeezed = _STRETCHED.sub(lambda m: m[0][0], letters)
        if letters != word and (standard := lexicon.slang().get(squeezed)) in lexicon.keywords():
            return standard
    return None


def squeeze(run: str) -> list[Edit]:
    """Shorten a letter that is typed three times or more.

    >>> apply("gajiiii", squeeze("gajiiii")), apply("maaaf", squeeze("maaaf")), squeeze("www")
    ('gaji', 'maaf', [])
    """
    if run.startswith("www"):
        return []
    edits: list[Edit] = []
    for match in _STRETCHED.finditer(run):
        letter = match[0][0]
        doubled = run[: match.start()] + letter * 2 + run[match.end() :]
        keep = 2 if doubled in lexicon.known_words() else 1
        edits.append((match.start(), match.end(), letter * keep))
    return edits


def expand(run: str) -> list[Edit]:
    """Write short forms out: slang by the table, ``6bln``, and a figure two for a doubled word.

    >>> apply("krj", expand("krj")), apply("6bln", expand("6bln")), apply("teman2", expand("teman2"))
    ('kerja', '6 bulan', 'teman-teman')
    """
    slang = lexicon.slang()
    edits: list[Edit] = [
        (m.start(), m.end(), f"{m[1]} {PERIODS[m[2]]}") for m in _COUNTED.finditer(run) if len(m[1]) <= 9
    ]
    edits += [
        (m.start(), m.end(), f"{m[1]}-{m[1]}{m[2] or ''}")
        for m in _DOUBLED_WORD.finditer(run)
        if len(m[1]) <= LONGEST_WORD
    ]
    for match in _WORD.finditer(run):
        standard = slang.get(match[0])
        if standard is not None:
            edits.append((match.start(), match.end(), standard))
    return sorted(edits)


def repair(run: str) -> list[Edit]:
    """Restore a key word that lost vowels or carries a typing error.

    >>> apply("kambja", repair("kambja")), apply("kambojja", repair("kambojja")), repair("kembali")
    ('kamboja', 'kamboja', [])
    """
    edits: list[Edit] = []
    for match in _WORD.finditer(run):
        word = match[0]
        if len(word) < 4 or len(word) > LONGEST_WORD or word in lexicon.known_words():
            continue
        if (key := _repair_word(word)) is not None:
            edits.append((match.start(), match.end(), key))
    return edits


@lru_cache(maxsize=65536)
def _repair_word(word: str) -> str | None:
    key = _skeletons().get(_VOWELS.sub("", word))
    if key is not None and len(word) < len(key) and word[0] == key[0] and _is_subsequence(word, key):
        return key
    if len(word) < 6:
        return None
    from rapidfuzz.distance import OSA

    for candidate in _repairable_by_letter().get(word[0], ()):
        if abs(len(candidate) - len(word)) <= 1 and OSA.distance(word, candidate, score_cutoff=1) <= 1:
            return None if stems.is_word(word) else candidate
    return None


def _is_subsequence(short: str, long: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in short)


@lru_cache(maxsize=1)
def _skeletons() -> dict[str, str]:
    """Consonants of the longer key words, where only one key word has them."""
    found: dict[str, list[str]] = {}
    for word in lexicon.repairable():
        found.setdefault(_VOWELS.sub("", word), []).append(word)
    return {bare: words[0] for bare, words in found.items() if len(words) == 1 and len(bare) >= 4}


@lru_cache(maxsize=1)
def _repairable_by_letter() -> dict[str, tuple[str, ...]]:
    table: dict[str, list[str]] = {}
    for word in lexicon.repairable():
        table.setdefault(word[0], []).append(word)
    return {letter: tuple(words) for letter, words in table.items()}


STEPS: tuple[Callable[[str], list[Edit]], ...] = (join_separated, join_broken, unleet, squeeze, expand, repair)
"""The steps for one run of signs without space, in order; links are passed over."""


def is_link(run: str) -> bool:
    """Say whether a run is a link, an e-mail address or a handle, which no step may touch.

    >>> is_link("wa.me/62812"), is_link("hrd@contoh.example"), is_link("gaji.besar")
    (True, True, False)
    """
    return _LINK.match(run) is not None


def rounds(chunk: str) -> Iterator[list[Edit]]:
    """Yield, one after the other, the lists of edits that clean a chunk; the receiver need not apply them."""
    text = chunk
    for step in (fold, lower, strip_markup):
        if edits := step(text):
            yield edits
            text = apply(text, edits)
    for _ in range(MAX_ROUNDS):
        changed = False
        for step in STEPS:
            edits = [
                (match.start() + start, match.start() + end, replacement)
                for match in _RUN.finditer(text)
                if not is_link(match[0])
                for start, end, replacement in step(match[0])
            ]
            if edits:
                yield edits
                text = apply(text, edits)
                changed = True
        if not changed:
            break
    if edits := _spaces(text):
        yield edits


def _spaces(text: str) -> list[Edit]:
    """Leave one space between runs and none at the ends."""
    edits: list[Edit] = []
    for match in re.finditer(" +", text):
        outer = match.start() == 0 or match.end() == len(text)
        if outer or match.end() - match.start() > 1:
            edits.append((match.start(), match.end(), "" if outer else " "))
    return edits


def clean(chunk: str) -> str:
    """Return the cleaned form of a raw stretch without white space.

    >>> clean("K4MB0JA,"), clean("krj"), clean("10jt/bln")
    ('kamboja,', 'kerja', '10jt/bulan')
    """
    text = chunk
    for edits in rounds(chunk):
        text = apply(text, edits)
    return text
