"""`Collection`: documents on disk, found by meaning."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from unitvec.collection import files, maintenance
from unitvec.collection.exchange import ImportReport
from unitvec.collection.exchange.founding import NamedModel, founding_arguments
from unitvec.collection.exchange_verbs import ExchangeVerbs
from unitvec.collection.field_indexes import (
    create_field_index,
    drop_field_index,
    indexed_fields,
)
from unitvec.collection.index_cache import IndexPolicy
from unitvec.collection.indexing import IndexingSession
from unitvec.collection.inputs import check_count
from unitvec.collection.lexical_index import LexicalIndex
from unitvec.collection.lexical_options import Lexical, lexical_options
from unitvec.collection.model import TextEncoder, as_encoder
from unitvec.collection.named_vectors import (
    VectorSpec,
    are_named,
    founding_spaces,
    require_as_stored,
    space_named,
    wanted,
    wanted_vectors,
)
from unitvec.collection.read_verbs import ReadVerbs
from unitvec.collection.recovery import RepairReport, repair
from unitvec.collection.reembedding import MigrationReport, Reembedding
from unitvec.collection.search_verb import SearchVerb
from unitvec.collection.store import Store
from unitvec.collection.vector_rows import Space, visible
from unitvec.collection.where import plain_where

_VECTOR_FACTS = (
    *("count", "dim", "metric", "model", "fingerprint"),
    *("index", "indexed", "recall_estimate"),
)


def _vector_facts(store: Store, space: Space) -> dict[str, Any]:
    """What `stats` says of one kind of vectors."""
    generation = store.generation(space)
    return {
        "count": space.live,
        "dim": space.dim,
        "metric": space.metric,
        "model": space.model,
        "fingerprint": space.fingerprint,
        "index": "flat" if generation is None else "hnsw",
        "indexed": 0 if generation is None else generation.live,
        "recall_estimate": 1.0 if generation is None else generation.recall,
    }


class Collection(ReadVerbs, SearchVerb, ExchangeVerbs):
    """Documents, their metadata and their vectors in a directory on disk.

    Example:
        >>> with Collection("notes.uv", encoder=Encoder("all-MiniLM-L6-v2")) as notes:
        ...     notes.add(["The cat sat on the mat.", "Shares fell."], metadatas=[{"n": 1}, {}])
        ...     notes.search("pets", k=1)[0].document
        'The cat sat on the mat.'

    When a writing method returns, its change is on the disk. A call with lists is one transaction:
    it is stored whole or not at all. A call with a stream (an iterator or generator, which may
    never end) commits each batch of 512 documents: an error leaves the batches before it stored
    and nothing of its own. Up to 20,000 documents every search is exact; from there a graph (HNSW)
    is built in the background, and newer rows are scanned exactly.

    One process writes at a time, any number read. Every method may be called from any thread; in a
    forked child every method raises.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        encoder: TextEncoder | str | None = None,
        *,
        dim: int | None = None,
        metric: str | None = None,
        vectors: Mapping[str, VectorSpec] | None = None,
        read_only: bool = False,
        durability: str = "full",
        index_policy: IndexPolicy | None = None,
        lexical: Lexical = None,
    ) -> None:
        """Opens the collection in a directory, or makes one there.

        Args:
            path: the directory, such as "notes.uv".
            encoder: an `Encoder`, or a model's name. A collection made with an encoder knows its
                name, loads it from this machine when text is first searched or added, and refuses
                another.
            dim: vectors' length, for a collection of vectors without an encoder.
            metric: "cosine", "dot", "euclidean" or "manhattan"; None: the encoder's, else cosine.
            vectors: further vectors of each document, by name: a dim, an encoder (or a model's
                name), or a dictionary of "dim", "metric" and "encoder". A new collection may have
                these alone, without encoder= and dim=; one that exists has those that it was made
                with, and takes their encoders.
            read_only: see the last committed state while another process may write.
            durability: "full": a committed change survives power loss; "normal": a crash of the
                process only, and writing is quicker.
            index_policy: when an index file is built.
            lexical: True: make the index of words now; None: when it is first searched, kept up to
                date from then on; False: remove it. Or a dictionary: "tokenizer": "unicode61" (the
                default: words, without accents and case), "porter" (the same, cut to English
                stems) or "trigram" (three letters in a row, for languages without spaces);
                "preprocess": a function from a text to the text that is indexed in its place, and
                whose name or `fingerprint` is remembered.

        Raises:
            StoreLockedError: another process writes to it (with its pid).
            FingerprintError: another model made its vectors, or another function preprocessed the
                texts of its lexical index.
            FormatError: the files are damaged, foreign, links or of a later version.
            ValueError: neither encoder, dim nor vectors for a new collection, or not as stored.
            OSError: the directory cannot be read or written, or holds something else.
        """
        if durability not in ("full", "normal"):
            raise ValueError(
                f"[Collection] expected durability 'full' or 'normal', got {durability!r}"
            )
        if index_policy is not None and not isinstance(index_policy, IndexPolicy):
            raise TypeError(
                f"[Collection] expected index_policy as an IndexPolicy, got {index_policy!r}"
            )
        own, named = wanted(encoder, dim, metric), wanted_vectors(vectors)
        options = lexical_options(lexical)
        self.path = Path(path)
        files.require_own_files(self.path, read_only)
        self._encoders = {}
        self._session = IndexingSession(
            self.path,
            read_only,
            durability,
            index_policy or IndexPolicy(),
            lambda: founding_spaces(own, named),
        )
        try:
            self._encoders = require_as_stored(self._spaces, own, named)
            self._lexical = LexicalIndex(self._session, options)
        except BaseException:
            self._session.close()
            raise

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        read_only: bool = False,
        encoder: TextEncoder | str | None = None,
        lexical: Lexical = None,
        vectors: Mapping[str, VectorSpec] | None = None,
    ) -> Collection:
        """Opens a collection that exists.

        Raises:
            FileNotFoundError: there is none at `path`.
        """
        files.require_collection(Path(path))
        return cls(path, encoder, read_only=read_only, lexical=lexical, vectors=vectors)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        file: str | os.PathLike[str],
        encoder: TextEncoder | str | None = None,
        *,
        metric: str | None = None,
        vectors: Mapping[str, VectorSpec] | None = None,
        **options: Any,
    ) -> Collection:
        """A new collection of a file's documents.

        Args:
            path: the new collection's directory.
            file: as `export` writes it, of any layout.
            encoder: None: the file's vectors are kept, and the model that it names is loaded when
                a text is to be encoded; a file that names none makes a collection of vectors.
            metric: None: the file's, else the encoder's, else cosine.
            vectors: named ones, as for `Collection`; None: those of the file (in JSONL, of its
                first row).
            options: of `import_from`: format, layout, name, text_key, encode_texts and so on.

        Raises:
            FileExistsError: a collection is at `path`; `import_from` adds to it.
            ValueError: neither the file's vectors nor an encoder say how long vectors are.
            FormatError, FingerprintError: as `import_from`. Then no new collection is left, but
                under atomic=False one of the batches before the error.
        """
        return cls._from_file(Path(path), Path(file), encoder, metric, options, vectors)[0]

    @classmethod
    def _from_file(
        cls,
        path: Path,
        file: Path,
        encoder: TextEncoder | str | None,
        metric: str | None,
        options: dict[str, Any],
        vectors: Mapping[str, VectorSpec] | None = None,
    ) -> tuple[Collection, ImportReport]:
        if files.is_collection(path):
            raise FileExistsError(
                f"[from_file] expected a new path, got the collection {path}; import_from adds "
                "to it"
            )
        was_there = path.exists()
        collection = cls(path, **founding_arguments(file, options, encoder, metric, vectors))
        for name, known in list(collection._encoders.items()):
            if isinstance(known, NamedModel):  # the model itself is loaded when it is needed
                del collection._encoders[name]
        try:
            return collection, collection.import_from(file, **options)
        except BaseException:
            collection.close()
            if options.get("atomic", True):
                files.remove_new(path, was_there)
            raise

    def __repr__(self) -> str:
        """For people: what it is, and the most important of it."""
        own, named = self._spaces.get(""), self.vectors
        parts = [repr(str(self.path))]
        if own is not None:
            parts += [f"dim={own.dim}", own.metric, f"model={own.model!r}"]
        if named:
            dims = ", ".join(f"{name!r}: {facts['dim']}" for name, facts in named.items())
            parts.append(f"vectors={{{dims}}}")
        return f"Collection({', '.join(parts)})"

    def stats(self) -> dict[str, Any]:
        """Counts, sizes in bytes, and what the collection was made with.

        What is about vectors is of the collection's own, None where there are none; "vectors" has
        it by name where there are named ones, and "count" there is the documents that have one.
        """
        with self._session.reading() as store:
            state, spaces = store.state(), visible({s.name: s for s in store.spaces()})
            facts = {name: _vector_facts(store, space) for name, space in spaces.items()}
            lexical = store.lexical.settings()
            fields = indexed_fields(store.connection)
            pages = {p: store.connection.pragma(p) for p in ("freelist_count", "page_size")}
        sizes = files.bytes_on_disk(self.path)
        return {
            "path": str(self.path),
            **facts.get("", dict.fromkeys(_VECTOR_FACTS)),
            "count": state.live,
            "uuid": self._session.properties["uuid"],
            "sequence": state.sequence,
            **({"vectors": {n: f for n, f in facts.items() if n}} if are_named(spaces) else {}),
            "lexical": None if lexical is None else asdict(lexical),
            "field_indexes": fields,
            "bytes": sum(sizes.values()),
            "free_bytes": pages["freelist_count"] * pages["page_size"],
            "files": sizes,
        }

    def verify(self) -> maintenance.VerifyReport:
        """Checks every byte that is stored: pages, rows, counts, index file; changes nothing."""
        with self._session.extra_reader() as store:
            return maintenance.verify(
                self.path, store, self._session.properties["uuid"], self._lexical.preprocess
            )

    def compact(self) -> dict[str, int]:
        """Returns the space of deleted documents to the disk and builds the indexes afresh.

        Returns:
            "bytes_before" and "bytes_after". Needs free space of about the collection's size.
        """
        with self._session.not_building() as store:
            before = sum(files.bytes_on_disk(self.path).values())
            self._session.rebuild_indexes()
            self._lexical.compact()
            with store.writing():
                store.forget_changes(store.state().sequence)
            store.vacuum()
            after = sum(files.bytes_on_disk(self.path).values())
        return {"bytes_before": before, "bytes_after": after}

    def build_index(self) -> None:
        """Returns when the index file is as the policy wants it.

        Writing calls only have it built, in the background; until it is there, what it lacks is
        searched exactly.

        Raises:
            OSError: it could not be written; every document is safe and found.
            PermissionError: the collection is open read-only.
        """
        self._session.build_indexes()

    def migrate(
        self,
        encoder: TextEncoder | str,
        *,
        metric: str | None = None,
        using: str | None = None,
        restart: bool = False,
        overlap_k: int = 10,
        show_progress_bar: bool | None = None,
    ) -> MigrationReport:
        """Embeds every document with another model, in place; until then, the old one is searched.

        What is embedded is stored batch by batch: called again after it was stopped, it goes on
        where it was. When all is there, one transaction switches to the new vectors and drops the
        old ones (`compact` returns their space). Readers in other processes are told to open it
        again.

        Args:
            encoder: an `Encoder`, or a model's name.
            metric: of the new vectors; None: the model's.
            using: the name of the vectors to make anew, of the documents that have one; None: the
                collection's own, or the only ones.
            restart: drop what an unfinished migration to another model has embedded.
            overlap_k: neighbours that the report compares, of up to 200 documents.
            show_progress_bar: on stderr; None: on a terminal, after a second.

        Returns:
            How many documents were embedded, and how many of their neighbours stayed.

        Raises:
            ValueError: documents without text, the collection's own model, or (without restart) an
                unfinished migration to another.
            RuntimeError: another call is migrating the same vectors.
        """
        encoder = as_encoder(encoder)
        check_count(overlap_k, "overlap_k", 1)
        space = space_named(self._spaces, using, "migrate")
        with self._session.migrating(space):
            job = Reembedding(self._session, space.name, encoder, metric, restart)
            with self._bar(job.count(), show_progress_bar) as bar:
                report = job.run(bar, overlap_k)
            self._encoders[space.name] = encoder
        return report

    def repair(self, path: str | os.PathLike[str] | None = None) -> RepairReport:
        """Saves every sound document into a new collection; this one is only read.

        Vectors that are damaged are made anew, where there is an encoder. `verify` says whether it
        is needed. A collection that cannot be opened is repaired by `repair_collection`.

        Args:
            path: of the new one; None: beside this one, "notes.repaired.uv" of "notes.uv".

        Raises:
            FileExistsError: if something is at `path`.
        """
        self._session.check()
        embeds = {
            name: partial(self._embed, space)
            for name, space in self._spaces.items()
            if name in self._encoders or space.model is not None
        }
        return repair(self.path, path, embeds)

    def create_field_index(self, field: str) -> bool:
        """Makes an index of a metadata field, so that filters by it look at few documents.

        That is for `get`, `scan` and `delete`: searches filter by columns in memory.

        Args:
            field: its name; with dots also a field of a nested object, as in filters.

        Returns:
            False where there was one.
        """
        plain_where({field: 0})
        with self._session.writing() as store:
            return create_field_index(store.connection, field)

    def drop_field_index(self, field: str) -> bool:
        """Removes an index that `create_field_index` made; False where there is none."""
        with self._session.writing() as store:
            return drop_field_index(store.connection, field)

    def snapshot(self, path: str | os.PathLike[str]) -> Path:
        """A complete, compact copy as of now, in a new directory; others may go on writing.

        Raises:
            FileExistsError: if something is at `path`.
        """
        with self._session.extra_reader() as store:
            return maintenance.snapshot(self.path, store, Path(path))

    def close(self) -> None:
        """Lets a running build of the index end, and gives files and lock back.

        A second call does nothing. Ctrl-C stops the build; the next open goes on with it.
        """
        self._session.close()

    def __enter__(self) -> Collection:
        """For `with`: the collection itself."""
        self._session.check()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes it; after an error at once, without what is left of building the index."""
        self._session.close(finish=error is None)
