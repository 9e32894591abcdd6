"""Tables in files: CSV, TSV, JSON lines, Parquet and Excel, read and written row by row.

A row that cannot be read becomes a row with an error, never an exception; a file that cannot be read is an
`InputError`. Writers fill a hidden file beside the target, which takes the target's name when it is
complete.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import json
import os
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

from scamdetect.errors import InputError, MissingExtraError

__all__ = ["Row", "Source", "Writer", "create", "format_of", "neutralise", "open_source", "restore"]

FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".xlsx": "xlsx"}
PACKED = {".gz": "gzip", ".zst": "zstandard"}
DELIMITERS = {"csv": ",", "tsv": "\t"}
LARGEST_CELL = 10_000_000
ROWS_AT_ONCE = 4096

_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
_NOT_XLSX = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class Row(NamedTuple):
    """A row of a source: its number from 1, and its cells, or what is wrong with it and its raw form."""

    number: int
    cells: list[Any] | None
    error: str = ""
    raw: str = ""


@dataclass(slots=True)
class Source:
    """An open table.

    Parameters
    ----------
    columns : list of str
    rows : iterator of Row
    size : int or None
        Bytes of the file, where known.
    position : callable or None
        Bytes read so far.
    schema : object
        Arrow schema of a Parquet file, else None.
    """

    columns: list[str]
    rows: Iterator[Row]
    size: int | None = None
    position: Any = None
    schema: Any = None
    _open: list[Any] = field(default_factory=list)

    def close(self) -> None:
        """Close the files behind the table."""
        for file in reversed(self._open):
            file.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def format_of(path: str, default: str = "csv") -> tuple[str, str]:
    """Return the format of a file name and how it is packed.

    >>> format_of("ads.jsonl.gz"), format_of("-")
    (('jsonl', 'gzip'), ('csv', ''))
    """
    if path == "-":
        return default, ""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    packed = PACKED.get(suffixes[-1], "") if suffixes else ""
    if packed:
        suffixes.pop()
    name = FORMATS.get(suffixes[-1] if suffixes else "", "")
    if not name or (packed and name in ("parquet", "xlsx")):
        raise InputError(f"{path}: unknown kind of file; give one of {', '.join(FORMATS)} (text formats also .gz, .zst)")
    return name, packed


def open_source(path: str, default: str = "csv") -> Source:
    """Open a table for reading; ``-`` is standard input.

    Raises
    ------
    InputError
        If there is no such file, or it is no such table.
    """
    kind, packed = format_of(path, default)
    if path != "-" and not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        if kind == "parquet":
            return _open_parquet(path)
        if kind == "xlsx":
            return _open_xlsx(path)
        return _open_text(path, kind, packed)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def _open_text(path: str, kind: str, packed: str) -> Source:
    if path == "-":
        raw: IO[bytes] = sys.stdin.buffer
        opened: list[Any] = []
        size, position = None, None
    else:
        raw = open(path, "rb")  # noqa: SIM115, PTH123
        opened = [raw]
        size, position = os.fstat(raw.fileno()).st_size, raw.tell
    stream: Any = raw
    if packed == "gzip":
        stream = gzip.GzipFile(fileobj=raw)
    elif packed:
        stream = io.BufferedReader(_zstandard().ZstdDecompressor().stream_reader(raw))
    lines = _Lines(stream, path)
    if kind == "jsonl":
        source = _read_jsonl(lines, path)
    else:
        source = _read_csv(lines, path, DELIMITERS[kind])
    source.size, source.position, source._open = size, position, opened
    return source


def _zstandard() -> Any:
    try:
        return importlib.import_module("zstandard")
    except ImportError as error:
        raise MissingExtraError("reading or writing .zst", "zstandard", "zstd") from error


class _Lines:
    """Lines of UTF-8 text; says which byte of which line is not."""

    def __init__(self, stream: Any, path: str) -> None:
        self.stream = stream
        self.path = path
        self.number = 0
        self.offset = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            line: bytes = self.stream.readline()
        except (OSError, EOFError, ValueError) as error:
            raise InputError(f"{self.path}: damaged after line {self.number}: {error}") from error
        if not line:
            raise StopIteration
        self.number += 1
        try:
            text = line.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self.path}: not UTF-8: byte {self.offset + error.start} (line {self.number}) is "
                f"0x{line[error.start]:02x}; save the file as UTF-8"
            ) from error
        self.offset += len(line)
        return text


def _read_csv(lines: _Lines, path: str, delimiter: str) -> Source:
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        columns = next(reader, None)
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}") from error
    if not columns:
        raise InputError(f"{path}: empty; the first line must name the columns")

    def rows() -> Iterator[Row]:
        number = 0
        while True:
            number += 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield Row(number, None, f"line {reader.line_num}: {error}")
                continue
            if cells is None:
                return
            if not cells:
                number -= 1
            elif len(cells) != len(columns):
                message = f"line {reader.line_num}: {len(cells)} cells, {len(columns)} columns"
                yield Row(number, None, message, delimiter.join(cells))
            else:
                yield Row(number, cells)

    return Source(columns, rows())


def _read_jsonl(lines: _Lines, path: str) -> Source:
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise InputError(f"{path}: empty; every line must be a JSON object")
    record, error = _parse_json(first)
    if record is None:
        raise InputError(f"{path}: line {lines.number}: {error}")
    columns = list(record)

    def rows() -> Iterator[Row]:
        yield Row(1, [record.get(name) for name in columns])
        number = 1
        for line in lines:
            if not line.strip():
                continue
            number += 1
            cells, problem = _parse_json(line)
            if cells is None:
                yield Row(number, None, f"line {lines.number}: {problem}", line.rstrip("\n"))
            else:
                for name in cells.keys() - set(columns):
                    problem = problem or f"line {lines.number}: field {name!r} is not in the first line"
                if problem:
                    yield Row(number, None, problem, line.rstrip("\n"))
                else:
                    yield Row(number, [cells.get(name) for name in columns])

    return Source(columns, rows())


def _parse_json(line: str) -> tuple[dict[str, Any] | None, str]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return None, f"no JSON: {error}"
    return (value, "") if isinstance(value, dict) else (None, "no JSON object")


def _open_parquet(path: str) -> Source:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
        arrow = importlib.import_module("pyarrow")
    except ImportError as error:
        raise MissingExtraError("reading or writing Parquet", "pyarrow", "parquet") from error
    try:
        file = parquet.ParquetFile(path)
    except (arrow.ArrowInvalid, arrow.ArrowException) as error:
        raise InputError(f"{path}: no Parquet file: {error}") from error

    def rows() -> Iterator[Row]:
        number = 0
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            columns = [column.to_pylist() for column in batch.columns]
            for cells in zip(*columns, strict=True):
                number += 1
                yield Row(number, list(cells))

    return Source(file.schema_arrow.names, rows(), schema=file.schema_arrow, _open=[file])


def _openpyxl() -> Any:
    try:
        return importlib.import_module("openpyxl")
    except ImportError as error:
        raise MissingExtraError("reading or writing Excel", "openpyxl", "excel") from error


def _open_xlsx(path: str) -> Source:
    openpyxl = _openpyxl()
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise InputError(f"{path}: no Excel workbook: {error}") from error
    sheet = book.worksheets[0]
    values = sheet.iter_rows(values_only=True)
    header = next(values, None)
    if not header or all(name is None for name in header):
        raise InputError(f"{path}: sheet {sheet.title!r} is empty; its first row must name the columns")
    columns = ["" if name is None else str(name) for name in header]
    while columns and not columns[-1]:
        columns.pop()

    def rows() -> Iterator[Row]:
        for number, cells in enumerate(values, 1):
            if any(cell is not None for cell in cells):
                found = list(cells[: len(columns)])
                yield Row(number, found + [None] * (len(columns) - len(found)))

    return Source(columns, rows(), _open=[book])


def neutralise(cell: Any) -> Any:
    """Return a cell that no spreadsheet runs as a formula: an apostrophe goes before ``= + - @``, tab, CR.

    >>> neutralise("=1+1"), restore(neutralise("=1+1")), neutralise(-5)
    ("'=1+1", '=1+1', -5)
    """
    return f"'{cell}" if isinstance(cell, str) and _DANGEROUS.match(cell) else cell


def restore(cell: Any) -> Any:
    """Undo `neutralise`."""
    return cell[1:] if isinstance(cell, str) and cell.startswith("'") and _DANGEROUS.match(cell) else cell


class Writer(ABC):
    """Writes rows to a hidden file beside the target; `commit` gives it the target's name."""

    resumable = False

    def __init__(self, target: Path) -> None:
        self.target = target
        self.part = target.with_name(f".{target.name}.part")

    @abstractmethod
    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write some rows."""

    @abstractmethod
    def close(self) -> None:
        """Close the hidden file."""

    def commit(self) -> None:
        """Put the complete file in the target's place."""
        self.close()
        with self.part.open("rb") as file:
            os.fsync(file.fileno())
        self.part.replace(self.target)

    def abort(self, keep: bool = False) -> None:
        """Leave the target as it was; the hidden file goes unless it is kept for a resumption."""
        self.close()
        if not keep:
            self.part.unlink(missing_ok=True)


