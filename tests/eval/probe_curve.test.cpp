#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference.hpp>
#include <diffsiam/eval/probe_curve.hpp>

using namespace diffsiam;
using test::contains;

namespace {

/// n pictures of one pixel: dark ones and light ones in turn, with labels 0 and 1.
data::Dataset dark_and_light(Index n) {
  std::vector<std::uint8_t> pixels;
  std::vector<int> labels;
  for (Index i = 0; i < n; ++i) {
    pixels.push_back(i % 2 == 0 ? std::uint8_t{20} : std::uint8_t{220});
    labels.push_back(static_cast<int>(i % 2));
  }
  return data::Dataset::from(pixels, {n, 1, 1, 1}, labels);
}

/// The pixel, or nothing of it.
struct PixelCode {
  using Backend = backend::Reference<float>;
  bool blind = false;
  [[nodiscard]] Tensor<Backend> operator()(Tensor<Backend> const& x) const {
    if (blind) return Tensor<Backend>::zeros(x.context(), {x.shape().samples(), 1});
    return x.reshaped({x.shape().samples(), 1});
  }
};

}  // namespace

TEST_CASE("A curve of probes has a point for each look, on validation data") {
  PixelCode::Backend::Context context;
  eval::ProbeCurve curve{dark_and_light(20), dark_and_light(10)};
  CHECK(curve.look(context, PixelCode{.blind = true}, 5).accuracy == 0.5);
  CHECK(curve.look(context, PixelCode{}, 9).accuracy == 1);
  REQUIRE(curve.points().size() == 2);
  CHECK(curve.points()[0].step == 5);
  CHECK(curve.points()[1].step == 9);
  CHECK(curve.points()[1].accuracy == 1);
}

TEST_CASE("A point is the mean over tasks, from the first training pictures") {
  PixelCode::Backend::Context context;
  data::Dataset const train = dark_and_light(20), validation = dark_and_light(4);
  // Of four validation labels of the second task, a probe that reads the pixel has two right.
  eval::ProbeTask const first{train.labels(), validation.labels(), 2};
  eval::ProbeTask const second{train.labels(), {0, 0, 1, 1}, 2};
  eval::ProbeCurve curve{train, validation, {.most_train = 8, .tasks = {first, second}}};
  CHECK(curve.train().size() == 8);
  CHECK(curve.validation().size() == 4);
  CHECK(curve.look(context, PixelCode{}, 1).accuracy == 0.75);
}

TEST_CASE("A curve of probes says which labels it needs") {
  data::Dataset const train = dark_and_light(6), validation = dark_and_light(4);
  CHECK_THROWS_WITH((eval::ProbeCurve{train, validation, {.tasks = {{{0, 1}, validation.labels(), 2}}}}),
                    contains("ProbeCurve") && contains("a label for each of 6 and 4 pictures") &&
                        contains("got 2 and 4 labels"));
  CHECK_THROWS_WITH((eval::ProbeCurve{train, validation, {.most_train = 0}}),
                    contains("at least one training picture"));
}
