#include "unitvec/types.hpp"

#include <sys/mman.h>

#include <new>

namespace unitvec {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLarge = kHugePage / 2;

std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t{bytes >= kLarge ? kHugePage : 64};
}

}  // namespace

void* allocate_aligned(std::size_t bytes) {
    void* const p = ::operator new(bytes, alignment(bytes));
#if defined(MADV_HUGEPAGE)
    // A wish: where the system has no huge pages the memory stays as it is.
    if (bytes >= kLarge) static_cast<void>(::madvise(p, bytes, MADV_HUGEPAGE));
#endif
    return p;
}

void deallocate_aligned(void* p, std::size_t bytes) noexcept {
    ::operator delete(p, alignment(bytes));
}

}  // namespace unitvec
