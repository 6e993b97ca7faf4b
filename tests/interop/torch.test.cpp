// The backend on libtorch, and networks of the library in graphs of libtorch.
// clang-format off: libtorch, by glog, defines a CHECK of its own
#include <torch/torch.h>
#include <diffsiam/interop/torch.hpp>
#undef CHECK
#include <tests/conformance/check.hpp>
// clang-format on

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>

namespace ds = diffsiam;
using Backend = ds::backend::Torch;
using Catch::Matchers::Contains;

namespace {

ds::unet::Config small() {
  return {
      .in_channels = 3, .base_channels = 16, .multipliers = {1, 2}, .attention_factors = {2}, .groups = 8};
}

at::Tensor channels_last(at::Tensor const& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

/// New networks end in zeros: moves all weights, in the same way for every backend.
template <class M>
void move_weights(M const& module) {
  for (auto const& [name, parameter] : ds::parameters(module).parameters) {
    auto values = parameter.value().values();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += 0.05F * std::sin(static_cast<float>(i + 1));
    parameter.value().assign(std::span<float const>{values});
  }
}

/// The largest difference, relative to the largest value.
double difference(at::Tensor const& a, at::Tensor const& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

}  // namespace

TEST_CASE("The Torch backend conforms to the reference", "[conformance]") {
  ds::test::conforms<Backend>();
}

TEST_CASE("Tensors go to libtorch and back without a copy, and keep their memory alive") {
  Backend::Context context;
  at::Tensor pictures = channels_last(torch::arange(2 * 3 * 4 * 5, torch::kFloat).reshape({2, 3, 4, 5}));
  auto const ours = ds::interop::from_torch(context, pictures);
  CHECK((ours.shape() == ds::Shape{2, 4, 5, 3}));
  CHECK(ours.data() == pictures.data_ptr<float>());
  CHECK(ours.values()[1] == 20.0F);  // the second channel of the first pixel
  at::Tensor const back = ds::interop::to_torch(ours);
  CHECK(back.equal(pictures));
  CHECK(back.data_ptr() == pictures.data_ptr());

  auto const kept = [&] { return ds::interop::from_torch(context, torch::full({3}, 7.0F)); }();
  CHECK((kept.values() == std::vector<float>{7, 7, 7}));
  at::Tensor const theirs = [&] {
    return ds::interop::to_torch(ds::Tensor<Backend>::filled(context, {2, 2}, 5));
  }();
  CHECK(theirs.equal(torch::full({2, 2}, 5.0F)));
}

TEST_CASE("What is not float, contiguous or of at most four axes is refused with a hint") {
  Backend::Context context;
  CHECK_THROWS_WITH(
      ds::interop::from_torch(context, torch::ones({2, 3, 4, 5})),
      Contains("channels-last memory") && Contains("contiguous(torch::MemoryFormat::ChannelsLast)"));
  CHECK_THROWS_WITH(ds::interop::from_torch(context, torch::ones({2, 3}).t()), Contains("contiguous memory"));
  CHECK_THROWS_WITH(ds::interop::from_torch(context, torch::ones({2}, torch::kDouble)),
                    Contains("torch::kFloat"));
  CHECK_THROWS_WITH(ds::interop::from_torch(context, torch::ones({1, 1, 1, 1, 1})), Contains("rank 0 to 4"));
}

TEST_CASE("A UNet in a graph of libtorch has the outputs and gradients of the library") {
  Backend::Context context;
  ds::UNet<Backend> const net{context, small()};
  move_weights(net);
  ds::interop::TorchFunction const f{context, net};
  torch::manual_seed(1);
  at::Tensor const x = channels_last(torch::randn({4, 3, 8, 8})).set_requires_grad(true);
  at::Tensor const t = torch::tensor({0.0F, 10.0F, 500.0F, 999.0F});
  at::Tensor const noise = channels_last(torch::randn({4, 3, 8, 8}));
  // 2 x goes through libtorch before the network, the loss after it.
  at::Tensor const out = f(channels_last(2 * x), t);
  torch::mse_loss(out, noise).backward();

  using C = ds::backend::Cpu<float>;
  C::Context cpu;
  ds::UNet<C> const same{cpu, small()};  // the same seed, the same weights
  move_weights(same);
  auto const on_cpu = [&](at::Tensor const& tensor) {
    auto const values = ds::interop::from_torch(context, tensor.detach()).values();
    auto const shape = ds::interop::from_torch(context, tensor.detach()).shape();
    return ds::Tensor<C>::from(cpu, shape, std::span<float const>{values});
  };
  ds::Tape<C> tape{cpu};
  auto const input = tape.variable(on_cpu(x));
  auto const eps = same(2.0 * input, on_cpu(t));
  tape.backward(ds::loss::MeanSquaredError{}(eps, on_cpu(noise)));

  auto const from_cpu = [&](ds::Tensor<C> const& tensor) {
    auto const values = tensor.values();
    return ds::interop::to_torch(
        ds::Tensor<Backend>::from(context, tensor.shape(), std::span<float const>{values}));
  };
  CHECK(difference(out.detach(), from_cpu(eps.value())) < 1e-5);
  CHECK(difference(x.grad(), from_cpu(input.gradient())) < 1e-4);
  std::size_t i = 0;
  for (auto const& [name, parameter] : ds::parameters(same).parameters) {
    INFO(name.name);
    REQUIRE(i < f.parameters().size());
    CHECK(difference(f.parameters()[i++].grad(), from_cpu(parameter.gradient())) < 1e-3);
  }
  CHECK(i == f.parameters().size());
}

TEST_CASE("An optimizer of libtorch trains a DiffSiam of the library") {
  Backend::Context context;
  ds::UNet<Backend> const denoiser{context, small()};
  auto const partition = ds::TimestepPartition::uniform({.timesteps = 1000, .subsets = 4, .dims = 8});
  ds::ModularEncoder<Backend> const encoder{
      context,
      {.backbone = {.in_channels = 3, .height = 8, .width = 8, .channels = {32, 32}, .attention_after = -1},
       .partition = partition}};
  ds::ShiftDecoder<Backend> const decoder{context, denoiser, {.latent_dims = 8}};
  auto const schedule = ds::NoiseSchedule::linear(1000, 1e-4, 0.02);
  ds::loss::ShiftedNoise const diffusion_loss{schedule};
  torch::manual_seed(1);
  at::Tensor const images = channels_last(torch::randn({8, 3, 8, 8}).tanh());
  auto noised = ds::add_noise(schedule, ds::interop::from_torch(context, images), {.seed = 2});
  auto const diffsiam = [&](auto const& x) {
    auto const z = encoder(x);
    auto const [eps, gradient] = decoder(noised.x_t, noised.t, ds::reveal(partition, z, noised.t));
    return diffusion_loss(eps, gradient, noised);
  };
  ds::interop::TorchFunction const loss{context, diffsiam, encoder, decoder};
  torch::optim::Adam adam{loss.parameters(), torch::optim::AdamOptions{1e-3}};
  double first = 0, last = 0;
  for (unsigned step = 0; step < 40; ++step) {
    noised = ds::add_noise(schedule, ds::interop::from_torch(context, images), {.seed = 2, .step = step});
    adam.zero_grad();
    at::Tensor const value = loss(images);
    value.backward();
    adam.step();
    (step < 5 ? first : last) += step < 5 || step >= 35 ? value.item<double>() / 5 : 0;
  }
  CHECK(last < 0.9 * first);
  // The weights are those of the library: a plain call uses the trained ones.
  at::NoGradGuard const no_grad;
  CHECK(std::isfinite(loss(images).item<double>()));
}

TEST_CASE("Without gradients nothing is recorded") {
  Backend::Context context;
  ds::UNet<Backend> const net{context, small()};
  ds::interop::TorchFunction const f{context, net};
  at::NoGradGuard const no_grad;
  CHECK_FALSE(f(channels_last(torch::zeros({1, 3, 8, 8})), torch::zeros({1})).requires_grad());
}
