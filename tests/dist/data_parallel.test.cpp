// Batches in pieces, on one rank and on several, which are threads here: the same weights, bit for bit.
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <tests/dist/ranks.hpp>
#include <tests/dist/siamese_net.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/core/observer.hpp>
#include <diffsiam/dist/single_process.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using dist::ThreadRank;

namespace {

using Cpu = backend::Cpu<float>;

/// The weights and buffers after a run, and the loss of its last step.
struct End {
  std::vector<float> weights;
  double loss = 0, norm = 0;
  bool operator==(End const&) const = default;
};

template <class Ranks>
End trained(Ranks& ranks, int pieces, std::size_t bucket_bytes = 256, int threads = 1) {
  Cpu::Context context{{.threads = threads}};
  SiameseNet<Cpu> const net{context};
  SiameseTraining<Cpu> training{net};
  dist::DataParallel<Cpu> division{
      ranks, nn::parameters(net), {.pieces = pieces, .bucket_bytes = bucket_bytes}};
  training.step.divide(division);
  End end;
  for (int i = 0; i < 3; ++i) {
    auto const last = training.step(SiameseLoss<Cpu>{net, division});
    end.loss = last.loss;
    end.norm = last.gradient_norm.value();
  }
  end.weights = weights_of(net, &training.ema);
  return end;
}
End alone(int pieces, std::size_t bucket_bytes = 256, int threads = 1) {
  dist::SingleProcess one;
  return trained(one, pieces, bucket_bytes, threads);
}

}  // namespace

TEST_CASE("Any number of ranks ends in the same weights", "[dist]") {
  for (int const pieces : {4, 6}) {
    End const one = alone(pieces);
    CHECK(std::isfinite(one.loss));
    for (int const ranks : {2, 3, 4}) {
      INFO(pieces << " pieces on " << ranks << " ranks");
      std::vector<End> ends(static_cast<std::size_t>(ranks));
      on_ranks(ranks, [&](ThreadRank& rank) {
        ends[static_cast<std::size_t>(rank.rank())] = trained(rank, pieces);
      });
      for (End const& end : ends) CHECK(end == one);
    }
  }
}

TEST_CASE("Neither buckets nor threads change the weights", "[dist]") {
  CHECK(alone(4, 1) == alone(4, 1 << 20));
  CHECK(alone(4, 256, 2) == alone(4, 256, 1));
}

TEST_CASE("Batch norm, NT-Xent and VICReg see the batch that the pieces make up", "[dist]") {
  using B = backend::Reference<double>;
  auto const loss_of = GENERATE(&SiameseNet<B>::loss, &SiameseNet<B>::vicreg);
  B::Context context;
  SiameseNet<B> const net{context};
  auto const x = random_tensor<B>(context, {24, 5}, Rng{3, 1});  // 12 pairs
  // The whole batch at once.
  Tape<B> tape{context};
  tape.backward((net.*loss_of)(tape.input(x)));
  std::vector<std::vector<double>> whole;
  for (auto const& [name, parameter] : nn::parameters(net).parameters) {
    whole.push_back(parameter.gradient().values());
    parameter.gradient().fill(0);
  }
  auto const mean = net.norm_mean();
  net.commit();
  // In pieces: view 1 and view 2 of each.
  SiameseNet<B> const same{context};
  dist::SingleProcess one;
  dist::DataParallel<B> division{one, nn::parameters(same), {.pieces = 3}};
  auto const numbers = division.run([&](dist::Piece<B>& piece) {
    Tape<B> part{context, {.joint = piece.joint, .gradients = piece.gradients}};
    Tensor<B> const pairs{context, {8, 5}};
    for (Index view = 0; view < 2; ++view)
      pairs.samples(4 * view, 4 * view + 4)
          .assign(x.samples(12 * view + 4 * piece.number, 12 * view + 4 * piece.number + 4));
    auto const loss = (same.*loss_of)(part.input(pairs));
    piece.numbers = {loss.value().item()};
    part.backward(loss, 1.0 / 3);
  });
  Tape<B> again{context};
  CHECK((numbers[0][0] + numbers[1][0] + numbers[2][0]) / 3 ==
        Approx((net.*loss_of)(again.input(x)).value().item()).epsilon(1e-12));
  std::size_t i = 0;
  for (auto const& [name, parameter] : nn::parameters(same).parameters) {
    INFO(name.name);
    auto const values = parameter.gradient().values();
    for (std::size_t k = 0; k < values.size(); ++k)
      CHECK(values[k] == Approx(whole[i][k]).epsilon(1e-9).margin(1e-12));
    ++i;
  }
  same.commit();
  for (std::size_t k = 0; k < mean.size(); ++k)
    CHECK(same.norm_mean()[k] == Approx(net.norm_mean()[k]).epsilon(1e-12));
}

