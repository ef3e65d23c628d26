#pragma once
/// Things that are costly to make and used by one thread at a time.
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace unitvec {

/// Those that nobody is using at the moment. Safe from many threads.
template <typename T>
class Pool {
public:
    std::unique_ptr<T> take() {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return std::make_unique<T>();
        auto item = std::move(idle_.back());
        idle_.pop_back();
        return item;
    }
    void give_back(std::unique_ptr<T> item) {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(item));
    }

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<T>> idle_;
};

}  // namespace unitvec
