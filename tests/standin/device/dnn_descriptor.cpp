// What cuDNN asks of each descriptor before it is finalized.
#include "dnn_descriptor.hpp"

#include <algorithm>
#include <utility>

#include "device.hpp"
#include "dnn.hpp"

namespace diffsiam::standin {

std::vector<Engine> const& engines() {
  static std::vector<Engine> const all{
      {"nondeterministic", {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, 0, Rounding::spoils, 1, 10},
      {"half_inputs", {CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}, 0, Rounding::spoils, 1, 20},
      {"half_sums", {CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION}, 0, Rounding::spoils, 1, 30},
      {"tensor_core", {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, 3000, Rounding::tf32, 16, 500},
      {"tensor_core_small", {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, 0, Rounding::tf32, 2, 900},
      {"winograd",
       {CUDNN_NUMERICAL_NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4},
       70000,
       Rounding::none,
       16,
       700},
      {"too_large", {}, std::size_t{1} << 31, Rounding::spoils, 1, 40},
      {"plain", {CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP}, 1000, Rounding::none, 1, 2000}};
  return all;
}

Descriptor* as_descriptor(cudnnBackendDescriptor_t handle) {
  return device().handles.contains(handle) ? static_cast<Descriptor*>(handle) : nullptr;
}
Descriptor const* Descriptor::part(cudnnBackendAttributeName_t name) const {
  auto const named = one<cudnnBackendDescriptor_t>(name);
  Descriptor const* const found = named ? as_descriptor(*named) : nullptr;
  return found != nullptr && found->finalized ? found : nullptr;
}

std::optional<cudnnBackendAttributeType_t> type_of(cudnnBackendAttributeName_t name) {
  switch (name) {
    case CUDNN_ATTR_TENSOR_DATA_TYPE:
    case CUDNN_ATTR_CONVOLUTION_COMP_TYPE:
    case CUDNN_ATTR_POINTWISE_MATH_PREC:
      return CUDNN_TYPE_DATA_TYPE;
    case CUDNN_ATTR_TENSOR_IS_VIRTUAL:
      return CUDNN_TYPE_BOOLEAN;
    case CUDNN_ATTR_POINTWISE_MODE:
      return CUDNN_TYPE_POINTWISE_MODE;
    case CUDNN_ATTR_CONVOLUTION_CONV_MODE:
      return CUDNN_TYPE_CONVOLUTION_MODE;
    case CUDNN_ATTR_TENSOR_DIMENSIONS:
    case CUDNN_ATTR_TENSOR_STRIDES:
    case CUDNN_ATTR_TENSOR_UNIQUE_ID:
    case CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT:
    case CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS:
    case CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS:
    case CUDNN_ATTR_CONVOLUTION_POST_PADDINGS:
    case CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES:
    case CUDNN_ATTR_CONVOLUTION_DILATIONS:
    case CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS:
      return CUDNN_TYPE_INT64;
    case CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS:
    case CUDNN_ATTR_VARIANT_PACK_WORKSPACE:
      return CUDNN_TYPE_VOID_PTR;
    case CUDNN_ATTR_OPERATIONGRAPH_HANDLE:
    case CUDNN_ATTR_EXECUTION_PLAN_HANDLE:
      return CUDNN_TYPE_HANDLE;
    case CUDNN_ATTR_ENGINEHEUR_MODE:
      return CUDNN_TYPE_HEUR_MODE;
    case CUDNN_ATTR_OPERATIONGRAPH_OPS:
    case CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR:
    case CUDNN_ATTR_OPERATION_POINTWISE_XDESC:
    case CUDNN_ATTR_OPERATION_POINTWISE_BDESC:
    case CUDNN_ATTR_OPERATION_POINTWISE_YDESC:
    case CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH:
    case CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG:
      return CUDNN_TYPE_BACKEND_DESCRIPTOR;
    default:
      break;
  }
  if (name == CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA ||
      name == CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA ||
      name == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA ||
      name == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA ||
      name == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA ||
      name == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA)
    return CUDNN_TYPE_FLOAT;
  if (name >= CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA &&
      name <= CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY)
    return CUDNN_TYPE_BACKEND_DESCRIPTOR;
  return std::nullopt;
}

cudnnStatus_t refuse(cudnnStatus_t status, std::string why) {
  device().fault = std::move(why);
  return status;
}

namespace {

[[nodiscard]] std::optional<std::uint32_t> cuda_type(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_FLOAT:
      return CUDA_R_32F;
    case CUDNN_DATA_BFLOAT16:
      return CUDA_R_16BF;
    case CUDNN_DATA_HALF:
      return CUDA_R_16F;
    default:
      return std::nullopt;
  }
}

// Finalizing, by type of descriptor.
cudnnStatus_t check_tensor(Descriptor const& d) {
  auto const type = d.one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE);
  auto const extents = d.all<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
  auto const strides = d.all<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
  auto const alignment = d.one<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  if (!type || !cuda_type(*type)) return refuse(CUDNN_STATUS_BAD_PARAM, "a tensor without a type");
  if (extents.size() != 4 || strides.size() != 4 || !d.one<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID))
    return refuse(CUDNN_STATUS_BAD_PARAM, "a tensor without extents, strides or a name");
  if (!alignment || *alignment < 1 || (*alignment & (*alignment - 1)) != 0 ||
      *alignment < static_cast<std::int64_t>(bytes_of(*cuda_type(*type))))
    return refuse(CUDNN_STATUS_BAD_PARAM, "a tensor whose alignment is not that of its type or more");
  for (std::size_t i = 0; i < 4; ++i)
    if (extents[i] < 1 || strides[i] < 1)
      return refuse(CUDNN_STATUS_BAD_PARAM, "an extent or stride below 1");
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t check_convolution(Descriptor const& d) {
  if (d.one<std::int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS) != 2 ||
      d.one<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) != CUDNN_DATA_FLOAT ||
      d.one<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) != CUDNN_CROSS_CORRELATION)
    return refuse(CUDNN_STATUS_BAD_PARAM, "a convolution of another kind than the stand-in knows");
  for (auto const& [name, least] : {std::pair{CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 0},
                                    {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 0},
                                    {CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 1},
                                    {CUDNN_ATTR_CONVOLUTION_DILATIONS, 1}}) {
    auto const values = d.all<std::int64_t>(name);
    if (values.size() != 2 || std::ranges::min(values) < least)
      return refuse(CUDNN_STATUS_BAD_PARAM, "paddings, strides or dilations that are not two each");
  }
  return CUDNN_STATUS_SUCCESS;
}
[[nodiscard]] Placed placed(Descriptor const& tensor) {
  Placed result{};
  result.name = *tensor.one<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
  result.type = *cuda_type(*tensor.one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE));
  result.alignment = *tensor.one<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  std::ranges::copy(tensor.all<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS), result.extent.begin());
  std::ranges::copy(tensor.all<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES), result.stride.begin());
  result.is_virtual = tensor.one<unsigned char>(CUDNN_ATTR_TENSOR_IS_VIRTUAL).value_or(0) != 0;
  return result;
}
struct Names {
  cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
};
[[nodiscard]] std::optional<std::pair<Direction, Names>> names_of(cudnnBackendDescriptorType_t type) {
  switch (type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      return {
          {Direction::forward,
           {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
            CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA}}};
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      return {{Direction::data,
               {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA}}};
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
      return {
          {Direction::filter,
           {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA}}};
    default:
      return std::nullopt;
  }
}
cudnnStatus_t finalize_operation(Descriptor& d, Direction direction, Names const& names) {
  Descriptor const *const convolution = d.part(names.convolution), *const x = d.part(names.x),
                          *const w = d.part(names.w), *const y = d.part(names.y);
  for (auto const* part : {convolution, x, w, y})
    if (part == nullptr)
      return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "an operation with an unfinished part");
  if (d.one<float>(names.alpha) != 1.0F || d.one<float>(names.beta) != 0.0F)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "factors other than 1 and 0");
  auto const first = [&](cudnnBackendAttributeName_t name) { return convolution->all<std::int64_t>(name); };
  Convolved made{direction,
                 placed(*x),
                 placed(*w),
                 placed(*y),
                 first(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS)[0],
                 first(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES)[0]};
  auto const same = [&](cudnnBackendAttributeName_t name, std::int64_t value) {
    return first(name) == std::vector<std::int64_t>{value, value};
  };
  if (!same(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, made.padding) ||
      !same(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, made.padding) ||
      !same(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, made.stride) || !same(CUDNN_ATTR_CONVOLUTION_DILATIONS, 1))
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "a convolution that differs between its axes");
  if (made.x.name == made.w.name || made.x.name == made.y.name || made.w.name == made.y.name)
    return refuse(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES, "two tensors of one name");
  if (auto why = made.misfit(); !why.empty())
    return refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, std::move(why));
  d.convolution = std::make_shared<Convolved const>(made);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t check_pointwise(Descriptor const& d) {
  if (d.one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE) != CUDNN_POINTWISE_ADD ||
      d.one<cudnnDataType_t>(CUDNN_ATTR_POINTWISE_MATH_PREC) != CUDNN_DATA_FLOAT)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "a pointwise function that the stand-in does not know");
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t finalize_sum(Descriptor& d) {
  for (auto const name : {CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
                          CUDNN_ATTR_OPERATION_POINTWISE_BDESC, CUDNN_ATTR_OPERATION_POINTWISE_YDESC})
    if (d.part(name) == nullptr)
      return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "an operation with an unfinished part");
  Sum const sum{placed(*d.part(CUDNN_ATTR_OPERATION_POINTWISE_XDESC)),
                placed(*d.part(CUDNN_ATTR_OPERATION_POINTWISE_BDESC)),
                placed(*d.part(CUDNN_ATTR_OPERATION_POINTWISE_YDESC))};
  if (sum.y.extent != sum.x.extent || sum.y.stride != sum.x.stride)
    return refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "a sum of other extents than its first term");
  bool const of_channels = sum.added.extent == std::array<std::int64_t, 4>{1, sum.x.extent[1], 1, 1};
  if (!of_channels && (sum.added.extent != sum.x.extent || sum.added.stride != sum.x.stride))
    return refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "a term that is neither a tensor nor a bias");
  d.sum = std::make_shared<Sum const>(sum);
  return CUDNN_STATUS_SUCCESS;
}

