"""Errors a caller can catch: every message says what was wrong, where, and what to do."""


class ScamDetectError(Exception):
    """Base of all errors that scamdetect raises on purpose."""


class InputError(ScamDetectError, ValueError):
    """A file, table or argument that cannot be used as given."""


class DatasetError(InputError):
    """Labelled data that training or evaluation cannot use."""


class ModelError(ScamDetectError):
    """A model folder that is missing, damaged, foreign or of another version."""


class MissingExtraError(ScamDetectError, ImportError):
    """An optional dependency that a function needs and that is not installed."""

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed; "
            f"run: python -m pip install 'scamdetect[{extra}]'"
        )
