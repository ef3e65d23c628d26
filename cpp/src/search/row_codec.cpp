#include "search/row_codec.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "kernels/distance.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

constexpr std::array kTypes{VectorType::float32, VectorType::float16, VectorType::int8,
                            VectorType::bits};
constexpr float kLargestHalf = 65504.0F;
constexpr float kLargestLevel = 127.0F;
// add() takes no vector longer than 1e18, which int8 may lengthen by sqrt(dim) / 254 of that. Up to
// here squared distances stay finite in float32.
constexpr double kLongest = 5e18;

/// To nearest, ties to even. @param x  at most kLargestHalf in size
std::uint16_t to_half(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000U);
    const float size = std::fabs(x);
    if (size < 0x1p-14F) {  // subnormal: multiples of 2^-24, which adding 1/2 rounds to
        const auto steps = std::bit_cast<std::uint32_t>(size + 0.5F);
        return sign | static_cast<std::uint16_t>(steps - std::bit_cast<std::uint32_t>(0.5F));
    }
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    const std::uint32_t rounded = magnitude + 0xFFFU + (magnitude >> 13 & 1U);
    return sign | static_cast<std::uint16_t>((rounded - (112U << 23)) >> 13);
}

void encode_half(std::span<const float> x, std::byte* row) {
    for (std::size_t j = 0; j < x.size(); ++j) {
        const std::uint16_t half = to_half(x[j]);
        std::memcpy(row + 2 * j, &half, sizeof(half));
    }
    std::fill(row + 2 * x.size(), row + kernels::float16_row(x.size()), std::byte{});
}

void encode_int8(std::span<const float> x, std::byte* row) {
    float largest = 0.0F;
    for (const float value : x) largest = std::max(largest, std::fabs(value));
    const float scale = largest / kLargestLevel;
    std::memcpy(row, &scale, sizeof(scale));
    for (std::size_t j = 0; j < x.size(); ++j) {
        // A scale so small that it lost bits may leave more than 127 of it.
        const float level = scale > 0.0F ? std::nearbyint(x[j] / scale) : 0.0F;
        const float kept = std::clamp(level, -kLargestLevel, kLargestLevel);
        row[4 + j] = static_cast<std::byte>(static_cast<std::int8_t>(kept));
    }
    std::fill(row + 4 + x.size(), row + kernels::int8_row(x.size()), std::byte{});
}

template <typename T>
T read(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof(value));
    return value;
}

/// Where no component is larger, no vector is longer than kLongest.
float usual_component(std::size_t dim) {
    return static_cast<float>(kLongest / std::sqrt(static_cast<double>(dim)));
}

/// Whether a vector is no longer than kLongest. @param component  its number j, maybe NaN
template <typename Component>
bool has_sound_length(std::size_t dim, const Component& component) {
    double squares = 0.0;
    for (std::size_t j = 0; j < dim; ++j) {
        const double x = component(j);
        squares += x * x;
    }
    return squares <= kLongest * kLongest;
}

bool is_sound_int8(std::size_t dim, const std::byte* row) {
    const auto scale = read<float>(row);
    const auto level = [&](std::size_t j) { return static_cast<std::int8_t>(row[4 + j]); };
    if (!(scale >= 0.0F)) return false;
    for (std::size_t j = 0; j < dim; ++j) {
        if (level(j) == -128) return false;
    }
    if (scale <= usual_component(dim) / kLargestLevel) return true;
    return has_sound_length(dim, [&](std::size_t j) { return double{scale} * level(j); });
}

bool is_sound_half(std::size_t dim, const std::byte* row) {
    for (std::size_t j = 0; j < dim; ++j) {
        if ((read<std::uint16_t>(row + 2 * j) & 0x7C00U) == 0x7C00U) return false;
    }
    return true;
}

bool is_sound_float(std::size_t dim, const std::byte* row) {
    const auto component = [&](std::size_t j) { return read<float>(row + 4 * j); };
    const float usual = usual_component(dim);
    for (std::size_t j = 0; j < dim; ++j) {
        if (!(std::fabs(component(j)) <= usual)) return has_sound_length(dim, component);
    }
    return true;
}

/// Bytes behind a row's last component, up to its end.
std::size_t payload_bytes(VectorType type, std::size_t dim) {
    switch (type) {
        case VectorType::float32: return 4 * dim;
        case VectorType::float16: return 2 * dim;
        case VectorType::int8: return 4 + dim;
        case VectorType::bits: return dim / 8;
    }
    return 0;
}

}  // namespace

std::string_view name(VectorType type) {
    switch (type) {
        case VectorType::float32: return "float32";
        case VectorType::float16: return "float16";
        case VectorType::int8: return "int8";
        case VectorType::bits: return "bits";
    }
    return "unknown";
}

VectorType parse_vector_type(std::string_view wanted) {
    for (const auto type : kTypes) {
        if (name(type) == wanted) return type;
    }
    throw_invalid("Index", R"(dtype to be one of "float32", "float16", "int8")",
                  "\"" + std::string(wanted) + "\"");
}

std::size_t row_bytes(VectorType type, std::size_t dim) {
    switch (type) {
        case VectorType::float32: return kernels::float32_row(dim);
        case VectorType::float16: return kernels::float16_row(dim);
        case VectorType::int8: return kernels::int8_row(dim);
        case VectorType::bits: return kernels::bits_row(dim);
    }
    return 0;
}

void encode_row(VectorType type, std::span<const float> x, std::byte* row) {
    switch (type) {
        case VectorType::float16: return encode_half(x, row);
        case VectorType::int8: return encode_int8(x, row);
        default: std::memcpy(row, x.data(), x.size_bytes());
    }
}

bool is_sound_row(VectorType type, std::size_t dim, const std::byte* row) {
    const auto* end = row + row_bytes(type, dim);
    const bool padded = std::all_of(row + payload_bytes(type, dim), end,
                                    [](std::byte b) { return b == std::byte{}; });
    if (!padded) return false;
    switch (type) {
        case VectorType::float32: return is_sound_float(dim, row);
        case VectorType::float16: return is_sound_half(dim, row);
        case VectorType::int8: return is_sound_int8(dim, row);
        case VectorType::bits: return true;
    }
    return false;
}

float largest_component(VectorType type) {
    return type == VectorType::float16 ? kLargestHalf : std::numeric_limits<float>::max();
}

}  // namespace unitvec