/// A convolution, or one and a sum of its output, which then never reaches memory, and of another tensor.
cudnnStatus_t finalize_graph(Descriptor& d) {
  std::vector<Descriptor const*> operations;
  for (cudnnBackendDescriptor_t const named : d.all<cudnnBackendDescriptor_t>(CUDNN_ATTR_OPERATIONGRAPH_OPS))
    operations.push_back(as_descriptor(named));
  for (Descriptor const* const operation : operations)
    if (operation == nullptr || !operation->finalized)
      return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a graph with an unfinished operation");
  if (operations.empty() || operations[0]->convolution == nullptr ||
      !device().handles.contains(d.one<cudnnHandle_t>(CUDNN_ATTR_OPERATIONGRAPH_HANDLE).value_or(nullptr)))
    return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a graph without a handle or an operation");
  Convolved made = *operations[0]->convolution;
  if (operations.size() == 2 && operations[1]->sum != nullptr) {
    Sum const& sum = *operations[1]->sum;
    if (sum.x.name != made.output().name || !sum.x.is_virtual || !made.output().is_virtual)
      return refuse(CUDNN_STATUS_BAD_PARAM, "a sum of something else than the convolution's virtual output");
    made.output() = sum.y;
    made.added = sum.added;
  } else if (operations.size() > 1) {
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "a graph that the stand-in does not know");
  }
  for (Placed const* const tensor : {&made.x, &made.w, &made.y})
    if (tensor->is_virtual) return refuse(CUDNN_STATUS_BAD_PARAM, "a virtual tensor that nothing takes");
  d.convolution = std::make_shared<Convolved const>(made);
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

