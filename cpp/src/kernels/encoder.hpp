#pragma once
/// The encoder's own loops, one set of functions per instruction set. Pointers and sizes only;
/// checks are the caller's. Each result depends on its own inputs alone, never on its neighbours'
/// number.
#include <cstddef>
#include <cstdint>

#include "unitvec/cpu.hpp"

namespace unitvec::kernels {

/// Floats in a vector of the widest instruction set.
constexpr std::size_t kMostLanes = 16;

/// One head of one text. Rows of q, k, v and out are `stride` and `out_stride` floats apart.
struct AttentionHead {
    const float* q;  ///< (seq_len, head_dim)
    const float* k;  ///< (seq_len, head_dim)
    const float* v;  ///< (seq_len, head_dim)
    float* out;      ///< (seq_len, head_dim)
    std::size_t stride;
    std::size_t out_stride;
    std::size_t seq_len;
    std::size_t head_dim;
    float scale;  ///< 1 / sqrt(head_dim)
    /// Entry [j - i] is added to the product of query i and key j; kMostLanes entries past the last
    /// are read too. nullptr: nothing is added.
    const float* relative_bias = nullptr;
};

/// The tables that the input embedding adds to a word's vector, and its layer norm.
struct EmbeddingTables {
    const float* position;  ///< (positions, dim)
    const float* type;      ///< (types, dim); nullptr: there are none
    const float* gamma;     ///< (dim)
    const float* beta;      ///< (dim)
    std::size_t dim;
    float eps;
};

/// What follows a linear layer's sum while it is still in the cache.
enum class Epilogue { none, gelu, gelu_tanh, relu, add };

/// A linear layer whose weights were packed for the instruction set in use.
template <typename Number>
struct PackedWeights {
    const Number* weights;
    const float* bias;  ///< (out)
    std::size_t in;
    std::size_t out;
};
using PackedLayer = PackedWeights<float>;              ///< by pack_weights()
using PackedBf16Layer = PackedWeights<std::uint16_t>;  ///< by pack_bf16()

/// Where one call of a layer works: some rows, and some of the layer's output columns.
template <typename Number>
struct LayerTask {
    const Number* x;        ///< (rows, in)
    const float* residual;  ///< (rows, out), with Epilogue::add
    float* y;               ///< (rows, out)
    std::size_t rows;
    std::size_t first_panel;  ///< columns [first_panel, last_panel) * panel_width, cut at `out`
    std::size_t last_panel;
    Epilogue epilogue;
};
using LinearTask = LayerTask<float>;
using Bf16Task = LayerTask<std::uint16_t>;  ///< x (rows, bf16_depth(in)): rows of round_bf16()

/// Layers of 8 bits: whole numbers from -63 to 63 for weights and, rotated first, for inputs, whose
/// bytes stand for what lies above 64.
constexpr float kInt8Largest = 63.0F;
constexpr std::int32_t kInt8Zero = 64;

/// Where pack_int8() puts a layer; `columns` is int8_columns(out).
struct Int8Packing {
    std::int8_t* weights;  ///< (columns * int8_depth(in))
    float* scales;         ///< (columns)
    std::int32_t* starts;  ///< (columns): -64 times the sum of the weights, where the sums begin
};

/// A linear layer of 8 bits, packed by pack_int8() of the same instruction set.
struct PackedInt8Layer {
    const std::int8_t* weights;
    const float* scales;
    const std::int32_t* starts;
    const float* bias;  ///< (columns)
    std::size_t in;
    std::size_t out;
};

/// Where one call of linear_int8() works, as LinearTask.
struct Int8Task {
    const std::uint8_t* x;  ///< (rows, int8_depth(in)): rows of quantize_row()
    const float* scales;    ///< (rows)
    const float* residual;
    float* y;
    std::size_t rows;
    std::size_t first_panel;
    std::size_t last_panel;
    Epilogue epilogue;
};

/// Steps of the depth that pack_bf16() makes of `in` inputs: a whole number of pairs.
constexpr std::size_t bf16_depth(std::size_t in) {
    return (in + 1) / 2 * 2;
}

struct EncoderKernels {
    /// Columns that linear() computes side by side; weights are packed in panels of as many.
    std::size_t panel_width;

    /// Floats that packing needs: `out` rounded up to whole panels, times `in`.
    std::size_t (*packed_size)(std::size_t in, std::size_t out);

    /// w, shape (out, in), to panels: packed[p][k][j] = w[p * panel_width + j][k], 0 past `out`.
    void (*pack_weights)(const float* w, std::size_t in, std::size_t out, float* packed);

    /// y = epilogue(x W^T + b). Every element is one sum over k = 0, 1, ... in this order, so it
    /// does not depend on which rows and panels are computed together. gelu: erf has an absolute
    /// error below 5e-7; gelu_tanh: the tanh formula of Hendrycks and Gimpel 2016; add: plus the
    /// residual.
    void (*linear)(const PackedLayer& layer, const LinearTask& task);

