#include "model/linear.hpp"

#include <algorithm>
#include <cstdint>

#include "unitvec/error.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

// Rows of one task: the kernels' own block.
constexpr std::size_t kRowsPerTask = 192;

// Tasks for each thread, so that one that comes late or is held up leaves little for the others to
// wait for; but none of fewer multiplications than this, some 5 us of work.
constexpr std::size_t kTasksPerThread = 4;
constexpr std::size_t kLeastWork = std::size_t{1} << 18;

std::size_t ceil_div(std::size_t n, std::size_t by) {
    return (n + by - 1) / by;
}

}  // namespace

/// What a layer is asked for.
struct Linear::Call {
    const float* x;
    std::size_t rows;
    kernels::Epilogue epilogue;
    const float* residual;
    float* y;
    std::size_t threads;

    /// One kernel's task, filled in but for its inputs: some rows, and some panels of columns.
    template <typename Task>
    [[nodiscard]] Task task(std::size_t first_row, std::size_t out) const {
        Task task{};
        task.residual = residual == nullptr ? nullptr : residual + first_row * out;
        task.y = y + first_row * out;
        task.rows = std::min(kRowsPerTask, rows - first_row);
        task.epilogue = epilogue;
        return task;
    }
};

/// Calls run(task, first row) for parts of the work, which threads share.
/// @param width  columns of a panel
template <typename Task, typename Run>
void Linear::share(const Call& call, std::size_t width, const Run& run) const {
    const std::size_t panels = ceil_div(out_, width);
    // Few rows are shared by columns, so that no two threads read the same weights; many by rows
    // too.
    const std::size_t row_tasks = ceil_div(call.rows, kRowsPerTask);
    const std::size_t most_tasks =
        std::min(call.threads * kTasksPerThread, call.rows * in_ * out_ / kLeastWork);
    const std::size_t column_tasks =
        call.threads == 1
            ? 1
            : std::clamp<std::size_t>(most_tasks / std::max<std::size_t>(row_tasks, 1), 1, panels);
    parallel_for(row_tasks * column_tasks, call.threads, [&](std::size_t i, std::size_t) {
        const std::size_t first_row = i / column_tasks * kRowsPerTask;
        const std::size_t column = i % column_tasks;
        auto task = call.task<Task>(first_row, out_);
        task.first_panel = panels * column / column_tasks;
        task.last_panel = panels * (column + 1) / column_tasks;
        run(task, first_row);
    });
}

Linear::Linear(MatrixView<const float> weight, std::span<const float> bias, DType dtype)
    : in_(weight.cols), out_(weight.rows), kernels_(&kernels::encoder_kernels(active_isa())),
      bias_(bias.begin(), bias.end()) {
    if (dtype == DType::int8) {
        int8_weights_.emplace(*kernels_, weight, bias);
        return;
    }
    if (dtype == DType::bfloat16) {
        bf16_weights_.emplace(*kernels_, weight);
        return;
    }
    weights_ = AlignedVector<float>(kernels_->packed_size(in_, out_));
    kernels_->pack_weights(weight.data, in_, out_, weights_.data());
}

Matrix Linear::weight() const {
    if (int8_weights_) throw_invalid("weight", "a layer of float32 or bfloat16", "one of int8");
    if (bf16_weights_) return bf16_weights_->weight();
    const std::size_t panel = kernels_->panel_width;
    Matrix weight(out_, in_);
    for (std::size_t column = 0; column < out_; ++column) {
        const float* packed = weights_.data() + column / panel * panel * in_ + column % panel;
        for (std::size_t k = 0; k < in_; ++k) weight.row(column)[k] = packed[k * panel];
    }
    return weight;
}

template <typename Layer, typename Kernel>
void Linear::run_floats(const Call& call, const Layer& layer, Kernel kernel) const {
    share<kernels::LinearTask>(call, kernels_->panel_width,
                               [&](kernels::LinearTask& task, std::size_t row) {
                                   task.x = call.x + row * in_;
                                   kernel(layer, task);
                               });
}

void Linear::operator()(const float* x, std::size_t rows, kernels::Epilogue epilogue,
                        const float* residual, float* y, std::size_t threads) const {
    const Call call{x, rows, epilogue, residual, y, threads_or_default(threads)};
    if (int8_weights_) {
        run_int8(call);
    } else if (bf16_weights_ && kernels_->linear_bf16 != nullptr) {
        run_bf16(call);
    } else if (bf16_weights_) {
        run_floats(call, bf16_weights_->view(bias_), kernels_->linear_widened);
    } else {
        const kernels::PackedLayer layer{weights_.data(), bias_.data(), in_, out_};
        run_floats(call, layer, kernels_->linear);
    }
}

void Linear::run_int8(const Call& call) const {
    const auto layer = int8_weights_->view();
    const Int8Inputs inputs(*kernels_, call.x, call.rows, in_, call.threads);
    share<kernels::Int8Task>(call, kernels_->int8_panel_width,
                             [&](kernels::Int8Task& task, std::size_t row) {
                                 task.x = inputs.row(row);
                                 task.scales = inputs.scales(row);
                                 kernels_->linear_int8(layer, task);
                             });
}

void Linear::run_bf16(const Call& call) const {
    const auto layer = bf16_weights_->view(bias_);
    const Bf16Inputs inputs(*kernels_, call.x, call.rows, in_, call.threads);
    share<kernels::Bf16Task>(call, kernels_->panel_width,
                             [&](kernels::Bf16Task& task, std::size_t row) {
                                 task.x = inputs.row(row);
                                 kernels_->linear_bf16(layer, task);
                             });
}

}  // namespace unitvec
