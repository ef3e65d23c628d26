"""k-means against scikit-learn's ideas of it, written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv


def blobs(k, each, dim, seed=0):
    """Well separated clusters, shuffled, with the number of each vector's cluster."""
    rng = np.random.default_rng(seed)
    centres = 20 * rng.standard_normal((k, dim))
    labels = rng.permutation(np.repeat(np.arange(k), each))
    return (centres[labels] + rng.standard_normal((k * each, dim))).astype(np.float32), labels


def same_partition(a, b):
    return len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(set(a)) == len(set(b))


@pytest.mark.parametrize("k", [1, 2, 7, 30])
def test_separate_clusters_are_found(k):
    x, labels = blobs(k, 40, 16)
    found = uv.kmeans(x, k)
    assert same_partition(found.labels, labels)
    means = np.stack([x[found.labels == c].mean(axis=0) for c in range(k)])
    assert_allclose(found.centroids, means, atol=1e-4)
    squared = ((x - found.centroids[found.labels]) ** 2).sum()
    assert_allclose(found.objective, squared, rtol=1e-4)


def test_it_ends_where_lloyds_steps_change_nothing():
    x = np.random.default_rng(0).standard_normal((3000, 8)).astype(np.float32)
    found = uv.kmeans(x, 20, iterations=1000)
    assert 2 < found.iterations < 1000
    distances = ((x[:, None] - found.centroids[None]) ** 2).sum(-1)
    nearest = distances[np.arange(3000), found.labels]
    assert_allclose(nearest, distances.min(axis=1), rtol=1e-4)
    means = np.stack([x[found.labels == c].mean(axis=0) for c in range(20)])
    assert_allclose(found.centroids, means, atol=1e-4)


def test_more_iterations_are_no_worse():
    x = np.random.default_rng(0).standard_normal((2000, 10)).astype(np.float32)
    objectives = [uv.kmeans(x, 30, iterations=i).objective for i in (0, 1, 3, 10)]
    assert objectives == sorted(objectives, reverse=True)
    assert objectives[0] > objectives[-1]


def test_spherical_centroids_have_length_1_and_labels_the_largest_product():
    rng = np.random.default_rng(0)
    x = uv.l2_normalize(rng.standard_normal((2000, 12)))
    found = uv.kmeans(x, 15, spherical=True, iterations=300)
    assert_allclose(np.linalg.norm(found.centroids, axis=1), 1, atol=1e-5)
    products = x @ found.centroids.T
    assert_allclose(products[np.arange(2000), found.labels], products.max(axis=1), atol=1e-5)
    assert_allclose(found.objective, products.max(axis=1).sum(), rtol=1e-5)


def test_the_result_does_not_depend_on_threads_but_on_the_seed():
    x = np.random.default_rng(0).standard_normal((20_000, 8)).astype(np.float32)
    one, three = uv.kmeans(x, 40, threads=1), uv.kmeans(x, 40, threads=3)
    assert_array_equal(one.labels, three.labels)
    assert_array_equal(one.centroids, three.centroids)
    assert not np.array_equal(one.labels, uv.kmeans(x, 40, seed=1).labels)


@pytest.mark.parametrize("spherical", [False, True])
def test_fewer_different_vectors_than_clusters(spherical):
    x = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0)
    found = uv.kmeans(x, 8, spherical=spherical)
    assert np.isfinite(found.centroids).all()
    assert_allclose(found.centroids[found.labels], x, atol=1e-6)


def test_every_vector_a_cluster():
    x = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    found = uv.kmeans(x, 50)
    assert sorted(found.labels.tolist()) == list(range(50))
    assert found.objective == pytest.approx(0, abs=1e-4)


def test_many_centroids_are_drawn_from_a_sample():
    x, _ = blobs(600, 60, 4)
    found = uv.kmeans(x, 600, iterations=5)
    assert len(set(found.labels.tolist())) > 500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, r"\[kmeans\] expected k as a whole number of at least 1, got 0"),
        ({"k": 2.5}, "k as a whole number of at least 1, got 2.5"),
        ({"k": 11}, r"at least 11 vectors, one a cluster, got 10"),
        ({"k": 2, "iterations": -1}, "iterations as a whole number of at least 0, got -1"),
        ({"k": 2, "threads": 0}, "threads as a whole number of at least 1, got 0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        uv.kmeans(np.zeros((10, 2)), **arguments)


def test_bad_vectors_are_refused():
    with pytest.raises(ValueError, match="expected finite vectors"):
        uv.kmeans([[np.nan]], 1)
    with pytest.raises(ValueError, match="at least one number"):
        uv.kmeans(np.zeros((3, 0)), 1)
