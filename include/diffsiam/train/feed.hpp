// Feed: a tensor at one place, for the batches of a run. On a backend that records, the next one travels
// through memory of the host that the device reads by itself, while the last step is still being computed.
#pragma once

#include <algorithm>
#include <span>
#include <type_traits>
#include <vector>

#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::train {

namespace detail {

/// Where a batch arrives: on most backends, in the tensor itself.
template <class B>
struct InboxOf {
  using T = typename B::Scalar;
  Tensor<B> tensor;

  InboxOf(typename B::Context& context, Shape const& shape) : tensor(context, shape) {}
  void put(std::span<T const> values) { tensor.assign(values); }
};
template <backend::Recordable B>
struct InboxOf<B> {
  using T = typename B::Scalar;
  typename B::Inbox inbox;
  Tensor<B> tensor;

  InboxOf(typename B::Context& context, Shape const& shape)
      : inbox(context, static_cast<std::size_t>(shape.size()) * sizeof(T)),
        tensor(Tensor<B>::borrowed(context, shape, static_cast<T*>(inbox.data()))) {}
  void put(std::span<T const> values) { inbox.put(values.data()); }
};

}  // namespace detail

/// Feed<B> images{context, {128, 64, 64, 3}};
/// images.put(batch.images); step([&](auto& tape, auto const& at) { ... images.tensor() ... });
template <backend::Backend B>
class Feed {
 public:
  using T = typename B::Scalar;

  Feed(typename B::Context& context, Shape const& shape) : inbox_(context, shape) {}
  Feed(Feed const&) = delete;
  Feed& operator=(Feed const&) = delete;

  /// Valid as long as the feed; indeterminate before the first batch.
  [[nodiscard]] Tensor<B> const& tensor() const { return inbox_.tensor; }
  /// For the steps that are queued from now on; returns when the values may be changed. Throws ShapeError
  /// when the counts differ, Error while a step is recorded.
  template <class S>
  void put(std::span<S const> values) {
    if (static_cast<Index>(values.size()) != tensor().size())
      fail<ShapeError>("Feed::put", {tensor().size(), " values for ", tensor().shape()}, values.size());
    if constexpr (std::is_same_v<S, T>) {
      inbox_.put(values);
    } else {
      converted_.resize(values.size());
      std::transform(values.begin(), values.end(), converted_.begin(),
                     [](S value) { return static_cast<T>(value); });
      inbox_.put(converted_);
    }
  }

 private:
  detail::InboxOf<B> inbox_;
  std::vector<T> converted_;
};

}  // namespace diffsiam::train