TEST_CASE("One piece is the batch itself, bit for bit", "[dist]") {
  Cpu::Context context{{.threads = 1}};
  SiameseNet<Cpu> const net{context}, same{context};
  SiameseTraining<Cpu> training{net}, divided{same};
  dist::SingleProcess one;
  dist::DataParallel<Cpu> division{one, nn::parameters(same)};
  divided.step.divide(division);
  CHECK(division.pieces() == 1);
  for (int i = 0; i < 2; ++i) {
    auto const a = training.step(SiameseLoss<Cpu>{net, division});
    auto const b = divided.step(SiameseLoss<Cpu>{same, division});
    CHECK(a.loss == b.loss);
  }
  CHECK(weights_of(net, &training.ema) == weights_of(same, &divided.ema));
}

TEST_CASE("Gradients leave while others are still computed", "[dist]") {
  struct Log final : Observer {
    std::string text;
    void begin(std::string_view name, Direction direction) noexcept override {
      if (direction == Direction::backward && name == "linear") text += "l";
    }
    void end() noexcept override {}
  };
  /// Writes down when gradients leave.
  struct Watched {
    ThreadRank& rank_;
    std::string& text;
    [[nodiscard]] int rank() const { return rank_.rank(); }
    [[nodiscard]] int size() const { return rank_.size(); }
    dist::Request start_all_to_all(void const* from, void* to, std::size_t bytes) {
      text += "S";
      return rank_.start_all_to_all(from, to, bytes);
    }
    dist::Request start_all_gather(void const* from, void* to, std::size_t bytes) {
      return rank_.start_all_gather(from, to, bytes);
    }
    void broadcast(void* data, std::size_t bytes, int root) { rank_.broadcast(data, bytes, root); }
    void barrier() { rank_.barrier(); }
    void announce(std::string_view sentence) { rank_.announce(sentence); }
  };
  std::array<std::string, 2> logs;
  on_ranks(2, [&](ThreadRank& rank) {
    Cpu::Context context{{.threads = 1}};
    Log log;
    SiameseNet<Cpu> const net{context};
    Watched watched{rank, log.text};
    dist::DataParallel<Cpu> division{watched, nn::parameters(net), {.pieces = 2, .bucket_bytes = 1}};
    context.set_observer(&log);
    (void)division.run([&](dist::Piece<Cpu>& piece) {
      Tape<Cpu> tape{context, {.gradients = piece.gradients}};
      auto const x = random_tensor<Cpu>(context, {8, 5}, Rng{3, 1});
      auto const loss = net.loss(tape.input(x));
      log.text += "|";
      tape.backward(loss);
      log.text += "|";
      piece.numbers = {0};
    });
    logs[static_cast<std::size_t>(rank.rank())] = log.text;
  });
  std::string const backward =
      logs[0].substr(logs[0].find('|') + 1, logs[0].rfind('|') - logs[0].find('|') - 1);
  CHECK(logs[1] == logs[0]);
  CHECK(backward.find('S') < backward.rfind('l'));  // before the last linear layer has its gradient
}

TEST_CASE("Each thread that computes a piece makes the device current", "[dist]") {
  struct Device final : backend::Reference<float>::Context {
    std::vector<std::thread::id> current_in;
    void make_current() { current_in.push_back(std::this_thread::get_id()); }
  };
  struct B : backend::Reference<float> {
    using Context = Device;
  };
  B::Context context;
  SiameseNet<B> const net{context};
  dist::SingleProcess one;
  dist::DataParallel<B> division{one, nn::parameters(net), {.pieces = 3}};
  std::vector<std::thread::id> computed_in;
  (void)division.run([&](dist::Piece<B>& piece) {
    computed_in.push_back(std::this_thread::get_id());
    Tape<B> tape{context, {.joint = piece.joint, .gradients = piece.gradients}};
    tape.backward(net.loss(tape.input(random_tensor<B>(context, {4, 5}, Rng{3, 1}))));
    piece.numbers = {0};
  });
  CHECK(std::set(computed_in.begin(), computed_in.end()).size() == 3);
  CHECK(context.current_in == computed_in);
}

