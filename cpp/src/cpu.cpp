#include "unitvec/cpu.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "unitvec/error.hpp"

namespace unitvec {
namespace {

bool runs_here(Isa isa) {
#if defined(__x86_64__)
    switch (isa) {
        case Isa::portable: return true;
        case Isa::avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        case Isa::avx512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    }
#endif
    return isa == Isa::portable;
}

Isa choose() {
    const auto available = available_isas();
    const char* wanted = std::getenv("UNITVEC_ISA");
    if (wanted == nullptr || *wanted == '\0') return available.back();
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
        case Isa::avx512: return "avx512";
    }
    return "unknown";
}

std::vector<Isa> available_isas() {
    std::vector<Isa> isas;
    for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
        if (runs_here(isa)) isas.push_back(isa);
    }
    return isas;
}

Isa active_isa() {
    static const Isa isa = choose();
    return isa;
}

}  // namespace unitvec
