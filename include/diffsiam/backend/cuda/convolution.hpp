// Convolution: one shape of convolution, or of one of its gradients, with the fastest of cuDNN's plans. It is
// a small wrapper around cuDNN's graph interface; everything is NHWC.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <diffsiam/backend/cuda/conv_request.hpp>
#include <diffsiam/backend/cuda/dnn_descriptor.hpp>
#include <diffsiam/core/function_ref.hpp>

namespace diffsiam::backend::cuda {

/// The three tensors of a pass: two are read and one is overwritten.
struct ConvData {
  void *x, *w, *y;
};
using Allocate = FunctionRef<std::shared_ptr<void>(std::size_t)>;

class Convolution {
 public:
  /// Asks cuDNN for plans; see exists().
  Convolution(cudnnHandle_t dnn, ConvRequest const& request) : dnn_(dnn) {
    auto const asked = graph(request);
    for (cudnnBackendHeurMode_t const mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
      if (asked && plans_.empty()) collect(*asked, mode, request);
  }

  /// False if cuDNN has no plan for this shape and these types.
  [[nodiscard]] bool exists() const { return !plans_.empty(); }

  /// Overwrites the output. The first call tries all plans and waits for them; later calls only queue work.
  void run(cudaStream_t stream, ConvData const& data, Allocate allocate) {
    if (plans_.size() > 1) keep_fastest(stream, data, allocate);
    check(execute(plans_.front(), data, allocate), "conv2d");
  }

 private:
  struct Plan {
    DnnDescriptor plan;
    std::size_t workspace;
  };
  static constexpr std::int64_t most_plans = 12;
  static constexpr std::int64_t most_workspace = std::int64_t{1} << 30;
  static constexpr std::int64_t x_name = 'x', w_name = 'w', y_name = 'y';

  /// Extents in the order of cuDNN, (n, c, h, w), with strides for channels that are last in memory.
  [[nodiscard]] static DnnDescriptor tensor(std::int64_t name, Element element, Index alignment, Index n,
                                            Index c, Index h, Index w) {
    DnnDescriptor result{CUDNN_BACKEND_TENSOR_DESCRIPTOR};
    result.set(CUDNN_ATTR_TENSOR_DATA_TYPE, data_type(element));
    result.set(CUDNN_ATTR_TENSOR_DIMENSIONS, {n, c, h, w});
    result.set(CUDNN_ATTR_TENSOR_STRIDES, {h * w * c, 1, w * c, c});
    result.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {name});
    result.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {alignment});
    result.finalize("conv2d: tensor");
    return result;
  }
  [[nodiscard]] static constexpr cudnnDataType_t data_type(Element element) {
    switch (element) {
      case Element::bfloat16:
        return CUDNN_DATA_BFLOAT16;
      case Element::float16:
        return CUDNN_DATA_HALF;
      default:
        return CUDNN_DATA_FLOAT;
    }
  }
  /// Empty if cuDNN refuses the convolution, for example for a combination of types.
  [[nodiscard]] std::optional<DnnDescriptor> graph(ConvRequest const& request) const {
    ConvGeometry const& g = request.g;
    DnnDescriptor convolution{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR};
    convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    convolution.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
    convolution.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2});
    convolution.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {g.padding(), g.padding()});
    convolution.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {g.padding(), g.padding()});
    convolution.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {g.stride, g.stride});
    convolution.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {1, 1});
    convolution.finalize("conv2d: convolution");

    DnnDescriptor const x = tensor(x_name, request.x, request.alignment, g.n, g.in, g.h, g.w);
    DnnDescriptor const w = tensor(w_name, request.w, request.alignment, g.out, g.in, g.kernel, g.kernel);
    DnnDescriptor const y = tensor(y_name, request.y, request.alignment, g.n, g.out, g.out_h(), g.out_w());
    Names const names = names_of(request.pass);
    DnnDescriptor operation{names.operation};
    operation.set(names.convolution, convolution);
    operation.set(names.x, x);
    operation.set(names.w, w);
    operation.set(names.y, y);
    operation.set(names.alpha, 1.0F);
    operation.set(names.beta, 0.0F);
    if (!operation.try_finalize()) return std::nullopt;

    DnnDescriptor result{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
    result.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, dnn_);
    result.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
    if (!result.try_finalize()) return std::nullopt;
    return result;
  }

  struct Names {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
  };
  [[nodiscard]] static constexpr Names names_of(Pass pass) {
    switch (pass) {
      case Pass::forward:
        return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
      case Pass::gradient_input:
        return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
      default:
        return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
    }
  }

  /// Keeps the plans that the heuristics of `mode` suggest and that compute as the request says.
  void collect(DnnDescriptor const& graph, cudnnBackendHeurMode_t mode, ConvRequest const& request) {
    DnnDescriptor heuristics{CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR};
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    if (!heuristics.try_finalize()) return;
    for (DnnDescriptor const& config : heuristics.descriptors(
             CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, most_plans)) {
      if (!computes_as(config, request)) continue;
      DnnDescriptor plan{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR};
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, dnn_);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
      if (!plan.try_finalize()) continue;
      std::int64_t const bytes = plan.integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
      if (bytes <= most_workspace) plans_.push_back({std::move(plan), static_cast<std::size_t>(bytes)});
    }
  }
  /// Whether an engine always gives the same bits and uses operands as the request says.
  [[nodiscard]] static bool computes_as(DnnDescriptor const& config, ConvRequest const& request) {
    auto const engines = config.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
    if (engines.empty()) return false;
    auto const notes = engines.front().values<cudnnBackendNumericalNote_t>(
        CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
    return std::none_of(notes.begin(), notes.end(), [&](cudnnBackendNumericalNote_t note) {
      switch (note) {
        case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
        case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
        case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
          return true;
        // On float32 tensors, tensor cores round operands to TensorFloat32.
        case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
          return request.math == Math::float32 && !request.in_16_bits();
        case CUDNN_NUMERICAL_NOTE_FFT:
        case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
        case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
          return request.math == Math::float32 || request.in_16_bits();
        // Transforms in 16 bits lose precision.
        case CUDNN_NUMERICAL_NOTE_WINOGRAD:
        case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
          return request.in_16_bits();
        default:
          return false;
      }
    });
  }

  [[nodiscard]] cudnnStatus_t execute(Plan const& plan, ConvData const& data, Allocate allocate) const {
    std::shared_ptr<void> const workspace = plan.workspace > 0 ? allocate(plan.workspace) : nullptr;
    DnnDescriptor pack{CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR};
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {x_name, w_name, y_name});
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, {data.x, data.w, data.y});
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {workspace.get()});
    pack.finalize("conv2d: pack");
    return cudnnBackendExecute(dnn_, plan.plan.get(), pack.get());
  }

  /// Measures every plan on the given data and keeps only the fastest.
  void keep_fastest(cudaStream_t stream, ConvData const& data, Allocate allocate) {
    constexpr int runs = 3;
    auto const begin = make_handle<Event, &create_event>("conv2d");
    auto const end = make_handle<Event, &create_event>("conv2d");
    float least = std::numeric_limits<float>::infinity();
    std::size_t best = 0;
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      if (execute(plans_[i], data, allocate) != CUDNN_STATUS_SUCCESS) continue;  // also warms the plan up
      check(cudaEventRecord(begin.get(), stream), "conv2d");
      for (int run = 0; run < runs; ++run) check(execute(plans_[i], data, allocate), "conv2d");
      check(cudaEventRecord(end.get(), stream), "conv2d");
      check(cudaEventSynchronize(end.get()), "conv2d");
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()), "conv2d");
      if (milliseconds >= least) continue;
      least = milliseconds;
      best = i;
    }
    std::swap(plans_.front(), plans_[best]);
    plans_.erase(plans_.begin() + 1, plans_.end());
  }
  using Event = Owned<cudaEvent_t, &cudaEventDestroy>;
  static cudaError_t create_event(cudaEvent_t* event) {
    return cudaEventCreateWithFlags(event, cudaEventDefault);
  }

  cudnnHandle_t dnn_;
  std::vector<Plan> plans_;
};

}  // namespace diffsiam::backend::cuda
