// Feed: a tensor that receives one batch of a run after the other, always in the same memory. On a backend
// that records, the next batch is copied to the device while the last step is still being computed.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <span>
#include <type_traits>
#include <vector>

#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::train {

namespace detail {

/// Where a batch arrives. On most backends this is the tensor itself.
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
  typename B::StagingBuffer inbox;
  Tensor<B> tensor;

  InboxOf(typename B::Context& context, Shape const& shape)
      : inbox(context, static_cast<std::size_t>(shape.size()) * sizeof(T)),
        tensor(Tensor<B>::borrowed(context, shape, static_cast<T*>(inbox.data()))) {}
  void put(std::span<T const> values) { inbox.put(values.data()); }
};

}  // namespace detail

/// Feed<B> images{context, {128, 64, 64, 3}};
/// images.put(batch.images);
/// step([&](auto& tape, auto const& at) { ... images.tensor() ... });
template <backend::Backend B>
class Feed {
 public:
  using T = typename B::Scalar;

  Feed(typename B::Context& context, Shape const& shape) : inbox_(context, shape) {}
  Feed(Feed const&) = delete;
  Feed& operator=(Feed const&) = delete;

  /// The tensor, valid as long as the feed. Its contents are indeterminate before the first batch.
  [[nodiscard]] Tensor<B> const& tensor() const& { return inbox_.tensor; }
  [[nodiscard]] Tensor<B> tensor() const&& { return inbox_.tensor; }
  /// Copies `values` to the tensor, for all steps that begin after this call. Returns when the caller may
  /// change them. Throws ShapeError unless there is one value for each element, Error while a step is
  /// recorded.
  template <class S>
  void put(std::span<S const> values) {
    if constexpr (std::is_same_v<S, T>)
      deliver(values);
    else
      put({values});
  }
  /// The same for parts that are put one after the other, such as both views of a batch.
  template <class S>
  void put(std::initializer_list<std::span<S const>> parts) {
    put_parts(std::span{parts.begin(), parts.size()});
  }
  /// The same for any number of parts.
  template <class S>
  void put_parts(std::span<std::span<S const> const> parts) {
    joined_.clear();
    for (std::span<S const> const part : parts)
      std::transform(part.begin(), part.end(), std::back_inserter(joined_),
                     [](S value) { return static_cast<T>(value); });
    deliver(joined_);
  }

 private:
  void deliver(std::span<T const> values) {
    if (static_cast<Index>(values.size()) != tensor().size())
      fail<ShapeError>("Feed::put", {tensor().size(), " values for ", tensor().shape()}, values.size());
    inbox_.put(values);
  }

  detail::InboxOf<B> inbox_;
  std::vector<T> joined_;  ///< the joined parts, in the type of the backend
};

}  // namespace diffsiam::train
