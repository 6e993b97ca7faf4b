// A small network that looks at the whole batch in each way: batch norm, NT-Xent and VICReg;
// with dropout, too.
#pragma once

#include <span>
#include <vector>

#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/dist/data_parallel.hpp>
#include <diffsiam/loss/nt_xent.hpp>
#include <diffsiam/loss/vicreg.hpp>
#include <diffsiam/nn/batch_norm.hpp>
#include <diffsiam/nn/dropout.hpp>
#include <diffsiam/nn/linear.hpp>
#include <diffsiam/ops/samples.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/step.hpp>

namespace diffsiam::test {

/// x (n, 5): linear, batch norm, relu, linear.
template <class B>
struct SiameseNet {
  using Backend = B;
  explicit SiameseNet(typename B::Context& context) : SiameseNet(nn::Init<B>{context, 5}) {}

  template <class X>
  [[nodiscard]] auto operator()(X const& x) const {
    return second(ops::relu(norm(first(x))));
  }
  /// x (2n, 5): n of view 1, then their partners.
  [[nodiscard]] Taped<B> loss(Taped<B> const& x) const { return loss::NtXent{0.5}((*this)(x)); }
  /// The same views, by a loss of batch statistics.
  [[nodiscard]] Taped<B> vicreg(Taped<B> const& x) const {
    auto const y = (*this)(x);
    Index const n = y.shape().samples() / 2;
    return loss::VicReg{}(ops::samples(y, 0, n), ops::samples(y, n, 2 * n));
  }
  [[nodiscard]] Taped<B> dropped(Taped<B> const& x) const {
    return loss::NtXent{0.5}((*this)(nn::Dropout{0.2}(x)));
  }
  /// Without the siamese half, and without batch norm.
  [[nodiscard]] Taped<B> plain(Taped<B> const& x) const {
    auto const y = second(ops::relu(first(x)));
    return ops::mean(ops::multiply(y, y));
  }
  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"first"}, first);
    f(nn::ChildName{"norm"}, norm);
    f(nn::ChildName{"second"}, second);
  }
  /// The running mean, as the last step has proposed it.
  [[nodiscard]] std::vector<double> norm_mean() const {
    return nn::parameters(*this).buffers.front().buffer.value().template values<double>();
  }
  void commit() const {
    for (auto const& [name, buffer] : nn::parameters(*this).buffers) buffer.commit();
  }

  nn::Linear<B> first;
  nn::BatchNorm<B> norm;
  nn::Linear<B> second;

 private:
  explicit SiameseNet(nn::Init<B>&& init)
      : first(init, {.in = 5, .out = 7}), norm(init, {.channels = 7}), second(init, {.in = 7, .out = 3}) {}
};

template <class B>
struct SiameseTraining {
  train::Adam<B> adam;
  train::Ema<B> ema;
  train::TrainStep<train::Adam<B>> step;

  explicit SiameseTraining(SiameseNet<B> const& net)
      : adam(nn::parameters(net), {.learning_rate = 0.02}),
        ema(nn::parameters(net)),
        step(adam, {.rng = {.seed = 7}}, {}, &ema) {}
};

/// The loss on a batch of 12 pairs for each step, with noise.
template <class B>
struct SiameseLoss {
  SiameseNet<B> const& net;
  dist::DataParallel<B> const& division;

  Taped<B> operator()(Tape<B>& tape, train::MicroBatch const& at) const {
    auto& context = tape.context();
    Rng const rng{11, 1, 2 * at.step + static_cast<std::uint64_t>(at.index)};
    auto const [begin, end] = division.own_samples(12);
    // As a loader would give them: both views of the samples of this rank.
    Tensor<B> views[2];
    for (Index view = 0; view < 2; ++view)
      views[view] =
          at.part(random_tensor<B>(context, {12, 5}, rng.with_stream(static_cast<std::uint32_t>(view)))
                      .samples(begin, end));
    Index const n = views[0].shape().samples();
    Tensor<B> const x{context, {2 * n, 5}};
    for (Index view = 0; view < 2; ++view) x.samples(view * n, (view + 1) * n).assign(views[view]);
    auto const noise = diffusion::normal<B>(context, x.shape(), at.rng);
    return net.dropped(tape.input(x + 0.1 * noise));
  }
};

/// All weights and buffers of a network, and its averages.
template <class B>
[[nodiscard]] std::vector<float> weights_of(SiameseNet<B> const& net, train::Ema<B> const* ema) {
  std::vector<float> result;
  auto const add = [&](Tensor<B> const& tensor) {
    auto const values = tensor.template values<float>();
    result.insert(result.end(), values.begin(), values.end());
  };
  for (auto const& [name, parameter] : nn::parameters(net).parameters) add(parameter.value());
  for (auto const& [name, buffer] : nn::parameters(net).buffers) add(buffer.value());
  if (ema != nullptr)
    ema->for_each_state([&](std::string const&, auto const& tensor, PublishedLayout const&) { add(tensor); });
  return result;
}

}  // namespace diffsiam::test
