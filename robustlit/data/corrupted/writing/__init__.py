"""Writing corrupted sets in the published layouts."""

from robustlit.data.corrupted.writing.plan import Plan
from robustlit.data.corrupted.writing.write import write_corrupted

__all__ = ["Plan", "write_corrupted"]
