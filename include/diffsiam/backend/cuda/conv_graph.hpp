// conv_plans: the plans of cuDNN's graph interface for a ConvRequest. Nothing here runs anything, so cuDNN
// can also be asked about a device that is not there (tests/cudnn). Everything is NHWC.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <cudnn.h>

#include <diffsiam/backend/cuda/conv_request.hpp>
#include <diffsiam/backend/cuda/dnn_descriptor.hpp>

namespace diffsiam::backend::cuda {

/// The device for which cuDNN plans: that of a handle, or one that is described by properties, a
/// CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR. One of the two is null.
struct DnnTarget {
  cudnnHandle_t handle = nullptr;
  cudnnBackendDescriptor_t properties = nullptr;
};

/// What tensors are called in graphs. `added` is the bias, or what is added to the gradient of weights.
struct ConvNames {
  static constexpr std::int64_t x = 'x', w = 'w', y = 'y', added = 'a', product = 'p';

  [[nodiscard]] static constexpr std::int64_t of_output(Pass pass) {
    return pass == Pass::forward ? y : pass == Pass::gradient_input ? x : w;
  }
};

struct ConvPlan {
  DnnDescriptor plan;
  std::size_t workspace;
  bool compiled;  ///< when it is planned, from source that cuDNN writes
};

namespace detail {

/// Extents in the order of cuDNN, (n, c, h, w), with strides for channels that are last in memory. A virtual
/// tensor never reaches memory.
[[nodiscard]] inline DnnDescriptor dnn_tensor(std::int64_t name, Element element, Index alignment, Index n,
                                              Index c, Index h, Index w, bool is_virtual = false) {
  DnnDescriptor result{CUDNN_BACKEND_TENSOR_DESCRIPTOR};
  result.set(CUDNN_ATTR_TENSOR_DATA_TYPE, element == Element::bfloat16  ? CUDNN_DATA_BFLOAT16
                                          : element == Element::float16 ? CUDNN_DATA_HALF
                                                                        : CUDNN_DATA_FLOAT);
  result.set(CUDNN_ATTR_TENSOR_DIMENSIONS, {n, c, h, w});
  result.set(CUDNN_ATTR_TENSOR_STRIDES, {h * w * c, 1, w * c, c});
  result.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {name});
  result.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {alignment});
  if (is_virtual) result.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, true);
  result.finalize("conv2d: tensor");
  return result;
}

/// A tensor with the extents of what the request writes.
[[nodiscard]] inline DnnDescriptor like_output(ConvRequest const& r, std::int64_t name, Element element,
                                               bool is_virtual = false) {
  ConvGeometry const& g = r.g;
  switch (r.pass) {
    case Pass::forward:
      return dnn_tensor(name, element, r.alignment, g.n, g.out, g.out_h(), g.out_w(), is_virtual);
    case Pass::gradient_input:
      return dnn_tensor(name, element, r.alignment, g.n, g.in, g.h, g.w, is_virtual);
    default:
      return dnn_tensor(name, element, r.alignment, g.out, g.in, g.kernel, g.kernel, is_virtual);
  }
}
/// What the request writes.
[[nodiscard]] inline DnnDescriptor dnn_output(ConvRequest const& r) {
  return like_output(r, ConvNames::of_output(r.pass), output_of(r));
}
/// What is there before something is added to it.
[[nodiscard]] inline DnnDescriptor dnn_product(ConvRequest const& r) {
  return like_output(r, ConvNames::product, Element::float32, true);
}

struct ConvAttributes {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
};
[[nodiscard]] constexpr ConvAttributes attributes_of(Pass pass) {
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

/// The convolution of a request, or its gradient. Empty if cuDNN refuses it, for example for a combination of
/// types.
[[nodiscard]] inline std::optional<DnnDescriptor> conv_operation(ConvRequest const& request) {
  ConvGeometry const& g = request.g;
  DnnDescriptor convolution{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR};
  convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  convolution.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  convolution.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {std::int64_t{2}});
  convolution.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {g.padding(), g.padding()});
  convolution.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {g.padding(), g.padding()});
  convolution.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {g.stride, g.stride});
  convolution.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {std::int64_t{1}, std::int64_t{1}});
  convolution.finalize("conv2d: convolution");

  Index const alignment = request.alignment;
  DnnDescriptor x = dnn_tensor(ConvNames::x, request.x, alignment, g.n, g.in, g.h, g.w);
  DnnDescriptor w = dnn_tensor(ConvNames::w, request.w, alignment, g.out, g.in, g.kernel, g.kernel);
  DnnDescriptor y = dnn_tensor(ConvNames::y, request.y, alignment, g.n, g.out, g.out_h(), g.out_w());
  if (request.adds())
    (request.pass == Pass::forward ? y : request.pass == Pass::gradient_input ? x : w) = dnn_product(request);
  ConvAttributes const names = attributes_of(request.pass);
  DnnDescriptor operation{names.operation};
  operation.set(names.convolution, convolution);
  operation.set(names.x, x);
  operation.set(names.w, w);
  operation.set(names.y, y);
  operation.set(names.alpha, 1.0F);
  operation.set(names.beta, 0.0F);
  if (!operation.try_finalize()) return std::nullopt;
  return operation;
}

