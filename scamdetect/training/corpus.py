"""Labelled texts: reading them, checking their columns, and splitting them by group."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scamdetect.errors import DatasetError, InputError

__all__ = ["CATEGORIES", "COLUMNS", "LABELS", "Data", "Example", "read_corpus", "split_of"]

COLUMNS = ("id", "text", "label", "category", "channel", "register", "region", "group", "source")
LABELS = ("legit", "scam", "trafficking")
CATEGORIES = {
    "trafficking": (
        "scam_compound gambling_operator unlicensed_placement sea_crew sexual_exploitation marriage_broker "
        "organ_sale recruiter_network"
    ).split(),
    "scam": "task_deposit fake_corporate upfront_fee account_renting fake_overseas_fee".split(),
    "legit": "domestic_ad overseas_ad job_seeker news warning question other_offer chat".split(),
}
BINARY = {"0": "legit", "1": "trafficking"}
"""Labels of yes-or-no data: 1 means trafficking."""

TEST_SHARE = 0.2
LARGEST_CELL = 10_000_000


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text in the columns of the dataset.

    Parameters
    ----------
    id, text, label : str
    category, channel, register, region, source : str
        Empty where the data has none.
    group : str
        Texts of one group come from one poster or belong together as twins; no split separates them.
    file : str
        Where it was read from.
    row : int
        Row in that file, 1 for the first after the header.
    """

    id: str
    text: str
    label: str
    category: str = ""
    channel: str = ""
    register: str = ""
    region: str = ""
    group: str = ""
    source: str = ""
    file: str = field(default="", compare=False)
    row: int = field(default=0, compare=False)


Data = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Sequence[Example]
"""What training and evaluation take: files, folders, or texts that are read already."""


def split_of(group: str) -> str:
    """Return the fixed split of a group, ``train`` or ``test``, from a hash of its name.

    >>> split_of("g0001") == split_of("g0001")
    True
    """
    digest = hashlib.sha256(group.encode("utf-8")).digest()
    return "test" if int.from_bytes(digest[:4], "big") < TEST_SHARE * 2**32 else "train"


def read_corpus(
    paths: Data,
    columns: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    allowed: Sequence[str] | None = LABELS,
) -> list[Example]:
    """Read labelled texts from CSV files, or from folders of them.

    Parameters
    ----------
    paths : path, sequence of paths, or sequence of Example
        A folder stands for the CSV files in its ``corpus`` subfolder, or else in itself. Examples are
        returned as they are.
    columns : mapping of str to str, optional
        Names of the dataset's columns, by the name that the file uses.
    labels : mapping of str to str, optional
        Labels by the value that the file uses; 0 and 1 need no mapping.
    allowed : sequence of str or None
        Labels that may occur; None for any.

    Returns
    -------
    list of Example

    Raises
    ------
    DatasetError
        If a file is missing, is no UTF-8 or no CSV, lacks the columns ``text`` and ``label``, or has an
        unknown label; the message names file and row.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    given = [item for item in paths if isinstance(item, Example)]
    if given:
        return given
    examples: list[Example] = []
    for file in _files(Path(path) for path in paths if not isinstance(path, Example)):
        examples += _read_csv(file, columns or {}, labels or {}, allowed)
    if not examples:
        raise DatasetError(f"no labelled texts in {', '.join(map(str, paths))}")
    return [
        replace(
            example,
            id=example.id or f"{Path(example.file).stem}-{example.row}",
            group=example.group or example.id or f"{Path(example.file).stem}-{example.row}",
        )
        for example in examples
    ]


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            folder = path / "corpus" if (path / "corpus").is_dir() else path
            files = sorted(folder.glob("*.csv"))
            if not files:
                raise DatasetError(f"{folder}: no CSV file in this folder")
            yield from files
        elif path.is_file():
            yield path
        else:
            raise DatasetError(f"{path}: no such file or folder")


def decode(content: bytes, file: object) -> str:
    """Decode UTF-8, or say which byte of which row is not."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{file}: not UTF-8: byte {error.start} (line {row}) is 0x{content[error.start]:02x}; "
            "save the file as UTF-8"
        ) from error


def _read_csv(
    file: Path, columns: Mapping[str, str], labels: Mapping[str, str], allowed: Sequence[str] | None
) -> list[Example]:
    csv.field_size_limit(LARGEST_CELL)
    text = decode(file.read_bytes(), file)
    reader = csv.DictReader(text.splitlines(keepends=True))
    names = {name: columns.get(name, name) for name in reader.fieldnames or ()}
    for wanted in ("text", "label"):
        if wanted not in names.values():
            found = ", ".join(reader.fieldnames or ()) or "none"
            raise DatasetError(f"{file}: no column {wanted!r}; the columns are: {found}")
    examples: list[Example] = []
    try:
        for row, record in enumerate(reader, 1):
            cells = {names[key]: value or "" for key, value in record.items() if key in names}
            label = cells["label"].strip()
            label = labels.get(label, BINARY.get(label, label) if allowed else label)
            if allowed is not None and label not in allowed:
                raise DatasetError(
                    f"{file}: row {row}: unknown label {label!r}; labels are {', '.join(allowed)}, 0 or 1"
                )
            values = {name: cells.get(name, "") for name in COLUMNS} | {"label": label}
            examples.append(Example(**values, file=str(file), row=row))
    except csv.Error as error:
        raise DatasetError(f"{file}: line {reader.line_num}: {error}") from error
    return examples
