"""The vector index: ids and vectors in, the nearest of them out."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.bits import ByteMatrix, as_bits
from unitvec.distance import FloatMatrix, Vectors, as_vectors
from unitvec.index_arguments import (
    LARGEST_ID,
    EarlyEnd,
    Ids,
    MarkedIds,
    as_early_end,
    as_ids,
    only_int8,
    share,
    thread_count,
    whole,
)
from unitvec.index_results import RangeResult, SearchResult
from unitvec.tuning import Tuning, TuningPoint

__all__ = ["EarlyEnd", "Index", "RangeResult", "SearchResult"]

AllowedIds: TypeAlias = "npt.ArrayLike | Callable[[Ids], npt.ArrayLike]"

_PARAMETERS = (
    "M",
    "ef_construction",
    "ef_search",
    "nlist",
    "nprobe",
    "pq_m",
    "automatic_threshold",
    "max_memory",
)
#: Ids that are passed in the time of looking up one.
_PASSED_PER_LOOK_UP = 32
_ROWS_MAX = 2**31 - 1
_DISTANCES = ("euclidean", "manhattan", "hamming")  # metrics whose scores are negated distances


class Index:
    """Vectors under integer ids, searched by cosine, dot product or distance.

    Args:
        dim: length of every vector; under "hamming" its bits, a multiple of 8.
        kind: "flat" compares with every vector: exact. "hnsw" walks a graph (Malkov and Yashunin,
            https://arxiv.org/abs/1603.09320): approximate, and faster from some ten thousand
            vectors on. "hnsw_sq" is hnsw with `dtype="int8"`. "ivf" looks through some of many
            lists of vectors, those around the centroids nearest to the query: approximate, built
            sooner than a graph; for cosine, dot and euclidean. It reads 8-bit codes of the vectors
            (`dim` + 4 bytes each beside float32 and float16), and then those vectors that may be
            among the nearest, so that codes miss nothing. "ivfpq" has codes of `pq_m` bytes instead
            (product quantisation: Jegou, Douze and Schmid, https://doi.org/10.1109/TPAMI.2010.57),
            and compares the vectors of the best by code, so that scores are exact. "auto" is flat
            until `automatic_threshold` vectors, then hnsw, but ivf without codes (or in a metric
            that ivf does not know, flat) where the index with its graph would take more than
            `max_memory`; `stats()["kind"]` says which.
        metric: "cosine", "dot", "euclidean" or "manhattan"; or "hamming", the number of bits that
            differ, for vectors of bits: booleans, or bytes as `Encoder.encode` makes them with
            `precision="ubinary"` or `"binary"`.
        dtype: how vectors are kept: "float32"; "float16", half the memory, to 11 bits of precision;
            "int8", a quarter of it, as whole numbers from -127 to 127 times a scale for each
            vector. Queries are compared as float32. Scores, `exact` and `reconstruct` are about
            the vectors as they are kept. Under "hamming" they are bits: leave this out.
        **parameters: `M` (32; links a vector), `ef_construction` (40; candidates looked at in
            building), `ef_search` (64; candidates kept in a search) of hnsw; `nlist` (lists; by
            default 4 times the root of the number of vectors) and `nprobe` (16; lists that a search
            looks through) of ivf and ivfpq; `pq_m` of ivfpq (bytes of a code, at most `dim`, called
            M by FAISS; by default one for 8 numbers of a vector, or for 7 to 4 where `dim` is a
            multiple of these only); `automatic_threshold` (50,000 vectors) and `max_memory` (bytes;
            by default the memory that the process may use) of auto.

    Raises:
        ValueError: a kind, metric or parameter that is not offered, with those that are.

    A failed call changes nothing. Every method may be called from any thread; searches run side by
    side, and wait while vectors are added or removed. The GIL is released, and Ctrl-C is heeded
    within about a second.

    Example:
        >>> index = Index(2, kind="flat")
        >>> index.add([[1.0, 0.0], [0.0, 1.0]], ids=[10, 20])
        array([10, 20])
        >>> scores, ids = index.search([0.9, 0.1], k=1)
        >>> int(ids[0, 0])
        10
    """

    def __init__(
        self,
        dim: int,
        kind: str = "hnsw",
        metric: str = "cosine",
        dtype: str | None = None,
        **parameters: int,
    ) -> None:
        values = {name: whole(value, name, "Index") for name, value in parameters.items()}
        unknown = values.keys() - set(_PARAMETERS)
        if unknown:
            raise TypeError(
                f"[Index] expected parameters among {', '.join(_PARAMETERS)}, "
                f"got {', '.join(sorted(unknown))}"
            )
        if kind == "hnsw_sq":
            kind, dtype = "hnsw", only_int8(dtype)
        self._core = _core.Index(
            whole(dim, "dim", "Index"), kind, metric, dtype=dtype or "float32", **values
        )
        self._metric = metric

    def __len__(self) -> int:
        """Vectors that can be found."""
        return len(self._core)

    def __contains__(self, id: object) -> bool:
        """Whether a vector has this id."""
        number = isinstance(id, int | np.integer) and not isinstance(id, bool)
        return number and -1 < int(id) <= LARGEST_ID and self._core.contains(int(id))  # type: ignore[call-overload]

    def __repr__(self) -> str:
        """Say what it is and how full."""
        now = self.stats()
        kind = now["requested_kind"]
        used = f"{kind} ({now['kind']})" if kind != now["kind"] else kind
        kept = "" if now["dtype"] in ("float32", "bits") else f", dtype={now['dtype']}"
        return (
            f"Index(dim={self.dim}, kind={used}, metric={self.metric}{kept}, vectors={len(self)})"
        )

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return self._core.dim

    @property
    def metric(self) -> str:
        """The metric given at construction."""
        return self._metric

    @property
    def ids(self) -> Ids:
        """Ids of the vectors, in the order of adding; shape (len(self),)."""
        return self._core.ids()

    def add(
        self, x: Vectors, ids: npt.ArrayLike | None = None, *, threads: int | None = None
    ) -> Ids:
        """Add vectors: all of them, or after an error none.

        Args:
            x: shape (n, dim), or (dim,) for one; see `unitvec.distance` for what is accepted, and
                under hamming `unitvec.bits`.
            ids: n whole numbers from 0, each once and none in the index; None takes the numbers
                that follow the largest id ever used.
            threads: processor threads to use; None: all that this process may.

        Returns:
            The ids, shape (n,).

        Raises:
            ValueError: another shape, NaN, a zero vector under cosine, an id that is taken or
                repeated, a component above 65,504 for float16: with the row.
            TypeError: elements that are not numbers; under hamming, not bits.
        """
        vectors = self._as_rows(x, "vectors", "add")
        chosen = None if ids is None else as_ids(ids, "add")
        return self._core.add(vectors, chosen, thread_count(threads))

    def reserve(self, n: int) -> None:
        """Make room for `n` vectors in all: adding them copies nothing, no memory lies idle.

        Neither a limit nor needed: without it, room grows by a quarter at a time.

        Raises:
            ValueError: n below 1, or above 2^31 - 1.
            MemoryError: there is not so much memory; the index stays as it is.
        """
        if whole(n, "n", "reserve") > _ROWS_MAX:
            raise ValueError(f"[reserve] expected n of at most {_ROWS_MAX}, got {n}")
        self._core.reserve(n)

    def train(self, x: Vectors, *, threads: int | None = None) -> None:
        """Learn the centroids and codes of ivf and ivfpq from these vectors; nothing is added.

        Never needed: `add` learns them from what it was given as soon as there are some thousand
        vectors (searches compare with all of them until then), and anew when there are four times
        as many, or the lists have become twice as uneven. Other kinds have nothing to learn.

        Args:
            x: shape (n, dim), n at least `nlist`.
            threads: processor threads to use; None: all that this process may.

        Raises:
            ValueError: another shape, NaN, a zero vector under cosine, too few vectors.
        """
        if self.metric == "hamming":
            return
        vectors = as_vectors(x, "vectors", function="train", dim=self.dim)
        self._core.train(vectors, thread_count(threads))

    def remove(
        self, ids: npt.ArrayLike, *, clear_dead: bool = True, threads: int | None = None
    ) -> None:
        """Remove vectors: from now on they are not found.

        Their memory is returned, and the graph built anew, once a fifth of the rows is dead.

        Args:
            ids: whole numbers, each once and all in the index; one number is one id.
            clear_dead: False: leave the dead rows and the graph as they are, which takes no time;
                a later call may clear them.
            threads: for building anew; None: all that this process may.

        Raises:
            ValueError: an id that is unknown or repeated; then nothing is removed.
        """
        self._core.remove(as_ids(ids, "remove"), clear_dead, thread_count(threads))

    def search(
        self,
        q: Vectors,
        k: int = 10,
        *,
        allowed_ids: AllowedIds | MarkedIds | None = None,
        ef_search: int | None = None,
        nprobe: int | None = None,
        min_recall: float | None = None,
        exact: bool = False,
        distances: bool = False,
        early_end: EarlyEnd | None = None,
        threads: int | None = None,
    ) -> SearchResult:
        """Find the k nearest vectors of each query.

        Args:
            q: shape (nq, dim), or (dim,) for one query; the results have a row for each.
            k: neighbours wanted, at least 1.
            allowed_ids: only these may be found: ids (others than the index's never match), a
                boolean mask over `index.ids`, or a function from `index.ids` to such a mask.
            ef_search: candidates kept by an hnsw search; more: higher recall, slower.
            nprobe: lists that an ivf or ivfpq search looks through; the same. Of ivfpq, the vectors
                of the 4 k + 2 nprobe + 50 best by code are compared.
            min_recall: the share of the true k nearest to be found, on average, above 0 and at most
                1. The index chooses `ef_search` or `nprobe` for it, or compares with every vector.
                It goes by a measurement that the first such search makes, in some tenths of a
                second, and that is repeated when the index has grown by a fifth; see `tune`.
            exact: compare with every vector, whatever the kind.
            distances: return distances, smaller is nearer; not for cosine and dot.
            early_end: when an hnsw search may keep fewer candidates than `ef_search`, which can
                then be larger: for the same recall most queries take less time. Not of dot, which
                is no distance.
            threads: processor threads to use; None: all that this process may.

        Returns:
            `(scores, ids)`, each of shape (nq, k), best first. Scores are cosines, dot products, or
            distances negated, so that larger is nearer for every metric. Where fewer than k vectors
            may be found, the row ends in id -1 and score -inf (distance inf). A zero query scores
            0 under cosine.

        Raises:
            ValueError: another shape, NaN, k < 1, `distances` for cosine or dot, a `min_recall`
                out of range or beside `ef_search` or `early_end`.
        """
        if distances and self.metric not in _DISTANCES:
            raise ValueError(
                f"[search] expected distances=True with a metric of {', '.join(_DISTANCES)}, "
                f"got {self.metric}, which has scores only"
            )
        queries = self._as_rows(q, "queries", "search")
        scores, ids, is_exact, recall = self._core.search(
            queries,
            whole(k, "k", "search"),
            self._allowed(allowed_ids),
            0 if ef_search is None else whole(ef_search, "ef_search", "search"),
            0 if nprobe is None else whole(nprobe, "nprobe", "search"),
            0.0 if min_recall is None else share(min_recall, "min_recall", "search"),
            exact,
            thread_count(threads),
            as_early_end(early_end),
        )
        return SearchResult(
            0.0 - scores if distances else scores, ids, exact=is_exact, recall_estimate=recall
        )

    def tune(
        self, queries: Vectors | None = None, k: int = 10, *, threads: int | None = None
    ) -> Tuning:
        """Measure what recall searches reach with rising `ef_search` or `nprobe`, in what time.

        Searches with `min_recall`, and every `recall_estimate`, go by these queries from now on,
        whatever their k; it is measured for the next of 10, 100, 1,000 ... neighbours. Until this
        is called they go by up to 256 mixtures of three of the index's own vectors, which find a
        little less than queries like these vectors do. Queries of another kind may be harder.

        Args:
            queries: shape (nq, dim); some hundreds, as they will come. None: the mixtures.
            k: neighbours wanted.
            threads: processor threads to use; None: all that this process may.

        Returns:
            The points, up to that from which hardly anything is missed: print or `plot`
            them. None where every search is exact.

        Raises:
            ValueError: another shape, NaN, k < 1.
        """
        rows = self._as_rows([] if queries is None else queries, "queries", "tune")
        wanted = whole(k, "k", "tune")
        points = self._core.tune(rows, wanted, thread_count(threads))
        effort = "nprobe" if self.stats()["kind"] in ("ivf", "ivfpq") else "ef_search"
        return Tuning(wanted, effort, [TuningPoint(*point) for point in points])

    def range_search(
        self,
        q: Vectors,
        radius: float,
        *,
        allowed_ids: AllowedIds | MarkedIds | None = None,
        threads: int | None = None,
    ) -> list[RangeResult]:
        """Find every vector within a radius of each query; exact for every kind.

        Args:
            q: shape (nq, dim), or (dim,) for one query.
            radius: for cosine and dot the least score; for the others the greatest distance.
            allowed_ids: as for `search`.
            threads: as for `search`.

        Returns:
            One (scores, ids) for each query, best first; but for cosine and dot the scores are
            distances, comparable with `radius`.

        Raises:
            ValueError: another shape, NaN, a negative distance.
        """
        by_distance = self.metric in _DISTANCES
        if np.isnan(radius) or (by_distance and radius < 0):
            raise ValueError(f"[range_search] expected radius as a score or distance, got {radius}")
        queries = self._as_rows(q, "queries", "range_search")
        least = -radius if by_distance else radius
        offsets, scores, ids = self._core.range_search(
            queries, least, self._allowed(allowed_ids), thread_count(threads)
        )
        found = 0.0 - scores if by_distance else scores
        return [
            RangeResult(found[begin:end], ids[begin:end])
            for begin, end in itertools.pairwise(offsets)
        ]

    def reconstruct(self, ids: npt.ArrayLike) -> FloatMatrix | ByteMatrix:
        """Return the vectors of these ids as they are kept.

        Returns:
            Shape (n, dim), float32; of length 1 under cosine, but for rounding to `dtype`. Under
            hamming bytes of bits, uint8, shape (n, dim / 8).

        Raises:
            ValueError: an unknown id.
        """
        wanted = as_ids(ids, "reconstruct")
        if self.metric == "hamming":
            return self._core.reconstruct_bits(wanted)
        return self._core.reconstruct(wanted)

    def stats(self) -> dict[str, Any]:
        """Kind in use, dtype, parameters, live and dead vectors, bytes in all and for each.

        Of all bytes, `vector_bytes` are those of the vectors and `code_bytes` those of the codes
        that searches compare first, and of what those of an ivfpq index are made by (1 KiB for each
        of `dim` numbers). `mapped_bytes` are vectors in a mapped file. Of lists also
        how many there are, 0 until they are learnt, and their imbalance: the expected length of the
        list that a vector is in, to the mean length.
        """
        now: dict[str, Any] = self._core.stats()
        now["bytes_per_vector"] = now["bytes"] / max(now["live"], 1)
        return now

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to a file: a reader finds the old file or the whole new one.

        Raises:
            OSError: the file cannot be written; what was there stays.
        """
        self._core.save(os.fspath(path))

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, mapped: bool = False) -> Index:
        """Read an index written by `save`; every byte is verified.

        Args:
            path: the file.
            mapped: leave the vectors in the file, which is mapped into memory: the system reads
                what searches need, and processes that load the same file share it. A graph over
                float32 or float16 needs little of it, because its codes lie in memory. The first
                change of the index copies the vectors. The file may be replaced (as `save` does) or
                removed meanwhile, but not written into.

        Raises:
            FileNotFoundError: no such file.
            FormatError: a damaged or foreign file, with the place.
        """
        file = Path(path)
        if not file.exists():
            raise FileNotFoundError(f"[Index.load] expected an index file, got none at {file}")
        index = cls.__new__(cls)
        index._core = _core.Index.load(os.fspath(file), mapped)
        index._metric = index._core.stats()["metric"]
        return index

    def to_faiss(self, path: str | os.PathLike[str]) -> None:
        """Write a file for `faiss.read_index`.

        It holds an IndexIDMap2 over IndexFlat or IndexHNSWFlat, or an IndexIVFFlat; of ivfpq an
        IndexIDMap2 over an IndexRefineFlat, the vectors, of an IndexIVFPQ, or where `dim` is no
        multiple of `pq_m`, as FAISS wants it, an IndexIVFFlat. Under hamming it is for
        `faiss.read_index_binary`: an IndexBinaryIDMap2 over IndexBinaryFlat. Vectors are written as
        float32, whatever the `dtype`. Under cosine they are stored normalised: normalise queries
        before searching them with FAISS. Where vectors were removed since the graph was built, a
        flat index is written.

        Raises:
            OSError: the file cannot be written.
        """
        self._core.to_faiss(os.fspath(path))

    @classmethod
    def from_faiss(
        cls,
        path: str | os.PathLike[str],
        *,
        kind: str | None = None,
        metric: str | None = None,
        threads: int | None = None,
    ) -> Index:
        """Take over the vectors and ids of a file that FAISS wrote.

        Of compressed indexes these are the vectors that FAISS decodes: an IndexIVFPQ alone has its
        codes only, and an IndexRefineFlat over one has the vectors. Graphs, lists and codes are
        built anew. FAISS reads the file and trusts more of it than `load` does: give it only files
        of known origin.

        Args:
            path: written by `faiss.write_index` or `faiss.write_index_binary`: any index that gives
                back its vectors, under an IndexIDMap or not.
            kind: of the new index; None: hnsw, ivf or ivfpq as in the file, else flat.
            metric: of the new index; None: that of the file, "dot" for an inner product. Give
                "cosine" where the vectors were normalised for it.
            threads: processor threads to use; None: all that this process may.

        Raises:
            FileNotFoundError: no such file.
            FormatError: FAISS cannot read it, or cannot give back its vectors.
            ValueError: vectors or ids that this index cannot hold.
        """
        file = Path(path)
        if not file.exists():
            raise FileNotFoundError(f"[from_faiss] expected a file of FAISS's, got none at {file}")
        index = cls.__new__(cls)
        index._core = _core.Index.from_faiss(os.fspath(file), kind, metric, thread_count(threads))
        index._metric = index._core.stats()["metric"]
        return index

    def _as_rows(self, x: Vectors, name: str, function: str) -> FloatMatrix | ByteMatrix:
        if self.metric == "hamming":
            return as_bits(x, name, function=function, dim=self.dim)
        return as_vectors(x, name, function=function, dim=self.dim)

    def _allowed(
        self, allowed_ids: AllowedIds | MarkedIds | None
    ) -> Ids | tuple[Ids, npt.NDArray[np.bool_]] | None:
        if allowed_ids is None:
            return None
        if isinstance(allowed_ids, MarkedIds):
            # Looked up one by one, a few are found sooner than all can be passed.
            few = allowed_ids.count * _PASSED_PER_LOOK_UP < len(allowed_ids.ids)
            return allowed_ids.chosen if few else (allowed_ids.ids, allowed_ids.marks)
        if callable(allowed_ids):
            ids = self.ids
            wanted = np.asarray(allowed_ids(ids))
        else:
            wanted = np.asarray(allowed_ids)
            if wanted.dtype != np.bool_:
                return as_ids(wanted, "search")
            ids = self.ids
        if wanted.dtype != np.bool_ or wanted.shape != ids.shape:
            raise ValueError(
                f"[search] expected {len(ids)} booleans of allowed_ids, one for each of index.ids, "
                f"got {wanted.dtype} of shape {wanted.shape}"
            )
        return self._allowed(MarkedIds(ids, wanted))
