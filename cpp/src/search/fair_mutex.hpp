#pragma once
/// A readers-writer lock under which a writer's turn comes.
#include <mutex>
#include <shared_mutex>

namespace unitvec {

/// As std::shared_mutex, whose implementation in glibc lets new readers in while a writer waits: a
/// steady stream of searches would keep an add waiting for ever. Here a waiting writer stops new
/// readers.
class FairMutex {
public:
    void lock() {
        const std::lock_guard turn(turn_);
        mutex_.lock();
    }
    void unlock() { mutex_.unlock(); }
    void lock_shared() {
        const std::lock_guard turn(turn_);
        mutex_.lock_shared();
    }
    void unlock_shared() { mutex_.unlock_shared(); }

private:
    std::mutex turn_;  // held while waiting for mutex_
    std::shared_mutex mutex_;
};

}  // namespace unitvec
