"""The store: results by what they are computed from. Content-addressed, verified on every read."""

from gendsl_runtime.store.entry import Damaged, Entry, Failed
from gendsl_runtime.store.store import Store

__all__ = ["Damaged", "Entry", "Failed", "Store"]
