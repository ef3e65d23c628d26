#include "search/hash64.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace unitvec {
namespace {

constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87;
constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4F;
constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9;
constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63;
constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5;

static_assert(std::endian::native == std::endian::little, "index files are little-endian");

template <typename Word>
std::uint64_t read(const std::byte* p) {
    Word word;
    std::memcpy(&word, p, sizeof(word));
    return word;
}

std::uint64_t round(std::uint64_t sum, std::uint64_t word) {
    return std::rotl(sum + word * kPrime2, 31) * kPrime1;
}

std::uint64_t add_tail(std::uint64_t hash, const std::byte* p, std::size_t size) {
    for (; size >= 8; p += 8, size -= 8) {
        hash = std::rotl(hash ^ round(0, read<std::uint64_t>(p)), 27) * kPrime1 + kPrime4;
    }
    if (size >= 4) {
        hash = std::rotl(hash ^ read<std::uint32_t>(p) * kPrime1, 23) * kPrime2 + kPrime3;
        p += 4;
        size -= 4;
    }
    for (; size > 0; ++p, --size) {
        hash = std::rotl(hash ^ read<std::uint8_t>(p) * kPrime5, 11) * kPrime1;
    }
    return hash;
}

}  // namespace

void Hash64::take_stripe(const std::byte* stripe) {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
        sums_[i] = round(sums_[i], read<std::uint64_t>(stripe + 8 * i));
    }
}

void Hash64::update(std::span<const std::byte> bytes) {
    size_ += bytes.size();
    if (rest_size_ > 0) {
        const std::size_t taken = std::min(kStripe - rest_size_, bytes.size());
        std::copy_n(bytes.begin(), taken, rest_.begin() + static_cast<std::ptrdiff_t>(rest_size_));
        rest_size_ += taken;
        bytes = bytes.subspan(taken);
        if (rest_size_ < kStripe) return;
        take_stripe(rest_.data());
    }
    for (; bytes.size() >= kStripe; bytes = bytes.subspan(kStripe)) take_stripe(bytes.data());
    std::ranges::copy(bytes, rest_.begin());
    rest_size_ = bytes.size();
}

std::uint64_t Hash64::digest() const {
    std::uint64_t hash = kPrime5;
    if (size_ >= kStripe) {
        hash = std::rotl(sums_[0], 1) + std::rotl(sums_[1], 7) + std::rotl(sums_[2], 12) +
               std::rotl(sums_[3], 18);
        for (const auto sum : sums_) hash = (hash ^ round(0, sum)) * kPrime1 + kPrime4;
    }
    hash = add_tail(hash + size_, rest_.data(), rest_size_);
    hash = (hash ^ (hash >> 33)) * kPrime2;
    hash = (hash ^ (hash >> 29)) * kPrime3;
    return hash ^ (hash >> 32);
}

std::uint64_t hash64(std::span<const std::byte> bytes) {
    Hash64 hash;
    hash.update(bytes);
    return hash.digest();
}

}  // namespace unitvec
