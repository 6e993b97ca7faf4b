// G starts at zero, so training starts from the frozen denoiser: exactly.
#include <utility>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

using namespace diffsiam;

namespace {

template <class B>
void check_first_loss() {
  typename B::Context context{{.threads = 1}};
  test::SmallModel<B> const small{context, test::SmallModel<B>::four_subsets(), false};
  auto const images = diffusion::normal<B>(context, {4, 8, 8, 1}, {.seed = 1});
  auto const noised = add_noise(small.model.schedule(), images, Rng{.seed = 2});

  Tape<B> tape{context};
  auto const loss = small.model.diffusion_loss(small.model.encode(tape.input(images)), noised);
  CHECK(loss.value().item() == small.model.denoiser_loss(noised).item());

  // And the frozen half records nothing: no gradient arrives at it.
  tape.backward(loss);
  nn::for_each_leaf(small.denoiser, [](auto const& path, auto const& leaf) {
    INFO(path.name);
    CHECK_FALSE(leaf.trainable());
  });
  // One step of the decoder's last layer, and the losses part.
  nn::for_each_leaf(small.decoder, [](auto const& path, auto const& leaf) {
    if (path.published != "shift_out.2.bias") return;
    leaf.value().fill(typename B::Scalar(0.5));
  });
  CHECK(small.model.diffusion_loss(small.model.encode(images), noised).item() !=
        small.model.denoiser_loss(noised).item());
}

}  // namespace

TEST_CASE("The first DiffSiam loss is the frozen denoiser's own, bit for bit") {
  check_first_loss<backend::Cpu<float>>();
  check_first_loss<backend::Cpu<double>>();
}

TEST_CASE("The weighting given to a model is that of both its losses") {
  using B = backend::Cpu<double>;
  B::Context context{{.threads = 1}};
  test::SmallModel<B> const small{context, test::SmallModel<B>::four_subsets(), true};
  auto const images = diffusion::normal<B>(context, {4, 8, 8, 1}, {.seed = 1});
  auto const noised = add_noise(small.model.schedule(), images, Rng{.seed = 2});
  auto const losses = [&](auto const& weighting) {
    DiffSiam<B> const model{
        small.model.encoder(), small.model.decoder(), {.schedule = small.model.schedule()}, weighting};
    return std::pair{model.diffusion_loss(model.encode(images), noised).item(),
                     model.denoiser_loss(noised).item()};
  };
  auto const once = losses(diffusion::ConstantWeight{}), thrice = losses(diffusion::ConstantWeight{3});
  CHECK(thrice.first == test::Approx(3 * once.first));
  CHECK(thrice.second == test::Approx(3 * once.second));
  CHECK(losses(diffusion::SnrPower{}).first ==
        small.model.diffusion_loss(small.model.encode(images), noised).item());
}
