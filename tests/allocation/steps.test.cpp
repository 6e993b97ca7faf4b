// From the third step at a shape seen before nothing large is taken from the heap, anywhere in the process:
// malloc and operator new are replaced here, and count.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/data/loader.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/step.hpp>

namespace {

constexpr std::size_t large = 1024;
std::atomic<bool> counting{false};
std::atomic<std::size_t> large_allocations{0}, largest{0};

void note(std::size_t size) {
  if (!counting.load(std::memory_order_relaxed) || size <= large) return;
  large_allocations.fetch_add(1);
  if (size > largest.load()) largest.store(size);
}

}  // namespace

// glibc's own names, so that nothing has to be looked up while the first allocations are made.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  note(size);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  note(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  note(size);
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  note(size);
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? 12 : 0;
}
}

using namespace diffsiam;

TEST_CASE("The counter counts what it should") {
  counting = true;
  large_allocations = 0;
  auto const few = std::make_unique<std::vector<char>>(1000);
  CHECK(large_allocations == 0);
  auto const many = std::make_unique<std::vector<char>>(2000);
  void* const raw = std::malloc(5000);
  void* const aligned = ::operator new(3000, std::align_val_t{64});
  counting = false;
  CHECK(large_allocations == 3);
  CHECK(largest == 5000);
  std::free(raw);
  ::operator delete(aligned, std::align_val_t{64});
}

TEST_CASE("From the third step on nothing above 1 KiB is allocated, the loader's threads included") {
  using B = backend::Cpu<float>;
  B::Context context{{.threads = 2}};
  std::vector<std::uint8_t> pixels(96 * 28 * 28);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 7919 % 251);
  Index const batch = 32;
  data::Loader loader{data::Dataset::from(pixels, {96, 28, 28, 1}),
                      {.batch_size = batch, .seed = 1, .views = data::TwoViews{data::AugmentConfig::grey()}}};

  UNet<B> const denoiser{
      context,
      {.in_channels = 1, .base_channels = 16, .multipliers = {1, 2, 2}, .blocks_per_level = 1, .groups = 8}};
  ModularEncoder<B> const encoder{context, {.backbone = encoder::ConvBackbone<B>::Config::for_small()}};
  DiffSiam<B> const model{encoder, ShiftDecoder<B>{context, denoiser, {.latent_dims = 64}}};
  SimSiamHalf<B> const simsiam{context, {.dims = 64}};
  NtXentHalf<B> const nt_xent{context, {}};
  auto const list = parameters(model, simsiam, nt_xent);
  train::Adam<B> adam{list};
  train::Ema<B> ema{list};
  train::TrainStep step{adam, {.accumulate = 2, .max_norm = 1}, train::ConstantRate{}, &ema};
  auto const loss = [&](Tape<B>& tape, train::MicroBatch const& at) {
    auto const data = loader.next();
    auto const images = Tensor<B>::from(context, data.shape, data.images);
    Tensor<B> const views{context, data.shape.with_samples(2 * batch)};
    views.samples(0, batch).assign(data.views[0]);
    views.samples(batch, 2 * batch).assign(data.views[1]);
    auto const z = model.encode(tape.input(views));
    auto const diffusion =
        model.diffusion_loss(model.encode(tape.input(images)), add_noise(model.schedule(), images, at.rng));
    return diffusion + 0.01 * simsiam(z) + 0.01 * nt_xent(z);
  };
  step(loss);
  step(loss);
  large_allocations = 0;
  largest = 0;
  counting = true;
  for (int i = 0; i < 5; ++i) step(loss);
  counting = false;
  INFO("largest: " << largest.load() << " bytes");
  CHECK(large_allocations == 0);
}
