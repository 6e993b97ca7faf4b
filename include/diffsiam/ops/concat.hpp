// concat: values side by side along their last extent. slice: some channels of a value.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// (..., a) and (..., b) -> (..., a + b).
struct Concat {
  static constexpr std::string_view name = "concat";
  static constexpr unsigned keeps_inputs = 0;
  static constexpr CompactRule compact{
      .output = CompactRule::Output::alike, .reads = 0b11, .writes = true, .likens = 0b11, .gradients = true};

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].rank() == 0 || in[0].rank() != in[1].rank() ||
        in[0].with_channels(0) != in[1].with_channels(0)) {
      fail<ShapeError>(name, "shapes that differ in their last extent only", {in[0], " and ", in[1]});
    }
    return in[0].with_channels(in[0].channels() + in[1].channels());
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  template <class B>
  void forward(Forward<B> const& pass) const {
    for_each_part(pass.in, [&](std::size_t i, SampleGrid const& g, Index begin, Index pitch) {
      B::for_each(pass.context, g.grid(), functional::Copy{}, g.full(pass.out.stored() + begin, pitch),
                  g.full(pass.in[i].stored()));
    });
  }
  template <class B>
  void recompute(Forward<B> const& pass) const {
    forward(pass);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    for_each_part(pass.in, [&](std::size_t i, SampleGrid const& g, Index begin, Index pitch) {
      if (auto* dx = pass.gradient(i)) {
        auto const from = g.full(pass.dy.stored() + begin, pitch);
        if constexpr (backend::Compacting<B>)
          if (pass.writes(i))
            return B::for_each(pass.context, g.grid(), functional::Copy{}, g.full(dx->stored()), from);
        B::for_each(pass.context, g.grid(), functional::Accumulate{}, g.full(dx->data()), from);
      }
    });
  }

 private:
  template <class B, class F>
  static void for_each_part(std::span<Tensor<B> const> in, F f) {
    Index const pitch = in[0].shape().channels() + in[1].shape().channels();
    Index begin = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      Index const c = in[i].shape().channels();
      f(i, SampleGrid{1, in[i].size() / std::max<Index>(1, c), c}, begin, pitch);
      begin += c;
    }
  }
};

/// Channels [begin, end) of x (..., c).
struct Slice {
  static constexpr std::string_view name = "slice";
  static constexpr unsigned keeps_inputs = 0;
  static constexpr CompactRule compact{.output = CompactRule::Output::alike, .reads = 0b1, .writes = true};
  Index begin = 0, end = 0;

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].rank() == 0 || begin < 0 || end <= begin || end > in[0].channels()) {
      fail<ShapeError>(name, {"channels within ", in[0]}, {begin, " .. ", end});
    }
    return in[0].with_channels(end - begin);
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  template <class B>
  void forward(Forward<B> const& pass) const {
    Index const c = pass.in[0].shape().channels();
    SampleGrid const g{1, pass.in[0].size() / c, end - begin};
    B::for_each(pass.context, g.grid(), functional::Copy{}, g.full(pass.out.stored()),
                g.full(pass.in[0].stored() + begin, c));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    Index const c = pass.in[0].shape().channels();
    SampleGrid const g{1, pass.in[0].size() / c, end - begin};
    if (auto* dx = pass.gradient(0)) {
      B::for_each(pass.context, g.grid(), functional::Accumulate{}, g.full(dx->data() + begin, c),
                  g.full(pass.dy.data()));
    }
  }
};

template <Value X, Value Y>
auto concat(X const& x, Y const& y) {
  return evaluate(Concat{}, x, y);
}
template <Value X>
auto slice(X const& x, Index begin, Index end) {
  return evaluate(Slice{begin, end}, x);
}

}  // namespace diffsiam::ops
