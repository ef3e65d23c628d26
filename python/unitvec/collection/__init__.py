"""Documents on disk, found by meaning: SQLite holds the truth, FAISS the quick way to it."""

from unitvec.collection.collection import Collection
from unitvec.collection.exchange import ExportReport, ImportReport
from unitvec.collection.generations import IndexFileWarning
from unitvec.collection.grouping import Group, GroupedResult
from unitvec.collection.index_cache import IndexPolicy
from unitvec.collection.lexical import LexicalIndexWarning
from unitvec.collection.lock import LockFileWarning
from unitvec.collection.maintenance import VerifyReport
from unitvec.collection.recovery import RepairReport
from unitvec.collection.recovery import repair as repair_collection
from unitvec.collection.reembedding import MigrationReport
from unitvec.collection.results import Hit, Record, Records, SearchResult

__all__ = [
    "Collection",
    "ExportReport",
    "Group",
    "GroupedResult",
    "Hit",
    "ImportReport",
    "IndexFileWarning",
    "IndexPolicy",
    "LexicalIndexWarning",
    "LockFileWarning",
    "MigrationReport",
    "Record",
    "Records",
    "RepairReport",
    "SearchResult",
    "VerifyReport",
    "repair_collection",
]
