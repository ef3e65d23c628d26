#include "support/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> count = 0;
std::atomic<std::size_t> failing = 0;  // the call that fails; 0: none

void* counted(void* (*allocate)(std::size_t, std::size_t), std::size_t size,
              std::size_t alignment) {
    if (++count != failing) {
        if (void* const p = allocate(size == 0 ? 1 : size, alignment)) return p;
    }
    throw std::bad_alloc();
}

void* anywhere(std::size_t size, std::size_t) {
    return std::malloc(size);
}
void* aligned(std::size_t size, std::size_t alignment) {
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

}  // namespace

std::size_t allocations() {
    return count.load();
}

FailingAllocation::FailingAllocation(std::size_t n) {
    failing = count + n;
}
FailingAllocation::~FailingAllocation() {
    failing = 0;
}

// The whole program's: the standard lets a program bring its own.
void* operator new(std::size_t size) {
    return counted(anywhere, size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(aligned, size, static_cast<std::size_t>(alignment));
}
// The standard library's own would do, but a sanitizer replaces it with one that `free` is not for.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    try {
        return operator new(size, alignment);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
    std::free(p);
}
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept {
    std::free(p);
}
void operator delete(void* p) noexcept {
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
    std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
    std::free(p);
}
