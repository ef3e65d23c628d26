#include "model/linear.hpp"

#include <algorithm>
#include <cstdint>

namespace unitvec {
namespace {

// Rows of one task where the work is shared by rows: the kernels' own block.
constexpr std::size_t kRowsPerTask = 192;

std::size_t ceil_div(std::size_t n, std::size_t by) {
    return (n + by - 1) / by;
}

}  // namespace

Linear::Linear(MatrixView<const float> weight, std::span<const float> bias)
    : in_(weight.cols), out_(weight.rows), kernels_(&kernels::encoder_kernels(active_isa())),
      weights_(kernels_->packed_size(weight.cols, weight.rows)), bias_(bias.begin(), bias.end()) {
    kernels_->pack_weights(weight.data, in_, out_, weights_.data());
}

void Linear::operator()(const float* x, std::size_t rows, kernels::Epilogue epilogue,
                        const float* residual, float* y, std::size_t threads) const {
    const kernels::PackedLayer layer{weights_.data(), bias_.data(), in_, out_};
    const std::size_t panels = ceil_div(out_, kernels_->panel_width);
    // Few rows are shared by columns, so that each thread reads its own part of the weights; many
    // by rows too.
    const std::size_t row_tasks = ceil_div(rows, kRowsPerTask);
    const std::size_t column_tasks = row_tasks >= threads ? 1 : std::min(threads, panels);
    const auto tasks = static_cast<std::int64_t>(row_tasks * column_tasks);
#pragma omp parallel for schedule(static) num_threads(static_cast<int>(threads)) if (threads > 1)
    for (std::int64_t task = 0; task < tasks; ++task) {
        const std::size_t first_row = static_cast<std::size_t>(task) / column_tasks * kRowsPerTask;
        const std::size_t column = static_cast<std::size_t>(task) % column_tasks;
        kernels_->linear(layer,
                         {.x = x + first_row * in_,
                          .residual = residual == nullptr ? nullptr : residual + first_row * out_,
                          .y = y + first_row * out_,
                          .rows = std::min(kRowsPerTask, rows - first_row),
                          .first_panel = panels * column / column_tasks,
                          .last_panel = panels * (column + 1) / column_tasks,
                          .epilogue = epilogue});
    }
}

}  // namespace unitvec