class _TextWriter(Writer):
    def __init__(self, target: Path, kind: str, packed: str, columns: list[str], raw: bool, resume_at: int | None) -> None:
        super().__init__(target)
        self.kind, self.columns, self.raw = kind, columns, raw
        self.resumable = not packed
        mode = "r+b" if resume_at is not None else "wb"
        self.file: Any = self.part.open(mode)
        if resume_at is not None:
            self.file.truncate(resume_at)
            self.file.seek(resume_at)
        self.stream = self.file
        if packed == "gzip":
            self.stream = gzip.GzipFile(filename="", fileobj=self.file, mode="wb", mtime=0)
        elif packed:
            self.stream = _zstandard().ZstdCompressor().stream_writer(self.file)
        if kind != "jsonl" and resume_at is None:
            self._csv([columns])

    def _csv(self, rows: Sequence[Sequence[Any]]) -> None:
        buffer = io.StringIO()
        cells = rows if self.raw else ([neutralise(cell) for cell in row] for row in rows)
        csv.writer(buffer, delimiter=DELIMITERS[self.kind], lineterminator="\n").writerows(cells)
        self.stream.write(buffer.getvalue().encode("utf-8", "replace"))

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        if self.kind == "jsonl":
            lines = [
                json.dumps(dict(zip(self.columns, row, strict=True)), ensure_ascii=False, default=str) + "\n"
                for row in rows
            ]
            self.stream.write("".join(lines).encode("utf-8", "replace"))
        else:
            self._csv(rows)

    def position(self) -> int:
        """Return how many bytes are on disk."""
        self.file.flush()
        os.fsync(self.file.fileno())
        return int(self.file.tell())

    def close(self) -> None:
        if self.stream is not self.file:
            self.stream.close()
        self.file.close()


