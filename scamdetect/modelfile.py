"""A model as a folder of plain data, written deterministically and read with suspicion.

The folder holds ``model.json`` (the manifest), ``weights.npz`` (arrays of 32-bit floats) and three lists
of terms as text. Nothing in it can run code. Reading checks names, sizes, hashes, shapes and values
before anything is built from them, and refuses with the file and the reason.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scamdetect.errors import ModelError
from scamdetect.scoring import Weights

__all__ = ["FORMAT", "Model", "Thresholds", "default_path", "read_model", "write_folder", "write_model"]

FORMAT = 1
"""Version of the folder's layout; a reader refuses any other."""

MANIFEST = "model.json"
ARRAYS = "weights.npz"
TERMS = {"words": "words.txt", "characters": "characters.txt", "flags": "flags.txt"}
LARGEST_FILE = 256 << 20
LARGEST_MANIFEST = 4 << 20
MOST_CLASSES = 64
_BLOCKS = {
    "word_idf": "words",
    "word_weights": "words",
    "character_idf": "characters",
    "character_weights": "characters",
    "flag_weights": "flags",
    "intercept": None,
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities of trafficking from which on a text is flagged, or worth a second look.

    Parameters
    ----------
    flag : float
        At or above it a text is flagged: risk ``high``.
    look : float
        At or above it the risk is ``medium``.
    passage_shift : float
        What a passage's log-odds lose before they compete with the whole text's.
    """

    flag: float
    look: float
    passage_shift: float


@dataclass(frozen=True, slots=True)
class Model:
    """What a model folder holds.

    Parameters
    ----------
    weights : Weights
    thresholds : Thresholds
    priors : dict of str to float
        Share of each label that the probabilities are calibrated for.
    info : dict
        The rest of the manifest: settings, data fingerprints, versions, date.
    """

    weights: Weights
    thresholds: Thresholds
    priors: dict[str, float]
    info: dict[str, Any] = field(default_factory=dict)


def default_path() -> Path:
    """Return the folder of the shipped model: in the installed package, or in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "_models" / "default"
    return installed if installed.is_dir() else package.parent / "models" / "default"


def write_model(model: Model, folder: str | os.PathLike[str], extra: dict[str, str] | None = None) -> None:
    """Write a model folder; it appears under its name when it is complete, or not at all.

    Parameters
    ----------
    model : Model
    folder : path
        Replaced if it is a model folder or empty.
    extra : dict of str to str, optional
        More text files, by name: a model card, figures.

    Raises
    ------
    ModelError
        If `folder` holds something else than a model.
    """
    files = {name: text.encode("utf-8") for name, text in (extra or {}).items()}
    files |= _encode(model)
    write_folder(files, Path(folder))


def write_folder(files: dict[str, bytes], target: Path) -> None:
    """Write files into a new folder beside `target`, then put it in its place."""
    if target.exists() and (not target.is_dir() or (any(target.iterdir()) and not (target / MANIFEST).is_file())):
        raise ModelError(f"{target}: holds something else than a model; choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    old = new.with_name(new.name + "-old")
    try:
        new.chmod(0o755)
        for name, content in files.items():
            with open(new / name, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if target.exists():
            target.rename(old)
        new.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _encode(model: Model) -> dict[str, bytes]:
    weights = model.weights
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in _BLOCKS:
            member = io.BytesIO()
            array = np.ascontiguousarray(getattr(weights, name), dtype="<f4")
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    files = {ARRAYS: buffer.getvalue()}
    for kind, name in TERMS.items():
        files[name] = "".join(f"{term}\n" for term in getattr(weights, kind)).encode("ascii")
    manifest = {
        "format": FORMAT,
        "classes": list(weights.classes),
        "threshold": model.thresholds.flag,
        "look_threshold": model.thresholds.look,
        "passage_shift": model.thresholds.passage_shift,
        "priors": model.priors,
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(files.items())
        },
        **model.info,
    }
    files[MANIFEST] = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
    return files


def read_model(folder: str | os.PathLike[str]) -> Model:
    """Read a model folder.

    Parameters
    ----------
    folder : path

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        If a file is missing, too large, changed, of another format version, or holds what no model
        holds; the message names the file and the reason.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ModelError(f"{root}: no such model folder; train one with: scamdetect train DATA --out DIR")
    manifest = _read_manifest(root)
    classes = _classes(root, manifest)
    terms = {kind: _read_terms(root, name, manifest) for kind, name in TERMS.items()}
    arrays = _read_arrays(root, manifest, terms, len(classes))
    weights = Weights(classes=classes, **terms, **arrays)  # type: ignore[arg-type]
    thresholds = Thresholds(
        flag=_number(root, manifest, "threshold", 0.0, 1.0),
        look=_number(root, manifest, "look_threshold", 0.0, 1.0),
        passage_shift=_number(root, manifest, "passage_shift", 0.0, 1e6),
    )
    known = {"format", "classes", "threshold", "look_threshold", "passage_shift", "priors", "files"}
    return Model(
        weights=weights,
        thresholds=thresholds,
        priors=_priors(root, manifest, classes),
        info={key: value for key, value in manifest.items() if key not in known},
    )


def _read_file(root: Path, name: str, largest: int) -> bytes:
    path = root / name
    try:
        if path.resolve().parent != root.resolve() or not path.is_file():
            raise ModelError(f"{path}: not a plain file inside the model folder")
        size = path.stat().st_size
        if size > largest:
            raise ModelError(f"{path}: {size} bytes, more than the {largest} that a model may take")
        return path.read_bytes()
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from error


def _read_manifest(root: Path) -> dict[str, Any]:
    content = _read_file(root, MANIFEST, LARGEST_MANIFEST)
    try:
        manifest = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{root / MANIFEST}: no JSON: {error}") from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ModelError(f"{root / MANIFEST}: no manifest of a scamdetect model")
    if manifest["format"] != FORMAT:
        raise ModelError(
            f"{root / MANIFEST}: format version {manifest['format']!r}, this scamdetect reads {FORMAT}; "
            "train the model again or install the version that wrote it"
        )
    return manifest


def _checked(root: Path, name: str, manifest: dict[str, Any]) -> bytes:
    files = manifest.get("files")
    entry = files.get(name) if isinstance(files, dict) else None
    if not isinstance(entry, dict):
        raise ModelError(f"{root / MANIFEST}: lists no file {name}")
    content = _read_file(root, name, LARGEST_FILE)
    if len(content) != entry.get("bytes") or hashlib.sha256(content).hexdigest() != entry.get("sha256"):
        raise ModelError(f"{root / name}: changed or damaged: its SHA-256 is not the manifest's")
    return content


def _classes(root: Path, manifest: dict[str, Any]) -> tuple[str, ...]:
    classes = manifest.get("classes")
    if (
        not isinstance(classes, list)
        or not 2 <= len(classes) <= MOST_CLASSES
        or not all(isinstance(name, str) and 0 < len(name) <= 100 for name in classes)
        or len(set(classes)) != len(classes)
    ):
        raise ModelError(f"{root / MANIFEST}: 'classes' is no list of two or more different labels")
    return tuple(classes)


def _number(root: Path, manifest: dict[str, Any], key: str, low: float, high: float) -> float:
    value = manifest.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ModelError(f"{root / MANIFEST}: {key!r} is no number from {low} to {high}")
    return float(value)


def _priors(root: Path, manifest: dict[str, Any], classes: tuple[str, ...]) -> dict[str, float]:
    priors = manifest.get("priors")
    if (
        not isinstance(priors, dict)
        or set(priors) != set(classes)
        or not all(isinstance(share, float) and 0 < share < 1 for share in priors.values())
    ):
        raise ModelError(f"{root / MANIFEST}: 'priors' gives no share between 0 and 1 for each class")
    return dict(priors)


def _read_terms(root: Path, name: str, manifest: dict[str, Any]) -> tuple[str, ...]:
    content = _checked(root, name, manifest)
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        raise ModelError(f"{root / name}: byte {error.start} is not ASCII") from error
    terms = tuple(text.split("\n")[:-1])
    if (text and not text.endswith("\n")) or len(set(terms)) != len(terms) or "" in terms:
        raise ModelError(f"{root / name}: terms must be different, one a line")
    return terms


def _read_arrays(
    root: Path, manifest: dict[str, Any], terms: dict[str, tuple[str, ...]], classes: int
) -> dict[str, npt.NDArray[np.float64]]:
    content = _checked(root, ARRAYS, manifest)
    arrays: dict[str, npt.NDArray[np.float64]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sorted(archive.namelist()) != sorted(f"{name}.npy" for name in _BLOCKS):
                raise ModelError(f"{root / ARRAYS}: holds other arrays than a model's")
            for name, kind in _BLOCKS.items():
                rows = () if kind is None else (len(terms[kind]),)
                shape = rows if name.endswith("_idf") else (*rows, classes)
                arrays[name] = _read_array(root, archive, name, shape)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"{root / ARRAYS}: no archive of arrays: {error}") from error
    return arrays


def _read_array(
    root: Path, archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """Read one array, having checked its stated size before a byte of it is unpacked."""
    entry = archive.getinfo(f"{name}.npy")
    expected = 4 * int(np.prod(shape))
    if entry.compress_type != zipfile.ZIP_STORED or not expected <= entry.file_size <= expected + 1024:
        raise ModelError(f"{root / ARRAYS}: {name} has {entry.file_size} bytes, {expected} wanted")
    member = io.BytesIO(archive.read(entry))
    if np.lib.format.read_magic(member) != (1, 0):
        raise ModelError(f"{root / ARRAYS}: {name} is no array of version 1.0")
    found_shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
    if found_shape != shape or fortran or dtype != np.dtype("<f4"):
        raise ModelError(f"{root / ARRAYS}: {name} is {dtype} {found_shape}, float32 {shape} wanted")
    values = np.frombuffer(member.read(), dtype="<f4")
    if values.size != int(np.prod(shape)) or not np.isfinite(values).all():
        raise ModelError(f"{root / ARRAYS}: {name} holds numbers that are not finite, or too few")
    if name.endswith("_idf") and (values < 0).any():
        raise ModelError(f"{root / ARRAYS}: {name} holds negative numbers")
    return values.reshape(shape).astype(np.float64)
