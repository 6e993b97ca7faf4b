// Convolution: one shape of convolution, or of one of its gradients, with the fastest of cuDNN's plans.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <diffsiam/backend/cuda/conv_graph.hpp>
#include <diffsiam/backend/cuda/fastest.hpp>
#include <diffsiam/core/function_ref.hpp>

namespace diffsiam::backend::cuda {

/// The three tensors of a pass: two are read and one is written. `added` is what the request adds: the bias,
/// or the gradient of weights that is there, which may be the output itself, because a sum is read by the
/// thread that writes it.
struct ConvData {
  void *x, *w, *y;
  void* added = nullptr;
};
using Allocate = FunctionRef<std::shared_ptr<void>(std::size_t)>;

class Convolution {
 public:
  /// Asks cuDNN for plans; see exists().
  Convolution(cudnnHandle_t dnn, ConvRequest const& request)
      : dnn_(dnn), request_(request), plans_(conv_plans({.handle = dnn}, request)) {}

  /// False if cuDNN has no plan for this shape and these types.
  [[nodiscard]] bool exists() const { return !plans_.empty(); }
  /// Whether the gradient of weights is added to what is there. Otherwise outputs are overwritten.
  [[nodiscard]] bool accumulates() const { return request_.accumulates; }
  /// Whether the plan is chosen and has run, so that later calls only queue work and can be recorded.
  [[nodiscard]] bool chosen() const { return chosen_; }

  /// Writes the output. The first call tries all plans and waits for them. Throws DeviceError, for
  /// example if no plan finds the memory that it needs; the next call then tries again.
  void run(cudaStream_t stream, ConvData const& data, Allocate allocate) {
    if (!chosen_) choose(stream, data, allocate);
    ConvPlan const& plan = plans_.front();
    auto const workspace = workspace_of(plan, allocate);
    check(execute(plan, pack(data, workspace.get())), "conv2d");
  }

 private:
  [[nodiscard]] DnnDescriptor pack(ConvData const& data, void* workspace) const {
    DnnDescriptor result{CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR};
    if (request_.adds()) {
      result.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS,
                 {ConvNames::x, ConvNames::w, ConvNames::y, ConvNames::added});
      result.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, {data.x, data.w, data.y, data.added});
    } else {
      result.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {ConvNames::x, ConvNames::w, ConvNames::y});
      result.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, {data.x, data.w, data.y});
    }
    result.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {workspace});
    result.finalize("conv2d: pack");
    return result;
  }
  [[nodiscard]] cudnnStatus_t execute(ConvPlan const& plan, DnnDescriptor const& pack) const {
    return cudnnBackendExecute(dnn_, plan.plan.get(), pack.get());
  }
  [[nodiscard]] static std::shared_ptr<void> workspace_of(ConvPlan const& plan, Allocate allocate) {
    return plan.workspace > 0 ? allocate(plan.workspace) : nullptr;
  }

  /// Measures every plan on the given data and keeps only the fastest.
  void choose(cudaStream_t stream, ConvData const& data, Allocate allocate) {
    // A gradient that is added must be added once.
    ConvData output = data;
    std::shared_ptr<void> scratch;
    if (accumulates()) {
      scratch =
          allocate(static_cast<std::size_t>(request_.g.out * request_.g.depth()) * bytes_of(request_.w));
      output.w = scratch.get();
    }
    auto const begin = make_handle<Event, &create_event>("conv2d");
    auto const end = make_handle<Event, &create_event>("conv2d");
    std::size_t const best = fastest(plans_.size(), [&](std::size_t i, float least) {
      ConvPlan const& plan = plans_[i];
      auto const workspace = workspace_of(plan, allocate);
      // Made once: otherwise short kernels wait for the host, and it is the host that is measured.
      DnnDescriptor const packed = pack(output, workspace.get());
      auto const milliseconds = [&](int runs) {
        check(cudaEventRecord(begin.get(), stream), "conv2d");
        for (int run = 0; run < runs; ++run) check(execute(plan, packed), "conv2d");
        check(cudaEventRecord(end.get(), stream), "conv2d");
        check(cudaEventSynchronize(end.get()), "conv2d");
        float result = 0;
        check(cudaEventElapsedTime(&result, begin.get(), end.get()), "conv2d");
        return result / static_cast<float>(runs);
      };
      (void)milliseconds(1);  // loads the kernels
      float const once = milliseconds(1);
      return once > 2 * least ? once : milliseconds(20);
    });
    std::swap(plans_.front(), plans_[best]);
    plans_.erase(plans_.begin() + 1, plans_.end());
    chosen_ = true;
  }
  using Event = Owned<cudaEvent_t, &cudaEventDestroy>;
  static cudaError_t create_event(cudaEvent_t* event) {
    return cudaEventCreateWithFlags(event, cudaEventDefault);
  }

  cudnnHandle_t dnn_;
  ConvRequest request_;
  std::vector<ConvPlan> plans_;
  bool chosen_ = false;
};

}  // namespace diffsiam::backend::cuda
