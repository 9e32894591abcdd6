"""Tokens: what the model counts. Numbers and contacts become classes, so that no single figure is learnt.

A token is a run of letters, or a class that begins with ``#``: ``#`` for a number, ``#wa`` for a WhatsApp
link, ``#tele`` for a Telegram link, ``#official`` for a site of the Indonesian state, ``#short`` for a
shortened link, ``#link``, ``#email`` and ``#handle``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from scamdetect.preprocessing.cleaning import is_link

__all__ = ["Token", "tokenize"]

LONGEST_TOKEN = 40
"""Longer runs of letters are cut here: no Indonesian word is, and n-grams cost by length."""

LINK_CLASSES = (
    ("#email", re.compile(r"[^@/]+@[\w-]+\.")),
    ("#handle", re.compile(r"\W*@")),
    ("#wa", re.compile(r".*(?:wa\.me|whatsapp\.com|wa\.link)")),
    ("#tele", re.compile(r".*(?:t\.me|telegram\.(?:me|org))")),
    ("#official", re.compile(r".*\.(?:go|mil)\.id\b")),
    ("#short", re.compile(r".*(?:bit\.ly|s\.id|tinyurl|cutt\.ly|linktr\.ee|forms?\.gle|goo\.gl|rb\.gy|lnkd\.in)")),
)
_TOKEN = re.compile(r"[a-z]+|\d[\d.,]*")


class Token(NamedTuple):
    """A token and where it stands in the cleaned text."""

    text: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a cleaned text with their spans in it.

    >>> [token.text for token in tokenize("gaji 10jt/bulan, hub wa.me/62812")]
    ['gaji', '#', 'jt', 'bulan', 'hub', '#wa']
    """
    tokens: list[Token] = []
    for run in re.finditer(r"\S+", text):
        if is_link(run[0]):
            tokens.append(Token(_link_class(run[0]), run.start(), run.end()))
            continue
        for match in _TOKEN.finditer(run[0]):
            word = match[0][:LONGEST_TOKEN] if match[0].isalpha() else "#"
            tokens.append(Token(word, run.start() + match.start(), run.start() + match.end()))
    return tokens


def _link_class(link: str) -> str:
    short = link[:200]
    for name, pattern in LINK_CLASSES:
        if pattern.match(short):
            return name
    return "#link"
