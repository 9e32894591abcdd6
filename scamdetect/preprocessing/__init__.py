"""From a raw text to the `Document` that indicators and the model read."""

from scamdetect.preprocessing.document import Document, normalize, read
from scamdetect.preprocessing.tokens import Token

__all__ = ["Document", "Token", "normalize", "read"]
