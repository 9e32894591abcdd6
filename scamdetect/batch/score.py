"""One function over a table: every row is scored, or stands in the quarantine with the reason."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappushpop
from itertools import islice
from pathlib import Path
from typing import Any

from scamdetect.batch.tables import Row, Source, Writer, create, format_of, open_source
from scamdetect.detector import Detector, load
from scamdetect.errors import InputError
from scamdetect.prediction import Prediction

__all__ = ["ADDED", "Summary", "redact", "score_frame", "score_table", "text_columns_of"]

ADDED = {"label": "str", "flagged": "bool", "probability": "float", "risk": "str", "indicators": "str"}
"""Columns that scoring adds, with their types."""

TEXT_NAMES = ("text", "teks", "description", "deskripsi", "content", "isi", "message", "pesan", "body", "caption")
ROWS_AT_ONCE = 2048
MOST_SUSPICIOUS = 5

_CONTACT = re.compile(r"(?<![\w])\+?\d[\d .()-]{6,}\d|[\w.+-]+@[\w.-]+|(?<!\w)@\w{3,}|(?:wa\.me|t\.me)/\S+", re.IGNORECASE)


@dataclass(slots=True)
class Summary:
    """What happened to a table; `read` equals `scored` + `quarantined`.

    Parameters
    ----------
    read, scored, quarantined, flagged : int
    by_label_and_risk : Counter of (str, str)
    indicators : Counter of str
    most_suspicious : list of (float, int, Prediction)
        Probability, negative row number and prediction, the worst first.
    quarantine : str or None
        File with the rows that could not be read.
    renamed : dict of str to str
        Added columns that got another name because the table had one of that name.
    """

    read: int = 0
    scored: int = 0
    quarantined: int = 0
    flagged: int = 0
    by_label_and_risk: Counter[tuple[str, str]] = field(default_factory=Counter)
    indicators: Counter[str] = field(default_factory=Counter)
    most_suspicious: list[tuple[float, int, Prediction]] = field(default_factory=list)
    quarantine: str | None = None
    renamed: dict[str, str] = field(default_factory=dict)

    def add(self, number: int, prediction: Prediction) -> None:
        """Count one prediction."""
        self.scored += 1
        self.flagged += prediction.flagged
        self.by_label_and_risk[prediction.label, prediction.risk] += 1
        self.indicators.update(prediction.indicator_names)
        entry = (prediction.probability, -number, prediction)
        if len(self.most_suspicious) < MOST_SUSPICIOUS:
            self.most_suspicious.append(entry)
            heapify(self.most_suspicious)
        elif entry[:2] > self.most_suspicious[0][:2]:
            heappushpop(self.most_suspicious, entry)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, ready for JSON; no ad text."""
        return {
            "read": self.read,
            "scored": self.scored,
            "quarantined": self.quarantined,
            "flagged": self.flagged,
            "by_label_and_risk": {f"{label}/{risk}": n for (label, risk), n in sorted(self.by_label_and_risk.items())},
            "indicators": dict(self.indicators.most_common()),
            "quarantine": self.quarantine,
            "renamed": self.renamed,
        }


def text_columns_of(columns: Sequence[str], wanted: Sequence[str] | None, where: str = "table") -> list[int]:
    """Return the numbers of the columns that hold the text.

    Parameters
    ----------
    columns : sequence of str
    wanted : sequence of str or None
        Their names; without any, the first column with a usual name.

    Raises
    ------
    InputError
        If there is no such column; the message names those found.
    """
    found = f"the columns are: {', '.join(columns)}"
    if wanted:
        for name in wanted:
            if name not in columns:
                raise InputError(f"{where}: no column {name!r}; {found}")
        return [list(columns).index(name) for name in wanted]
    lowered = [name.strip().lower() for name in columns]
    for name in TEXT_NAMES:
        if name in lowered:
            return [lowered.index(name)]
    raise InputError(f"{where}: no text column; name it with --text-column; {found}")


