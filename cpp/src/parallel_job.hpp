#pragma once
/// One loop's tasks, handed out to threads that come and go.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "unitvec/parallel.hpp"

namespace unitvec {

/// A job serves one loop after another and is never freed, so a late thread may look at it at any
/// time. All that such a thread may act upon is in one word, which a new loop changes:
///
///   state = loop's number (32 bits) | seats left (12) | pieces left to begin (20)
///
/// Only after beginning a piece, which the loop then waits for, does a thread read the rest.
class ParallelJob {
public:
    static constexpr std::size_t kMostThreads = (std::size_t{1} << 12) - 1;

    /// What a thread holds that has begun a piece.
    struct Share {
        std::size_t worker;
        std::uint64_t state;  // just after the piece was begun
    };

    /// Offers `count` tasks, at least 1, to `threads` threads, the caller among them. A piece is
    /// one task, or several where there are more than the state can count.
    void open(std::size_t count, std::size_t threads, const void* body, LoopTask run) {
        body_ = body;
        run_ = run;
        count_ = count;
        threads_ = threads;
        piece_ = (count + kPieces - 1) / kPieces;
        pieces_ = (count + piece_ - 1) / piece_;
        unfinished_.store(static_cast<std::uint32_t>(pieces_), std::memory_order_relaxed);
        const std::uint64_t number = (state_.load(std::memory_order_relaxed) >> 32) + 1;
        state_.store(number << 32 | (threads - 1) << 20 | pieces_, std::memory_order_release);
    }

    /// The caller's share: nothing if others have begun every piece already.
    std::optional<Share> begin() { return begin(0); }

    /// A helper's share: nothing if there is no seat or no piece left.
    std::optional<Share> join() { return begin(kSeat); }

    /// Runs the share's piece, then others until none is left to begin.
    void work(Share share) {
        if (share.worker == kUnknown) share.worker = threads_ - 1 - seats(share.state);
        const std::uint64_t number = share.state >> 32;
        do {
            run_piece(pieces_ - 1 - left(share.state), share.worker);
            finish_piece();
        } while (begin_next(number, share.state));
    }

    [[nodiscard]] bool all_begun() const {
        return left(state_.load(std::memory_order_relaxed)) == 0;
    }
    [[nodiscard]] bool finished() const {
        return (unfinished_.load(std::memory_order_acquire) & ~kCallerSleeps) == 0;
    }

    /// Returns when every piece has been finished.
    void wait() {
        auto now = unfinished_.fetch_or(kCallerSleeps, std::memory_order_acquire) | kCallerSleeps;
        while (now != kCallerSleeps) {
            unfinished_.wait(now, std::memory_order_acquire);
            now = unfinished_.load(std::memory_order_acquire);
        }
    }

    /// For a child of a fork, where nobody works any more.
    void abandon() { state_.store(state_.load() >> 32 << 32); }

private:
    static constexpr std::uint64_t kSeat = std::uint64_t{1} << 20;
    static constexpr std::size_t kPieces = kSeat - 1;
    static constexpr std::uint32_t kCallerSleeps = std::uint32_t{1} << 31;
    static constexpr std::size_t kUnknown = ~std::size_t{0};

    static std::size_t left(std::uint64_t state) { return state & (kSeat - 1); }
    static std::size_t seats(std::uint64_t state) { return state >> 20 & kMostThreads; }

    /// Begins a piece and takes `seat`: kSeat, or 0 for the caller, whose seat is its own.
    std::optional<Share> begin(std::uint64_t seat) {
        auto state = state_.load(std::memory_order_acquire);
        do {
            if (left(state) == 0 || seats(state) * kSeat < seat) return std::nullopt;
        } while (!state_.compare_exchange_weak(state, state - seat - 1, std::memory_order_acq_rel,
                                               std::memory_order_acquire));
        return Share{seat == 0 ? 0 : kUnknown, state - seat - 1};
    }

    bool begin_next(std::uint64_t number, std::uint64_t& state) {
        state = state_.load(std::memory_order_acquire);
        do {
            if (left(state) == 0 || state >> 32 != number) return false;
        } while (!state_.compare_exchange_weak(state, state - 1, std::memory_order_acq_rel,
                                               std::memory_order_acquire));
        --state;
        return true;
    }

    void run_piece(std::size_t piece, std::size_t worker) const {
        const std::size_t end = std::min((piece + 1) * piece_, count_);
        for (std::size_t task = piece * piece_; task < end; ++task) run_(body_, task, worker);
    }

    void finish_piece() {
        const auto before = unfinished_.fetch_sub(1, std::memory_order_acq_rel);
        if (before == (kCallerSleeps | 1)) unfinished_.notify_one();
    }

    alignas(64) std::atomic<std::uint64_t> state_ = 0;
    std::atomic<std::uint32_t> unfinished_ = 0;
    const void* body_ = nullptr;
    LoopTask run_ = nullptr;
    std::size_t count_ = 0;
    std::size_t threads_ = 0;
    std::size_t piece_ = 0;
    std::size_t pieces_ = 0;
};

}  // namespace unitvec
