"""Marks over ids: what a collection's filters give the index, and masks of users become."""

from __future__ import annotations

import numpy as np
import pytest

from unitvec import Index
from unitvec.index_arguments import MarkedIds, all_marked


def index_of(kind: str, count: int = 500) -> tuple[Index, np.ndarray]:
    vectors = np.random.default_rng(0).standard_normal((count, 16)).astype(np.float32)
    index = Index(16, kind=kind, metric="euclidean")
    index.add(vectors)
    return index, vectors


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"])
@pytest.mark.parametrize("share", [0.0, 0.005, 0.1, 0.5, 1.0])
def test_marked_ids_are_the_ids_marked(kind: str, share: float) -> None:
    index, vectors = index_of(kind)
    index.remove(np.arange(0, 60, 3), clear_dead=False)
    rng = np.random.default_rng(1)
    ids = np.arange(-5, 600)
    marks = rng.random(len(ids)) < share
    found = index.search(vectors[:7], 9, allowed_ids=MarkedIds(ids, marks))
    expected = index.search(vectors[:7], 9, allowed_ids=ids[marks])
    assert np.array_equal(found.ids, expected.ids)
    near = index.range_search(vectors[:3], 4.0, allowed_ids=MarkedIds(ids, marks))
    wanted = index.range_search(vectors[:3], 4.0, allowed_ids=ids[marks])
    for got, want in zip(near, wanted, strict=True):
        assert np.array_equal(got.ids, want.ids)


def test_a_mask_and_its_ids_find_the_same() -> None:
    index, vectors = index_of("flat")
    mask = index.ids % 2 == 0
    found = index.search(vectors[:5], 4, allowed_ids=mask)
    assert np.array_equal(found.ids, index.search(vectors[:5], 4, allowed_ids=index.ids[mask]).ids)
    assert (found.ids % 2 == 0).all()


def test_all_marked() -> None:
    some = all_marked([3, 5])
    assert some.count == 2
    assert some.chosen.tolist() == [3, 5]
    assert all_marked([]).chosen.dtype == np.int64
