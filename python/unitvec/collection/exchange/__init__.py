"""Documents out to files and in again: Parquet and JSONL, laid out as several databases read them.

`layouts` says which columns a row has and what they hold, `parquet` and `jsonl` how rows become
bytes; `exporting` and `importing` stream documents through both.
"""

from unitvec.collection.exchange.exporting import ExportReport
from unitvec.collection.exchange.importing import ImportReport

__all__ = ["ExportReport", "ImportReport"]
