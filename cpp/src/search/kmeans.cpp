#include "unitvec/search/kmeans.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "search/exact_search.hpp"
#include "search/random.hpp"
#include "unitvec/error.hpp"
#include "unitvec/normalize.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

using View = MatrixView<const float>;

constexpr std::size_t kChunk = 8192;  // vectors that a thread compares with one centroid at a time

// The first centroids are drawn from so many vectors that they take about this many comparisons,
// and from at least some for each centroid.
constexpr std::size_t kSeedComparisons = std::size_t{1} << 22;
constexpr std::size_t kSeedsPerCentroid = 8;

/// At most `count` vectors, at equal distances.
Matrix sampled(View vectors, std::size_t count) {
    count = std::min(count, vectors.rows);
    Matrix sample(count, vectors.cols);
    for (std::size_t i = 0; i < count; ++i) {
        std::ranges::copy(vectors.row(i * vectors.rows / count), sample.row(i).begin());
    }
    return sample;
}

/// The work on one set of vectors.
class Lloyd {
public:
    Lloyd(View vectors, const KMeansOptions& options)
        : x_(vectors), options_(options), run_{options.threads, options.interrupted},
          metric_(options.spherical ? Metric::dot : Metric::euclidean), random_(options.seed),
          centroids_(options.k, vectors.cols), labels_(vectors.rows, -1), nearness_(vectors.rows) {}

    KMeansResult run() {
        choose_first();
        std::size_t made = 0;
        bool changed = assign();
        for (; changed && made < options_.iterations; ++made) {
            move_centroids();
            changed = assign();
        }
        return {std::move(centroids_), std::move(labels_), objective(), made};
    }

private:
    void choose_first() {
        if (options_.plus_plus) {
            draw_apart();
        } else {
            draw_any();
        }
        if (options_.spherical) l2_normalize(centroids_.view(), centroids_.view());
    }

    /// Different vectors, each as likely as any other.
    void draw_any() {
        std::vector<std::size_t> rows(x_.rows);
        std::iota(rows.begin(), rows.end(), std::size_t{0});
        for (std::size_t c = 0; c < options_.k; ++c) {
            std::swap(rows[c], rows[c + random_.below(rows.size() - c)]);
            std::ranges::copy(x_.row(rows[c]), centroids_.row(c).begin());
        }
    }

    /// k-means++: each is drawn with a chance that grows with its squared distance to those before.
    void draw_apart() {
        const std::size_t k = options_.k;
        const Matrix from = sampled(x_, std::max(kSeedsPerCentroid * k, kSeedComparisons / k));
        std::vector<float> squared(from.rows(), std::numeric_limits<float>::infinity());
        std::size_t drawn = random_.below(from.rows());
        for (std::size_t c = 0; c < k; ++c) {
            run_.check();
            std::ranges::copy(from.row(drawn), centroids_.row(c).begin());
            note_distances(from.view(), centroids_.row(c).data(), squared);
            drawn = draw(squared);
        }
    }

    /// Lowers squared[i] to the squared distance of vector i to `centroid`.
    void note_distances(View from, const float* centroid, std::vector<float>& squared) const {
        const auto& kernel = kernels::distance_kernels().float32.squared_l2;
        parallel_for(from.rows, kChunk, options_.threads, [&](std::size_t begin, std::size_t end) {
            std::vector<float> now(end - begin);
            kernel.rows(centroid, from.row(begin).data(), from.cols, nullptr, now.size(),
                        now.data());
            for (std::size_t i = begin; i < end; ++i) {
                squared[i] = std::min(squared[i], now[i - begin]);
            }
        });
    }

