#pragma once
/// Things that are costly to make and used by one thread at a time.
#include <array>
#include <atomic>
#include <memory>

namespace unitvec {

/// Those that nobody is using at the moment, up to 64. Safe from many threads, and without a lock
/// that a thread could hold while another forks the process.
template <typename T>
class Pool {
public:
    constexpr Pool() = default;
    // Leaves an empty pool, which a daemon thread may still ask while the process ends.
    ~Pool() {
        for (auto& place : idle_) std::unique_ptr<T>(place.exchange(nullptr));
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    std::unique_ptr<T> take() {
        for (auto& place : idle_) {
            if (place.load(std::memory_order_relaxed) == nullptr) continue;
            if (T* item = place.exchange(nullptr, std::memory_order_acquire)) {
                return std::unique_ptr<T>(item);
            }
        }
        return std::make_unique<T>();
    }
    void give_back(std::unique_ptr<T> item) {
        for (auto& place : idle_) {
            T* none = nullptr;
            if (place.compare_exchange_strong(none, item.get(), std::memory_order_release,
                                              std::memory_order_relaxed)) {
                (void)item.release();
                return;
            }
        }
    }

private:
    std::array<std::atomic<T*>, 64> idle_{};
};

}  // namespace unitvec
