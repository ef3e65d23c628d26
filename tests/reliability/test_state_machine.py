"""Any order of any calls, closes, kills and reopenings, against a dictionary and brute force (H1).

The thresholds of the index are a few rows, so that graphs, tails, rebuilds and deletions meet in
every combination. After every step the collection holds exactly what the model holds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from collection_model import SCORE_ERROR, SIDE, SIDE_METRIC, Batch, CollectionModel
from gates import SEED, record, tries
from hashed_words import HashedWords
from unitvec import Collection, StoreLockedError
from unitvec.collection import IndexPolicy, SearchResult
from unitvec.collection.batches import BATCH_DOCUMENTS
from unitvec.collection.model import METRICS

DIM = 4
STEPS = 50

IDS = st.sampled_from([f"id{i}" for i in range(14)])
WORDS = st.sampled_from(["cat", "dog", "sat", "mat", "fell", "été"])
TEXTS = st.lists(WORDS, max_size=4).map(" ".join)
#: Few numbers, so that vectors coincide and scores tie.
VECTORS = st.tuples(*[st.integers(-2, 2)] * DIM).map(lambda v: np.array(v, np.float32))
DIRECTIONS = VECTORS.filter(lambda v: bool(v.any()))
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(0, 3),
        "tag": st.sampled_from(["a", "b", None]),
        "in": st.fixed_dictionaries({"n": st.integers(0, 1) | st.just(0.5)}),
        "list": st.lists(st.integers(0, 2), max_size=2),
    },
)
SOME_FILTERS = st.one_of(
    st.builds(lambda n: {"n": n}, st.integers(0, 3)),
    st.builds(lambda n: {"n": {"$gte": n}, "tag": {"$ne": "a"}}, st.integers(0, 3)),
    st.builds(lambda n: {"$or": [{"in.n": n}, {"list": {"$contains": n}}]}, st.integers(0, 2)),
    st.builds(lambda t: {"$not": {"tag": {"$in": t}}}, st.lists(st.sampled_from(["a", "b", None]))),
    st.builds(lambda e: {"in.n": {"$exists": e}}, st.booleans()),
)
FILTERS = st.booleans().flatmap(lambda some: SOME_FILTERS if some else st.just({}))
COUNTS = st.none() | st.integers(0, 20)


@st.composite
def batches(draw: st.DrawFn, unique: bool = True, vectors: Any = DIRECTIONS) -> Batch:
    """Columns of a call that stores: documents, vectors or both, metadata or none."""
    ids = draw(st.lists(IDS, max_size=6, unique=unique))
    which = draw(st.sampled_from(["documents", "embeddings", "both"]))
    size = {"min_size": len(ids), "max_size": len(ids)}
    return Batch(
        ids,
        draw(st.lists(TEXTS, **size)) if which != "embeddings" else None,
        draw(st.none() | st.lists(st.none() | METADATA, **size)),
        draw(st.lists(vectors, **size)) if which != "documents" else None,
        draw(st.none() | st.lists(st.none() | VECTORS, **size)),
    )


#: Calls that must be refused whole, each with a good row before the bad one.
REFUSED: list[Callable[[Collection], Any]] = [
    lambda db: db.add(["good", 7], ids=["new1", "new2"]),
    lambda db: db.add(["good", "\ud800"], ids=["new1", "new2"]),
    lambda db: db.add(["good", "bad"], ids=["new1", "new1"]),
    lambda db: db.add(embeddings=[*np.ones((BATCH_DOCUMENTS, DIM)), np.full(DIM, np.nan)]),
    lambda db: db.add(["good", "bad"], ids=["new1", ""]),
    lambda db: db.upsert(["good", "bad"], metadatas=[{}, {"a": float("nan")}], ids=["id0", "id1"]),
    lambda db: db.upsert(embeddings=[np.ones(DIM), np.full(DIM, np.nan)], ids=["id0", "id1"]),
    lambda db: db.upsert(embeddings=np.ones((2, DIM + 1)), ids=["id0", "id1"]),
    lambda db: db.upsert(["good", "bad"], ids=["id0"]),
    lambda db: db.update(["id0", "unknown"], documents=["good", "bad"]),
    lambda db: db.update(["id0", "id0"], metadatas=[{}, {}]),
    lambda db: db.delete(["id0", "unknown"]),
    lambda db: db.delete(where={"n": {"$foo": 1}}),
    lambda db: db.get(limit=-1),
    lambda db: db.search("cat", k=0),
    lambda db: db.search(np.full(DIM, np.inf)),
    lambda db: db.search("cat", where={"$and": []}),
]


class AgainstADictionary(RuleBasedStateMachine):
    """One collection, in this process or reopened after a kill, and its model."""

    tally: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.copies = 0
        self.sequence = 0
        self.reader: Collection | None = None

    @initialize(
        metric=st.sampled_from(METRICS),
        start=st.integers(2, 10),
        tail=st.integers(2, 10),
        durability=st.sampled_from(["normal", "normal", "normal", "full"]),
    )
    def begin(self, metric: str, start: int, tail: int, durability: str) -> None:
        self.words = HashedWords(DIM)
        self.model = CollectionModel(metric, self.words)
        self.policy = IndexPolicy(approximate_from=start, tail_min=tail, tail_share=0.05)
        self.durability = durability
        self.path = Path(self.folder.name) / "c.uv"
        self.db = self.opened(metric=metric, vectors={SIDE: {"dim": DIM, "metric": SIDE_METRIC}})
        self.tally["examples"] += 1

    def opened(self, **options: Any) -> Collection:
        return Collection(
            self.path,
            encoder=self.words,
            durability=self.durability,
            index_policy=self.policy,
            **options,
        )

    def close_reader(self) -> None:
        if self.reader is not None:
            self.reader.close()
            self.reader = None

    # ---- writing --------------------------------------------------------------------------------

    @rule(batch=batches(), streamed=st.booleans())
    def add(self, batch: Batch, streamed: bool) -> None:
        columns = batch.columns(iter if streamed else list)
        if set(batch.ids) & set(self.model.rows):
            with pytest.raises(ValueError, match="exist; upsert"):
                self.db.add(**columns)
        else:
            assert self.db.add(**columns) == batch.ids
            self.model.store(batch)
            self.tally["added"] += len(batch.ids)

    @rule(document=TEXTS, metadata=METADATA)
    def add_one_without_an_id(self, document: str, metadata: dict[str, Any]) -> None:
        (name,) = self.db.add(document, metadatas=metadata)
        assert name not in self.model.rows
        self.model.store(Batch([name], [document], [metadata]))

    @rule(batch=batches(unique=False))
    def upsert(self, batch: Batch) -> None:
        assert self.db.upsert(**batch.columns()) == batch.ids
        self.model.store(batch)

    @rule(count=st.integers(6, 30), number=st.integers(0, 10**6))
    def upsert_many(self, count: int, number: int) -> None:
        """So many that a graph is built, or extended."""
        rng = np.random.default_rng(number)
        ids = [f"id{i}" for i in rng.permutation(40)[:count]]
        rows = (rng.integers(-9, 9, (count, DIM)) + 0.5).astype(np.float32)
        sides = [row if row[1] > -3 else None for row in -rows]
        metadatas = [{"n": int(r)} for r in rows[:, 0]]
        batch = Batch(ids, embeddings=list(rows), metadatas=metadatas, side=sides)
        self.db.upsert(**batch.columns())
        self.model.store(batch)

    @precondition(lambda self: self.model.metric != "cosine")
    @rule(batch=batches(vectors=VECTORS))
    def upsert_with_zeros(self, batch: Batch) -> None:
        self.db.upsert(**batch.columns())
        self.model.store(batch)

    @rule(batch=batches(), metadata_alone=st.booleans())
    def update(self, batch: Batch, metadata_alone: bool) -> None:
        if metadata_alone and batch.metadatas is not None:
            batch = Batch(batch.ids, metadatas=batch.metadatas)
        if set(batch.ids) <= set(self.model.rows):
            self.db.update(**batch.columns())
            self.model.update(batch)
            self.tally["updated"] += len(batch.ids)
        else:
            with pytest.raises(ValueError, match=r"\[update\] .* unknown"):
                self.db.update(**batch.columns())

    @rule(data=st.data())
    def update_known(self, data: st.DataObject) -> None:
        batch = data.draw(batches(), "batch")
        batch = batch.of(list(self.model.rows)[: len(batch.ids)])
        self.db.update(**batch.columns())
        self.model.update(batch)
        self.tally["updated"] += len(batch.ids)

    @rule(ids=st.none() | st.lists(IDS, max_size=4), where=FILTERS)
    def delete(self, ids: list[str] | None, where: dict[str, Any]) -> None:
        if ids is None and not where:
            with pytest.raises(ValueError, match="would remove everything"):
                self.db.delete(ids, where)
        elif set(ids or []) <= set(self.model.rows):
            count = self.model.delete(ids, where)
            assert self.db.delete(ids, where) == count
            self.tally["deleted"] += count
        else:
            with pytest.raises(ValueError, match=r"\[delete\] .* unknown"):
                self.db.delete(ids, where)

    @rule(count=st.integers(1, 5), data=st.data())
    def delete_known(self, count: int, data: st.DataObject) -> None:
        if self.model.rows:
            names = data.draw(st.permutations(list(self.model.rows)), "order")[:count]
            assert self.db.delete(names) == self.model.delete(names, None) == len(names)
            self.tally["deleted"] += len(names)

    @rule(call=st.sampled_from(REFUSED))
    def refused(self, call: Callable[[Collection], Any]) -> None:
        sequence = self.db.stats()["sequence"]
        with pytest.raises((TypeError, ValueError)):
            call(self.db)
        assert self.db.stats()["sequence"] == sequence
        self.tally["refused"] += 1

    # ---- reading --------------------------------------------------------------------------------

    @rule(ids=st.none() | st.lists(IDS, max_size=5), where=FILTERS, limit=COUNTS, offset=COUNTS,
          vectors=st.booleans())  # fmt: skip
    def get(
        self,
        ids: list[str] | None,
        where: dict[str, Any],
        limit: int | None,
        offset: int | None,
        vectors: bool,
    ) -> None:
        include = ["embeddings"] if vectors else []
        found = self.db.get(ids, where, limit, offset, include)
        passing = self.model.passing(where)
        names = passing if ids is None else [name for name in ids if name in passing]
        first = offset or 0
        names = names[first : None if limit is None else first + limit]
        self.model.check_records(found, names, vectors)

    @rule(where=FILTERS, limit=st.integers(0, 20))
    def scan_and_peek(self, where: dict[str, Any], limit: int) -> None:
        self.model.check_records(self.db.scan(where), self.model.passing(where), False)
        self.model.check_records(self.db.peek(limit), list(self.model.rows)[:limit], False)

    @rule(queries=st.lists(VECTORS, min_size=1, max_size=3), k=st.integers(1, 30), where=FILTERS,
          min_score=st.none() | st.floats(-3, 3), min_recall=st.sampled_from([None, None, 1.0]),
          single=st.booleans(), using=st.sampled_from([None, SIDE]))  # fmt: skip
    def search(
        self,
        queries: list[np.ndarray],
        k: int,
        where: dict[str, Any],
        min_score: float | None,
        min_recall: float | None,
        single: bool,
        using: str | None,
    ) -> None:
        options: dict[str, Any] = {"min_score": min_score, "min_recall": min_recall}
        options["using"] = using
        if single:
            results = [self.db.search(query, k, where, **options) for query in queries]
        else:
            results = self.db.search(np.stack(queries), k, where, **options)
        assert len(results) == len(queries)
        for query, result in zip(queries, results, strict=True):
            assert result.exact or (min_recall or 0) <= result.recall_estimate
            assert result.exact or not where  # a filtered search is exact
            self.check_hits(self.model, result, query, k, where, min_score, using)

    @rule(texts=st.lists(TEXTS, min_size=1, max_size=2), k=st.integers(1, 30), where=FILTERS)
    def search_by_text(self, texts: list[str], k: int, where: dict[str, Any]) -> None:
        queries = self.words.encode(texts)
        for text, query, result in zip(
            texts, queries, self.db.search(texts, k, where), strict=True
        ):
            self.check_hits(self.model, result, query, k, where)
            self.check_hits(self.model, self.db.search(text, k, where), query, k, where)

    def check_hits(
        self,
        model: CollectionModel,
        result: SearchResult,
        query: np.ndarray,
        k: int,
        where: dict[str, Any] | None = None,
        min_score: float | None = None,
        using: str | None = None,
    ) -> None:
        """The hits are rows of the model, rightly scored, best first, and the nearest there are."""
        scores_of = model.scores if using is None else model.side_scores
        truth = scores_of(query, model.passing(where))
        scores = [hit.score for hit in result]
        assert scores == sorted(scores, reverse=True)
        assert len({hit.id for hit in result}) == len(result)
        for hit in result:
            row = model.rows[hit.id]
            assert (hit.document, hit.metadata) == (row.document, row.metadata)
            assert hit.score == pytest.approx(truth[hit.id], abs=SCORE_ERROR)
        best = sorted(truth.values(), reverse=True)[:k]
        if min_score is not None:
            assert all(score >= min_score for score in scores)
            # What is within a rounding error of the limit may be on either side of it.
            best = [score for score in best if score >= min_score - SCORE_ERROR]
            sure = sum(score >= min_score + SCORE_ERROR for score in best)
            best = best[: max(sure, len(scores))]
        assert len(scores) == len(best) or (min_score is not None and not result.exact)
        self.tally["exact searches" if result.exact else "approximate searches"] += 1
        if result.exact:
            assert result.recall_estimate == 1.0
            np.testing.assert_allclose(scores, best, atol=SCORE_ERROR)
        elif best:
            assert 0 <= result.recall_estimate <= 1
            self.tally["true neighbours"] += len(best)
            self.tally["found neighbours"] += sum(s >= best[-1] - SCORE_ERROR for s in scores)

    @rule()
    def look_after(self) -> None:
        report = self.db.verify()
        assert (report.ok, report.problems, report.rows) == (True, [], len(self.model.rows))
        self.db.build_index()  # else files come and go while they are counted
        stats = self.db.stats()
        assert (stats["dim"], stats["metric"]) == (DIM, self.model.metric)
        assert (stats["model"], stats["fingerprint"]) == (self.words.name, self.words.fingerprint)
        assert stats["bytes"] == sum(f.stat().st_size for f in self.path.iterdir())
        # All rows of a graph may have been deleted while it was built.
        assert stats["index"] == "hnsw" or stats["indexed"] == 0
        self.tally["verified"] += 1

    @rule()
    def compact(self) -> None:
        sizes = self.db.compact()
        assert sizes["bytes_after"] > 0
        self.tally["compacted"] += 1

    # ---- other openings -------------------------------------------------------------------------

    @rule()
    def snapshot(self) -> None:
        target = self.copy_path()
        assert self.db.snapshot(target) == target
        with pytest.raises(FileExistsError):
            self.db.snapshot(target)
        with Collection.open(target, encoder=self.words) as copy:
            self.check_all(copy)
            assert copy.verify().ok
        self.tally["snapshots"] += 1

    @rule(durability=st.sampled_from(["normal", "full"]))
    def close_and_open(self, durability: str) -> None:
        self.db.close()
        self.durability = durability
        self.db = self.opened()
        self.tally["reopened"] += 1

    @rule()
    def a_second_writer_is_refused(self) -> None:
        with pytest.raises(StoreLockedError) as caught:
            self.opened()
        assert caught.value.pid == os.getpid()

    @rule(again=st.booleans(), query=VECTORS, k=st.integers(1, 20))
    def read_beside_the_writer(self, again: bool, query: np.ndarray, k: int) -> None:
        """A reader that may have been open for long sees the last committed state."""
        if again:
            self.close_reader()
        if self.reader is None:
            self.reader = Collection.open(self.path, read_only=True, encoder=self.words)
        self.check_all(self.reader)
        self.check_hits(self.model, self.reader.search(query, k), query, k)
        with pytest.raises(PermissionError, match="read-only"):
            self.reader.add("no")
        self.tally["read beside"] += 1

    def copy_path(self) -> Path:
        self.copies += 1
        return Path(self.folder.name) / f"c{self.copies}.uv"

    @rule()
    def killed(self) -> None:
        """What a kill leaves is what is in the files at this moment; work goes on with a copy.

        Copied by another process: to close the database file here would drop SQLite's locks.
        """
        target = self.copy_path()
        self.db.build_index()  # cp reads file by file: what is built meanwhile would be torn
        subprocess.run(["cp", "-r", self.path, target], check=True)
        self.close_reader()
        self.db.close()
        self.path = target
        self.db = self.opened()
        self.tally["kills by copy"] += 1

    @precondition(lambda self: self.copies < 3)
    @rule(batch=batches(), how=st.sampled_from(["upsert", "delete", "compact"]))
    def killed_in_a_child(self, batch: Batch, how: str) -> None:
        """A child writes, and is killed after its call returned."""
        self.close_reader()
        self.db.close()
        self.copies += 1
        names = [name for name in batch.ids if name in self.model.rows]
        child = os.fork()
        if child == 0:  # pragma: no cover - the child ends here
            signal.alarm(60)
            db = self.opened()
            if how == "upsert":
                db.upsert(**batch.columns())
            elif how == "delete":
                db.delete(names)
            else:
                db.compact()
            os.kill(os.getpid(), signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        assert os.WTERMSIG(status) == signal.SIGKILL
        if how == "upsert":
            self.model.store(batch)
        elif how == "delete":
            self.model.delete(names, None)
        self.db = self.opened()
        self.tally["kills"] += 1

    # ---- after every step -----------------------------------------------------------------------

    def check_all(self, db: Collection) -> None:
        assert db.count() == len(self.model.rows)
        self.model.check_records(db.get(include=["embeddings"]), list(self.model.rows), True)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        self.check_all(self.db)
        stats = self.db.stats()
        assert stats["count"] == len(self.model.rows)
        assert stats["sequence"] >= self.sequence
        self.sequence = stats["sequence"]
        self.tally["steps"] += 1

    def teardown(self) -> None:
        self.close_reader()
        if hasattr(self, "db"):
            assert self.db.verify().ok
            self.db.close()
        self.folder.cleanup()


def test_a_collection_is_a_dictionary_that_searches() -> None:
    examples = tries(100, 5000)
    tally = AgainstADictionary.tally
    tally.clear()
    run_state_machine_as_test(
        seed(SEED)(AgainstADictionary),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )
    recall = tally["found neighbours"] / max(1, tally["true neighbours"])
    record("H1", recall=recall, **{name.replace(" ", "_"): count for name, count in tally.items()})
    assert tally["examples"] >= examples
    assert tally["steps"] >= 20 * examples
    for name in (
        *("added", "updated", "deleted", "refused", "verified", "compacted", "snapshots"),
        *("reopened", "read beside", "kills", "kills by copy"),
        *("exact searches", "approximate searches"),
    ):
        assert tally[name] >= examples / 10, (name, tally)
    assert recall >= 0.95, tally
