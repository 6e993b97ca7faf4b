// Mistakes in calls of cuBLASLt and cuDNN, planted one by one.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <cublasLt.h>
#include <cudnn.h>
#include <tests/standin/device/device.hpp>
#include <tests/standin/device/dnn.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::test {

namespace {

namespace cuda = backend::cuda;
using B = backend::Cuda<float>;
using standin::device;

/// A product of (rows, depth) by (depth, columns), column-major as cuBLASLt has it, with arguments that a
/// test spoils.
struct RawProduct {
  std::int64_t rows = 8, columns = 4, depth = 64;
  std::int64_t leading_a = 8, leading_b = 64, leading_d = 8;
  std::uint32_t alignment = 256;
  std::ptrdiff_t workspace_offset = 0, a_offset = 0;
  std::size_t workspace_bytes = 1024;
  bool swaps_b = false;

  cublasStatus_t run(B::Context& context) const {
    cublasLtMatmulDesc_t product = nullptr;
    cublasLtMatrixLayout_t a = nullptr, b = nullptr, d = nullptr;
    cublasLtMatmulPreference_t preference = nullptr;
    (void)cublasLtMatmulDescCreate(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    auto const extent = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
    (void)cublasLtMatrixLayoutCreate(&a, CUDA_R_32F, extent(rows), extent(depth), leading_a);
    (void)cublasLtMatrixLayoutCreate(&b, CUDA_R_32F, extent(swaps_b ? columns : depth),
                                     extent(swaps_b ? depth : columns), leading_b);
    (void)cublasLtMatrixLayoutCreate(&d, CUDA_R_32F, extent(rows), extent(columns), leading_d);
    (void)cublasLtMatmulPreferenceCreate(&preference);
    std::uint64_t const most = 1 << 20;
    (void)cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most,
                                               8);
    (void)cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                                               &alignment, 4);
    cublasLtMatmulHeuristicResult_t best{};
    int found = 0;
    cublasStatus_t status =
        cublasLtMatmulAlgoGetHeuristic(context.blas(), product, a, b, d, d, preference, 1, &best, &found);
    auto const memory = context.allocate(std::size_t{1} << 16);
    auto* const bytes = static_cast<char*>(memory.get());
    float const one = 1, zero = 0;
    if (status == CUBLAS_STATUS_SUCCESS)
      status = cublasLtMatmul(context.blas(), product, &one, bytes + 8192 + a_offset, a, bytes + 16384, b,
                              &zero, bytes + 24576, d, bytes + 24576, d, &best.algo, bytes + workspace_offset,
                              workspace_bytes, context.stream());
    (void)cublasLtMatmulPreferenceDestroy(preference);
    for (auto* const layout : {a, b, d}) (void)cublasLtMatrixLayoutDestroy(layout);
    (void)cublasLtMatmulDescDestroy(product);
    return status;
  }
};

void check_refused(RawProduct const& product, std::string const& why) {
  device().restart();
  B::Context context;
  CHECK(product.run(context) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(device().fault == why);
}

}  // namespace

TEST_CASE("A product that is right is computed", "[faults]") {
  device().restart();
  B::Context context;
  CHECK(RawProduct{}.run(context) == CUBLAS_STATUS_SUCCESS);
  CHECK(RawProduct{.alignment = 4, .a_offset = 4}.run(context) == CUBLAS_STATUS_SUCCESS);
  CHECK_NOTHROW(context.synchronise());
}

TEST_CASE("A workspace that is not aligned is refused", "[faults]") {
  check_refused({.workspace_offset = 8}, "a workspace that is not aligned to 16 bytes");
}

TEST_CASE("A workspace that is too small is refused", "[faults]") {
  check_refused({.workspace_bytes = 512}, "a workspace that is too small");
}

TEST_CASE("A matrix that is aligned less than was told is refused", "[faults]") {
  check_refused({.a_offset = 16}, "an address that is aligned less than the algorithm was told");
}

TEST_CASE("A swapped layout is refused", "[faults]") {
  check_refused({.swaps_b = true}, "B and D have different numbers of columns");
}

