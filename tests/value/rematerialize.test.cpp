#include <cmath>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/concat.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/testing/case.hpp>
#include <diffsiam/unet/blocks.hpp>
#include <diffsiam/value/traced.hpp>

namespace diffsiam::test {

namespace {

/// A stretch of a way up: a concatenation, two blocks, one of them doubling the sides.
template <class B>
struct Stretch {
  using Backend = B;
  nn::ResBlock<B> block, up;

  explicit Stretch(nn::Init<B> init)
      : block(init, {.in = 16, .out = 8, .embedding = 4, .groups = 4}),
        up(init, {.in = 8, .out = 8, .embedding = 4, .groups = 4, .resample = nn::Resample::twice}) {}

  template <class X, class E>
  [[nodiscard]] auto operator()(X const& h, X const& skip, E const& emb) const {
    return up(block(ops::concat(h, skip), emb), emb);
  }
  template <class F>
  void for_each_child(F&& f) const {
    f("block", block);
    f("up", up);
  }
};

struct Played {
  std::vector<std::vector<double>> gradients;
  std::size_t recorded_bytes = 0;  ///< held by the tape between forward and backward pass
};

/// A backend for which it is cheaper to keep values.
struct Keeping : backend::Reference<float> {
  static constexpr bool keeps_cheap_values = true;
};

template <class B>
Played play(bool rematerialize = typename Tape<B>::Options{}.rematerialize) {
  typename B::Context context{{.threads = 2}};
  Stretch<B> const stretch{nn::Init<B>{context, 0}};
  testing::randomise(stretch, 5);
  auto const drawn = [&](Shape const& shape, std::uint64_t seed) {
    auto const values = testing::draw(testing::Kind::normal, shape, {.seed = seed});
    return Tensor<B>::from(context, shape, std::span<double const>(values));
  };
  auto const h = drawn({2, 8, 6, 8}, 1), skip = drawn({2, 8, 6, 8}, 2), emb = drawn({2, 4}, 3);
  Played played;
  std::size_t const before = context.memory().live_bytes();
  Tape<B> tape{context, {.rematerialize = rematerialize}};
  std::vector<Taped<B>> const inputs{tape.variable(h), tape.variable(skip), tape.variable(emb)};
  {
    auto const loss = ops::mean(stretch(inputs[0], inputs[1], inputs[2]));
    played.recorded_bytes = context.memory().live_bytes() - before;
    tape.backward(loss);
  }
  for (auto const& input : inputs) played.gradients.push_back(input.gradient().template values<double>());
  for (auto const& entry : nn::parameters(stretch).parameters)
    played.gradients.push_back(entry.parameter.gradient().template values<double>());
  return played;
}

}  // namespace

TEST_CASE("What is rematerialized in the backward pass gives the same gradients for less memory") {
  SECTION("bit for bit where each operation has one way to be computed") {
    using B = backend::Reference<double>;
    CHECK(play<B>(true).gradients == play<B>(false).gradients);
  }
  using B = backend::Cpu<float>;
  Played const saved = play<B>(true), kept = play<B>(false);
  SECTION("within rounding elsewhere") {
    REQUIRE(saved.gradients.size() == kept.gradients.size());
    for (std::size_t i = 0; i < kept.gradients.size(); ++i)
      for (std::size_t j = 0; j < kept.gradients[i].size(); ++j)
        CHECK(std::abs(saved.gradients[i][j] - kept.gradients[i][j]) < 1e-6);
  }
  SECTION("with a third less held between the passes") {
    CHECK(3 * saved.recorded_bytes < 2 * kept.recorded_bytes);
  }
}

TEST_CASE("What is cheap to compute is kept where the backend says so, also in its dry run") {
  CHECK(play<Keeping>().recorded_bytes == play<Keeping>(false).recorded_bytes);
  CHECK(play<backend::Reference<float>>().recorded_bytes == play<Keeping>(true).recorded_bytes);
  CHECK_FALSE(Tape<backend::DryRun<Keeping>>::Options{}.rematerialize);
  CHECK(Tape<backend::DryRun<backend::Reference<float>>>::Options{}.rematerialize);
}

}  // namespace diffsiam::test
