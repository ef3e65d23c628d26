#include "unitvec/model/step_times.hpp"

#include <atomic>
#include <cstdint>

namespace unitvec {
namespace {

std::atomic<bool> recording = false;
std::array<std::atomic<std::int64_t>, kSteps> nanoseconds{};

}  // namespace

std::string_view name(Step step) {
    constexpr std::array<std::string_view, kSteps> kNames{
        "embeddings",  "qkv",          "attention", "attention_output",
        "layer_norms", "intermediate", "dense",     "pooling"};
    return kNames[static_cast<std::size_t>(step)];
}

void start_step_times() {
    for (auto& time : nanoseconds) time = 0;
    recording = true;
}

StepSeconds stop_step_times() {
    recording = false;
    StepSeconds seconds{};
    for (std::size_t i = 0; i < kSteps; ++i) {
        seconds[i] = 1e-9 * static_cast<double>(nanoseconds[i].load());
    }
    return seconds;
}

StepTimer::StepTimer() : recording_(recording) {}

void StepTimer::add(Step step, std::chrono::nanoseconds time) {
    nanoseconds[static_cast<std::size_t>(step)] += time.count();
}

}  // namespace unitvec
