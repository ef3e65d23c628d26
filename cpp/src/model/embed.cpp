#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "pool.hpp"
#include "unitvec/error.hpp"
#include "unitvec/model/encoder.hpp"
#include "unitvec/model/step_times.hpp"
#include "unitvec/normalize.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

/// Texts [range.first, range.last) of `sequences` as a batch whose offsets count from 0.
class BatchOfRange {
public:
    BatchOfRange(const TokenSequences& sequences, TextRange range) {
        const std::size_t begin = sequences.offsets[range.first];
        const std::size_t end = sequences.offsets[range.last];
        for (std::size_t t = range.first; t <= range.last; ++t) {
            offsets_.push_back(sequences.offsets[t] - begin);
        }
        ids_ = std::span(sequences.input_ids).subspan(begin, end - begin);
        if (!sequences.token_type_ids.empty()) {
            types_ = std::span(sequences.token_type_ids).subspan(begin, end - begin);
        }
    }
    [[nodiscard]] Batch view() const { return {ids_, types_, offsets_}; }

private:
    std::vector<std::size_t> offsets_;
    std::span<const std::int32_t> ids_, types_;
};

/// Memory for token vectors that one batch after another uses: fresh memory costs a page fault for
/// every 4 KB.
class Buffer {
public:
    MatrixView<float> first_rows(std::size_t rows, std::size_t cols) {
        if (data_.size() < rows * cols) data_ = AlignedVector<float>(rows * cols);
        return {data_.data(), rows, cols};
    }

private:
    AlignedVector<float> data_;
};

/// Lets what the caller is told, which may throw, stop the other threads too.
class Watch {
public:
    /// Calls `tell` on the caller's thread; on others stops where the caller's was stopped.
    template <typename Tell>
    void operator()(const Tell& tell) {
        if (stopped_) throw Interrupted();
        if (std::this_thread::get_id() != caller_) return;
        try {
            tell();
        } catch (...) {
            reason_ = std::current_exception();
            stopped_ = true;
            throw;
        }
    }

    /// Throws what stopped the caller, if anything did.
    void rethrow() const {
        if (reason_) std::rethrow_exception(reason_);
    }

private:
    std::thread::id caller_ = std::this_thread::get_id();
    std::atomic<bool> stopped_ = false;
    std::exception_ptr reason_;
};

}  // namespace

Matrix Encoder::token_embeddings(const Batch& batch, std::size_t threads) const {
    Matrix out(batch.tokens(), dim());
    token_embeddings(batch, threads, out.view(), [] {});
    return out;
}

void for_each_batch(
    const Encoder& encoder, const TokenSequences& sequences, const EmbedOptions& options,
    const std::function<void(TextRange, const Batch&, MatrixView<const float>)>& visit) {
    const std::size_t batch_tokens =
        options.batch_tokens == 0 ? encoder.preferred_batch_tokens() : options.batch_tokens;
    const std::size_t threads = options.threads == 0 ? default_threads() : options.threads;
    const auto ranges = plan_batches(sequences.offsets, batch_tokens);
    // With a batch for every thread, each works through its own: nobody waits for anybody. With
    // fewer, the threads share the work inside a batch. The vectors are the same bits either way.
    const bool own_batches = ranges.size() >= threads;
    Watch watch;
    const auto between_layers = [&] {
        watch([&] {
            if (options.between_layers) options.between_layers();
        });
    };
    std::atomic<std::size_t> texts_done = 0;
    Pool<Buffer> buffers;
    const auto encode_range = [&](std::size_t i, std::size_t) {
        const BatchOfRange batch(sequences, ranges[i]);
        auto vectors = buffers.take();
        const auto view = vectors->first_rows(batch.view().tokens(), encoder.dim());
        encoder.token_embeddings(batch.view(), own_batches ? 1 : threads, view, between_layers);
        visit(ranges[i], batch.view(), view);
        buffers.give_back(std::move(vectors));
        const std::size_t texts = ranges[i].last - ranges[i].first;
        const std::size_t done = texts_done.fetch_add(texts) + texts;
        watch([&] {
            if (options.on_progress) options.on_progress(done);
        });
    };
    try {
        parallel_for(ranges.size(), 1, own_batches ? threads : 1, encode_range);
    } catch (const Interrupted&) {
        watch.rethrow();
        throw;
    }
    if (options.on_progress && !ranges.empty()) options.on_progress(sequences.texts());
}

Matrix embed(const Encoder& encoder, const TokenSequences& sequences, const EmbedOptions& options) {
    Matrix out(sequences.texts(), encoder.dim() * options.pooling.modes.size());
    for_each_batch(encoder, sequences, options,
                   [&](TextRange range, const Batch& batch, MatrixView<const float> tokens) {
                       const auto rows = out.view().middle_rows(range.first, batch.texts());
                       StepTimer()(Step::pooling, [&] {
                           pool(tokens, batch.offsets, options.pooling, rows);
                           if (options.normalize) l2_normalize(rows, rows);
                       });
                   });
    return out;
}

Matrix embed_tokens(const Encoder& encoder, const TokenSequences& sequences,
                    const EmbedOptions& options) {
    Matrix out(sequences.input_ids.size(), encoder.dim());
    for_each_batch(encoder, sequences, options,
                   [&](TextRange range, const Batch&, MatrixView<const float> tokens) {
                       std::copy_n(tokens.data, tokens.size(),
                                   out.row(sequences.offsets[range.first]).data());
                   });
    return out;
}

}  // namespace unitvec
