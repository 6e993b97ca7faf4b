#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/checkpoint.hpp>
#include <diffsiam/train/loop.hpp>
#include <diffsiam/train/optimizer_group.hpp>
#include <diffsiam/train/sgd.hpp>

using namespace diffsiam;
using diffsiam::test::Scratch;
using diffsiam::test::SmallBatch;
using diffsiam::test::SmallNet;
using train::MicroBatch;
using train::StepStatistics;

namespace {

constexpr int accumulate = 3;

/// A run with all that a checkpoint carries: two optimizers, EMA, schedule, clipping, batch norm, and draws.
template <class B>
struct Run {
  typename B::Context context;
  SmallNet<B> net;
  SmallNet<B> other;
  train::Adam<B> adam;
  train::Sgd<B> sgd;
  train::OptimizerGroup<train::Adam<B>, train::Sgd<B>> both;
  train::Ema<B> ema;
  train::TrainStep<train::OptimizerGroup<train::Adam<B>, train::Sgd<B>>, train::Warmup<train::Cosine>> step;
  std::uint64_t batch = 0;  ///< the next one
  Index images = 16;        ///< a micro-batch

  explicit Run(int threads, std::uint64_t seed = 1, Index width = 5, std::uint64_t rng_seed = 42,
               Index images_each = 16)
      : context({.threads = threads}),
        net(context, seed, width),
        other(context, seed + 1, 4),
        adam(nn::parameters(net), {.learning_rate = 0.01}),
        sgd(nn::parameters(other), {.learning_rate = 0.01}),
        both(adam, sgd),
        ema(nn::parameters(net, other), {.decay = 0.9}),
        step(both, {.accumulate = accumulate, .max_norm = 0.5, .rng = {.seed = rng_seed}},
             train::Warmup{4, train::Cosine{{.steps = 10}}}, &ema),
        images(images_each) {}

  auto loss() {
    return [this](Tape<B>& tape, MicroBatch const& at) {
      SmallBatch<B> const data{context, batch++, images};
      auto const noise = test::random_tensor<B>(context, data.x.shape(), at.rng, 0.1);
      auto const x = tape.input(data.x) + tape.input(noise);
      auto const error = test::squared_error(net(x), data.target);
      auto const second = test::squared_error(other(x), data.target);
      return train::Losses<B, 1>{
          .total = error + second, .parts = {{{"error", error.value()}}}, .images = images};
    };
  }
  void micro_batches(int count) {
    for (int i = 0; i < count; ++i) last = step.micro_batch(loss()).value_or(last);
  }
  [[nodiscard]] auto values() {
    auto result = test::all_values<B>(net);
    auto const append = [&](std::vector<typename B::Scalar> const& more) {
      result.insert(result.end(), more.begin(), more.end());
    };
    append(test::all_values<B>(other));
    both.for_each_state([&](std::string const&, auto const& tensor) { append(tensor.values()); });
    ema.for_each_state([&](std::string const&, auto const& tensor, auto const&) { append(tensor.values()); });
    return result;
  }
  void save(train::Checkpoint const& checkpoint) {
    checkpoint.save(step, {.epoch = 1, .batch = batch, .order_seed = 7}, net, other);
  }
  void load(train::Checkpoint const& checkpoint) { batch = checkpoint.load(step, net, other).batch; }

  StepStatistics last;
};

}  // namespace

TEMPLATE_TEST_CASE("A run resumed amid a step, with other threads, ends bit for bit where it would have",
                   "[train][checkpoint]", backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run.safetensors"};
  constexpr int total = 7 * accumulate;
  // Large enough on Cpu for work to be split among threads.
  constexpr bool split = std::is_same_v<B, backend::Cpu<float>>;
  constexpr Index wide = split ? 64 : 5, images = split ? 128 : 16;
  // 0: between steps; else amid one.
  int const stop_after = 3 * accumulate + GENERATE(0, 1, 2);

  Run<B> uninterrupted{1, 1, wide, 42, images};
  uninterrupted.micro_batches(total);

  Run<B> first{1, 1, wide, 42, images};
  first.micro_batches(stop_after);
  first.save(checkpoint);
  first.micro_batches(1);  // saving has disturbed nothing, and what comes after it is not in the file

  Run<B> resumed{2, 1234, wide, 1, images};
  REQUIRE(resumed.values() != uninterrupted.values());
  resumed.load(checkpoint);
  CHECK(resumed.batch == static_cast<std::uint64_t>(stop_after));
  CHECK(resumed.step.steps() == static_cast<std::uint64_t>(stop_after / accumulate));
  resumed.micro_batches(total - stop_after);

  CHECK(resumed.values() == uninterrupted.values());
  CHECK(resumed.last.loss == uninterrupted.last.loss);
  CHECK(resumed.last.step == 7);

  first.micro_batches(total - stop_after - 1);
  CHECK(first.values() == uninterrupted.values());
}

