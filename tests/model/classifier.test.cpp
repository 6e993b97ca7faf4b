#include <cmath>

#include <tests/model/pictures.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/model/classifier.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

using B = backend::Cpu<float>;
using Classifier = model::Classifier<B>;

Classifier small_classifier(B::Context& context, std::vector<int> classes) {
  return {context, picture_encoder<B>(context, 6), {.classes = std::move(classes)}};
}

TEST_CASE("A classifier learns both factors of its pictures") {
  B::Context context{{.threads = 1}};
  Classifier const model = small_classifier(context, {4, 2});
  Pictures const known{32, 1}, fresh{32, 2};
  auto const x = known.tensor<B>(context);
  CHECK(model.predict(fresh.tensor<B>(context)) != fresh.labels);
  train::Adam<B> adam{nn::parameters(model), {.learning_rate = 3e-3}};
  for (int step = 0; step < 60; ++step) {
    Tape<B> tape{context};
    tape.backward(model.loss(tape.input(x), known.labels));
    adam.step();
  }
  CHECK(model.predict(fresh.tensor<B>(context)) == fresh.labels);
  CHECK(model.loss(x, known.labels).item() < 0.2F);
}

TEST_CASE("A classifier adds the cross-entropies of its heads and takes the largest logit of each") {
  B::Context context{{.threads = 1}};
  Classifier const model = small_classifier(context, {3, 2});
  auto const x = Pictures{4, 1}.tensor<B>(context);
  auto const logits = model(x);
  REQUIRE(logits.shape() == Shape{4, 5});
  auto const value = logits.values<double>();
  std::vector<int> const labels{0, 1, 2, 0, 1, 1, 0, 0};
  std::vector<int> largest;
  double loss = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    double const *a = value.data() + 5 * i, *b = a + 3;
    loss += std::log(std::exp(a[0]) + std::exp(a[1]) + std::exp(a[2])) - a[labels[2 * i]];
    loss += std::log(std::exp(b[0]) + std::exp(b[1])) - b[labels[2 * i + 1]];
    largest.push_back(a[0] >= a[1] && a[0] >= a[2] ? 0 : (a[1] >= a[2] ? 1 : 2));
    largest.push_back(b[0] >= b[1] ? 0 : 1);
  }
  CHECK(static_cast<double>(model.loss(x, labels).item()) == Approx(loss / 4).epsilon(1e-5));
  CHECK(model.predict(x) == largest);
}

TEST_CASE("A classifier of one head takes plain labels") {
  B::Context context{{.threads = 1}};
  Classifier const model = small_classifier(context, {10});
  auto const x = Pictures{4, 1}.tensor<B>(context);
  CHECK(model.heads() == 1);
  CHECK(model.encode(x).shape() == Shape{4, 6});
  CHECK(model(x).shape() == Shape{4, 10});
  CHECK(model.predict(x).size() == 4);
  CHECK(model.loss(x, std::vector{0, 9, 3, 3}).item() > 0);
}

TEST_CASE("A classifier refuses heads without a choice, and labels that do not fit") {
  B::Context context{{.threads = 1}};
  CHECK_THROWS_WITH(small_classifier(context, {}), contains("Classifier") && contains("at least one head"));
  CHECK_THROWS_WITH(small_classifier(context, {3, 1}), contains("two classes or more") && contains("got 1"));
  Classifier const model = small_classifier(context, {3, 2});
  auto const x = Pictures{2, 1}.tensor<B>(context);
  CHECK_THROWS_WITH(model.loss(x, std::vector{0, 1}),
                    contains("2 x 2 labels, one an image and head") && contains("got 2"));
  CHECK_THROWS_WITH(model.loss(x, std::vector{0, 1, 2, 2}),
                    contains("labels in [0, 2) of head 1") && contains("2 of image 1"));
  CHECK_THROWS_AS(model.loss(x, std::vector{0, 1, -1, 1}), RangeError);
}

}  // namespace diffsiam::test
