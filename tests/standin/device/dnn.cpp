// cuDNN's graph interface on the stand-in, for one convolution or one of its gradients. Descriptors refuse
// what the manual says, and convolutions are computed by plain loops.
#include "dnn.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <cudnn.h>

#include "device.hpp"
#include "dnn_descriptor.hpp"
#include "tally.hpp"

using namespace diffsiam::standin;

namespace {

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
  if (most > 0) *count = std::min(most, *count);  // otherwise only the number was asked for
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
  device().tally->add_product(
      device().running,
      bytes(*made.inputs()[0]) + bytes(*made.inputs()[1]) + (made.added ? bytes(*made.added) : 0),
      bytes(made.output()), 2 * size(made.y) * taps,
      made.inputs()[0]->type != CUDA_R_32F ? Unit::bits16
      : rounding == Rounding::tf32         ? Unit::tf32
                                           : Unit::float32);
}

}  // namespace

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
    case CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE:  // graphs of two operations are compiled when they are planned
      return give(d->convolution->added ? std::vector{CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}
                                        : std::vector<cudnnBackendBehaviorNote_t>{},
                  most, count, to);
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
  std::vector<Placed*> tensors{&made.x, &made.w, &made.y};
  if (made.added) tensors.push_back(&*made.added);
  for (Placed* const tensor : tensors) {
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
  std::vector<void const*> repeats;
  if (!made.added || made.added->data != made.output().data)  // otherwise each time adds once more
    repeats = {plan, made.x.data, made.w.data, made.y.data, workspace};
  return device().queue(handle->stream, {.work = std::move(work),
                                         .nanoseconds = engine.nanoseconds,
                                         .repeats = std::move(repeats)}) == cudaSuccess
             ? CUDNN_STATUS_SUCCESS
             : CUDNN_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