TEST_CASE("The statistics of the step that was begun are complete after resuming", "[train][checkpoint]") {
  using B = backend::Reference<double>;
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run.safetensors"};
  Run<B> uninterrupted{1}, first{1}, resumed{1, 9};
  uninterrupted.micro_batches(accumulate);
  first.micro_batches(2);
  first.save(checkpoint);
  resumed.load(checkpoint);
  resumed.micro_batches(1);
  CHECK(resumed.last.loss == uninterrupted.last.loss);
  CHECK(resumed.last.images == 16 * accumulate);
  REQUIRE(resumed.last.parts.size() == 1);
  CHECK(resumed.last.parts[0].name == "error");
  CHECK(resumed.last.parts[0].value == uninterrupted.last.parts[0].value);
  CHECK(resumed.last.gradient_norm == uninterrupted.last.gradient_norm);
}

TEST_CASE("Loading forgets a step that had begun before", "[train][checkpoint]") {
  using B = backend::Reference<double>;
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run.safetensors"};
  Run<B> first{1}, resumed{1, 9};
  first.micro_batches(accumulate);
  first.save(checkpoint);
  resumed.micro_batches(1);
  CHECK(resumed.net.mean.proposed());
  resumed.load(checkpoint);
  CHECK_FALSE(resumed.net.mean.proposed());
  first.micro_batches(accumulate);
  resumed.micro_batches(accumulate);
  CHECK(resumed.values() == first.values());
}

TEST_CASE("A checkpoint without a module that is trained is refused", "[train][checkpoint]") {
  using B = backend::Cpu<float>;
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run"};
  Run<B> run{1};
  CHECK_THROWS_AS(checkpoint.save(run.step, {}, run.net), ConfigError);
  CHECK_THROWS_WITH(checkpoint.save(run.step, {}, run.net),
                    test::contains("all that the optimizer trains") &&
                        test::contains("'conv.weight' of shape (4, 3, 3, 2)"));
  CHECK_FALSE(checkpoint.exists());
  run.save(checkpoint);
  CHECK_THROWS_AS(checkpoint.load(run.step, run.other), ConfigError);
}

TEST_CASE("A loop interrupted by its flag saves, and another finishes the run", "[train][checkpoint]") {
  using B = backend::Cpu<float>;
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run.safetensors"};
  Run<B> uninterrupted{2};
  train::Loop{{.steps = 4}}.run(uninterrupted.step, uninterrupted.loss());

  std::atomic<bool> stop = false;
  Run<B> first{2};
  auto const loss = [&](Tape<B>& tape, MicroBatch const& at) {
    if (at.step == 2 && at.index == 1) stop = true;
    return first.loss()(tape, at);
  };
  train::Loop interrupted{{.steps = 4, .stop = &stop}};
  interrupted.on_interrupt([&] {
    first.save(checkpoint);
    return "resume from " + checkpoint.path().string();
  });
  CHECK_THROWS_AS(interrupted.run(first.step, loss), Interrupted);
  REQUIRE(checkpoint.exists());

  Run<B> second{1, 5};
  second.load(checkpoint);
  CHECK(second.step.pending().micro_batches == 2);
  train::Loop{{.steps = 4}}.run(second.step, second.loss());
  CHECK(second.values() == uninterrupted.values());
}

TEST_CASE("A checkpoint of another architecture is refused by name and shape, and changes nothing",
          "[train][checkpoint]") {
  using B = backend::Cpu<float>;
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run.safetensors"};
  Run<B> wide{1, 1, 6}, narrow{1, 1, 5};
  wide.micro_batches(1);
  wide.save(checkpoint);
  narrow.micro_batches(1);
  auto const before = narrow.values();
  CHECK_THROWS_AS(narrow.load(checkpoint), FileError);
  CHECK_THROWS_WITH(
      narrow.load(checkpoint),
      test::contains("of another shape: 'model.net.0.weight' [6, 2, 3, 3] in place of [5, 2, 3, 3]") &&
          test::contains("another architecture"));
  CHECK(narrow.values() == before);
  CHECK(narrow.step.pending().micro_batches == 1);

  Run<backend::Cpu<double>> exact{1};
  CHECK_THROWS_WITH(exact.load(checkpoint), test::contains("F64") && test::contains("F32"));

  train::TrainStep without_ema{narrow.both, {.accumulate = accumulate}};
  CHECK_THROWS_WITH(checkpoint.load(without_ema, narrow.net, narrow.other), test::contains("no EMA"));
  train::TrainStep other_accumulation{narrow.both, {.accumulate = 4}, train::ConstantRate{}, &narrow.ema};
  CHECK_THROWS_WITH(checkpoint.load(other_accumulation, narrow.net, narrow.other),
                    test::contains("accumulate = 3") && test::contains("got 4"));
}