bool serves(Engine const& engine, Convolved const& made) {
  std::uint32_t const types[] = {made.inputs()[0]->type, made.inputs()[1]->type, made.output().type};
  bool const narrow = types[0] != CUDA_R_32F;
  if (!dnn().convolves || types[0] != types[1]) return false;
  if (types[2] != types[0] && !(narrow && types[2] == CUDA_R_32F && dnn().widens)) return false;
  // So it is in cuDNN 9 (tests/cudnn): the sum is what makes plans for such gradients.
  if (made.direction == Direction::filter && types[2] != types[0] && !made.added) return false;
  if (narrow && engine.rounding == Rounding::none && std::string_view{engine.name} == "winograd")
    return false;
  return std::ranges::min({made.x.alignment, made.w.alignment, made.y.alignment,
                           made.added ? made.added->alignment : made.x.alignment}) >= engine.alignment;
}

namespace {

cudnnStatus_t finalize_plan(Descriptor& d) {
  Descriptor const* const config = d.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  auto const handle = d.one<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE);
  if (config == nullptr || !handle || !device().handles.contains(*handle))
    return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a plan without a handle or a configuration");
  d.convolution = config->convolution;
  d.engine = config->engine;
  d.handle = *handle;
  return serves(engines()[d.engine], *d.convolution)
             ? CUDNN_STATUS_SUCCESS
             : refuse(CUDNN_STATUS_NOT_SUPPORTED, "an engine that cannot");
}

}  // namespace

cudnnStatus_t finalize(Descriptor& d) {
  if (auto const named = names_of(d.type)) return finalize_operation(d, named->first, named->second);
  switch (d.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
      return check_tensor(d);
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
      return check_convolution(d);
    case CUDNN_BACKEND_POINTWISE_DESCRIPTOR:
      return check_pointwise(d);
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
      return finalize_sum(d);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      return finalize_graph(d);
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR: {
      Descriptor const* const graph = d.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
      if (graph == nullptr || !d.one<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE))
        return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "heuristics without a graph or a mode");
      d.convolution = graph->convolution;
      return dnn().convolves ? CUDNN_STATUS_SUCCESS
                             : refuse(CUDNN_STATUS_NOT_SUPPORTED, "nothing is convolved");
    }
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
      return finalize_plan(d);
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
      return d.all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS).size() ==
                     d.all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).size()
                 ? CUDNN_STATUS_SUCCESS
                 : refuse(CUDNN_STATUS_BAD_PARAM, "names and addresses of different numbers");
    default:
      return refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "a descriptor that the caller does not finalize");
  }
}

DnnAbilities& dnn() {
  static DnnAbilities only;
  return only;
}

}  // namespace diffsiam::standin
