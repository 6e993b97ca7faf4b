// Multi-tensor updates: all weights in one launch, on the kernels of the Cuda backend, stepped through on the
// host.
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/testing/stepped_backend.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/multi_tensor_update.hpp>
#include <diffsiam/train/sgd.hpp>

using namespace diffsiam;
using namespace diffsiam::test;

namespace {

using B = testing::Stepped<float>;

/// Weights of several sizes: less than a block, more than a chunk, frozen.
struct Weights {
  B::Context context;
  std::vector<Parameter<B>> all;
  nn::ParameterList<B> list;

  Weights() {
    Index const sizes[] = {3, 2 * TensorChunk<float, 4>::most + 77, 300, 50};
    for (Index const size : sizes) {
      OneWeight<B> const module{
          Parameter<B>(random_tensor<B>(context, {size}, Rng{1, static_cast<std::uint32_t>(size)}))};
      all.push_back(module.weight);
      list.add(module);
    }
    all.back().set_trainable(false);
  }
  /// Those of step n, times `scale`.
  void fill_gradients(std::uint64_t n, double scale) {
    for (auto const& weight : all)
      if (weight.trainable())
        weight.gradient().assign(random_tensor<B>(context, weight.shape(), Rng{2, 0, n}, scale));
  }
};

/// All that a step moves.
template <class O>
[[nodiscard]] std::vector<float> moved(Weights const& weights, O const& optimizer, train::Ema<B> const& ema) {
  std::vector<float> result;
  auto const append = [&](Tensor<B> const& tensor) {
    auto const values = tensor.values();
    result.insert(result.end(), values.begin(), values.end());
  };
  for (auto const& weight : weights.all) append(weight.value());
  optimizer.for_each_state([&](auto const&, Tensor<B> const& state) { append(state); });
  ema.for_each_state([&](auto const&, Tensor<B> const& state, auto const&) { append(state); });
  return result;
}

/// One launch against a launch a weight, over four steps of which the third has gradients that are not
/// finite.
template <class O>
void check(typename O::Config const& config, bool averages) {
  Weights one, many;
  O one_optimizer{one.list, config}, many_optimizer{many.list, config};
  train::Ema<B> one_ema{one.list, {.decay = 0.9}}, many_ema{many.list, {.decay = 0.9}};
  train::MultiTensorUpdate<B> const update{one_optimizer, averages ? &one_ema : nullptr};
  CHECK(one_ema.all_fused() == averages);
  train::detail::SentValue<B, GradientScale<float>> sent{one.context};
  constexpr double scale = 8;
  for (std::uint64_t n = 0; n < 4; ++n) {
    double const factor = 1.0 / static_cast<double>(n + 1);
    bool const finite = n != 2;
    one.fill_gradients(n, scale);
    sent.send({static_cast<float>(1 / scale), finite ? 1 : 0});
    update.send(factor);
    update.apply(sent.data());
    for (auto const& weight : one.all)
      if (weight.trainable())
        REQUIRE(weight.gradient().values() ==
                std::vector<float>(static_cast<std::size_t>(weight.shape().size()), 0.0F));
    if (!finite) continue;
    one_optimizer.set_steps(one_optimizer.steps() + 1);
    if (averages) one_ema.set_updates(one_ema.updates() + 1);
    many.fill_gradients(n, 1);
    if (averages) {
      many_ema.begin_update();
      many_optimizer.step(factor, many_ema);
      many_ema.end_update();
    } else {
      many_optimizer.step(factor);
    }
  }
  CHECK(one_optimizer.steps() == 3);
  CHECK(moved(one, one_optimizer, one_ema) == moved(many, many_optimizer, many_ema));
}

}  // namespace

TEST_CASE("One launch moves what a launch for each weight moves, bit for bit", "[train]") {
  bool const averages = GENERATE(false, true);
  check<train::Adam<B>>({.learning_rate = 0.1, .weight_decay = 0.01}, averages);
  check<train::AdamW<B>>({.learning_rate = 0.1}, averages);
  check<train::Sgd<B>>({.learning_rate = 0.1, .momentum = 0}, averages);
  check<train::Sgd<B>>({.learning_rate = 0.1, .nesterov = true, .weight_decay = 0.01}, averages);
}

TEST_CASE("The scale of gradients is that of the host", "[train]") {
  B::Context context;
  // More than a block holds at a time.
  std::vector<float> squares(600);
  double total = 0;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    squares[i] = 0.37F * static_cast<float>(i % 91);
    total += static_cast<double>(squares[i]);
  }
  std::vector<float> losses{1, -2};
  double const loss_scale = 4;
  GradientScale<float> scale{};
  auto const find = [&](double max_norm) {
    B::find_gradient_scale(context, {losses.data(), 2, squares.data(), 600, max_norm, &loss_scale}, &scale);
  };
  find(0);
  CHECK(scale.factor == 0.25F);
  CHECK(scale.finite == 1);
  find(0.5);
  CHECK(scale.factor == static_cast<float>(0.5 / (std::sqrt(total) / loss_scale + 1e-6) / loss_scale));
  float const bad = GENERATE(HUGE_VALF, -HUGE_VALF, NAN);
  squares[599] = std::abs(bad);
  find(0);
  CHECK(scale.finite == 0);
  squares[599] = 0;
  losses[1] = bad;
  find(0);
  CHECK(scale.finite == 0);
}