/// The addition of what `ConvNames::added` holds: the bias, or the gradient of weights that is there. Empty
/// if cuDNN refuses it.
[[nodiscard]] inline std::optional<DnnDescriptor> add_operation(ConvRequest const& request) {
  DnnDescriptor add{CUDNN_BACKEND_POINTWISE_DESCRIPTOR};
  add.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_ADD);
  add.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  add.finalize("conv2d: add");
  // cuDNN reads them when the operation is finalized.
  DnnDescriptor const product = dnn_product(request), sum = dnn_output(request);
  DnnDescriptor const added = request.has_bias
                                  ? dnn_tensor(ConvNames::added, Element::float32, 16, 1, request.g.out, 1, 1)
                                  : like_output(request, ConvNames::added, output_of(request));
  DnnDescriptor operation{CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR};
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, add);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, product);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, added);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, sum);
  if (!operation.try_finalize()) return std::nullopt;
  return operation;
}

/// Whether an engine always gives the same bits and uses operands as the request says.
[[nodiscard]] inline bool computes_as(DnnDescriptor const& engine, ConvRequest const& request) {
  auto const notes = engine.values<cudnnBackendNumericalNote_t>(
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
[[nodiscard]] inline bool is_compiled(DnnDescriptor const& engine) {
  auto const notes = engine.values<cudnnBackendBehaviorNote_t>(
      CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT);
  return std::find(notes.begin(), notes.end(), CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) != notes.end();
}

}  // namespace detail

/// The request as a graph of cuDNN. Empty if cuDNN refuses it.
[[nodiscard]] inline std::optional<DnnDescriptor> conv_graph(DnnTarget const& target,
                                                             ConvRequest const& request) {
  auto const convolution = detail::conv_operation(request);
  if (!convolution) return std::nullopt;
  DnnDescriptor result{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
  if (target.handle != nullptr) result.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, target.handle);
  std::optional<DnnDescriptor> add;  // it must be there when the graph is finalized
  if (request.adds()) {
    add = detail::add_operation(request);
    if (!add) return std::nullopt;
    result.set_descriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, {convolution->get(), add->get()});
  } else {
    result.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, *convolution);
  }
  if (!result.try_finalize()) return std::nullopt;
  return result;
}

/// Plans that compute as the request says, the most promising first, of the first kind of heuristics that has
/// any. None if cuDNN has none. Where nothing can be loaded because there is no device, `compile` is false:
/// of plans that would be compiled, `plan` is then only the configuration.
[[nodiscard]] inline std::vector<ConvPlan> conv_plans(DnnTarget const& target, ConvRequest const& request,
                                                      bool compile = true) {
  constexpr std::int64_t most_workspace = std::int64_t{1} << 30;
  // All of them will be timed, and compiling one takes about a second.
  constexpr std::size_t most_plans = 12, most_compiled = 4;
  std::vector<ConvPlan> plans;
  auto const graph = conv_graph(target, request);
  if (!graph) return plans;
  std::size_t compilations = 0;
  auto const add = [&](DnnDescriptor config) {
    auto const engines = config.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
    if (engines.empty() || !detail::computes_as(engines.front(), request)) return;
    bool const compiled = detail::is_compiled(engines.front());
    if (compiled && ++compilations > most_compiled) return;
    auto const keep = [&](DnnDescriptor plan, cudnnBackendAttributeName_t workspace) {
      std::int64_t const bytes = plan.integer(workspace);
      if (bytes <= most_workspace)
        plans.push_back({std::move(plan), static_cast<std::size_t>(bytes), compiled});
    };
    if (compiled && !compile) return keep(std::move(config), CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE);
    DnnDescriptor plan{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR};
    if (target.handle != nullptr) plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle);
    if (target.properties != nullptr)
      plan.set_descriptors(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, {target.properties});
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    if (plan.try_finalize()) keep(std::move(plan), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  };
  for (cudnnBackendHeurMode_t const mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    DnnDescriptor heuristics{CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR};
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, *graph);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    if (target.properties != nullptr)
      heuristics.set_descriptors(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, {target.properties});
    if (!heuristics.try_finalize()) continue;
    // All, because in float32 the first dozens are for tensor cores. But plans that add are all compiled, and
    // cuDNN takes its time over each that it hands out.
    std::int64_t const suggestions = heuristics.most_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS);
    for (DnnDescriptor& config : heuristics.descriptors(
             CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
             request.adds() ? std::min<std::int64_t>(suggestions, 2 * most_compiled) : suggestions))
      if (plans.size() < most_plans) add(std::move(config));
    if (!plans.empty()) break;
  }
  return plans;
}

}  // namespace diffsiam::backend::cuda