TEST_CASE("Clipping, accumulation and loss scaling work in pieces", "[dist]") {
  auto const run = [](auto& ranks) {
    Cpu::Context context{{.threads = 1}};
    SiameseNet<Cpu> const net{context};
    train::Adam<Cpu> adam{nn::parameters(net), {.learning_rate = 0.02}};
    train::TrainStep step{
        adam,
        {.accumulate = 2, .max_norm = 0.1, .rng = {.seed = 7}, .loss_scaling = train::LossScaler::Config{}}};
    dist::DataParallel<Cpu> division{ranks, nn::parameters(net), {.pieces = 4, .bucket_bytes = 128}};
    step.divide(division);
    End end;
    for (int i = 0; i < 2; ++i) {
      auto const last = step(SiameseLoss<Cpu>{net, division});
      end.loss = last.loss;
      end.norm = last.gradient_norm.value();
    }
    end.weights = weights_of<Cpu>(net, nullptr);
    return end;
  };
  dist::SingleProcess one;
  End const expected = run(one);
  CHECK(expected.norm > 0.1);
  std::array<End, 2> ends;
  on_ranks(2, [&](ThreadRank& rank) { ends[static_cast<std::size_t>(rank.rank())] = run(rank); });
  CHECK(ends[0] == expected);
  CHECK(ends[1] == expected);
}

TEST_CASE("A loss that is not finite is refused on all ranks, with its rank", "[dist]") {
  std::array<std::vector<float>, 2> before, after;
  auto const ends = outcomes(2, [&](ThreadRank& rank) {
    Cpu::Context context{{.threads = 1}};
    SiameseNet<Cpu> const net{context};
    SiameseTraining<Cpu> training{net};
    dist::DataParallel<Cpu> division{rank, nn::parameters(net), {.pieces = 4}};
    training.step.divide(division);
    auto const r = static_cast<std::size_t>(rank.rank());
    before[r] = weights_of(net, &training.ema);
    try {
      (void)training.step([&](Tape<Cpu>& tape, train::MicroBatch const& at) {
        auto const x = random_tensor<Cpu>(context, {4, 5}, at.rng);
        bool const bad = rank.rank() == 1 && at.lane == 0;
        return ops::scale(net.plain(tape.input(x)), bad ? std::numeric_limits<double>::quiet_NaN() : 1.0);
      });
    } catch (...) {
      after[r] = weights_of(net, &training.ema);
      throw;
    }
  });
  for (auto const& end : ends)
    CHECK_THAT(message_of(end), contains("a finite loss at step 1, piece 2 of 4") && contains("on rank 1"));
  CHECK(after[0] == before[0]);
  CHECK(after[1] == before[1]);
}

TEST_CASE("An exception of one rank ends the step on all", "[dist]") {
  auto const ends = outcomes(2, [&](ThreadRank& rank) {
    Cpu::Context context{{.threads = 1}};
    SiameseNet<Cpu> const net{context};
    SiameseTraining<Cpu> training{net};
    dist::DataParallel<Cpu> division{rank, nn::parameters(net), {.pieces = 4}};
    training.step.divide(division);
    (void)training.step([&](Tape<Cpu>& tape, train::MicroBatch const& at) {
      if (rank.rank() == 0 && at.lane == 1) throw FileError("a.png is gone");
      return net.loss(tape.input(random_tensor<Cpu>(context, {4, 5}, at.rng)));
    });
  });
  CHECK_THAT(message_of(ends[0]), contains("a.png is gone"));
  CHECK_THAT(message_of(ends[1]), contains("rank 0: a.png is gone"));
}

TEST_CASE("What does not divide is refused", "[dist]") {
  Cpu::Context context{{.threads = 1}};
  SiameseNet<Cpu> const net{context};
  dist::SingleProcess one;
  dist::DataParallel<Cpu> division{one, nn::parameters(net), {.pieces = 4}};
  CHECK(division.own_samples(8) == std::pair<Index, Index>{0, 8});
  CHECK_THROWS_WITH(division.own_samples(6), contains("a batch that 4 pieces divide, got 6"));
  CHECK_THROWS_WITH(
      division.run([](dist::Piece<Cpu>& piece) { piece.numbers.assign(piece.number == 2 ? 1 : 2, 0.0); }),
      contains("as many numbers of each piece"));
  train::MicroBatch at;
  at.lanes = 3;
  CHECK_THROWS_WITH(at.part(Tensor<Cpu>::zeros(context, {4, 2})), contains("samples that 3 pieces divide"));
  nn::parameters(net).parameters.front().parameter.set_trainable(false);
  CHECK_THROWS_WITH(division.run([](dist::Piece<Cpu>&) {}), contains("(7, 5) that is frozen now"));
  nn::parameters(net).parameters.front().parameter.set_trainable(true);
  // A parameter that the division has not been told of.
  dist::DataParallel<Cpu> other{one, nn::ParameterList<Cpu>{}, {.pieces = 1}};
  CHECK_THROWS_WITH(other.run([&](dist::Piece<Cpu>& piece) {
    Tape<Cpu> tape{context, {.gradients = piece.gradients}};
    tape.backward(net.plain(tape.input(Tensor<Cpu>::zeros(context, {4, 5}))));
  }),
                    contains("a list with all parameters that the loss trains"));
}
