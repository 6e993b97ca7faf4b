// A const model may be read by several threads at once, each with a context of its own.
#include <thread>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

using namespace diffsiam;

TEST_CASE("Threads share a const model, one context each, without a race and with one result") {
  using B = backend::Cpu<float>;
  B::Context builder{{.threads = 1}};
  test::SmallModel<B> const shared{builder};
  std::vector<std::vector<float>> results(3);
  {
    std::vector<std::thread> threads;
    for (auto& result : results) {
      threads.emplace_back([&shared, &result] {
        B::Context context{{.threads = 2}};
        auto const images = diffusion::normal<B>(context, {2, 8, 8, 1}, {.seed = 1});
        result =
            shared.model.reconstruct(images, TimeGrid::linspace(test::SmallModel<B>::timesteps, 3)).values();
      });
    }
    for (auto& thread : threads) thread.join();
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}
