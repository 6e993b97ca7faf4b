// Fibers, on which the threads of stepped kernels run.
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/testing/fiber.hpp>

namespace diffsiam::test {

using testing::Fiber;

TEST_CASE("A fiber goes on where it has stopped, with the values that it had") {
  std::vector<int> seen;
  std::optional<Fiber> one, two;
  auto const count = [&seen](std::optional<Fiber>& self, int from) {
    double sum = 0.5;  // a local value that lives across the stops
    for (int i = from; i < from + 3; ++i) {
      sum += i;
      seen.push_back(i);
      self->stop();
    }
    seen.push_back(static_cast<int>(2 * sum));
  };
  one.emplace([&] { count(one, 10); });
  two.emplace([&] { count(two, 20); });
  CHECK(one->ended());
  for (int round = 0; round < 3; ++round) {
    one->resume();
    two->resume();
  }
  CHECK(seen == std::vector<int>{10, 20, 11, 21, 12, 22});
  CHECK_FALSE(one->ended());
  two->resume();
  one->resume();
  CHECK(one->ended());
  CHECK(seen == std::vector<int>{10, 20, 11, 21, 12, 22, 127, 67});
}

TEST_CASE("A fiber begins again when it has ended, or was abandoned") {
  int begun = 0, ended = 0;
  std::optional<Fiber> fiber;
  fiber.emplace([&] {
    ++begun;
    fiber->stop();
    ++ended;
  });
  for (int i = 0; i < 2; ++i) {
    fiber->resume();
    fiber->resume();
  }
  CHECK((begun == 2 && ended == 2));
  fiber->resume();
  fiber->abandon();
  CHECK(fiber->ended());
  fiber->resume();
  CHECK((begun == 4 && ended == 2));
}

TEST_CASE("What a fiber throws is caught on its own stack") {
  std::array<int, 2> caught{};
  std::vector<std::unique_ptr<Fiber>> fibers;
  for (std::size_t i = 0; i < 2; ++i)
    fibers.push_back(std::make_unique<Fiber>([&, i] {
      try {
        fibers[i]->stop();
        throw static_cast<int>(i) + 1;
      } catch (int value) {
        caught[i] = value;
      }
    }));
  for (int round = 0; round < 2; ++round)
    for (auto const& fiber : fibers) fiber->resume();
  CHECK(caught == std::array{1, 2});
}

}  // namespace diffsiam::test
