"""What one call of `search` asks for, checked before any work is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from unitvec.collection.document_filters import both, compile_where_document
from unitvec.collection.filters import Condition, compile_where
from unitvec.collection.inputs import check_count, check_number, check_text
from unitvec.collection.rerank import Reranker, check_reranker

MODES = ("dense", "lexical", "hybrid")
INCLUDES = ("documents", "metadatas", "embeddings")

#: Ranks of each list that hybrid search fuses, at least: those behind add less than 1 / 160.
FUSION_DEPTH = 100
#: Candidates that a reranker reads, or diversity chooses from, at least.
POOL_SIZE = 50

#: (dense, lexical), or a dictionary with these names.
Weights = Union[Sequence[float], Mapping[str, float]]  # noqa: UP007 - evaluated under Python 3.10


@dataclass(frozen=True)
class SearchRequest:
    """The arguments of `Collection.search` but for its queries; its docstring explains them."""

    k: int
    offset: int
    mode: str
    condition: Condition | None
    min_recall: float | None
    min_score: float | None
    include: frozenset[str]
    using: str | None
    weights: tuple[float, float]
    fetch_k: int | None
    rerank: Reranker | None
    rerank_k: int | None
    mmr_lambda: float | None
    group_by: str | None
    group_size: int

    @property
    def end(self) -> int:
        """Hits (or groups) up to the last one asked for."""
        return self.offset + self.k

    @property
    def needs_vectors(self) -> bool:
        """Whether vectors of one kind are looked at."""
        return self.mode != "lexical" or self.mmr_lambda is not None

    @property
    def reads_pool(self) -> bool:
        """Whether the rows of all candidates are needed to choose among them."""
        return self.rerank is not None or self.mmr_lambda is not None

    @property
    def pool_size(self) -> int:
        """Candidates of the first round.

        The same for neighbouring pages wherever the order of hits depends on it.
        """
        wanted = self.end if self.group_by is None else 4 * self.end * self.group_size
        if self.rerank is not None:
            return self.rerank_k or _doubled(POOL_SIZE, wanted)
        if self.mmr_lambda is not None:
            return self.fetch_k or _doubled(POOL_SIZE, wanted)
        return wanted if self.group_by is None else max(POOL_SIZE, wanted)

    def depth(self, pool_size: int) -> int:
        """Ranks asked of each kind of search for that many candidates."""
        if self.mode != "hybrid":
            return pool_size
        return max(self.fetch_k or 0, _doubled(self.fetch_k or FUSION_DEPTH, pool_size))


def _doubled(start: int, least: int) -> int:
    while start < least:
        start *= 2
    return start


def search_request(
    *,
    k: int,
    offset: int,
    mode: str,
    where: Mapping[str, Any] | None,
    where_document: Mapping[str, Any] | None,
    min_recall: float | None,
    min_score: float | None,
    include: Sequence[str],
    using: str | None,
    weights: Weights | None,
    fetch_k: int | None,
    rerank: Reranker | None,
    rerank_k: int | None,
    mmr_lambda: float | None,
    group_by: str | None,
    group_size: int,
) -> SearchRequest:
    """Checks the arguments of `Collection.search`.

    Raises:
        TypeError, ValueError: naming the argument, what was expected and what was got.
    """
    if mode not in MODES:
        raise ValueError(f"[search] expected mode 'dense', 'lexical' or 'hybrid', got {mode!r}")
    k = check_count(k, "k", 1)
    offset = check_count(offset, "offset", 0)
    group_size = check_count(group_size, "group_size", 1)
    _check_share(min_recall, "min_recall")
    _check_share(mmr_lambda, "mmr_lambda")
    if min_score is not None:
        check_number(min_score, "min_score")
    if rerank is not None:
        check_reranker(rerank)
    _check_candidates(offset + k, rerank, rerank_k, fetch_k)
    if fetch_k is not None and mode != "hybrid" and mmr_lambda is None:
        raise ValueError("[search] expected mode 'hybrid' or mmr_lambda= beside fetch_k=")
    _check_grouping(group_by, group_size, mmr_lambda)
    return SearchRequest(
        k=k,
        offset=offset,
        mode=mode,
        condition=both(compile_where(where), compile_where_document(where_document)),
        min_recall=min_recall,
        min_score=min_score,
        include=check_include(include, "search"),
        using=using,
        weights=_check_weights(weights, mode),
        fetch_k=fetch_k,
        rerank=rerank,
        rerank_k=rerank_k,
        mmr_lambda=mmr_lambda,
        group_by=group_by,
        group_size=group_size,
    )


def check_include(include: Sequence[str], verb: str) -> frozenset[str]:
    """The parts of a document that the caller wants."""
    try:
        given = frozenset([include] if isinstance(include, str) else include)
    except TypeError:
        raise TypeError(
            f"[{verb}] expected include as a list of {sorted(INCLUDES)}, got {include!r}"
        ) from None
    if not given <= set(INCLUDES):
        unknown = sorted(given - set(INCLUDES), key=repr)
        raise ValueError(f"[{verb}] expected include of {sorted(INCLUDES)}, got {unknown}")
    return given


def _check_share(value: float | None, what: str) -> None:
    if value is not None and not 0 <= check_number(value, what) <= 1:
        raise ValueError(f"[search] expected {what} in [0, 1], got {value}")


def _check_candidates(
    end: int, rerank: Reranker | None, rerank_k: int | None, fetch_k: int | None
) -> None:
    if rerank_k is not None and rerank is None:
        raise ValueError("[search] expected rerank= beside rerank_k=")
    for name, value in (("rerank_k", rerank_k), ("fetch_k", fetch_k)):
        if value is not None and check_count(value, name, 1) < end:
            raise ValueError(
                f"[search] expected {name} of at least offset + k, {end}, got {value}: there would "
                "be fewer hits than asked for"
            )


def _check_grouping(group_by: str | None, group_size: int, mmr_lambda: float | None) -> None:
    if group_by is None:
        if group_size != 1:
            raise ValueError("[search] expected group_by= beside group_size=")
        return
    if not isinstance(group_by, str):
        raise TypeError(f"[search] expected group_by as a field's name, got {group_by!r}")
    check_text(group_by, "group_by", 0)
    if "\0" in group_by:
        raise ValueError("[search] expected group_by without NUL characters, which no field has")
    if mmr_lambda is not None:
        raise ValueError("[search] expected group_by or mmr_lambda, got both")


def _check_weights(weights: Weights | None, mode: str) -> tuple[float, float]:
    if weights is None:
        return 1.0, 1.0
    if mode != "hybrid":
        raise ValueError(f"[search] expected mode 'hybrid' beside weights=, got {mode!r}")
    if isinstance(weights, Mapping):
        unknown = set(weights) - {"dense", "lexical"}
        if unknown:
            raise ValueError(f"[search] expected weights of 'dense', 'lexical', got {unknown}")
        weights = [weights.get("dense", 1.0), weights.get("lexical", 1.0)]
    if isinstance(weights, str) or not isinstance(weights, Iterable):
        raise TypeError(f"[search] expected weights as two numbers, got {weights!r}")
    pair = [float(check_number(weight, "weights")) for weight in weights]
    if len(pair) != 2 or not all(0 <= weight < float("inf") for weight in pair) or not any(pair):
        raise ValueError(
            f"[search] expected weights (dense, lexical) of at least 0 and not both 0, got {pair}"
        )
    return pair[0], pair[1]
