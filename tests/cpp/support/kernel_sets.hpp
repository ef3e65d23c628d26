#pragma once
/// Every set of kernels that can be tested here: those that this processor runs, and those of
/// AVX-512, VNNI and BF16 with their instructions emulated (kernels/emulated.inc).
#include <string>
#include <vector>

#include "kernels/distance.hpp"
#include "kernels/encoder.hpp"

namespace unitvec::kernels {

extern const EncoderKernels emulated_encoder_avx2_vnni;
extern const EncoderKernels emulated_encoder_avx512;
extern const EncoderKernels emulated_encoder_avx512_vnni;
extern const EncoderKernels emulated_encoder_avx512_bf16;
extern const DistanceKernels emulated_distance_avx512;

}  // namespace unitvec::kernels

namespace unitvec {

template <typename Kernels>
struct KernelSet {
    std::string name;
    const Kernels* kernels;
};

inline std::vector<KernelSet<kernels::EncoderKernels>> encoder_sets() {
    using namespace kernels;
    std::vector<KernelSet<EncoderKernels>> sets;
    for (const Isa isa : available_isas()) {
        sets.push_back({std::string(name(isa)), &encoder_kernels(isa)});
    }
    sets.push_back({"avx2_vnni, emulated", &emulated_encoder_avx2_vnni});
    sets.push_back({"avx512, emulated", &emulated_encoder_avx512});
    sets.push_back({"avx512_vnni, emulated", &emulated_encoder_avx512_vnni});
    sets.push_back({"avx512_bf16, emulated", &emulated_encoder_avx512_bf16});
    return sets;
}

inline std::vector<KernelSet<kernels::DistanceKernels>> distance_sets() {
    using namespace kernels;
    std::vector<KernelSet<DistanceKernels>> sets;
    for (const Isa isa : available_isas()) {
        sets.push_back({std::string(name(isa)), &distance_kernels(isa)});
    }
    sets.push_back({"avx512, emulated", &emulated_distance_avx512});
    return sets;
}

}  // namespace unitvec
