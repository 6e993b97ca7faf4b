// Labels that say nothing are refused before a run trains.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <experiments/support/settings.hpp>

using namespace experiments;
using diffsiam::test::contains;
using diffsiam::test::message_of;

namespace {

/// Pictures of one pixel.
ds::data::Dataset pictures(std::size_t count, std::vector<int> labels = {}) {
  return ds::data::Dataset{{.count = static_cast<ds::Index>(count),
                            .height = 1,
                            .width = 1,
                            .pixels = std::vector<std::uint8_t>(count)},
                           std::move(labels)};
}
ds::data::Dataset labelled(std::vector<int> const& labels) {
  return pictures(labels.size(), labels);
}
std::string refusal(Pictures const& parts) {
  return message_of<ds::ConfigError>([&] { require_classes(parts); });
}

}  // namespace

TEST_CASE("labels of one class alone are refused, and the part is named", "[experiments]") {
  auto const several = labelled({0, 1, 2}), validation = labelled({1, 1});
  CHECK_THAT(refusal({several, validation, labelled({2, 2, 2})}),
             contains("--data: expected pictures of two classes or more for the test, got class 2 alone"));
  CHECK_THAT(refusal({labelled({1, 1}), validation, several}),
             contains("two classes or more for training, got class 1 alone"));
}

TEST_CASE("several classes, or no labels at all, are taken", "[experiments]") {
  auto const several = labelled({0, 1, 2}), none = pictures(3);
  CHECK_NOTHROW(require_classes({several, labelled({1, 1}), several}));
  CHECK_NOTHROW(require_classes({none, none, none}));
}
