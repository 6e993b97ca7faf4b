// Product: one shape of matrix product, with the algorithm that cuBLASLt's heuristics prefer.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <diffsiam/backend/cuda/alignment.hpp>
#include <diffsiam/backend/cuda/check.hpp>
#include <diffsiam/backend/cuda/math.hpp>
#include <diffsiam/backend/cuda/owned.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::backend::cuda {

/// A matrix whose elements have any type.
struct TypedMatrix {
  void* data = nullptr;  ///< only read if the matrix is an operand
  Element element = Element::float32;
  Index leading = 0;
  bool transposed = false;
  Index stride = 0;  ///< from one matrix of the batch to the next

  /// The largest power of two, at most 256, that divides the addresses of all members of a batch.
  [[nodiscard]] Index alignment(Index batch) const {
    constexpr std::uintptr_t most = 256;
    std::uintptr_t const step = static_cast<std::uintptr_t>(stride) * bytes_of(element);
    return alignment_of({data}, batch > 1 ? most | step : most);
  }
};

/// A Gemm with one batch extent. Sums and alpha are float32. With a bias of n values, aligned to 16 bytes, it
/// computes C = alpha A B + bias in one kernel; C must then be float32, without accumulation and batch. With
/// `accumulate` the product is added to C, or to `added`, which is like C and aligned like C, if that is not
/// null.
struct TypedGemm {
  Index m = 0, n = 0, k = 0;
  TypedMatrix a, b, c;
  float alpha = 1;
  bool accumulate = false;
  Index batch = 1;
  float const* bias = nullptr;
  void const* added = nullptr;
};

/// A member of the outer batch extent as a TypedMatrix, whose batch is the inner extent.
template <class T>
[[nodiscard]] TypedMatrix typed(MatrixView<T> const& m, Index outer = 0) {
  T* const data = m.data == nullptr ? nullptr : m.data + outer * m.outer_stride;
  return {const_cast<std::remove_const_t<T>*>(data), element_of<std::remove_const_t<T>>, m.leading,
          m.transposed, m.inner_stride};
}
[[nodiscard]] inline TypedGemm typed(Gemm<float> const& g) {
  return {g.m, g.n, g.k, typed(g.a), typed(g.b), typed(g.c), g.alpha, g.accumulate, g.batch_inner};
}

/// The same products with as large an inner batch extent as one call can have, which crosses it with one
/// stride: both extents, or the larger of them. Heads of attention, within samples, cannot be joined, and
/// there are fewer heads than samples.
[[nodiscard]] inline Gemm<float> with_longest_batch_inside(Gemm<float> g) {
  auto const each = [&g](auto const& f) { return f(g.a) && f(g.b) && f(g.c); };
  auto const is_dense = [&g](auto const& m) { return m.outer_stride == m.inner_stride * g.batch_inner; };
  auto const turn = [](auto& m) {
    std::swap(m.outer_stride, m.inner_stride);
    return true;
  };
  if (each(is_dense)) {
    g.batch_inner *= std::exchange(g.batch_outer, 1);
  } else if (g.batch_outer > g.batch_inner) {
    std::swap(g.batch_outer, g.batch_inner);
    each(turn);
  }
  return g;
}

/// Everything on which the choice of an algorithm depends.
using ProductKey = std::array<Index, 21>;

[[nodiscard]] inline ProductKey key_of(TypedGemm const& g, Math math) {
  return {static_cast<Index>(g.a.element),
          static_cast<Index>(g.b.element),
          static_cast<Index>(g.c.element),
          g.m,
          g.n,
          g.k,
          g.a.leading,
          g.b.leading,
          g.c.leading,
          g.a.transposed ? 1 : 0,
          g.b.transposed ? 1 : 0,
          g.accumulate ? 1 : 0,
          g.batch,
          g.batch > 1 ? g.a.stride : 0,
          g.batch > 1 ? g.b.stride : 0,
          g.batch > 1 ? g.c.stride : 0,
          g.a.alignment(g.batch),
          g.b.alignment(g.batch),
          g.c.alignment(g.batch),
          static_cast<Index>(math),
          g.bias != nullptr ? 1 : 0};
}

class Product {
 public:
  /// The most bytes of workspace of an algorithm.
  static constexpr std::size_t most_workspace = std::size_t{1} << 25;

