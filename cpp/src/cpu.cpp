#include "unitvec/cpu.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <string>

#include "unitvec/error.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace unitvec {
namespace {

constexpr std::array kAll{Isa::portable, Isa::avx2,        Isa::avx2_vnni,
                          Isa::avx512,   Isa::avx512_vnni, Isa::avx512_bf16};

#if defined(__x86_64__)
/// EAX of cpuid's leaf 7, subleaf 1; 0 where the processor has none. Read here, because clang's
/// __builtin_cpu_supports learnt the name "avxvnni" in version 18 only.
unsigned leaf7_1() {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || eax < 1) return 0;
    __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx);
    return eax;
}

/// ECX of cpuid's leaf 1. Read here, because no name of F16C is known to every compiler.
unsigned leaf1() {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    return ecx;
}

constexpr unsigned kF16c = 1U << 29;
constexpr unsigned kAvxVnni = 1U << 4;
constexpr unsigned kAvx512Bf16 = 1U << 5;

/// Whether processor and operating system offer a set: __builtin_cpu_supports says "avx2" and
/// "avx512f" only where the system saves their registers (XCR0), and the rest builds on these two.
bool processor_has(Isa isa) {
    switch (isa) {
        case Isa::portable: return true;
        case Isa::avx2:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                   (leaf1() & kF16c) != 0;
        case Isa::avx2_vnni: return processor_has(Isa::avx2) && (leaf7_1() & kAvxVnni) != 0;
        case Isa::avx512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
        case Isa::avx512_vnni:
            return processor_has(Isa::avx512) && __builtin_cpu_supports("avx512vnni");
        case Isa::avx512_bf16:
            return processor_has(Isa::avx512_vnni) && (leaf7_1() & kAvx512Bf16) != 0;
    }
    return false;
}
#else
bool processor_has(Isa isa) {
    return isa == Isa::portable;
}
#endif

/// Whether the compiler knew the set's instructions; its kernels are absent otherwise.
bool is_built([[maybe_unused]] Isa isa) {
#if !defined(UNITVEC_AVX2_VNNI)
    if (isa == Isa::avx2_vnni) return false;
#endif
#if !defined(UNITVEC_AVX512_VNNI)
    if (isa == Isa::avx512_vnni) return false;
#endif
#if !defined(UNITVEC_AVX512_BF16)
    if (isa == Isa::avx512_bf16) return false;
#endif
    return true;
}

bool is_emulated([[maybe_unused]] Isa isa) {
#if defined(UNITVEC_EMULATED_ISAS)
    return isa >= Isa::avx2_vnni;
#else
    return false;
#endif
}

Isa choose() {
    const auto available = available_isas();
    const char* wanted = std::getenv("UNITVEC_ISA");
    if (wanted == nullptr || *wanted == '\0') {
        return *std::ranges::find_if_not(available.rbegin(), available.rend(), is_emulated);
    }
    const auto found =
        std::ranges::find_if(available, [&](Isa isa) { return name(isa) == wanted; });
    if (found == available.end()) {
        std::string names;
        for (const Isa isa : available) names.append(names.empty() ? "" : ", ").append(name(isa));
        throw_invalid("UNITVEC_ISA", "one of " + names, wanted);
    }
    return *found;
}

}  // namespace

std::string_view name(Isa isa) {
    switch (isa) {
        case Isa::portable: return "portable";
        case Isa::avx2: return "avx2";
        case Isa::avx2_vnni: return "avx2_vnni";
        case Isa::avx512: return "avx512";
        case Isa::avx512_vnni: return "avx512_vnni";
        case Isa::avx512_bf16: return "avx512_bf16";
    }
    return "unknown";
}

std::vector<Isa> available_isas() {
    std::vector<Isa> isas;
    std::ranges::copy_if(kAll, std::back_inserter(isas), [](Isa isa) {
        return is_built(isa) && (is_emulated(isa) || processor_has(isa));
    });
    return isas;
}

Isa active_isa() {
    static const Isa isa = choose();
    return isa;
}

std::string_view bfloat16_products(Isa isa) {
    return isa == Isa::avx512_bf16 ? "native" : "widened to float32";
}

std::string_view int8_products(Isa isa) {
    switch (isa) {
        case Isa::portable: return "portable";
        case Isa::avx2: return "AVX2";
        case Isa::avx512: return "AVX-512";
        case Isa::avx2_vnni:
        case Isa::avx512_vnni:
        case Isa::avx512_bf16: return "VNNI";
    }
    return "portable";
}

}  // namespace unitvec
