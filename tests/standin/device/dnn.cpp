// cuDNN's graph interface on the stand-in, for one convolution or one of its gradients. Descriptors refuse
// what the manual says, and convolutions are computed by plain loops.
#include "dnn.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <cudnn.h>

#include "convolve.hpp"
#include "device.hpp"
#include "tally.hpp"

using namespace diffsiam::standin;

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace {

struct Attribute {
  cudnnBackendAttributeType_t type{};
  std::vector<unsigned char> bytes;
};

/// The engines that the heuristics offer, in their order. The first ones may never be taken by the library.
struct Engine {
  char const* name;
  std::vector<cudnnBackendNumericalNote_t> notes;
  std::size_t workspace;
  Rounding rounding;
  std::int64_t alignment;     ///< of all tensors, in bytes
  std::uint64_t nanoseconds;  ///< pretended
};
[[nodiscard]] std::vector<Engine> const& engines() {
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

struct Descriptor {
  cudnnBackendDescriptorType_t type;
  std::map<cudnnBackendAttributeName_t, Attribute> attributes{};
  bool finalized = false;
  std::shared_ptr<Convolved const> convolution{};  ///< of operations, and of all that is made from them
  std::size_t engine = 0;
  cudnnHandle_t handle = nullptr;

  template <class V>
  [[nodiscard]] std::vector<V> all(cudnnBackendAttributeName_t name) const {
    auto const found = attributes.find(name);
    if (found == attributes.end()) return {};
    std::vector<V> values(found->second.bytes.size() / sizeof(V));
    std::memcpy(values.data(), found->second.bytes.data(), values.size() * sizeof(V));
    return values;
  }
  template <class V>
  [[nodiscard]] std::optional<V> one(cudnnBackendAttributeName_t name) const {
    auto const values = all<V>(name);
    return values.size() == 1 ? std::optional{values[0]} : std::nullopt;
  }
  /// Another descriptor, finalized; null if there is none.
  [[nodiscard]] Descriptor const* part(cudnnBackendAttributeName_t name) const;
};

[[nodiscard]] Descriptor* as_descriptor(cudnnBackendDescriptor_t handle) {
  return device().handles.contains(handle) ? static_cast<Descriptor*>(handle) : nullptr;
}
Descriptor const* Descriptor::part(cudnnBackendAttributeName_t name) const {
  auto const named = one<cudnnBackendDescriptor_t>(name);
  Descriptor const* const found = named ? as_descriptor(*named) : nullptr;
  return found != nullptr && found->finalized ? found : nullptr;
}

[[nodiscard]] std::size_t bytes_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
      return 8;
    case CUDNN_TYPE_BOOLEAN:
      return 1;
    default:
      return 4;
  }
}
/// The type that the manual gives an attribute; empty if the stand-in does not know it.
[[nodiscard]] std::optional<cudnnBackendAttributeType_t> type_of(cudnnBackendAttributeName_t name) {
  switch (name) {
    case CUDNN_ATTR_TENSOR_DATA_TYPE:
    case CUDNN_ATTR_CONVOLUTION_COMP_TYPE:
      return CUDNN_TYPE_DATA_TYPE;
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
      *alignment < static_cast<std::int64_t>(diffsiam::standin::bytes_of(*cuda_type(*type))))
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
[[nodiscard]] bool serves(Engine const& engine, Convolved const& made) {
  std::uint32_t const types[] = {made.inputs()[0]->type, made.inputs()[1]->type, made.output().type};
  bool const narrow = types[0] != CUDA_R_32F;
  if (!dnn().convolves || types[0] != types[1]) return false;
  if (types[2] != types[0] && !(narrow && types[2] == CUDA_R_32F && dnn().widens)) return false;
  if (narrow && engine.rounding == Rounding::none && std::string_view{engine.name} == "winograd")
    return false;
  return std::ranges::min({made.x.alignment, made.w.alignment, made.y.alignment}) >= engine.alignment;
}
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
cudnnStatus_t finalize(Descriptor& d) {
  if (auto const named = names_of(d.type)) return finalize_operation(d, named->first, named->second);
  switch (d.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
      return check_tensor(d);
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
      return check_convolution(d);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR: {
      Descriptor const* const operation = d.part(CUDNN_ATTR_OPERATIONGRAPH_OPS);
      if (operation == nullptr || operation->convolution == nullptr ||
          !device().handles.contains(
              d.one<cudnnHandle_t>(CUDNN_ATTR_OPERATIONGRAPH_HANDLE).value_or(nullptr)))
        return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a graph without a handle or an operation");
      d.convolution = operation->convolution;
      return CUDNN_STATUS_SUCCESS;
    }
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

/// Fills descriptors that the caller has made, as cuDNN does.
cudnnStatus_t give(Descriptor const& from, std::vector<std::size_t> const& found,
                   cudnnBackendDescriptorType_t type, std::int64_t most, std::int64_t* count, void* to) {
  *count = static_cast<std::int64_t>(found.size());
  for (std::int64_t i = 0; i < std::min(most, *count); ++i) {
    cudnnBackendDescriptor_t handle = nullptr;
    std::memcpy(&handle, static_cast<char const*>(to) + 8 * i, 8);
    Descriptor* const into = as_descriptor(handle);
    if (into == nullptr || into->type != type)
      return refuse(CUDNN_STATUS_BAD_PARAM, "results that nobody has made");
    into->convolution = from.convolution;
    into->engine = found[static_cast<std::size_t>(i)];
    into->finalized = true;
  }
  *count = std::min(most, *count);
  return CUDNN_STATUS_SUCCESS;
}
template <class V>
cudnnStatus_t give(std::vector<V> const& values, std::int64_t most, std::int64_t* count, void* to) {
  *count = static_cast<std::int64_t>(values.size());
  std::memcpy(to, values.data(), sizeof(V) * std::min(values.size(), static_cast<std::size_t>(most)));
  return CUDNN_STATUS_SUCCESS;
}

void count(Convolved const& made, Rounding rounding) {
  auto const size = [](Placed const& t) {
    return static_cast<double>(t.extent[0] * t.extent[1] * t.extent[2] * t.extent[3]);
  };
  auto const bytes = [&](Placed const& t) {
    return size(t) * static_cast<double>(diffsiam::standin::bytes_of(t.type));
  };
  double const taps = static_cast<double>(made.w.extent[1] * made.w.extent[2] * made.w.extent[3]);
  device().tally->add_product(device().running, bytes(*made.inputs()[0]) + bytes(*made.inputs()[1]),
                              bytes(made.output()), 2 * size(made.y) * taps,
                              made.inputs()[0]->type != CUDA_R_32F ? Unit::bits16
                              : rounding == Rounding::tf32         ? Unit::tf32
                                                                   : Unit::float32);
}

}  // namespace

namespace diffsiam::standin {
DnnAbilities& dnn() {
  static DnnAbilities only;
  return only;
}
}  // namespace diffsiam::standin

extern "C" {

char const* cudnnGetErrorString(cudnnStatus_t status) {
  return status == CUDNN_STATUS_SUCCESS ? "CUDNN_STATUS_SUCCESS" : device().fault.c_str();
}
cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = new cudnnContext;
  device().handles.insert(*handle);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  if (device().handles.erase(handle) == 0) return CUDNN_STATUS_BAD_PARAM;
  delete handle;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  if (!device().handles.contains(handle) || !device().handles.contains(stream)) return CUDNN_STATUS_BAD_PARAM;
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t* made) {
  auto* const fresh = new Descriptor{type};
  device().handles.insert(fresh);
  *made = fresh;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t handle) {
  if (device().handles.erase(handle) == 0) return CUDNN_STATUS_BAD_PARAM;
  delete static_cast<Descriptor*>(handle);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t handle, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count, void const* values) {
  Descriptor* const d = as_descriptor(handle);
  if (d == nullptr || count < 1 || values == nullptr)
    return refuse(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "nothing to set");
  if (d->finalized) return refuse(CUDNN_STATUS_NOT_INITIALIZED, "a descriptor that is finalized already");
  if (type_of(name) != type)
    return refuse(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, "an attribute of another type");
  auto const* const bytes = static_cast<unsigned char const*>(values);
  d->attributes[name] = {type, {bytes, bytes + static_cast<std::size_t>(count) * bytes_of(type)}};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t handle) {
  Descriptor* const d = as_descriptor(handle);
  if (d == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM, "a descriptor that does not exist");
  cudnnStatus_t const status = finalize(*d);
  d->finalized = status == CUDNN_STATUS_SUCCESS;
  return status;
}
cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t handle, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t most, int64_t* count,
                                       void* to) {
  Descriptor* const d = as_descriptor(handle);
  if (d == nullptr || !d->finalized)
    return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a descriptor that is not finalized");
  switch (name) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS: {
      std::vector<std::size_t> found;
      for (std::size_t i = 0; i < engines().size(); ++i)
        if (serves(engines()[i], *d->convolution)) found.push_back(i);
      return give(*d, found, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, most, count, to);
    }
    case CUDNN_ATTR_ENGINECFG_ENGINE:
      return give(*d, {d->engine}, CUDNN_BACKEND_ENGINE_DESCRIPTOR, most, count, to);
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
      return type == CUDNN_TYPE_NUMERICAL_NOTE ? give(engines()[d->engine].notes, most, count, to)
                                               : CUDNN_STATUS_BAD_PARAM;
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
      return give(std::vector{static_cast<std::int64_t>(engines()[d->engine].workspace)}, most, count, to);
    default:
      return refuse(CUDNN_STATUS_NOT_SUPPORTED, "an attribute that the stand-in does not know");
  }
}
cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan_handle,
                                  cudnnBackendDescriptor_t pack_handle) {
  Descriptor const *const plan = as_descriptor(plan_handle), *const pack = as_descriptor(pack_handle);
  if (plan == nullptr || pack == nullptr || !plan->finalized || !pack->finalized || plan->handle != handle ||
      plan->type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR ||
      pack->type != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
    return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a plan or its tensors, which are not finalized");
  Engine const& engine = engines()[plan->engine];
  Convolved made = *plan->convolution;
  auto const names = pack->all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  auto const addresses = pack->all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  DeviceMemory const& memory = device().memory;
  for (Placed* const tensor : {&made.x, &made.w, &made.y}) {
    auto const found = std::ranges::find(names, tensor->name);
    if (found == names.end())
      return refuse(CUDNN_STATUS_BAD_PARAM, "a tensor of the graph that is not in the pack");
    tensor->data = addresses[static_cast<std::size_t>(found - names.begin())];
    if (reinterpret_cast<std::uintptr_t>(tensor->data) % static_cast<std::uintptr_t>(tensor->alignment) != 0)
      return refuse(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER,
                    "a tensor that is aligned less than its descriptor says");
    if (!memory.holds(tensor->data, tensor->bytes()))
      return refuse(CUDNN_STATUS_BAD_PARAM, "a tensor that reaches out of its block");
  }
  void* const workspace = pack->one<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE).value_or(nullptr);
  if (engine.workspace > 0 && (workspace == nullptr || !memory.holds(workspace, engine.workspace)))
    return refuse(CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT, "a workspace that is too small");
  if (reinterpret_cast<std::uintptr_t>(workspace) % 16 != 0)
    return refuse(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, "a workspace that is not aligned to 16 bytes");
  dnn().executions.emplace_back(engine.name);
  ++device().launches;
  auto work = [made, workspace, scratch = engine.workspace, rounding = engine.rounding] {
    if (device().tally != nullptr) return count(made, rounding);
    if (scratch > 0) std::memset(workspace, DeviceMemory::poison, scratch);
    convolve(made, rounding);
  };
  return device().queue(handle->stream, {.work = std::move(work), .nanoseconds = engine.nanoseconds}) ==
                 cudaSuccess
             ? CUDNN_STATUS_SUCCESS
             : CUDNN_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