  /// Asks cuBLASLt for an algorithm; see exists().
  Product(cublasLtHandle_t blas, TypedGemm const& g, Math math) {
    cublasComputeType_t const compute = math == Math::tf32 && g.a.element == Element::float32
                                            ? CUBLAS_COMPUTE_32F_FAST_TF32
                                            : CUBLAS_COMPUTE_32F;
    cublasLtMatmulDesc_t description = nullptr;
    check(cublasLtMatmulDescCreate(&description, compute, CUDA_R_32F), "gemm");
    description_.reset(description);
    // cuBLAS is column-major and reads C = A B as C^T = B^T A^T, so its first operand is our second.
    set(CUBLASLT_MATMUL_DESC_TRANSA, operation(g.b.transposed));
    set(CUBLASLT_MATMUL_DESC_TRANSB, operation(g.a.transposed));
    if (g.bias != nullptr) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
      set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_32F);
      set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, g.bias);
    }
    b_ = layout(g.b.transposed ? g.k : g.n, g.b.transposed ? g.n : g.k, g.b, g.batch);
    a_ = layout(g.a.transposed ? g.m : g.k, g.a.transposed ? g.k : g.m, g.a, g.batch);
    c_ = layout(g.n, g.m, g.c, g.batch);
    choose(blas, g);
  }

  /// False if cuBLASLt has no algorithm for this shape.
  [[nodiscard]] bool exists() const { return exists_; }
  [[nodiscard]] std::size_t workspace() const { return workspace_; }
  void run(cublasLtHandle_t blas, cudaStream_t stream, TypedGemm const& g, void* workspace) const {
    if (g.bias != nullptr) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, g.bias);
    float const beta = g.accumulate ? 1.0F : 0.0F;
    check(cublasLtMatmul(blas, description_.get(), &g.alpha, g.b.data, b_.get(), g.a.data, a_.get(), &beta,
                         g.added != nullptr ? g.added : g.c.data, c_.get(), g.c.data, c_.get(), &algorithm_,
                         workspace, workspace_, stream),
          "gemm");
  }

 private:
  using Description = Owned<cublasLtMatmulDesc_t, &cublasLtMatmulDescDestroy>;
  using Layout = Owned<cublasLtMatrixLayout_t, &cublasLtMatrixLayoutDestroy>;
  using Preference = Owned<cublasLtMatmulPreference_t, &cublasLtMatmulPreferenceDestroy>;

  [[nodiscard]] static cublasOperation_t operation(bool transposed) {
    return transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
  }
  template <class V>
  void set(cublasLtMatmulDescAttributes_t attribute, V const& value) const {
    check(cublasLtMatmulDescSetAttribute(description_.get(), attribute, &value, sizeof(value)), "gemm");
  }
  [[nodiscard]] static constexpr cudaDataType_t data_type(Element element) {
    switch (element) {
      case Element::bfloat16:
        return CUDA_R_16BF;
      case Element::float16:
        return CUDA_R_16F;
      default:
        return CUDA_R_32F;
    }
  }
  [[nodiscard]] static Layout layout(Index rows, Index columns, TypedMatrix const& matrix, Index batch) {
    cublasLtMatrixLayout_t made = nullptr;
    check(cublasLtMatrixLayoutCreate(&made, data_type(matrix.element), static_cast<std::uint64_t>(rows),
                                     static_cast<std::uint64_t>(columns), matrix.leading),
          "gemm");
    Layout result{made};
    auto const count = static_cast<std::int32_t>(batch);
    std::int64_t const stride = matrix.stride;
    check(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof(count)),
          "gemm");
    check(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride,
                                           sizeof(stride)),
          "gemm");
    return result;
  }
  void choose(cublasLtHandle_t blas, TypedGemm const& g) {
    Preference const preference = make_handle<Preference, &cublasLtMatmulPreferenceCreate>("gemm");
    auto const set_preference = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
      check(cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof(value)), "gemm");
    };
    auto const aligned = [&](TypedMatrix const& matrix) {
      return static_cast<std::uint32_t>(matrix.alignment(g.batch));
    };
    set_preference(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{most_workspace});
    set_preference(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, aligned(g.b));
    set_preference(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, aligned(g.a));
    set_preference(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, aligned(g.c));
    set_preference(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, aligned(g.c));
    // Partial sums are added in float32, not in the type of the output.
    if (g.c.element != Element::float32)
      set_preference(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                     static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    cublasLtMatmulHeuristicResult_t best{};
    int found = 0;
    cublasStatus_t const status = cublasLtMatmulAlgoGetHeuristic(
        blas, description_.get(), b_.get(), a_.get(), c_.get(), c_.get(), preference.get(), 1, &best, &found);
    // It is not documented which of the two statuses a refused epilogue gives. Without one, an invalid value
    // is our mistake.
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || (g.bias != nullptr && status == CUBLAS_STATUS_INVALID_VALUE))
      return;
    check(status, "gemm");
    exists_ = found > 0;
    algorithm_ = best.algo;
    workspace_ = best.workspaceSize;
  }

  Description description_;
  Layout a_, b_, c_;
  bool exists_ = false;
  cublasLtMatmulAlgo_t algorithm_{};
  std::size_t workspace_ = 0;
};

}  // namespace diffsiam::backend::cuda