class _ParquetWriter(Writer):
    def __init__(self, target: Path, columns: list[str], schema: Any, added: dict[str, str]) -> None:
        super().__init__(target)
        try:
            self.arrow = importlib.import_module("pyarrow")
            parquet = importlib.import_module("pyarrow.parquet")
        except ImportError as error:
            raise MissingExtraError("writing Parquet", "pyarrow", "parquet") from error
        types = {"bool": self.arrow.bool_(), "float": self.arrow.float64(), "str": self.arrow.string()}
        fields = [
            self.arrow.field(name, types[added[name]])
            if name in added
            else (schema.field(name) if schema is not None else self.arrow.field(name, self.arrow.string()))
            for name in columns
        ]
        self.schema = self.arrow.schema(fields)
        self.typed = schema is not None
        self.columns, self.added = columns, added
        self.writer = parquet.ParquetWriter(str(self.part), self.schema, compression="zstd")
        self.waiting: list[Sequence[Any]] = []

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        self.waiting += rows
        if len(self.waiting) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self.waiting:
            return
        arrays = []
        for number, name in enumerate(self.columns):
            cells = [row[number] for row in self.waiting]
            if not self.typed and name not in self.added:
                cells = [None if cell is None else str(cell) for cell in cells]
            arrays.append(self.arrow.array(cells, self.schema.field(number).type))
        self.writer.write_batch(self.arrow.record_batch(arrays, schema=self.schema))
        self.waiting = []

    def close(self) -> None:
        self._flush()
        self.writer.close()


class _XlsxWriter(Writer):
    LONGEST = 32_767
    """Characters that a cell can hold."""

    def __init__(self, target: Path, columns: list[str], raw: bool) -> None:
        super().__init__(target)
        self.book = _openpyxl().Workbook(write_only=True)
        self.sheet = self.book.create_sheet("scamdetect")
        self.raw = raw
        self.saved = False
        self.write([columns])

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            self.sheet.append([self._cell(cell) for cell in row])

    def _cell(self, cell: Any) -> Any:
        if not isinstance(cell, str):
            return cell
        text = _NOT_XLSX.sub("", cell if self.raw else neutralise(cell))[: self.LONGEST]
        if not text.startswith("="):
            return text
        write_cell = importlib.import_module("openpyxl.cell").WriteOnlyCell(self.sheet, value=text)
        write_cell.data_type = "s"
        return write_cell

    def close(self) -> None:
        if not self.saved:
            self.saved = True
            self.book.save(self.part)


def create(
    path: str,
    columns: list[str],
    added: dict[str, str],
    schema: Any = None,
    raw: bool = False,
    resume_at: int | None = None,
) -> Writer:
    """Return a writer for a table.

    Parameters
    ----------
    path : str
    columns : list of str
        All columns, in order.
    added : dict of str to str
        Those that scoring adds, with their type: ``str``, ``bool`` or ``float``.
    schema : Arrow schema, optional
        Types of the other columns, for Parquet.
    raw : bool, default False
        Whether cells that a spreadsheet would run are written as they are.
    resume_at : int, optional
        Go on with the hidden file at this byte.
    """
    kind, packed = format_of(path)
    target = Path(path)
    try:
        if kind == "parquet":
            return _ParquetWriter(target, columns, schema, added)
        if kind == "xlsx":
            return _XlsxWriter(target, columns, raw)
        return _TextWriter(target, kind, packed, columns, raw, resume_at)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error}") from error