def redact(text: str) -> str:
    """Return a text with telephone numbers, addresses and handles masked.

    >>> redact("wa 0812-0000-1234 atau admin@contoh.example")
    'wa [contact] atau [contact]'
    """
    return _CONTACT.sub("[contact]", text)


def score_table(
    source: str,
    target: str | None,
    detector: Detector | None = None,
    *,
    text_columns: Sequence[str] | None = None,
    n_jobs: int = 1,
    resume: bool = False,
    raw: bool = False,
    hide_contacts: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> Summary:
    """Score every row of a file and write it with the columns of `ADDED`.

    Parameters
    ----------
    source : str
        CSV, TSV, JSON lines, Parquet or Excel; ``-`` reads CSV from standard input.
    target : str or None
        Appears complete or not at all; ``-`` writes CSV to standard output; None writes nothing.
    detector : Detector, optional
        The shipped model if not given.
    text_columns : sequence of str, optional
        Columns whose cells, joined line by line, are the text.
    n_jobs : int, default 1
    resume : bool, default False
        Go on after an interruption; for CSV, TSV and JSON lines that are not packed.
    raw : bool, default False
        Write cells as they are, even those that a spreadsheet would run as formulas.
    hide_contacts : bool, default False
        Mask telephone numbers, addresses and handles in the output.
    progress : callable, optional
        Told how many rows are done, and of how many if that can be guessed.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        If the source cannot be read or has no text column, or the target cannot be written.
    """
    detector = detector or load()
    summary = Summary()
    with open_source(source) as table:
        texts = text_columns_of(table.columns, text_columns, source)
        names = _names(table.columns, summary)
        columns = [*table.columns, *names]
        added = dict(zip(names, ADDED.values(), strict=True))
        journal = _Journal(source, target, resume, summary)
        output = _output(target, columns, added, table.schema, raw, journal)
        quarantine = _Quarantine(target, journal)
        done = False
        try:
            for number, cells, prediction in _score(table, texts, detector, n_jobs, journal, quarantine, summary):
                summary.add(number, prediction)
                if hide_contacts:
                    cells = [redact(cell) if isinstance(cell, str) else cell for cell in cells]
                output.add([*cells, *_added(prediction)])
                if summary.read % ROWS_AT_ONCE == 0:
                    output.flush()
                    journal.note(output, quarantine, summary)
                    if progress:
                        progress(summary.read, _guess(table, summary.read))
            output.commit()
            done = True
        finally:
            output.close(done, keep=journal.keeps)
            summary.quarantine = quarantine.close(done or journal.keeps)
            if done:
                journal.remove()
        if progress:
            progress(summary.read, summary.read)
    return summary


def _score(
    table: Source,
    texts: list[int],
    detector: Detector,
    n_jobs: int,
    journal: _Journal,
    quarantine: _Quarantine,
    summary: Summary,
) -> Iterator[tuple[int, list[Any], Prediction]]:
    """Yield each sound row with its prediction; unsound ones go to the quarantine, in their order."""
    pending: deque[Row] = deque()

    def stream() -> Iterator[str]:
        for row in islice(table.rows, journal.rows, None):
            pending.append(row)
            if row.cells is not None:
                cells = row.cells
                yield "\n".join(str(cells[i]) for i in texts if cells[i] is not None)

    def settle() -> Iterator[Row]:
        while pending:
            row = pending.popleft()
            summary.read += 1
            if row.cells is not None:
                yield row
                return
            summary.quarantined += 1
            quarantine.add(row)

    for prediction in detector.predict_many(stream(), n_jobs=n_jobs):
        for row in settle():
            yield row.number, row.cells or [], prediction
    for _ in settle():
        raise AssertionError("a row was read but not scored")


def _added(prediction: Prediction) -> list[Any]:
    return [
        prediction.label,
        prediction.flagged,
        round(prediction.probability, 6),
        prediction.risk,
        " ".join(prediction.indicator_names),
    ]


def _names(columns: Sequence[str], summary: Summary) -> list[str]:
    names = []
    for name in ADDED:
        new = name
        while new in columns:
            new = f"scamdetect_{new}"
        if new != name:
            summary.renamed[name] = new
        names.append(new)
    return names


def _guess(table: Source, rows: int) -> int | None:
    """Guess the number of rows from the part of the file that is read."""
    if not table.size or table.position is None or not (position := table.position()):
        return None
    return max(rows, int(rows * table.size / position))


class _Output:
    """Collects rows for a writer."""

    def __init__(self, writer: Writer | None) -> None:
        self.writer = writer
        self.rows: list[list[Any]] = []

    def add(self, row: list[Any]) -> None:
        self.rows.append(row)

    def flush(self) -> None:
        if self.writer is not None and self.rows:
            self.writer.write(self.rows)
        self.rows = []

    def commit(self) -> None:
        self.flush()
        if self.writer is not None:
            self.writer.commit()

    def close(self, done: bool, keep: bool) -> None:
        if self.writer is not None and not done:
            with contextlib.suppress(OSError, ValueError):
                self.writer.abort(keep)


class _Pipe(_Output):
    """Writes CSV to standard output as it goes."""

    def __init__(self, columns: list[str], raw: bool) -> None:
        super().__init__(None)
        import sys

        from scamdetect.batch.tables import neutralise

        self.neutralise = (lambda cell: cell) if raw else neutralise
        self.csv = csv.writer(sys.stdout, lineterminator="\n")
        self.csv.writerow(columns)
        self.out = sys.stdout

    def flush(self) -> None:
        self.csv.writerows([self.neutralise(cell) for cell in row] for row in self.rows)
        self.rows = []
        self.out.flush()


def _output(
    target: str | None, columns: list[str], added: dict[str, str], schema: Any, raw: bool, journal: _Journal
) -> _Output:
    if target == "-":
        return _Pipe(columns, raw)
    if target is None:
        return _Output(None)
    return _Output(create(target, columns, added, schema, raw, journal.bytes))


class _Quarantine:
    """Rows that could not be read, in a CSV file beside the target; the file is there only if a row is."""

    def __init__(self, target: str | None, journal: _Journal) -> None:
        self.path = None if target in (None, "-") else Path(f"{target}.quarantine.csv")
        self.file: Any = None
        self.rows = 0
        if self.path is not None and journal.quarantine_bytes is not None and self.path.exists():
            self.file = self.path.open("r+", encoding="utf-8", newline="")
            self.file.truncate(journal.quarantine_bytes)
            self.file.seek(journal.quarantine_bytes)
        elif self.path is not None:
            self.path.unlink(missing_ok=True)

    def add(self, row: Row) -> None:
        self.rows += 1
        if self.path is None:
            return
        from scamdetect.batch.tables import neutralise

        if self.file is None:
            self.file = self.path.open("w", encoding="utf-8", newline="")
            csv.writer(self.file, lineterminator="\n").writerow(["row", "reason", "content"])
        csv.writer(self.file, lineterminator="\n").writerow([row.number, row.error, neutralise(row.raw)])

    def position(self) -> int | None:
        if self.file is None:
            return None
        self.file.flush()
        return int(self.file.tell())

    def close(self, keep: bool) -> str | None:
        if self.file is None:
            return None
        self.file.close()
        if not keep and self.path is not None:
            self.path.unlink(missing_ok=True)
            return None
        return str(self.path)


class _Journal:
    """How far a scoring got, in a file beside the target, so that another run can go on."""

    def __init__(self, source: str, target: str | None, resume: bool, summary: Summary) -> None:
        self.rows = 0
        self.bytes: int | None = None
        self.quarantine_bytes: int | None = None
        self.keeps = False
        self.path: Path | None = None
        if not resume:
            return
        if target in (None, "-") or source == "-" or format_of(str(target)) not in (("csv", ""), ("tsv", ""), ("jsonl", "")):
            raise InputError("only a scoring from a file to plain CSV, TSV or JSONL can be resumed")
        goal = Path(str(target))
        self.path = goal.with_name(f".{goal.name}.journal")
        self.keeps = True
        stat = Path(source).stat() if Path(source).exists() else None
        self.identity = [source, stat.st_size if stat else 0, stat.st_mtime_ns if stat else 0]
        part = goal.with_name(f".{goal.name}.part")
        if not self.path.exists() or not part.exists():
            return
        try:
            state = json.loads(self.path.read_text(encoding="utf-8"))
            same = state["identity"] == self.identity
            if not same:
                raise InputError(f"{self.path}: {source} has changed since; delete this file to begin anew")
            self.rows, self.bytes = int(state["read"]), int(state["bytes"])
            self.quarantine_bytes = state["quarantine_bytes"]
            for name in ("read", "scored", "quarantined", "flagged"):
                setattr(summary, name, int(state[name]))
            summary.by_label_and_risk.update({tuple(key.split("/")): n for key, n in state["by_label_and_risk"].items()})
            summary.indicators.update(state["indicators"])
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{self.path}: no journal of a scoring; delete it to begin anew") from error

    def note(self, output: _Output, quarantine: _Quarantine, summary: Summary) -> None:
        if self.path is None or output.writer is None:
            return
        state = summary.to_dict() | {
            "identity": self.identity,
            "bytes": output.writer.position(),  # type: ignore[attr-defined]
            "quarantine_bytes": quarantine.position(),
        }
        new = self.path.with_name(self.path.name + ".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def remove(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def score_frame(frame: Any, text: str | Sequence[str] = "text", detector: Detector | None = None, n_jobs: int = 1) -> Any:
    """Return a data frame with the columns of `ADDED`, of the same kind as it came.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or pyarrow.Table
    text : str or sequence of str, default "text"
        Columns whose cells, joined line by line, are the text; missing cells count as empty.
    detector : Detector, optional
        The shipped model if not given.
    n_jobs : int, default 1

    Raises
    ------
    InputError
        If there is no such column.
    TypeError
        If `frame` is of another kind.
    """
    kind = type(frame).__module__.split(".")[0]
    if kind not in ("pandas", "polars", "pyarrow"):
        raise TypeError(f"score_frame takes a pandas, polars or Arrow table, not {type(frame).__name__}")
    columns = list(map(str, frame.column_names if kind == "pyarrow" else frame.columns))
    wanted = [text] if isinstance(text, str) else list(text)
    chosen = text_columns_of(columns, wanted, "frame")
    lists = [_cells(frame, kind, i) for i in chosen]
    texts = ("\n".join(str(cell) for cell in cells if not _missing(cell)) for cells in zip(*lists, strict=True))
    rows = [_added(p) for p in (detector or load()).predict_many(texts, n_jobs=n_jobs)]
    values = dict(zip(_names(columns, Summary()), zip(*rows, strict=True) if rows else [()] * len(ADDED), strict=True))
    if kind == "pandas":
        import pandas as pd

        return frame.assign(**{name: pd.Series(list(v), index=frame.index) for name, v in values.items()})
    if kind == "polars":
        import polars as pl

        return frame.with_columns(**{name: pl.Series(name, list(v)) for name, v in values.items()})
    import pyarrow as pa

    for name, cells in values.items():
        frame = frame.append_column(name, pa.array(list(cells)))
    return frame


def _cells(frame: Any, kind: str, number: int) -> list[Any]:
    if kind == "pandas":
        return list(frame.iloc[:, number])
    if kind == "polars":
        return list(frame.to_series(number))
    return list(frame.column(number).to_pylist())


def _missing(cell: Any) -> bool:
    return cell is None or cell != cell
