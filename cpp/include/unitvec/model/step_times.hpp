#pragma once
/// Where the time of a forward pass goes. Recording is for benchmarks: one switch for the process,
/// off at first; while it is off a step costs one comparison more.
#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace unitvec {

/// The steps from token ids to text vectors.
enum class Step {
    embeddings,
    qkv,
    attention,
    attention_output,  ///< the linear layer behind attention, with the residual
    layer_norms,       ///< those of the layers; that of the embeddings is in `embeddings`
    intermediate,      ///< the first feed-forward layer, with its activation
    dense,             ///< the second one, with the residual
    pooling,           ///< and scaling to length 1
};
inline constexpr std::size_t kSteps = 8;

[[nodiscard]] std::string_view name(Step step);

/// Seconds, by step.
using StepSeconds = std::array<double, kSteps>;

/// Sets all times to 0 and records from now on: every pass of the process that begins after this,
/// on any thread. Threads that work through batches of their own add up, so that the sum may
/// exceed the time that has passed.
void start_step_times();

/// Ends recording; passes under way may add to the times until they end.
/// @return what was recorded since start_step_times()
StepSeconds stop_step_times();

/// What a pass calls its steps through.
class StepTimer {
public:
    StepTimer();  ///< records if the process does

    /// Calls `work`, and adds how long it took to the step's time.
    template <typename Work>
    void operator()(Step step, const Work& work) const {
        if (!recording_) return work();
        const auto start = std::chrono::steady_clock::now();
        work();
        add(step, std::chrono::steady_clock::now() - start);
    }

private:
    static void add(Step step, std::chrono::nanoseconds time);

    bool recording_;
};

}  // namespace unitvec
