// A training step as a CUDA graph: what it leaves is what ordinary steps leave.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/train/recorded_run.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/dist/single_process.hpp>

namespace diffsiam::test {

namespace {

using B = backend::Cuda<float>;

}  // namespace

TEST_CASE("Replays of a graph leave what ordinary steps leave", "[graph]") {
  RecordedRun<B> ordinary, replayed;
  dist::SingleProcess one;
  int const pieces = GENERATE(1, 2);  // with 2, batch norm meets on a thread of its own
  dist::DataParallel<B> of_ordinary{one, nn::parameters(ordinary.net), {.pieces = pieces}};
  dist::DataParallel<B> of_replayed{one, nn::parameters(replayed.net), {.pieces = pieces}};
  if (pieces > 1) {
    ordinary.step.divide(of_ordinary);
    replayed.step.divide(of_replayed);
  }
  auto const [expected, actual] = step_both_ways(ordinary, replayed, 20);
  CHECK(replayed.recorded.recorded());
  REQUIRE(actual.size() == expected.size());
  // The same arithmetic in other kernels, where the compiler may fuse otherwise, and plans that were timed
  // twice.
  for (std::size_t i = 0; i < actual.size(); ++i) CHECK(actual[i] == Approx(expected[i]).epsilon(1e-3));
  auto const weights = all_values<B>(replayed.net), others = all_values<B>(ordinary.net);
  for (std::size_t i = 0; i < weights.size(); ++i) CHECK(weights[i] == Approx(others[i]).margin(1e-3));
}

TEST_CASE("Replays draw numbers of their own, into memory that stays theirs", "[graph]") {
  B::Context context;
  auto const offset = context.allocate(sizeof(std::uint64_t));
  Tensor<B> const noise = Tensor<B>::zeros(context, {8}), expected{context, {8}};
  Rng const rng{.seed = 1, .step = 5};
  auto const recording = context.record(static_cast<std::uint64_t const*>(offset.get()), [&] {
    Tensor<B> const fresh{context, {8}};
    B::normal(context, rng, fresh.data(), 8);
    noise.assign(fresh);
  });
  CHECK(noise.values() == std::vector<float>(8, 0.0F));
  auto const others = Tensor<B>::filled(context, {8}, 7.0F);
  B::PinnedBuffer slot{context, sizeof(std::uint64_t)};
  for (std::uint64_t later = 0; later < 3; ++later) {
    *static_cast<std::uint64_t*>(slot.wait()) = later;
    slot.send(offset.get());
    recording.replay();
    B::normal(context, rng.at_step(5 + later), expected.data(), 8);
    CHECK(noise.values() == expected.values());
  }
  CHECK(others.values() == std::vector<float>(8, 7.0F));
}

TEST_CASE("A recording refuses what makes the host wait, and the context goes on", "[graph]") {
  B::Context context;
  auto const two = Tensor<B>::filled(context, {}, 2.0F);
  CHECK_THROWS_AS(context.record(nullptr, [&] { (void)two.item(); }), Error);
  CHECK_THROWS_AS(context.record(nullptr, [&] { context.synchronise(); }), Error);
  CHECK_THROWS_WITH(context.record(nullptr,
                                   [&] {
                                     Tensor<B> const x = Tensor<B>::zeros(context, {1, 8, 8, 8});
                                     Tensor<B> const w = Tensor<B>::zeros(context, {8, 3, 3, 8});
                                     (void)ops::conv2d(x, Parameter<B>(w));
                                   }),
                    contains("planned before the recording"));
  CHECK(two.item() == 2);
}

}  // namespace diffsiam::test
