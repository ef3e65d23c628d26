"""From files to documents: readers by format, chunks that fit the model, only what changed."""

from unitvec.ingest.chunking import Chunk, Chunker
from unitvec.ingest.indexing import IndexReport, index_files
from unitvec.ingest.records import ColumnError

__all__ = ["Chunk", "Chunker", "ColumnError", "IndexReport", "index_files"]