    std::size_t draw(const std::vector<float>& weights) {
        const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
        double left = random_.unit() * total;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            left -= weights[i];
            if (left < 0.0) return i;
        }
        return random_.below(weights.size());  // every vector is a centroid already
    }

    /// Labels every vector with its nearest centroid; whether a label changed.
    bool assign() {
        VectorStore store(x_.cols, metric_);
        store.append(centroids_.view());
        const std::vector<Id> ids(options_.k, 0);
        const RowFilter all(ids, ids.size());
        bool changed = false;
        for (std::size_t first = 0; first < x_.rows; first += kChunk) {
            const std::size_t count = std::min(kChunk, x_.rows - first);
            const auto found = exact_search(store, x_.middle_rows(first, count), 1, all, run_);
            for (std::size_t i = 0; i < count; ++i) {
                const auto [nearness, row] = found[i].front();
                changed |= labels_[first + i] != row;
                labels_[first + i] = row;
                nearness_[first + i] = nearness;
            }
        }
        return changed;
    }

    void move_centroids() {
        std::vector<double> sums(options_.k * x_.cols, 0.0);
        std::vector<std::size_t> sizes(options_.k, 0);
        for (std::size_t i = 0; i < x_.rows; ++i) {
            const auto label = static_cast<std::size_t>(labels_[i]);
            double* sum = sums.data() + label * x_.cols;
            const auto row = x_.row(i);
            for (std::size_t j = 0; j < x_.cols; ++j) sum[j] += row[j];
            ++sizes[label];
        }
        fill_empty(sums, sizes);
        for (std::size_t c = 0; c < options_.k; ++c) {
            const auto n = static_cast<double>(sizes[c]);
            for (std::size_t j = 0; j < x_.cols; ++j) {
                centroids_.row(c)[j] = static_cast<float>(sums[c * x_.cols + j] / n);
            }
        }
        if (options_.spherical) l2_normalize(centroids_.view(), centroids_.view());
    }

    /// A centroid that lost all its vectors takes over the vector farthest from its own.
    void fill_empty(std::vector<double>& sums, std::vector<std::size_t>& sizes) {
        for (std::size_t c = 0; c < options_.k; ++c) {
            if (sizes[c] > 0) continue;
            const auto far = farthest(sizes);
            if (!far) {  // fewer different vectors than centroids: it stays where it is
                std::ranges::copy(centroids_.row(c), sums.begin() + static_cast<long>(c * x_.cols));
                sizes[c] = 1;
                continue;
            }
            const auto from = static_cast<std::size_t>(labels_[*far]);
            for (std::size_t j = 0; j < x_.cols; ++j) {
                sums[from * x_.cols + j] -= x_.row(*far)[j];
                sums[c * x_.cols + j] = x_.row(*far)[j];
            }
            --sizes[from];
            sizes[c] = 1;
            labels_[*far] = static_cast<std::int64_t>(c);
            nearness_[*far] = std::numeric_limits<float>::infinity();
        }
    }

    [[nodiscard]] std::optional<std::size_t> farthest(const std::vector<std::size_t>& sizes) const {
        std::optional<std::size_t> far;
        for (std::size_t i = 0; i < x_.rows; ++i) {
            const bool shared = sizes[static_cast<std::size_t>(labels_[i])] > 1;
            if (shared && (!far || nearness_[i] < nearness_[*far])) far = i;
        }
        const bool apart = far && (options_.spherical || nearness_[*far] < 0.0F);
        return apart ? far : std::nullopt;
    }

    [[nodiscard]] double objective() const {
        const double sum = std::accumulate(nearness_.begin(), nearness_.end(), 0.0);
        return options_.spherical ? sum : 0.0 - sum;
    }

    View x_;
    const KMeansOptions& options_;
    RunOptions run_;
    Metric metric_;
    Random random_;
    Matrix centroids_;
    std::vector<std::int64_t> labels_;
    std::vector<float> nearness_;  // of each vector to its centroid
};

}  // namespace

KMeansResult kmeans(View vectors, const KMeansOptions& options) {
    if (options.k == 0) throw_invalid("kmeans", "k of at least 1", "0");
    if (vectors.cols == 0) throw_invalid("kmeans", "vectors of at least one number", "none");
    if (vectors.rows < options.k) {
        throw_invalid("kmeans", "at least " + std::to_string(options.k) + " vectors, one a cluster",
                      std::to_string(vectors.rows));
    }
    require_finite("kmeans", "vectors", vectors);
    return Lloyd(vectors, options).run();
}

}  // namespace unitvec