TEST_CASE("Resuming with another configuration is refused by key, unless the key may differ",
          "[train][checkpoint]") {
  using B = backend::Cpu<float>;
  Scratch const scratch;
  Run<B> run{1};
  run.save({scratch / "run",
            {.config = R"({"unet": {"levels": [1, 2], "base": 16}, "threads": 1})", .may_differ = {}}});
  CHECK(train::Checkpoint::config_of(scratch / "run").find("\"base\": 16") != std::string::npos);
  auto const message = [&](std::string const& config) {
    return test::message_of<ConfigError>(
        [&] { run.load({scratch / "run", {.config = config, .may_differ = {"threads"}}}); });
  };
  CHECK(message(R"({"threads": 2, "unet": {"base": 16.0, "levels": [1, 2]}})") == "");
  CHECK_THAT(message(R"({"unet": {"base": 32, "levels": [1, 2]}})"),
             test::contains("unet.base = 16") && test::contains("got 32"));
  CHECK_THAT(message(R"({"unet": {"base": 16, "levels": [1, 4]}})"), test::contains("unet.levels[1] = 2"));
  CHECK_THAT(message(R"({"unet": {"base": 16, "levels": [1]}})"), test::contains("unet.levels = [1,2]"));
  CHECK_THAT(message(R"({"unet": {"base": 16, "levels": [1, 2], "x": 1}})"),
             test::contains("unet.x = nothing") && test::contains("got 1"));
  CHECK_THAT(message(R"({})"), test::contains("unet = ") && test::contains("got nothing"));
  CHECK_THAT(message("{"), test::contains("JSON"));
}

TEST_CASE("A checkpoint that cannot be trusted or written keeps the last good one", "[train][checkpoint]") {
  using B = backend::Cpu<float>;
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run"};
  Run<B> run{1};
  run.micro_batches(accumulate);
  run.save(checkpoint);
  std::string const good = test::read_text(scratch / "run");

  SECTION("weights that are not finite") {
    run.net.conv.value().fill(std::numeric_limits<float>::quiet_NaN());
    CHECK_THROWS_AS(run.save(checkpoint), NumericError);
    CHECK_THROWS_WITH(run.save(checkpoint), test::contains("'net.0.weight'") && test::contains("NaN"));
  }
  SECTION("the average in the model") {
    train::Ema<B>::Scope const scope{run.ema};
    CHECK_THROWS_WITH(run.save(checkpoint), test::contains("Checkpoint::save"));
  }
  SECTION("a full disk") {
    CHECK_THAT(test::message_in_child([] { test::limit_file_size(2000); }, [&] { run.save(checkpoint); }),
               test::contains("write_file"));
  }
  CHECK(test::read_text(scratch / "run") == good);
  CHECK(scratch.file_count() == 1);
}

TEST_CASE("A checkpoint with a NaN in its last tensor changes nothing", "[train][checkpoint]") {
  using B = backend::Cpu<float>;
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run"};
  Run<B> run{1};
  run.micro_batches(accumulate);
  run.save(checkpoint);
  std::string text = test::read_text(scratch / "run");
  text.replace(text.size() - 4, 4, std::string("\0\0\xc0\x7f", 4));
  io::write_file(scratch / "run", text);
  run.micro_batches(accumulate);
  auto const before = run.values();
  CHECK_THROWS_WITH(run.load(checkpoint),
                    test::contains("finite values in 'optimizer.") && test::contains("got NaN at index"));
  CHECK(run.values() == before);
}

TEST_CASE("Files that are no checkpoints are refused", "[train][checkpoint]") {
  using B = backend::Cpu<float>;
  Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run"};
  Run<B> run{1};
  CHECK_FALSE(checkpoint.exists());
  CHECK_THROWS_AS(run.load(checkpoint), FileError);

  io::save_weights(scratch / "run", run.net);
  CHECK_THROWS_WITH(run.load(checkpoint), test::contains("diffsiam checkpoint 2") && test::contains("pt"));

  run.save(checkpoint);
  std::string const good = test::read_text(scratch / "run");
  auto const with = [&](std::string const& from, std::string const& to) {
    std::string text = good;
    auto const at = text.find(from);
    REQUIRE(at != std::string::npos);
    REQUIRE(from.size() == to.size());
    text.replace(at, from.size(), to);
    io::write_file(scratch / "run", text);
    return test::message_of<FileError>([&] { run.load(checkpoint); });
  };
  CHECK_THAT(with(R"(\"steps\":0)", R"(\"stepz\":0)"), test::contains("steps"));
  CHECK_THAT(with(R"(\"micro_batches\":0)", R"(\"micro_batches\":7)"), test::contains("7 of 3"));
  CHECK_THAT(with(R"(\"images\":0)", R"(\"images\":{)"), test::contains("the state of a run"));
  CHECK_THAT(with(R"("optimizer.0.first_moment.net.0.bias")", R"("optimizer.0.first_moment.net.9.bias")"),
             test::contains("1 missing: 'optimizer.0.first_moment.net.0.bias' [5]") &&
                 test::contains("1 besides: 'optimizer.0.first_moment.net.9.bias' [5]"));
  CHECK_THROWS_AS((train::Checkpoint{scratch / "run", {.config = "{", .may_differ = {}}}), ConfigError);
}
