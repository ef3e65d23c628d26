"""The exchanging verbs of a collection: out to files, and in from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from unitvec.collection.exchange.exporting import (
    ExportReport,
    Target,
    documents,
    export_documents,
    layout_of,
)
from unitvec.collection.exchange.importing import FileRows, ImportReport, PlacedBatch, Source
from unitvec.collection.exchange.layouts import Options, Policy
from unitvec.collection.exchange.pinecone import PineconeLayout
from unitvec.collection.exchange.rows import Facts
from unitvec.collection.exchange.weaviate import WeaviateLayout, class_of
from unitvec.collection.filters import compile_where
from unitvec.collection.named_vectors import are_named, default_space, space_named
from unitvec.collection.store import Store
from unitvec.collection.vector_rows import Space
from unitvec.collection.write_verbs import WriteVerbs
from unitvec.errors import FingerprintError
from unitvec.progress import progress_bar

LayoutName = Literal["unitvec", "pinecone", "weaviate"]


class ExchangeVerbs(WriteVerbs):
    """Both stream: memory stays the same however many documents there are."""

    def export(
        self,
        path: str | os.PathLike[str],
        format: Literal["parquet", "jsonl"] | None = None,
        layout: LayoutName = "unitvec",
        *,
        where: Mapping[str, Any] | None = None,
        embeddings: bool = True,
        using: str | None = None,
        name: str | None = None,
        text_key: str = "text",
        on_unsupported: Policy = "error",
        overwrite: bool = False,
        show_progress_bar: bool | None = None,
    ) -> ExportReport:
        """Writes documents to a file that others read, all as they are at one moment.

        Args:
            path: ends in .parquet, .jsonl, .jsonl.gz or .jsonl.zst; for Pinecone also a new
                folder, which then holds a folder of Parquet files, as its bulk import wants them.
            format: where the path does not say it.
            layout: "unitvec": id, document, metadata, vector and (named) vectors, from which
                `import_from` restores every bit; "pinecone": id, values, metadata; "weaviate":
                batch objects (JSONL).
            where: export those of a filter only.
            embeddings: False leaves the vectors out; who imports encodes the texts.
            using: write the vectors of this name alone, as those without a name. Pinecone holds
                one vector a document; None: the collection's own, or the only ones.
            name: Pinecone's namespace (default "__default__"), or Weaviate's collection (default:
                made from the name of this one's folder).
            text_key: the metadata key (Pinecone) or property (Weaviate) for the text.
            on_unsupported: metadata that the target cannot hold: "error", "json" writes the value
                as JSON text, "drop" leaves it out; the report counts both.
            overwrite: replace a file that exists (never a folder).
            show_progress_bar: on stderr; None: on a terminal, after a second.

        Returns:
            How many documents, which files, how many bytes, what was changed.

        Raises:
            ValueError: a document does not fit the layout (names its id); wrong arguments.
            FileExistsError: something is at `path`.
            ImportError: pyarrow, which Parquet and .zst need, is not installed.
            OSError: as when the disk is full. After any error nothing is left at `path`.
        """
        self._session.check()
        target_path = Path(path)
        if layout == WeaviateLayout.NAME and name is None:
            name = class_of(Path(os.path.abspath(self.path)).stem)
        chosen = layout_of(layout, Options(name, text_key, on_unsupported), "export")
        condition = compile_where(where)
        spaces: Space | dict[str, Space] = self._spaces
        if using is not None or layout == PineconeLayout.NAME:
            spaces = space_named(self._spaces, using, "export")
        facts = Facts.of(spaces) if isinstance(spaces, Space) else self._facts()
        target = Target.of(target_path, chosen, format, facts, overwrite)
        if not embeddings:
            target = target.without_vectors()
        with self._session.extra_reader(read_once=True) as store, store.reading():
            total = store.state().live if condition is None else None
            with progress_bar(total, "Exporting", "documents", show_progress_bar) as bar:
                records = documents(store, condition, spaces if embeddings else None)
                return export_documents(records, target, name, bar)

    def import_from(
        self,
        path: str | os.PathLike[str],
        format: Literal["parquet", "jsonl"] | None = None,
        layout: LayoutName = "unitvec",
        *,
        mode: Literal["add", "upsert"] = "add",
        using: str | None = None,
        name: str | None = None,
        text_key: str = "text",
        encode_texts: bool = False,
        atomic: bool = True,
        show_progress_bar: bool | None = None,
    ) -> ImportReport:
        """Stores the documents of a file; texts without vectors are encoded.

        Args:
            path: a file as `export` writes it; for Pinecone also a folder of Parquet files, or
                of namespaces' folders.
            format: where the path does not say it.
            layout: what the columns are, see `export`.
            mode: "add" refuses known ids, "upsert" replaces their documents.
            using: the name of the vectors that those without a name are; None: the collection's
                own, or the only ones.
            name: of several namespaces or collections the one to import.
            text_key: the metadata key or property that holds the text.
            encode_texts: leave the file's vectors unread and encode every text.
            atomic: True: one transaction, so that after an error nothing is stored. False: each
                batch of at most 512 documents is committed, and those before an error stay.
            show_progress_bar: on stderr; None: on a terminal, after a second.

        Returns:
            How many documents were stored, encoded, passed over.

        Raises:
            FormatError: the file is damaged, or a row is not what a collection holds; names the
                file and the line (from 1) or row (from 0).
            FingerprintError: another model made the file's vectors.
            ValueError: a known id, a vector of another dim; wrong arguments.
            ImportError: pyarrow, which Parquet and .zst need, is not installed.
            OSError: the file cannot be read.
        """
        self._session.check()
        if mode not in ("add", "upsert"):
            raise ValueError(f"[import_from] expected mode 'add' or 'upsert', got {mode!r}")
        chosen = layout_of(layout, Options(name, text_key), "import_from")
        source = Source.of(Path(path), chosen, format, name)
        if not encode_texts:
            self._require_same(source, using)
        rows = FileRows(source, self._kinds(), using, encode_texts, atomic)

        def write(store: Store, batch: Any) -> list[str]:
            _insert(store, batch, mode)
            return []  # an import of any length keeps no list of its ids

        self._store(rows, write, show_progress_bar, needs_content=False)
        self._session.maintain(rows.stored)
        return ImportReport(rows.stored, rows.encoded, chosen.skipped)

    def _facts(self) -> Facts:
        spaces = self._spaces
        own = Facts.of(spaces[""]) if "" in spaces else Facts()
        named = {name: Facts.of(space) for name, space in spaces.items() if name}
        return own._replace(vectors=named if are_named(spaces) else None)

    def _require_same(self, source: Source, using: str | None) -> None:
        """Refuses vectors of another length or model, as far as the file says what made them."""
        facts = source.facts()
        # Where it takes using= to say which kind they are of, the first row with one is refused.
        if facts.dim is not None and (using is not None or default_space(self._spaces)):
            own = facts._replace(vectors=None)
            _require_kind(source, own, space_named(self._spaces, using, "import_from"))
        for name, kind in (facts.vectors or {}).items():
            if name in self._spaces:  # else the first row that has one is refused
                _require_kind(source, kind, self._spaces[name])


def _require_kind(source: Source, theirs: Facts, own: Space) -> None:
    if theirs.dim is not None and theirs.dim != own.dim:
        raise ValueError(
            f"[import_from] {source.files[0]}: expected vectors{own.called} of dim {own.dim}, got "
            f"dim {theirs.dim}; encode_texts=True encodes the texts instead"
        )
    if theirs.fingerprint and own.fingerprint and theirs.fingerprint != own.fingerprint:
        raise FingerprintError(
            f"[import_from] {source.files[0]}: its vectors{own.called} were made by the model "
            f"{theirs.model or 'unnamed'!r}, those here by {own.model or 'unnamed'!r}: their "
            "scores would mean nothing; encode_texts=True encodes the texts instead"
        )


def _insert(store: Store, batch: PlacedBatch, mode: str) -> None:
    """Stores a batch; of equal ids the last wins under "upsert"."""
    last = {row.id: row for row in batch.rows}
    known = store.keys_of(list(last))
    if mode == "add":
        _require_new(batch, set(known))
    elif known:
        store.remove(sorted(known.values()))
    store.insert(list(last.values()))


def _require_new(batch: PlacedBatch, known: set[str]) -> None:
    for row, place in zip(batch.rows, batch.places, strict=True):
        if row.id in known:
            raise ValueError(
                f"[import_from] {place}: expected a new id, but {row.id!r} is in the collection, "
                "or stands earlier in the file; mode='upsert' replaces its document"
            )
        known.add(row.id)
