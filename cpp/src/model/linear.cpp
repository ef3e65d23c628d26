#include "model/linear.hpp"

#include <algorithm>
#include <cstdint>

#include "model/bfloat16.hpp"
#include "pool.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

// Rows of one task where the work is shared by rows: the kernels' own block.
constexpr std::size_t kRowsPerTask = 192;

std::size_t ceil_div(std::size_t n, std::size_t by) {
    return (n + by - 1) / by;
}

/// Room for one panel of floats a thread, used again by one call after another.
class PanelRoom {
public:
    explicit PanelRoom(std::size_t size) : room_(idle().take()) {
        if (room_->size() < size) *room_ = AlignedVector<float>(size);
    }
    ~PanelRoom() { idle().give_back(std::move(room_)); }
    PanelRoom(const PanelRoom&) = delete;
    PanelRoom& operator=(const PanelRoom&) = delete;

    [[nodiscard]] float* data() { return room_->data(); }

private:
    static Pool<AlignedVector<float>>& idle() {
        static Pool<AlignedVector<float>> pool;
        return pool;
    }

    std::unique_ptr<AlignedVector<float>> room_;
};

}  // namespace

Linear::Linear(MatrixView<const float> weight, std::span<const float> bias, DType dtype)
    : in_(weight.cols), out_(weight.rows), kernels_(&kernels::encoder_kernels(active_isa())),
      weights_(kernels_->packed_size(weight.cols, weight.rows)), bias_(bias.begin(), bias.end()) {
    kernels_->pack_weights(weight.data, in_, out_, weights_.data());
    if (dtype == DType::bfloat16) {
        bfloat16_weights_ = to_bfloat16(weights_);
        weights_ = {};
    }
}

Matrix Linear::weight() const {
    const std::size_t panel = kernels_->panel_width;
    const auto floats = bfloat16_weights_.empty() ? weights_ : from_bfloat16(bfloat16_weights_);
    Matrix weight(out_, in_);
    for (std::size_t column = 0; column < out_; ++column) {
        const float* packed = floats.data() + column / panel * panel * in_ + column % panel;
        for (std::size_t k = 0; k < in_; ++k) weight.row(column)[k] = packed[k * panel];
    }
    return weight;
}

void Linear::operator()(const float* x, std::size_t rows, kernels::Epilogue epilogue,
                        const float* residual, float* y, std::size_t threads) const {
    threads = openmp_threads(threads);
    const bool half = !bfloat16_weights_.empty();
    const kernels::PackedLayer layer{half ? nullptr : weights_.data(),
                                     half ? bfloat16_weights_.data() : nullptr, bias_.data(), in_,
                                     out_};
    const std::size_t panels = ceil_div(out_, kernels_->panel_width);
    // Few rows are shared by columns, so that each thread reads its own part of the weights; many
    // by rows too.
    const std::size_t row_tasks = ceil_div(rows, kRowsPerTask);
    const std::size_t column_tasks = row_tasks >= threads ? 1 : std::min(threads, panels);
    const auto tasks = static_cast<std::int64_t>(row_tasks * column_tasks);
    const std::size_t panel_size = half ? kernels_->panel_width * in_ : 0;
    PanelRoom room(panel_size * threads);
    const auto work = [&](std::int64_t task, float* panel) {
        const std::size_t first_row = static_cast<std::size_t>(task) / column_tasks * kRowsPerTask;
        const std::size_t column = static_cast<std::size_t>(task) % column_tasks;
        kernels_->linear(layer,
                         {.x = x + first_row * in_,
                          .residual = residual == nullptr ? nullptr : residual + first_row * out_,
                          .y = y + first_row * out_,
                          .rows = std::min(kRowsPerTask, rows - first_row),
                          .first_panel = panels * column / column_tasks,
                          .last_panel = panels * (column + 1) / column_tasks,
                          .epilogue = epilogue,
                          .panel = panel});
    };
    // A turn a thread, so that each has a room of its own without asking for its number.
    const auto turns = static_cast<std::int64_t>(threads);
#pragma omp parallel for schedule(static) num_threads(static_cast<int>(threads)) if (threads > 1)
    for (std::int64_t turn = 0; turn < turns; ++turn) {
        float* panel = room.data() + static_cast<std::size_t>(turn) * panel_size;
        for (auto task = tasks * turn / turns; task < tasks * (turn + 1) / turns; ++task) {
            work(task, panel);
        }
    }
}

}  // namespace unitvec
