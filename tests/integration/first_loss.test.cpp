// G starts at zero, so training starts from the frozen denoiser: exactly.
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
