// Checkpoints of a small run with everything in it. What is refused changes nothing; what is accepted can be
// saved again.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tests/fuzz/memory_file.hpp>
#include <tests/fuzz/safetensors_mutator.hpp>
#include <tests/io/scratch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/checkpoint.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;

namespace {

using B = backend::Reference<float>;

train::Checkpoint::Config const settings{.config = R"({"width": [1, {"a": 2}], "rate": 0.5, "threads": 1})",
                                         .may_differ = {"threads"}};

/// y = weight x, with a running mean: few tensors, so that headers are short and fuzzing is fast.
struct Net {
  using Backend = B;
  Parameter<B> weight;
  Buffer<B> mean;

  explicit Net(B::Context& context)
      : weight(Tensor<B>::filled(context, {1, 2}, 0.5F)), mean(Tensor<B>::zeros(context, {2})) {}
  template <class F>
  void for_each_child(F&& f) const {
    f({"weight", "net.0.weight"}, weight);
    f({"mean", "net.1.running_mean"}, mean);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("groups", 4);
    f("betas", std::vector<double>{0.1, 0.2});
    f("activation", "silu");
  }
};

struct Run {
  static B::Context& context() {
    static B::Context one;
    return one;
  }
  Net net{context()};
  train::Adam<B> adam{nn::parameters(net), {.learning_rate = 0.01}};
  train::Ema<B> ema{nn::parameters(net)};
  train::TrainStep<train::Adam<B>> step{
      adam, {.accumulate = 2, .loss_scaling = train::LossScaler::Config{}}, {}, &ema};

  explicit Run(int micro_batches) {
    for (int i = 0; i < micro_batches; ++i) micro_batch();
  }
  void micro_batch() {
    (void)step.micro_batch([&](Tape<B>& tape, train::MicroBatch const&) {
      net.mean.proposal().fill(0.25F);
      auto const y = ops::linear(tape.input(Tensor<B>::filled(context(), {1, 2}, 1)), net.weight);
      auto const error = ops::mean(y * y);
      return train::Losses<B, 1>{.total = error, .parts = {{{"error", error.value()}}}, .images = 4};
    });
  }
  /// All that a checkpoint may change, as bits.
  [[nodiscard]] Bytes state() const {
    Bytes result;
    auto const append = [&](void const* data, std::size_t size) {
      auto const* const bytes = static_cast<std::uint8_t const*>(data);
      result.insert(result.end(), bytes, bytes + size);
    };
    auto const append_tensor = [&](Tensor<B> const& tensor) {
      append(tensor.data(), static_cast<std::size_t>(tensor.size()) * sizeof(float));
    };
    nn::for_each_leaf(net, [&](nn::LeafName const&, auto const& leaf) { append_tensor(leaf.value()); });
    adam.for_each_state([&](std::string const&, Tensor<B> const& tensor) { append_tensor(tensor); });
    ema.for_each_state(
        [&](std::string const&, Tensor<B> const& tensor, auto const&) { append_tensor(tensor); });
    for (auto const& [name, parameter] : adam.parameters().parameters) append_tensor(parameter.gradient());
    std::uint64_t const counts[]{step.steps(), adam.steps(), ema.updates(),
                                 static_cast<std::uint64_t>(step.pending().micro_batches)};
    append(counts, sizeof counts);
    double const numbers[]{step.pending().loss, step.loss_scaler()->scale()};
    append(numbers, sizeof numbers);
    return result;
  }
};

/// The bytes of a checkpoint of `run`.
Bytes saved(Run const& run) {
  test::Scratch const scratch;
  train::Checkpoint const checkpoint{scratch / "run.safetensors", settings};
  checkpoint.save(run.step, {.epoch = 1, .batch = 2, .order_seed = 3}, run.net);
  std::string const text = test::read_text(checkpoint.path());
  return bytes_of(text);
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  return {saved(Run{0}), saved(Run{3})};  // the second amid a step
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static MemoryFile file;
  file.put({data, size});
  static std::optional<Run> run;
  static Bytes before;
  if (!run) before = run.emplace(1).state();
  reads(size, {.factor = 64}, [&] { (void)train::Checkpoint::config_of(file.path()); });
  train::Checkpoint const checkpoint{file.path(), settings};
  if (reads(size, {.factor = 64}, [&] { (void)checkpoint.load(run->step, run->net); })) {
    ++accepted;
    (void)saved(*run);  // what was loaded can be saved
    run.reset();
  } else {
    require(run->state() == before, "a refused checkpoint changes nothing");
  }
  return 0;
}
