// What mutants.py compiles against spoilt headers: values that cross to the device while it works, and back,
// and a recording. Returns 0 if all are right.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <vector>

#include <diffsiam/backend/cuda.cuh>

namespace {

using namespace diffsiam;
using B = backend::Cuda<float>;
constexpr Index size = 1000;

[[nodiscard]] bool all_are(float const* values, float wanted) {
  return std::all_of(values, values + size, [&](float value) { return value == wanted; });
}

/// Each batch arrives whole, after the work that reads the one before.
[[nodiscard]] bool batches_arrive(B::Context& context) {
  constexpr std::size_t bytes = size * sizeof(float), batches = 4;
  B::StagingBuffer inbox{context, bytes};
  std::array<std::shared_ptr<void>, batches> kept;
  std::vector<float> host(size);
  for (std::size_t i = 0; i < batches; ++i) {
    kept[i] = context.allocate(bytes);
    std::fill(host.begin(), host.end(), static_cast<float>(i + 1));
    inbox.put(host.data());
    B::copy(context, static_cast<float const*>(inbox.data()), static_cast<float*>(kept[i].get()), size);
  }
  bool right = true;
  for (std::size_t i = 0; i < batches; ++i) {
    B::PinnedBuffer report{context, bytes};
    report.fetch(kept[i].get());
    right = right && all_are(static_cast<float const*>(report.wait()), static_cast<float>(i + 1));
  }
  return right;
}

/// What a recording has computed by itself is not what others have left in its memory.
[[nodiscard]] bool recording_keeps_its_memory(B::Context& context) {
  std::vector<float> host(size);
  auto const out = context.allocate(size * sizeof(float));
  auto* const to = static_cast<float*>(out.get());
  auto const recording = context.record(nullptr, [&] {
    auto const fresh = context.allocate(size * sizeof(float));
    B::fill(context, static_cast<float*>(fresh.get()), size, 5);
    B::copy(context, static_cast<float const*>(fresh.get()), to, size);
  });
  auto const others = context.allocate(size * sizeof(float));
  B::fill(context, static_cast<float*>(others.get()), size, 7);
  recording.replay();
  B::download(context, to, host.data(), size);
  bool const right = all_are(host.data(), 5);
  B::download(context, static_cast<float const*>(others.get()), host.data(), size);
  return right && all_are(host.data(), 7);
}

/// A product of a strided view, and a convolution.
[[nodiscard]] bool libraries_compute(B::Context& context) {
  std::vector<float> host(size);
  auto const memory = context.allocate(3 * size * sizeof(float));
  auto* const x = static_cast<float*>(memory.get());
  B::fill(context, x, 2 * size, 2);
  B::gemm(context,
          {.m = 50, .n = 20, .k = 33, .a = {x + 1, 34}, .b = {x, 33, true}, .c = {x + 2 * size, 20}});
  B::download(context, x + 2 * size, host.data(), size);
  bool const right = all_are(host.data(), 2 * 2 * 33);
  // The second of three channels, which is 1 in every pixel.
  std::vector<float> image(600), weights(15);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i % 3);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = i % 3 == 1 ? 1.0F : 0.0F;
  B::upload(context, image.data(), x, 600);
  B::upload(context, weights.data(), x + size, 15);
  B::conv2d(context, {2, 10, 10, 3, 5, 1, 1}, x, x + size, nullptr, x + 2 * size);
  B::download(context, x + 2 * size, host.data(), size);
  return right && all_are(host.data(), 1);
}

}  // namespace

int main() {
  try {
    B::Context context;
    if (!batches_arrive(context)) return 1;
    if (!recording_keeps_its_memory(context)) return 2;
    return libraries_compute(context) ? 0 : 3;
  } catch (std::exception const& error) {
    std::puts(error.what());
    return 4;
  }
}
