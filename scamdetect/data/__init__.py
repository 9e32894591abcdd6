"""Knowledge as readable tables, and the one function that reads them."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

__all__ = ["lines", "load_json", "rows"]


def lines(name: str) -> list[str]:
    """Return the lines of a shipped text file without blank lines and ``#`` comments.

    >>> "bekasi" in lines("stem_protect.txt")
    True
    """
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line and not line.startswith("#")]


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a shipped tab-separated table, keyed by its header line.

    >>> next(row["name"] for row in rows("flags.tsv") if row["iso2"] == "KH")
    'kamboja'
    """
    header, *body = lines(name)
    columns = header.split("\t")
    return [dict(zip(columns, line.split("\t"), strict=False)) for line in body]


def load_json(name: str) -> Any:
    """Return the content of a shipped JSON file."""
    return json.loads(resources.files(__name__).joinpath(name).read_text(encoding="utf-8"))
