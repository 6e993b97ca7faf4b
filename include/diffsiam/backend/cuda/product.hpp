// Product: one shape of matrix product, with the algorithm that cuBLASLt thinks best for it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <diffsiam/backend/cuda/check.hpp>
#include <diffsiam/backend/cuda/math.hpp>
#include <diffsiam/backend/cuda/owned.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::backend::cuda {

/// All that an algorithm depends on.
using ProductKey = std::array<Index, 17>;

/// The largest power of two, up to 256, that divides the addresses of all members of a batch.
[[nodiscard]] inline Index alignment_of(MatrixView<float const> const& matrix, Index batch) {
  std::uintptr_t bits = reinterpret_cast<std::uintptr_t>(matrix.data) | 256U;
  if (batch > 1) bits |= static_cast<std::uintptr_t>(matrix.inner_stride) * sizeof(float);
  return static_cast<Index>(bits & (~bits + 1));
}

[[nodiscard]] inline MatrixView<float const> read_only(MatrixView<float> const& m) {
  return {m.data, m.pitch, m.transposed, m.outer_stride, m.inner_stride};
}

/// The key of a product with one batch extent, `batch_inner`.
[[nodiscard]] inline ProductKey key_of(Gemm<float> const& g, Math math) {
  MatrixView<float const> const c = read_only(g.c);
  Index const batch = g.batch_inner;
  return {g.m,
          g.n,
          g.k,
          g.a.pitch,
          g.b.pitch,
          g.c.pitch,
          g.a.transposed ? 1 : 0,
          g.b.transposed ? 1 : 0,
          g.accumulate ? 1 : 0,
          batch,
          batch > 1 ? g.a.inner_stride : 0,
          batch > 1 ? g.b.inner_stride : 0,
          batch > 1 ? g.c.inner_stride : 0,
          alignment_of(g.a, batch),
          alignment_of(g.b, batch),
          alignment_of(c, batch),
          static_cast<Index>(math)};
}

class Product {
 public:
  /// Bytes that an algorithm may use beside its operands.
  static constexpr std::size_t most_workspace = std::size_t{1} << 25;

  /// Throws DeviceError if cuBLASLt has nothing for this shape.
  Product(cublasLtHandle_t blas, Gemm<float> const& g, Math math) {
    cublasComputeType_t const compute =
        math == Math::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    cublasLtMatmulDesc_t description = nullptr;
    check(cublasLtMatmulDescCreate(&description, compute, CUDA_R_32F), "gemm");
    description_.reset(description);
    // cuBLAS counts columns first, where C = A B reads C^T = B^T A^T: its first operand is our second.
    set(CUBLASLT_MATMUL_DESC_TRANSA, operation(g.b.transposed));
    set(CUBLASLT_MATMUL_DESC_TRANSB, operation(g.a.transposed));
    b_ = layout(g.b.transposed ? g.k : g.n, g.b.transposed ? g.n : g.k, g.b, g.batch_inner);
    a_ = layout(g.a.transposed ? g.m : g.k, g.a.transposed ? g.k : g.m, g.a, g.batch_inner);
    c_ = layout(g.n, g.m, read_only(g.c), g.batch_inner);
    choose(blas, g);
  }

  [[nodiscard]] std::size_t workspace() const { return workspace_; }
  void run(cublasLtHandle_t blas, cudaStream_t stream, Gemm<float> const& g, void* workspace) const {
    float const beta = g.accumulate ? 1.0F : 0.0F;
    check(cublasLtMatmul(blas, description_.get(), &g.alpha, g.b.data, b_.get(), g.a.data, a_.get(), &beta,
                         g.c.data, c_.get(), g.c.data, c_.get(), &algorithm_, workspace, workspace_, stream),
          "gemm");
  }

 private:
  using Description = Owned<cublasLtMatmulDesc_t, &cublasLtMatmulDescDestroy>;
  using Layout = Owned<cublasLtMatrixLayout_t, &cublasLtMatrixLayoutDestroy>;
  using Preference = Owned<cublasLtMatmulPreference_t, &cublasLtMatmulPreferenceDestroy>;

  [[nodiscard]] static cublasOperation_t operation(bool transposed) {
    return transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
  }
  void set(cublasLtMatmulDescAttributes_t attribute, cublasOperation_t value) {
    check(cublasLtMatmulDescSetAttribute(description_.get(), attribute, &value, sizeof(value)), "gemm");
  }
  [[nodiscard]] static Layout layout(Index rows, Index columns, MatrixView<float const> const& matrix,
                                     Index batch) {
    cublasLtMatrixLayout_t made = nullptr;
    check(cublasLtMatrixLayoutCreate(&made, CUDA_R_32F, static_cast<std::uint64_t>(rows),
                                     static_cast<std::uint64_t>(columns), matrix.pitch),
          "gemm");
    Layout result{made};
    auto const count = static_cast<std::int32_t>(batch);
    std::int64_t const stride = matrix.inner_stride;
    check(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof(count)),
          "gemm");
    check(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride,
                                           sizeof(stride)),
          "gemm");
    return result;
  }
  void choose(cublasLtHandle_t blas, Gemm<float> const& g) {
    Preference const preference = make_handle<Preference, &cublasLtMatmulPreferenceCreate>("gemm");
    auto const set_preference = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
      check(cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof(value)), "gemm");
    };
    auto const aligned = [&](MatrixView<float const> const& matrix) {
      return static_cast<std::uint32_t>(alignment_of(matrix, g.batch_inner));
    };
    set_preference(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{most_workspace});
    set_preference(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, aligned(g.b));
    set_preference(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, aligned(g.a));
    set_preference(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, aligned(read_only(g.c)));
    set_preference(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, aligned(read_only(g.c)));
    cublasLtMatmulHeuristicResult_t best{};
    int found = 0;
    check(cublasLtMatmulAlgoGetHeuristic(blas, description_.get(), b_.get(), a_.get(), c_.get(), c_.get(),
                                         preference.get(), 1, &best, &found),
          "gemm");
    if (found == 0)
      fail<DeviceError>("gemm", "an algorithm of cuBLASLt", "none", {"m ", g.m, ", n ", g.n, ", k ", g.k});
    algorithm_ = best.algo;
    workspace_ = best.workspaceSize;
  }

  Description description_;
  Layout a_, b_, c_;
  cublasLtMatmulAlgo_t algorithm_{};
  std::size_t workspace_ = 0;
};

}  // namespace diffsiam::backend::cuda
