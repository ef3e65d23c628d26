#pragma once
/// Random vectors, and the view of them that an index takes.
#include "support/random.hpp"
#include "unitvec/types.hpp"

struct Vectors {
    Vectors(std::size_t n, std::size_t dim, std::uint64_t seed)
        : values(random_floats(n * dim, seed)), view{values.data(), n, dim} {}
    std::vector<float> values;  // from -1 up to 1
    unitvec::MatrixView<const float> view;
};
