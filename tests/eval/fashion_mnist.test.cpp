#include <filesystem>

#include <tests/support/catch.hpp>

#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/eval/knn.hpp>
#include <diffsiam/eval/linear_probe.hpp>
#include <diffsiam/eval/pca.hpp>

using namespace diffsiam;

TEST_CASE("on a part of Fashion-MNIST the controls reach what they are known to reach") {
  if (!std::filesystem::exists(data::FashionMnist::debian_folder)) {
    WARN("dataset-fashion-mnist is not installed");
    return;
  }
  data::FashionMnist const set = data::load_fashion_mnist();
  struct Part {
    std::vector<float> values;
    std::vector<int> labels;
  };
  auto const part_of = [](data::Dataset const& pictures) {
    return Part{pictures.units(), pictures.labels()};
  };
  Part train = part_of(set.train.slice(0, 10000)), validation = part_of(set.train.slice(50000, 52000)),
       test = part_of(set.test.slice(0, 4000));
  auto const features = [](Part const& part, Index dims) {
    return eval::Features{part.values, static_cast<Index>(part.labels.size()), dims};
  };
  ThreadPool pool{2};
  eval::Pca const pca = eval::Pca::fit(features(train, 784), {.components = 32}, &pool);
  REQUIRE(pca.explained() == test::Approx(0.829).margin(0.01));
  for (Part* const part : {&train, &validation, &test}) part->values = pca(features(*part, 784), &pool);
  auto const labelled = [&](Part const& part) { return eval::Labelled{features(part, 32), part.labels}; };

  eval::LinearProbeResult const probe =
      eval::linear_probe(labelled(train), labelled(validation), labelled(test), {}, &pool);
  REQUIRE(probe.converged);
  REQUIRE(probe.accuracy == test::Approx(0.81).margin(0.02));
  std::vector<eval::KnnResult> const neighbours =
      eval::knn(labelled(train), labelled(test), {.k = {20}}, &pool);
  REQUIRE(neighbours[0].accuracy == test::Approx(0.83).margin(0.02));
}
