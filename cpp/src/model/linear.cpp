#include "model/linear.hpp"

#include <algorithm>
#include <cstdint>

#include "model/bfloat16.hpp"
#include "pool.hpp"
#include "unitvec/error.hpp"
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
      bias_(bias.begin(), bias.end()) {
    if (dtype == DType::int8) {
        int8_weights_.emplace(*kernels_, weight, bias);
        return;
    }
    if (dtype == DType::bfloat16 && kernels_->linear_bf16 != nullptr) {
        bf16_weights_.emplace(*kernels_, weight);
        return;
    }
    weights_ = AlignedVector<float>(kernels_->packed_size(in_, out_));
    kernels_->pack_weights(weight.data, in_, out_, weights_.data());
    if (dtype == DType::bfloat16) {
        bfloat16_weights_ = to_bfloat16(weights_);
        weights_ = {};
    }
}

Matrix Linear::weight() const {
    if (int8_weights_) throw_invalid("weight", "a layer of float32 or bfloat16", "one of int8");
    if (bf16_weights_) return bf16_weights_->weight();
    const std::size_t panel = kernels_->panel_width;
    const auto floats = bfloat16_weights_.empty() ? weights_ : from_bfloat16(bfloat16_weights_);
    Matrix weight(out_, in_);
    for (std::size_t column = 0; column < out_; ++column) {
        const float* packed = floats.data() + column / panel * panel * in_ + column % panel;
        for (std::size_t k = 0; k < in_; ++k) weight.row(column)[k] = packed[k * panel];
    }
    return weight;
}

/// How the work of one call is shared by threads.
struct Linear::Tasks {
    std::size_t rows;
    std::size_t panels;
    std::size_t column_tasks;
    std::int64_t count;

    Tasks(std::size_t all_rows, std::size_t all_panels, std::size_t threads)
        : rows(all_rows), panels(all_panels) {
        // Few rows are shared by columns, so that each thread reads its own part of the weights;
        // many by rows too.
        const std::size_t row_tasks = ceil_div(rows, kRowsPerTask);
        column_tasks = row_tasks >= threads ? 1 : std::min(threads, panels);
        count = static_cast<std::int64_t>(row_tasks * column_tasks);
    }

    [[nodiscard]] std::size_t first_row(std::int64_t task) const {
        return static_cast<std::size_t>(task) / column_tasks * kRowsPerTask;
    }
    [[nodiscard]] std::size_t row_count(std::int64_t task) const {
        return std::min(kRowsPerTask, rows - first_row(task));
    }
    /// `last` 0: the first panel of a task; 1: the one behind its last.
    [[nodiscard]] std::size_t panel(std::int64_t task, std::size_t last) const {
        return panels * (static_cast<std::size_t>(task) % column_tasks + last) / column_tasks;
    }
};

void Linear::operator()(const float* x, std::size_t rows, kernels::Epilogue epilogue,
                        const float* residual, float* y, std::size_t threads) const {
    threads = openmp_threads(threads);
    if (int8_weights_) {
        const Tasks tasks(rows, ceil_div(out_, kernels_->int8_panel_width), threads);
        run_int8(x, tasks, epilogue, residual, y, threads);
    } else {
        const Tasks tasks(rows, ceil_div(out_, kernels_->panel_width), threads);
        if (bf16_weights_) return run_bf16(x, tasks, epilogue, residual, y, threads);
        run(x, tasks, epilogue, residual, y, threads);
    }
}

void Linear::run(const float* x, const Tasks& tasks, kernels::Epilogue epilogue,
                 const float* residual, float* y, std::size_t threads) const {
    const bool half = !bfloat16_weights_.empty();
    const kernels::PackedLayer layer{half ? nullptr : weights_.data(),
                                     half ? bfloat16_weights_.data() : nullptr, bias_.data(), in_,
                                     out_};
    const std::size_t panel_size = half ? kernels_->panel_width * in_ : 0;
    PanelRoom room(panel_size * threads);
    const auto work = [&](std::int64_t task, float* panel) {
        const std::size_t first = tasks.first_row(task);
        kernels_->linear(layer,
                         {.x = x + first * in_,
                          .residual = residual == nullptr ? nullptr : residual + first * out_,
                          .y = y + first * out_,
                          .rows = tasks.row_count(task),
                          .first_panel = tasks.panel(task, 0),
                          .last_panel = tasks.panel(task, 1),
                          .epilogue = epilogue,
                          .panel = panel});
    };
    // A turn a thread, so that each has a room of its own without asking for its number.
    const auto turns = static_cast<std::int64_t>(threads);
#pragma omp parallel for schedule(static) num_threads(static_cast<int>(threads)) if (threads > 1)
    for (std::int64_t turn = 0; turn < turns; ++turn) {
        float* panel = room.data() + static_cast<std::size_t>(turn) * panel_size;
        const auto last = tasks.count * (turn + 1) / turns;
        for (auto task = tasks.count * turn / turns; task < last; ++task) work(task, panel);
    }
}

void Linear::run_int8(const float* x, const Tasks& tasks, kernels::Epilogue epilogue,
                      const float* residual, float* y, std::size_t threads) const {
    const auto layer = int8_weights_->view();
    const Int8Inputs inputs(*kernels_, x, tasks.rows, in_, threads);
#pragma omp parallel for schedule(static) num_threads(static_cast<int>(threads)) if (threads > 1)
    for (std::int64_t task = 0; task < tasks.count; ++task) {
        const std::size_t first = tasks.first_row(task);
        kernels_->linear_int8(layer,
                              {.x = inputs.row(first),
                               .scales = inputs.scales(first),
                               .residual = residual == nullptr ? nullptr : residual + first * out_,
                               .y = y + first * out_,
                               .rows = tasks.row_count(task),
                               .first_panel = tasks.panel(task, 0),
                               .last_panel = tasks.panel(task, 1),
                               .epilogue = epilogue});
    }
}

void Linear::run_bf16(const float* x, const Tasks& tasks, kernels::Epilogue epilogue,
                      const float* residual, float* y, std::size_t threads) const {
    const auto layer = bf16_weights_->view(bias_);
    const Bf16Inputs inputs(*kernels_, x, tasks.rows, in_, threads);
#pragma omp parallel for schedule(static) num_threads(static_cast<int>(threads)) if (threads > 1)
    for (std::int64_t task = 0; task < tasks.count; ++task) {
        const std::size_t first = tasks.first_row(task);
        kernels_->linear_bf16(layer,
                              {.x = inputs.row(first),
                               .residual = residual == nullptr ? nullptr : residual + first * out_,
                               .y = y + first * out_,
                               .rows = tasks.row_count(task),
                               .first_panel = tasks.panel(task, 0),
                               .last_panel = tasks.panel(task, 1),
                               .epilogue = epilogue});
    }
}

}  // namespace unitvec