TEST_CASE("A leading dimension that is too small is refused", "[faults]") {
  check_refused({.leading_a = 7}, "a leading dimension that is smaller than a column");
}

TEST_CASE("A matrix that reaches out of its block is refused", "[faults]") {
  check_refused({.leading_a = 1 << 20}, "a matrix that reaches out of its block");
}

TEST_CASE("Names of cuDNN's descriptors are attributes of their types", "[faults]") {
  device().restart();
  cudnnBackendDescriptor_t raw = nullptr;
  REQUIRE(cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &raw) == CUDNN_STATUS_SUCCESS);
  std::int32_t const small[] = {1, 2, 3, 4};
  CHECK(cudnnBackendSetAttribute(raw, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT32, 4, small) ==
        CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
  CHECK(cudnnBackendFinalize(raw) == CUDNN_STATUS_BAD_PARAM);
  std::int64_t count = 0, value = 0;
  CHECK(cudnnBackendGetAttribute(raw, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count,
                                 &value) == CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
  CHECK(cudnnBackendDestroyDescriptor(raw) == CUDNN_STATUS_SUCCESS);
  CHECK(cudnnBackendDestroyDescriptor(raw) == CUDNN_STATUS_BAD_PARAM);
}

TEST_CASE("A convolution whose tensors are aligned less than was told is refused", "[faults]") {
  device().restart();
  B::Context context;
  ConvGeometry const g{1, 4, 4, 4, 4, 3, 1};
  auto& plan = context.convolution({g, cuda::Pass::forward, cuda::Math::float32});
  REQUIRE(plan.exists());
  auto const x = context.allocate(4096), w = context.allocate(4096), y = context.allocate(4096);
  auto const run = [&](std::ptrdiff_t offset) {
    plan.run(context.stream(), {static_cast<char*>(x.get()) + offset, w.get(), y.get()},
             [&](std::size_t bytes) { return context.allocate(bytes); });
  };
  CHECK_NOTHROW(run(0));
  CHECK_THROWS_WITH(run(4), contains("aligned less than its descriptor says"));
}

TEST_CASE("Of cuDNN's engines the fastest is taken that computes as was asked", "[faults]") {
  device().restart();
  B::Context context;
  auto const x = Tensor<B>::filled(context, {1, 4, 4, 4}, 1.0F),
             w = Tensor<B>::filled(context, {4, 3, 3, 4}, 1.0F);
  Tensor<B> const y{context, {1, 4, 4, 4}};
  ConvGeometry const g{1, 4, 4, 4, 4, 3, 1};
  standin::dnn().executions.clear();
  B::conv2d(context, g, x.data(), w.data(), nullptr, y.data());
  CHECK(standin::dnn().executions.back() == "winograd");  // and neither tensor cores nor spoilt ones
  for (auto const& name : standin::dnn().executions) CHECK((name == "winograd" || name == "plain"));
  CHECK(y.values()[5 * 4] == 36);
  using Tf32 = backend::Cuda<cuda::TF32>;
  Tf32::conv2d(context, g, x.data(), w.data(), nullptr, y.data());
  CHECK(standin::dnn().executions.back() == "tensor_core");
}

TEST_CASE("Without plans of cuDNN own sums serve, and notes say so", "[faults]") {
  device().restart();
  standin::dnn().convolves = false;
  B::Context context;
  auto const x = Tensor<B>::filled(context, {1, 4, 4, 4}, 1.0F),
             w = Tensor<B>::filled(context, {4, 3, 3, 4}, 1.0F);
  Tensor<B> const y{context, {1, 4, 4, 4}};
  B::conv2d(context, {1, 4, 4, 4, 4, 3, 1}, x.data(), w.data(), nullptr, y.data());
  standin::dnn().convolves = true;
  CHECK(y.values()[5 * 4] == 36);
  REQUIRE(context.notes().size() == 1);
  CHECK_THAT(context.notes()[0], contains("own direct sums"));
}

}  // namespace diffsiam::test
