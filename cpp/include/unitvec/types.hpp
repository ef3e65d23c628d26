#pragma once
/// The few value types that every part shares: matrices, views of them, ids and metrics.
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace unitvec {

/// A document's or vector's number, as users and FAISS write it; -1 stands for "none".
using Id = std::int64_t;

/// How two vectors are compared. Scores are larger for nearer vectors, distances smaller.
enum class Metric {
    cosine,     ///< score:    x.y / (|x| |y|); 0 where either is zero
    dot,        ///< score:    x.y
    euclidean,  ///< distance: sqrt(sum (x - y)^2)
    manhattan,  ///< distance: sum |x - y|
    hamming,    ///< distance: number of bits that differ, for vectors of bits
};

/// A row-major, contiguous matrix that somebody else owns. `T` is `float` or `const float`.
template <typename T>
struct MatrixView {
    T* data = nullptr;
    std::size_t rows = 0;
    std::size_t cols = 0;

    [[nodiscard]] std::span<T> row(std::size_t i) const { return {data + i * cols, cols}; }
    [[nodiscard]] std::size_t size() const { return rows * cols; }
    [[nodiscard]] bool empty() const { return size() == 0; }

    /// Rows [first, first + count).
    [[nodiscard]] MatrixView middle_rows(std::size_t first, std::size_t count) const {
        return {data + first * cols, count, cols};
    }

    operator MatrixView<const T>() const  // NOLINT(google-explicit-constructor): as span does
        requires(!std::is_const_v<T>)
    {
        return {data, rows, cols};
    }
};

/// Memory on 64-byte boundaries: one cache line, and the widest vector register. From a megabyte on
/// it begins on a boundary of huge pages and asks the system for these, where it has them: reading
/// weights of many megabytes then misses the translation buffers less often.
/// @throws std::bad_alloc
[[nodiscard]] void* allocate_aligned(std::size_t bytes);
/// @param bytes  as given to allocate_aligned()
void deallocate_aligned(void* p, std::size_t bytes) noexcept;

/// Allocates with allocate_aligned(). Elements made without a value are left uninitialised, so that
/// a large result is not written twice.
template <typename T>
struct AlignedAllocator {
    using value_type = T;

    AlignedAllocator() = default;
    template <typename U>
    AlignedAllocator(const AlignedAllocator<U>&) {}  // NOLINT(google-explicit-constructor)

    T* allocate(std::size_t n) {
        if (n > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
        return static_cast<T*>(allocate_aligned(n * sizeof(T)));
    }
    void deallocate(T* p, std::size_t n) { deallocate_aligned(p, n * sizeof(T)); }

    template <typename U>
    void construct(U* p) {
        ::new (static_cast<void*>(p)) U;  // default-initialised: no zero fill for numbers
    }
    template <typename U, typename... Args>
    void construct(U* p, Args&&... args) {
        ::new (static_cast<void*>(p)) U(std::forward<Args>(args)...);
    }
    template <typename U>
    bool operator==(const AlignedAllocator<U>&) const {
        return true;
    }
};

/// A growing array on 64-byte boundaries.
template <typename T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

/// A row-major matrix of floats that owns its memory; uninitialised until written.
class Matrix {
public:
    Matrix() = default;
    Matrix(std::size_t rows, std::size_t cols) : rows_(rows), cols_(cols), data_(rows * cols) {}

    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] std::size_t cols() const { return cols_; }
    [[nodiscard]] float* data() { return data_.data(); }
    [[nodiscard]] const float* data() const { return data_.data(); }
    [[nodiscard]] std::span<float> row(std::size_t i) { return view().row(i); }
    [[nodiscard]] std::span<const float> row(std::size_t i) const { return view().row(i); }
    [[nodiscard]] MatrixView<float> view() { return {data_.data(), rows_, cols_}; }
    [[nodiscard]] MatrixView<const float> view() const { return {data_.data(), rows_, cols_}; }

private:
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
    AlignedVector<float> data_;
};

}  // namespace unitvec
