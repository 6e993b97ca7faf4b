// DnnDescriptor: the only kind of object of cuDNN's graph interface, with typed attributes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include <cudnn.h>

#include <diffsiam/backend/cuda/check.hpp>
#include <diffsiam/backend/cuda/owned.hpp>

namespace diffsiam::backend::cuda {

/// Throws DeviceError if cuDNN refuses something; try_finalize returns false instead.
class DnnDescriptor {
 public:
  explicit DnnDescriptor(cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t made = nullptr;
    check(cudnnBackendCreateDescriptor(type, &made), "cudnnBackendCreateDescriptor");
    handle_.reset(made);
  }

  [[nodiscard]] cudnnBackendDescriptor_t get() const { return handle_.get(); }

  void set(cudnnBackendAttributeName_t name, cudnnHandle_t value) { set(name, CUDNN_TYPE_HANDLE, 1, &value); }
  void set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
    set(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value) {
    set(name, CUDNN_TYPE_CONVOLUTION_MODE, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value) {
    set(name, CUDNN_TYPE_HEUR_MODE, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, cudnnPointwiseMode_t value) {
    set(name, CUDNN_TYPE_POINTWISE_MODE, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, bool value) { set(name, CUDNN_TYPE_BOOLEAN, 1, &value); }
  void set(cudnnBackendAttributeName_t name, std::string_view value) {
    set(name, CUDNN_TYPE_CHAR, static_cast<std::int64_t>(value.size()), value.data());
  }
  void set(cudnnBackendAttributeName_t name, std::initializer_list<std::int64_t> values) {
    set(name, CUDNN_TYPE_INT64, static_cast<std::int64_t>(values.size()), values.begin());
  }
  void set(cudnnBackendAttributeName_t name, float value) { set(name, CUDNN_TYPE_FLOAT, 1, &value); }
  void set(cudnnBackendAttributeName_t name, std::initializer_list<void*> values) {
    set(name, CUDNN_TYPE_VOID_PTR, static_cast<std::int64_t>(values.size()), values.begin());
  }
  /// A type of its own in name only: to the compiler it is a pointer to anything.
  void set_descriptors(cudnnBackendAttributeName_t name,
                       std::initializer_list<cudnnBackendDescriptor_t> values) {
    set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(values.size()), values.begin());
  }
  void set(cudnnBackendAttributeName_t name, DnnDescriptor const& value) {
    set_descriptors(name, {value.get()});
  }

  void finalize(std::string_view operation) { check(cudnnBackendFinalize(get()), operation); }
  [[nodiscard]] bool try_finalize() { return cudnnBackendFinalize(get()) == CUDNN_STATUS_SUCCESS; }

  [[nodiscard]] std::int64_t integer(cudnnBackendAttributeName_t name) const {
    std::int64_t value = 0, count = 0;
    check(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_INT64, 1, &count, &value), "cuDNN");
    return value;
  }
  /// The values of an attribute of an enumeration type, at most `most`.
  template <class E>
  [[nodiscard]] std::vector<E> values(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                      std::int64_t most) const {
    std::vector<E> result(static_cast<std::size_t>(most));
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(get(), name, type, most, &count, result.data()), "cuDNN");
    result.resize(static_cast<std::size_t>(count < most ? count : most));
    return result;
  }
  /// The most descriptors that an attribute holds; it may hold fewer.
  [[nodiscard]] std::int64_t most_descriptors(cudnnBackendAttributeName_t name) const {
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count, nullptr), "cuDNN");
    return count;
  }
  /// The descriptors of `type` in an attribute, at most `most`.
  [[nodiscard]] std::vector<DnnDescriptor> descriptors(cudnnBackendAttributeName_t name,
                                                       cudnnBackendDescriptorType_t type,
                                                       std::int64_t most) const {
    std::vector<DnnDescriptor> result;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (std::int64_t i = 0; i < most; ++i) raw.push_back(result.emplace_back(type).get());
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, &count, raw.data()),
          "cuDNN");
    while (static_cast<std::int64_t>(result.size()) > count) result.pop_back();
    return result;
  }

 private:
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
           void const* values) {
    check(cudnnBackendSetAttribute(get(), name, type, count, values), "cudnnBackendSetAttribute");
  }

  Owned<cudnnBackendDescriptor_t, &cudnnBackendDestroyDescriptor> handle_;
};

}  // namespace diffsiam::backend::cuda
