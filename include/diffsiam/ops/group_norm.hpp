// group_norm: y = act((GN(x) gamma + beta)(1 + s) + b), GN over the positions and channels of a group (Wu and
// He, 2018), the modulation (s, b) optional. layer_norm is the same over the last extent.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/ops/detail/normalise.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// Inputs x (n, ..., c), gamma (c), beta (c), and optionally a modulation (n, 2c): scale, then shift.
/// `rows`: every position is a sample of its own (LayerNorm).
template <class Act = functional::Identity>
struct GroupNorm {
  static constexpr std::string_view name = "group_norm";
  Index groups = 32;
  double epsilon = 1e-5;
  bool rows = false;

  [[nodiscard]] Shape shape(Shapes in) const {
    Index const c = in[0].channels();
    if (in[0].rank() < 2 || c == 0) fail<ShapeError>(name, "(n, ..., c)", to_string(in[0]));
    if (groups < 1 || c % groups != 0) {
      fail<ConfigError>(name, "channels that divide into " + std::to_string(groups) + " groups",
                        std::to_string(c) + " channels", "ask for a smaller number of groups explicitly");
    }
    require_shape(name, {c}, in[1], "gamma has one value per channel");
    require_shape(name, {c}, in[2], "beta has one value per channel");
    if (in.size() > 3)
      require_shape(name, {in[0].samples(), 2 * c}, in[3], "a modulation is (n, 2 c): scale, then shift");
    return in[0];
  }
  /// About eight operations an element.
  [[nodiscard]] double flops(Shapes in) const { return 8.0 * static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    auto const normalise = normaliser<B>(pass.context, pass.in[0].shape());
    Tensor<B> const statistics = normalise.table(2), affine = normalise.table(2);
    Tensor<B> const mean = normalise.table(), variance = normalise.table();
    normalise.statistics(pass.in[0].data(), mean, variance);
    normalise.fold(mean, variance, epsilon, pass.in[1].data(), pass.in[2].data(), statistics, affine);
    if (pass.in.size() > 3) normalise.modulate(pass.in[3].data(), affine);
    normalise.apply(pass.in[0].data(), affine, pass.out.data());
    pass.save(0, statistics);
    pass.save(1, affine);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    auto const normalise = normaliser<B>(pass.context, pass.in[0].shape());
    auto const data = [&](std::size_t i) {
      return i < pass.in.size() && pass.gradient(i) ? pass.gradient(i)->data() : nullptr;
    };
    normalise.backward(pass.in[0].data(), pass.in[1].data(), pass.in[2].data(),
                       pass.in.size() > 3 ? pass.in[3].data() : nullptr, pass.saved[0], pass.saved[1],
                       pass.dy, {.x = data(0), .gamma = data(1), .beta = data(2), .modulation = data(3)},
                       true);
  }

 private:
  template <class B>
  [[nodiscard]] detail::Normalise<B, Act> normaliser(typename B::Context& context, Shape const& x) const {
    SampleGrid const grid = rows ? SampleGrid{x.size() / x.channels(), 1, x.channels()} : SampleGrid{x};
    return {context, grid, groups};
  }
};

template <class Act = functional::Identity, Value X, Value G, Value Beta>
auto group_norm(X const& x, G const& gamma, Beta const& beta, Index groups, double epsilon = 1e-5) {
  return evaluate(GroupNorm<Act>{groups, epsilon}, x, gamma, beta);
}
/// With a modulation (n, 2c).
template <class Act = functional::Identity, Value X, Value G, Value Beta, Value M>
auto modulated_group_norm(X const& x, G const& gamma, Beta const& beta, M const& modulation, Index groups,
                          double epsilon = 1e-5) {
  return evaluate(GroupNorm<Act>{groups, epsilon}, x, gamma, beta, modulation);
}
/// Normalises the last extent of x (..., c).
template <class Act = functional::Identity, Value X, Value G, Value Beta>
auto layer_norm(X const& x, G const& gamma, Beta const& beta, double epsilon = 1e-5) {
  return evaluate(GroupNorm<Act>{1, epsilon, true}, x, gamma, beta);
}

}  // namespace diffsiam::ops
