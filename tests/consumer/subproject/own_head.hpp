// A head of the user's own: a linear layer whose z has length 1.
#pragma once

#include <diffsiam/diffsiam.hpp>

template <class B>
struct UnitHead {
  using Backend = B;
  diffsiam::nn::Linear<B> linear;

  UnitHead(diffsiam::nn::Init<B>& init, diffsiam::Index features,
           diffsiam::TimestepPartition const& partition, diffsiam::PublishedLayout layout)
      : linear(init, {.in = features, .out = partition.dims(), .layout = layout}) {}
  template <diffsiam::FlowingValue X>
  [[nodiscard]] auto operator()(X const& features) const {
    return diffsiam::ops::normalize(linear(features));
  }
  template <class F>
  void for_each_child(F&& f) const {
    f(diffsiam::nn::ChildName{"linear"}, linear);
  }
};
