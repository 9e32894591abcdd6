"""Flags Indonesian job offers that resemble trafficking-linked scam recruitment.

>>> import scamdetect
>>> p = scamdetect.predict("butuh admin chat 14jt, tiket paspor kami urus, penempatan Kamboja, besok terbang")
>>> p.flagged
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scamdetect.batch.score import score_frame as score_frame
    from scamdetect.detector import Detector as Detector
    from scamdetect.detector import load as load
    from scamdetect.detector import predict as predict
    from scamdetect.detector import predict_many as predict_many
    from scamdetect.errors import DatasetError as DatasetError
    from scamdetect.errors import InputError as InputError
    from scamdetect.errors import ModelError as ModelError
    from scamdetect.errors import ScamDetectError as ScamDetectError
    from scamdetect.prediction import Prediction as Prediction
    from scamdetect.preprocessing import normalize as normalize
    from scamdetect.training.estimator import ScamOfferClassifier as ScamOfferClassifier
    from scamdetect.training.evaluate import evaluate as evaluate
    from scamdetect.training.train import train as train

__version__ = "0.1.0"

_HOMES = {
    "DatasetError": "errors",
    "Detector": "detector",
    "InputError": "errors",
    "ModelError": "errors",
    "Prediction": "prediction",
    "ScamDetectError": "errors",
    "ScamOfferClassifier": "training.estimator",
    "evaluate": "training.evaluate",
    "load": "detector",
    "normalize": "preprocessing",
    "predict": "detector",
    "predict_many": "detector",
    "score_frame": "batch.score",
    "train": "training.train",
}
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that scoring does not wait for scikit-learn."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
