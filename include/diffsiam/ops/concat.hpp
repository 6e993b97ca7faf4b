// concat joins two values along their last extent. slice takes some channels of a value.
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
  static constexpr InputList keeps_inputs{};
  static constexpr StorageRule storage_rule{.inputs = {0, 1}, .native = StorageRule::Native::all};

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
      B::for_each(pass.context, g.grid(), functional::Copy{}, g.full(pass.out.storage() + begin, pitch),
                  g.full(pass.in[i].storage()));
    });
  }
  template <class B>
  void rematerialize(Forward<B> const& pass) const {
    forward(pass);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    for_each_part(pass.in, [&](std::size_t i, SampleGrid const& g, Index begin, Index pitch) {
      if (auto* dx = pass.gradient(i)) {
        pass.accumulate(g.grid(), functional::Accumulate{}, g.full(dx->storage()),
                        g.full(pass.dy.storage() + begin, pitch));
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
  static constexpr InputList keeps_inputs{};
  static constexpr StorageRule storage_rule{.inputs = {0}, .native = StorageRule::Native::forward};
  Index begin = 0, end = 0;  ///< 0 <= begin < end <= c

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
    B::for_each(pass.context, g.grid(), functional::Copy{}, g.full(pass.out.storage()),
                g.full(pass.in[0].storage() + begin, c));
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

/// (..., a) and (..., b) -> (..., a + b). Throws ShapeError unless all other extents are equal.
template <Value X, Value Y>
auto concat(X const& x, Y const& y) {
  return evaluate(Concat{}, x, y);
}
/// Channels [begin, end) of x (..., c). Throws ShapeError for an empty range or one outside [0, c].
template <Value X>
auto slice(X const& x, Index begin, Index end) {
  return evaluate(Slice{begin, end}, x);
}

}  // namespace diffsiam::ops
