// Descriptors of cuDNN's graph interface as the stand-in keeps them, and the engines that it offers.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <cudnn.h>

#include "convolve.hpp"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace diffsiam::standin {

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
[[nodiscard]] std::vector<Engine> const& engines();

/// y = x + added, where `added` is like x, or has one value for each channel.
struct Sum {
  Placed x, added, y;
};

/// Parts are read when it is finalized, and may be destroyed then.
struct Descriptor {
  cudnnBackendDescriptorType_t type;
  std::map<cudnnBackendAttributeName_t, Attribute> attributes{};
  bool finalized = false;
  std::shared_ptr<Convolved const> convolution{};  ///< of operations, and of all that is made from them
  std::shared_ptr<Sum const> sum{};                ///< of an operation that adds
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

/// Null if there is none.
[[nodiscard]] Descriptor* as_descriptor(cudnnBackendDescriptor_t handle);
/// The type that the manual gives an attribute; empty if the stand-in does not know it.
[[nodiscard]] std::optional<cudnnBackendAttributeType_t> type_of(cudnnBackendAttributeName_t name);
/// Whether an engine computes a convolution.
[[nodiscard]] bool serves(Engine const& engine, Convolved const& made);
/// Checks what a descriptor needs, and fills in what follows from it.
[[nodiscard]] cudnnStatus_t finalize(Descriptor& d);
/// Notes why something is refused.
[[nodiscard]] cudnnStatus_t refuse(cudnnStatus_t status, std::string why);

}  // namespace diffsiam::standin
