// What is counted is resumed by whoever counts it, and files of the older format where they say enough.
#include <cstdint>
#include <filesystem>
#include <string>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/checkpoint.hpp>
#include <diffsiam/train/optimizer_group.hpp>
#include <diffsiam/train/sgd.hpp>

using namespace diffsiam;
using diffsiam::test::Scratch;
using diffsiam::test::SmallBatch;
using diffsiam::test::SmallNet;
using train::MicroBatch;

namespace {

/// Two optimizers of their own schedules; the second joins after ten steps of the first.
struct JoinedLater {
  using B = backend::Reference<double>;
  using Late = train::Scheduled<train::Adam<B>, train::Cosine>;
  using Both = train::OptimizerGroup<train::Sgd<B>, train::OptimizerGroup<Late>>;

  B::Context context{{.threads = 1}};
  SmallNet<B> net, other;
  train::Sgd<B> sgd{nn::parameters(net), {.learning_rate = 0.01}};
  train::Adam<B> adam{nn::parameters(other), {.learning_rate = 0.01}};
  Late late{adam, train::Cosine{{.steps = 20}}};
  train::OptimizerGroup<Late> nested{late};
  Both both{sgd, nested};
  train::TrainStep<Both> step{both};

  explicit JoinedLater(std::uint64_t seed) : net(context, seed), other(context, seed + 1) {}

  void begin() {
    train::TrainStep alone{sgd};
    for (int i = 0; i < 10; ++i)
      alone([&](Tape<B>& tape, MicroBatch const& at) { return error(net, tape, at.step); });
  }
  void go_on(int steps) {
    for (int i = 0; i < steps; ++i)
      step([&](Tape<B>& tape, MicroBatch const& at) {
        return error(net, tape, at.step) + error(other, tape, at.step);
      });
  }
  [[nodiscard]] auto values() const {
    auto result = test::all_values<B>(net);
    auto const more = test::all_values<B>(other);
    result.insert(result.end(), more.begin(), more.end());
    return result;
  }

 private:
  Taped<B> error(SmallNet<B> const& of, Tape<B>& tape, std::uint64_t number) const {
    SmallBatch<B> const data{tape.context(), number};
    return test::squared_error(of(tape.input(data.x)), data.target);
  }
};

/// The file again with another text in its header, which may be longer or shorter.
void replace_in_header(std::filesystem::path const& path, std::string const& from, std::string const& to) {
  std::string text = test::read_text(path);
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = length << 8 | static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
  std::string header = text.substr(8, length);
  auto const at = header.find(from);
  REQUIRE(at != std::string::npos);
  header.replace(at, from.size(), to);
  header.append((8 - header.size() % 8) % 8, ' ');
  std::string size(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) size[i] = static_cast<char>(header.size() >> (8 * i) & 0xFF);
  io::write_file(path, size + header + text.substr(8 + length));
}

}  // namespace

TEST_CASE("Each optimizer of several is resumed at its own step", "[train][checkpoint]") {
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run"};
  JoinedLater uninterrupted{1}, first{1}, resumed{7};
  uninterrupted.begin();
  uninterrupted.go_on(8);
  first.begin();
  first.go_on(3);
  checkpoint.save(first.step, {}, first.net, first.other);
  (void)checkpoint.load(resumed.step, resumed.net, resumed.other);
  CHECK(resumed.sgd.steps() == 13);
  CHECK(resumed.adam.steps() == 3);
  CHECK(resumed.step.steps() == 3);
  resumed.go_on(5);
  CHECK(resumed.values() == uninterrupted.values());

  SECTION("a file of the older format, with one count for all, is refused") {
    replace_in_header(scratch / "run", "diffsiam checkpoint 2", "diffsiam checkpoint 1");
    replace_in_header(scratch / "run", R"(\"optimizer_counts\":{\"0.steps\":13,\"1.0.steps\":3})",
                      R"(\"optimizer_steps\":13)");
    auto const before = resumed.values();
    CHECK_THROWS_WITH(checkpoint.load(resumed.step, resumed.net, resumed.other),
                      test::contains("'0.steps', '1.0.steps'") && test::contains("got 'steps'") &&
                          test::contains("older format"));
    CHECK(resumed.values() == before);
    CHECK(resumed.adam.steps() == 8);
  }
}

TEST_CASE("A file of the older format resumes one optimizer, between steps", "[train][checkpoint]") {
  using B = backend::Reference<double>;
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run"};
  B::Context context;
  SmallNet<B> const net{context};
  train::Adam<B> adam{nn::parameters(net)};
  train::TrainStep step{adam, {.accumulate = 2}};
  auto const loss = [&](Tape<B>& tape, MicroBatch const& at) {
    SmallBatch<B> const data{context, at.step};
    return test::squared_error(net(tape.input(data.x)), data.target);
  };
  auto const make_older = [&](std::string const& count) {
    checkpoint.save(step, {}, net);
    replace_in_header(scratch / "run", "diffsiam checkpoint 2", "diffsiam checkpoint 1");
    replace_in_header(scratch / "run", R"(\"optimizer_counts\":{\"steps\":)" + count + "}",
                      R"(\"optimizer_steps\":)" + count);
  };
  step(loss);
  step(loss);
  make_older("2");
  step(loss);
  (void)checkpoint.load(step, net);
  CHECK(adam.steps() == 2);
  CHECK(step.steps() == 2);

  (void)step.micro_batch(loss);
  make_older("2");
  CHECK_THROWS_WITH(checkpoint.load(step, net),
                    test::contains("between two steps") && test::contains("1 micro-batches"));
}
