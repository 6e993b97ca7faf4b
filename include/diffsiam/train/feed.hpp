// Feed: a tensor at one place, for the batches of a run: the next one travels through memory of the host that
// the device reads by itself, while the last step is still being computed.
#pragma once

#include <algorithm>
#include <span>
#include <type_traits>
#include <vector>

#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::train {

/// Feed<B> images{context, {128, 64, 64, 3}};
/// images.put(batch.images); step([&](auto& tape, auto const& at) { ... images.tensor() ... });
template <backend::Recordable B>
class Feed {
 public:
  using T = typename B::Scalar;

  Feed(typename B::Context& context, Shape const& shape)
      : inbox_(context, static_cast<std::size_t>(shape.size()) * sizeof(T)),
        tensor_(Tensor<B>::borrowed(context, shape, static_cast<T*>(inbox_.data()))) {}
  Feed(Feed const&) = delete;
  Feed& operator=(Feed const&) = delete;

  /// Valid as long as the feed; indeterminate before the first batch.
  [[nodiscard]] Tensor<B> const& tensor() const { return tensor_; }
  /// For the steps that are queued from now on; returns when the values may be changed. Throws ShapeError
  /// when the counts differ, Error while a step is recorded.
  template <class S>
  void put(std::span<S const> values) {
    if (static_cast<Index>(values.size()) != tensor_.size())
      fail<ShapeError>("Feed::put", {tensor_.size(), " values for ", tensor_.shape()}, values.size());
    if constexpr (std::is_same_v<S, T>) {
      inbox_.put(values.data());
    } else {
      converted_.resize(values.size());
      std::transform(values.begin(), values.end(), converted_.begin(),
                     [](S value) { return static_cast<T>(value); });
      inbox_.put(converted_.data());
    }
  }

 private:
  typename B::Inbox inbox_;
  Tensor<B> tensor_;
  std::vector<T> converted_;
};

}  // namespace diffsiam::train