    /// y = R x for a row of `in` numbers, with R the orthonormal Walsh-Hadamard transform of
    /// blocks of the largest power of two up to 64 that divides `in`. R is its own inverse.
    /// @param y  (in); not x
    void (*rotate)(const float* x, std::size_t in, float* y);

    /// Columns that linear_int8() computes side by side.
    std::size_t int8_panel_width;

    /// `out` rounded up to whole panels of int8_panel_width.
    std::size_t (*int8_columns)(std::size_t out);

    /// Bytes of a row of `in` inputs: `in` rounded up to a multiple of 8.
    std::size_t (*int8_depth)(std::size_t in);

    /// w, shape (out, in), rows already rotated, to whole numbers with a scale for each column.
    void (*pack_int8)(const float* w, std::size_t in, std::size_t out, const Int8Packing& to);

    /// The rotated row in whole numbers: round((R x)[k] / scale) + 64 in an order of the kernels'
    /// own.
    /// @param room  (in): for the rotated row
    /// @returns the scale: the largest |(R x)[k]| over 63
    float (*quantize_row)(const float* x, std::size_t in, float* room, std::uint8_t* bytes);

    /// y = epilogue(x W^T + b) with sums of whole numbers, so exact in any order.
    void (*linear_int8)(const PackedInt8Layer& layer, const Int8Task& task);

    /// w, shape (out, in), to panels of pairs, rounded to the nearest bfloat16:
    /// packed[p][k / 2][j][k % 2] = w[p * panel_width + j][k], 0 past `out` and `in`.
    void (*pack_bf16)(const float* w, std::size_t in, std::size_t out, std::uint16_t* packed);

    /// linear() with the weights of pack_bf16(): what they stand for, as floats, gives the same
    /// bits.
    void (*linear_widened)(const PackedBf16Layer& layer, const LinearTask& task);

    // These two are nullptr where the instruction set does not multiply bfloat16 numbers.
    /// One row of inputs, (in), to the nearest bfloat16 (ties to even, NaN stays NaN), 0 past `in`.
    /// @param to  (bf16_depth(in))
    void (*round_bf16)(const float* x, std::size_t in, std::uint16_t* to);

    /// y = epilogue(x W^T + b). Every element is one float32 sum over k = 1, 0, 3, 2, ... in this
    /// order, each product exact and each addition rounded once; subnormal numbers count as 0.
    void (*linear_bf16)(const PackedBf16Layer& layer, const Bf16Task& task);

    /// out[i] = (x[i] - mean) / sqrt(variance + eps) * gamma[i] + beta[i], row by row; `out` may be
    /// `x`. The variance is the mean squared deviation (two passes, no cancellation).
    void (*layer_norm)(const float* x, const float* gamma, const float* beta, float eps,
                       std::size_t rows, std::size_t dim, float* out);

    /// out = LayerNorm(word + position[p] + type[t]) for one token.
    /// @param word  (dim); may be `out`
    void (*embed_token)(const EmbeddingTables& tables, const float* word, std::size_t position,
                        std::size_t type, float* out);

    /// out = softmax(scale * (q k^T + bias)) v. Each power has a relative error below 1.5e-7, plus
    /// 6e-8 for every unit of its exponent, as any exponential of a rounded argument has.
    /// @param scratch  attention_scratch(seq_len, head_dim) floats, 64-byte aligned
    void (*attention)(const AttentionHead& head, float* scratch);
    std::size_t (*attention_scratch)(std::size_t seq_len, std::size_t head_dim);

    /// y[i] = exp(x[i]), 2^x[i] for x[i] <= 0, and erf(x[i]) as the kernels compute them. For
    /// tests.
    void (*exp)(const float* x, std::size_t n, float* y);
    void (*exp2)(const float* x, std::size_t n, float* y);
    void (*erf)(const float* x, std::size_t n, float* y);

    /// acc[i] += x[8 i] w[8 i] + ... + x[8 i + 7] w[8 i + 7] for i < n, as linear_int8() adds them
    /// up (x at most 127, |w| at most 63). For tests.
    void (*dot8)(const std::uint8_t* x, const std::int8_t* w, std::size_t n, std::int32_t* acc);
};

/// @param isa  one of available_isas()
[[nodiscard]] const EncoderKernels& encoder_kernels(Isa isa);

extern const EncoderKernels kEncoderPortable;
#if defined(__x86_64__)
extern const EncoderKernels kEncoderAvx2;
extern const EncoderKernels kEncoderAvx2Vnni;  // VNNI and BF16: where the compiler knows them
extern const EncoderKernels kEncoderAvx512;
extern const EncoderKernels kEncoderAvx512Vnni;
extern const EncoderKernels kEncoderAvx512Bf16;
#endif

}  // namespace unitvec::kernels
