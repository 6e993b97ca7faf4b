// group_norm: y = act((GN(x) gamma + beta)(1 + s) + b), where GN normalises over the positions and channels
// of a group (Wu and He, 2018) and the modulation (s, b) is optional. layer_norm is the same over the last
// extent.
#pragma once

#include <diffsiam/composed/group_norm.hpp>
#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// The part that does not depend on the activation. Inputs are x (n, ..., c), gamma (c), beta (c), and
/// optionally a modulation (n, 2c), first scale and then shift. With `rows` every position is normalised by
/// itself (LayerNorm). A group must have at least two values, because one value minus its mean is always 0. A
/// group of equal values becomes beta.
struct GroupNormRules {
  static constexpr std::string_view name = "group_norm";
  static constexpr StorageRule storage_rule{.inputs = {0}, .native = StorageRule::Native::all, .adds = {0}};
  Index groups = 32;      ///< must divide c
  double epsilon = 1e-5;  ///< added to the variance
  bool rows = false;

  [[nodiscard]] DIFFSIAM_STEERS Shape shape(Shapes in) const {
    Index const c = in[0].channels();
    if (in[0].rank() < 2 || c == 0) fail<ShapeError>(name, "(n, ..., c)", in[0]);
    if (groups < 1 || c % groups != 0) {
      fail<ConfigError>(name, {"channels that divide into ", groups, " groups"}, {c, " channels"},
                        "ask for a smaller number of groups explicitly");
    }
    Index const of_group = (rows ? 1 : in[0].positions()) * (c / groups);
    if (of_group == 1)
      fail<ShapeError>(name, {"two values or more in each of ", groups, " groups"}, in[0],
                       "a single value less its mean is 0, whatever it was: ask for fewer groups");
    require_shape(name, {c}, in[1], "gamma has one value per channel");
    require_shape(name, {c}, in[2], "beta has one value per channel");
    if (in.size() > 3)
      require_shape(name, {in[0].samples(), 2 * c}, in[3], "a modulation is (n, 2 c): scale, then shift");
    return in[0];
  }
  /// About eight operations for each element.
  [[nodiscard]] double flops(Shapes in) const { return 8.0 * static_cast<double>(in[0].size()); }

  /// The extents as backends take them.
  [[nodiscard]] NormGeometry geometry(Shape const& x) const {
    if (rows) return {x.size() / x.channels(), 1, x.channels(), groups};
    SampleGrid const grid{x};
    return {grid.n, grid.s, grid.c, groups};
  }

 protected:
  template <class B>
  [[nodiscard]] composed::ComposedNorm<B> norm_of(typename B::Context& context, Shape const& x) const {
    NormGeometry const g = geometry(x);
    return {context, SampleGrid{g.n, g.s, g.c}, g.groups};
  }
  /// Null if there is no modulation.
  template <class B>
  [[nodiscard]] static auto* modulation_of(std::span<Tensor<B> const> in) {
    return in.size() > 3 ? in[3].data() : nullptr;
  }

  /// The forward pass by `function`, which knows the activation.
  template <class B>
  DIFFSIAM_STEERS void forward_by(composed::NormFunction<B, composed::NormForwardOf<B>> function,
                                  Forward<B> const& pass) const {
    auto const norm = norm_of<B>(pass.context, pass.in[0].shape());
    Tensor<B> const statistics = norm.table(2), affine = norm.table(2);
    function(pass.context, geometry(pass.in[0].shape()),
             {.x = pass.in[0].storage(),
              .gamma = pass.in[1].data(),
              .beta = pass.in[2].data(),
              .modulation = modulation_of(pass.in),
              .epsilon = epsilon,
              .y = pass.out.storage(),
              .mean = norm.plane(statistics, 0),
              .inverse_deviation = norm.plane(statistics, 1),
              .scale = norm.plane(affine, 0),
              .shift = norm.plane(affine, 1)});
    pass.save(0, statistics);
    pass.save(1, affine);
  }
  template <class B>
  DIFFSIAM_STEERS void backward_by(composed::NormFunction<B, composed::NormBackwardOf<B>> function,
                                   Backward<B> const& pass) const {
    auto const norm = norm_of<B>(pass.context, pass.in[0].shape());
    Tensor<B> const p_1 = norm.table(), p_2 = norm.table();
    function(pass.context, geometry(pass.in[0].shape()),
             {.x = pass.in[0].storage(),
              .gamma = pass.in[1].data(),
              .beta = pass.in[2].data(),
              .modulation = modulation_of(pass.in),
              .dy = pass.dy.storage(),
              .mean = norm.plane(pass.saved[0], 0),
              .inverse_deviation = norm.plane(pass.saved[0], 1),
              .scale = norm.plane(pass.saved[1], 0),
              .shift = norm.plane(pass.saved[1], 1),
              .dx = pass.gradient(0) ? pass.gradient(0)->storage() : backend::WrittenBy<B>{nullptr},
              .earlier = pass.earlier(0),
              .d_modulation = gradient(pass, 3),
              .p_1 = p_1.data(),
              .p_2 = p_2.data()});
    norm.add_over_samples(p_2, gradient(pass, 1));
    norm.add_over_samples(p_1, gradient(pass, 2));
  }
  /// Where the gradient of input i is added, or null if there is no such input or it needs no gradient.
  template <class B>
  [[nodiscard]] static typename B::Scalar* gradient(Backward<B> const& pass, std::size_t i) {
    return i < pass.in.size() && pass.gradient(i) ? pass.gradient(i)->data() : nullptr;
  }
};

/// y = act((GN(x) gamma + beta)(1 + s) + b).
template <class Act = functional::Identity>
struct GroupNorm : GroupNormRules {
  template <class B>
  void forward(Forward<B> const& pass) const {
    forward_by<B>(composed::group_norm_of<B, Act>(), pass);
  }
  /// One pass over x: the statistics are folded into a scale and a shift, which were saved.
  template <class B>
  void rematerialize(Forward<B> const& pass) const {
    auto const norm = norm_of<B>(pass.context, pass.in[0].shape());
    Tensor<B> const& affine = (*pass.saved)[1];
    norm.template apply<Act>(pass.in[0].storage(), norm.plane(affine, 0), norm.plane(affine, 1),
                             pass.out.storage());
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    backward_by<B>(composed::group_norm_gradient_of<B, Act>(), pass);
  }
};

/// x (n, ..., c), gamma (c), beta (c) -> (n, ..., c). Throws ShapeError if shapes do not fit, ConfigError
/// unless c is a multiple of `groups`.
template <class Act = functional::Identity, Value X, Value G, Value Beta>
auto group_norm(X const& x, G const& gamma, Beta const& beta, Index groups, double epsilon = 1e-5) {
  return evaluate(GroupNorm<Act>{{groups, epsilon}}, x, gamma, beta);
}
/// The same with a modulation (n, 2c), first scale and then shift.
template <class Act = functional::Identity, Value X, Value G, Value Beta, Value M>
auto modulated_group_norm(X const& x, G const& gamma, Beta const& beta, M const& modulation, Index groups,
                          double epsilon = 1e-5) {
  return evaluate(GroupNorm<Act>{{groups, epsilon}}, x, gamma, beta, modulation);
}
/// Normalises the last extent of x (..., c), each row by itself.
template <class Act = functional::Identity, Value X, Value G, Value Beta>
auto layer_norm(X const& x, G const& gamma, Beta const& beta, double epsilon = 1e-5) {
  return evaluate(GroupNorm<Act>{{1, epsilon, true}}, x, gamma, beta);
}

}  // namespace diffsiam::ops
