// DataParallel: divides the batch of a training step into pieces, computes those of this rank, and adds up
// the gradients of all. A piece is the same work on every rank: its samples, its random numbers and its bits
// do not depend on how many ranks there are. Neither does the order of sums (see PieceTree), so the weights
// are the same, bit for bit, for 1, 2, 4 ... ranks.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/dist/collectives.hpp>
#include <diffsiam/dist/gradient_buckets.hpp>
#include <diffsiam/dist/lanes.hpp>
#include <diffsiam/tensor/joint_batch.hpp>
#include <diffsiam/value/gradient_place.hpp>

namespace diffsiam::dist {

/// How a batch is divided, and how gradients leave.
struct DataParallelConfig {
  int pieces = 0;  ///< of a batch, at least one for each rank; 0: one for each
  std::size_t bucket_bytes = std::size_t{1} << 20;  ///< of gradients that leave together
};

/// What a step has to know of the piece that it computes.
template <class B>
struct Piece {
  int number = 0, lane = 0;               ///< among all pieces, and among those of this rank
  JointBatch<B>* joint = nullptr;         ///< to be given to the tape of the piece
  GradientPlace<B>* gradients = nullptr;  ///< to be given to the same tape
  std::vector<double> numbers{};          ///< to be filled: losses and the like, as many in each piece
};

/// For a step of training (see TrainStep::divide):
///
///     dist::Mpi ranks;
///     dist::DataParallel<B> division{ranks, nn::parameters(model), {.pieces = 4}};
///     training.step.divide(division);
template <class B>
class DataParallel {
 public:
  using Backend = B;
  using Config = DataParallelConfig;

  /// Borrows what `ranks` refers to. `list` has all parameters that the step trains. Throws ConfigError for
  /// fewer pieces than ranks.
  DataParallel(CommunicatorRef ranks, nn::ParameterList<B> const& list, Config const& config = {})
      : ranks_(std::move(ranks)),
        tree_(config.pieces == 0 ? ranks_.size() : config.pieces, ranks_.size()),
        lanes_(tree_.pieces_of(ranks_.rank()).size()),
        buckets_(ranks_, tree_, list, config.bucket_bytes) {
    for (int lane = 0; lane < lanes_.count(); ++lane) parts_.push_back(std::make_unique<Part>(*this, lane));
  }
  DataParallel(DataParallel const&) = delete;
  DataParallel& operator=(DataParallel const&) = delete;

  [[nodiscard]] CommunicatorRef const& ranks() const& { return ranks_; }
  [[nodiscard]] CommunicatorRef ranks() const&& { return ranks_; }
  [[nodiscard]] int pieces() const { return tree_.pieces(); }
  /// The pieces of this rank.
  [[nodiscard]] PieceRange own_pieces() const { return tree_.pieces_of(ranks_.rank()); }
  /// In how many buckets the gradients leave.
  [[nodiscard]] std::size_t buckets() const { return buckets_.buckets(); }
  /// The rank that computes a piece.
  [[nodiscard]] int rank_of(int piece) const {
    int rank = 0;
    while (tree_.pieces_of(rank).end <= piece) ++rank;
    return rank;
  }
  /// Samples [begin, end) of a batch of `samples` that belong to this rank. Throws ConfigError unless all
  /// pieces have the same number.
  [[nodiscard]] std::pair<Index, Index> own_samples(Index samples) const {
    if (samples % pieces() != 0)
      fail<ConfigError>("DataParallel", {"a batch that ", pieces(), " pieces divide"}, samples);
    Index const each = samples / pieces();
    return {each * own_pieces().begin, each * own_pieces().end};
  }

  /// Calls work(piece) for each piece of this rank, and adds the gradients of all pieces on all ranks to
  /// those of the parameters. Returns the numbers of all pieces. If it throws, the gradients are to be set to
  /// zero, and the other ranks are told.
  std::vector<std::vector<double>> run(FunctionRef<void(Piece<B>&)> work) {
    try {
      buckets_.begin();
      for (auto const& part : parts_) part->begin(buckets_.parameters());
      lanes_.run([&](int lane) {
        buckets_.make_current();
        Part& part = *parts_[static_cast<std::size_t>(lane)];
        work(part.own);
        part.end();
      });
      auto numbers = all_numbers();
      if (pieces() > 1) buckets_.finish();
      return numbers;
    } catch (PeerError const&) {
      throw;
    } catch (std::exception const& error) {
      ranks_.announce(error.what());
      throw;
    }
  }

  /// Whether run() can be recorded and replayed: that of one rank, or of ranks whose transfers are queued on
  /// the device. All ranks record, and replay, at the same time.
  [[nodiscard]] bool recordable() const { return ranks_.size() == 1 || ranks_.queues_transfers(); }
  /// One row of values for each piece, in the order of pieces, from the rows of this rank's.
  [[nodiscard]] Tensor<B> all_rows(Tensor<B> const& own) {
    Index const size = own.size() / lanes_.count();
    Tensor<B> const given{own.context(), {room() * size}}, all{own.context(), {pieces(), size}};
    given.samples(0, own.size()).assign(flat(own));
    take_in_order(gathered(given), all);
    return all;
  }

  /// A flag of this rank that asks for a stop; null for none. It is borrowed.
  void watch(std::atomic<bool> const* stop) { stop_ = stop; }
  /// What run() does, for a step that is replayed: all ranks are told whether one of them is to stop.
  void agree_on_stop() {
    char const mine = asked_to_stop() ? 1 : 0;
    for (char const asked : all_gather<char>(ranks_, {&mine, 1}))
      if (asked != 0) stop_agreed_ = true;
  }
  /// True after a run in which some rank was asked to stop: on all ranks after the same run.
  [[nodiscard]] std::atomic<bool> const& stop_agreed() const& { return stop_agreed_; }
  void stop_agreed() const&& = delete;

 private:
  /// A piece, as its tape sees the batch and the gradients.
  class Part final : public JointBatch<B>, public GradientPlace<B> {
   public:
    Part(DataParallel& owner, int lane) : owner_(owner) {
      own.number = owner.own_pieces().begin + lane;
      own.lane = lane;
      own.joint = this;
      own.gradients = this;
    }
    Piece<B> own;

    void begin(std::size_t parameters) {
      own.numbers.clear();
      states_.assign(parameters, {});
    }
    /// What no tape has come past has no gradient.
    void end() {
      for (std::size_t i = 0; i < states_.size(); ++i)
        if (!states_[i].whole) complete(i);
    }

    [[nodiscard]] int pieces() const override { return owner_.pieces(); }
    [[nodiscard]] int piece() const override { return own.number; }
    [[nodiscard]] bool proposes() const override { return own.lane == 0; }
    void gather(Tensor<B> const& mine, Tensor<B> const& all) override { owner_.gather(own.lane, mine, all); }
    void add_sum(Tensor<B> const& for_all, Tensor<B> const& mine) override {
      owner_.add_sum(own.lane, for_all, mine);
    }

    void used(Parameter<B> const& parameter) override {
      std::size_t const i = owner_.buckets_.place_of(parameter);
      if (i < states_.size()) ++states_[i].uses;
    }
    [[nodiscard]] Tensor<B> gradient_of(Parameter<B> const& parameter) override {
      std::size_t const i = owner_.buckets_.place_of(parameter);
      if (i == states_.size())
        fail<ConfigError>("DataParallel", "a list with all parameters that the loss trains",
                          {"one of shape ", parameter.shape(), " that is not in it"});
      if (owner_.pieces() == 1) return parameter.gradient();
      Tensor<B>& gradient = states_[i].gradient;
      if (!gradient) gradient = Tensor<B>::zeros(parameter.value().context(), parameter.shape());
      return gradient;
    }
    void passed(Parameter<B> const& parameter) override {
      std::size_t const i = owner_.buckets_.place_of(parameter);
      if (i < states_.size() && --states_[i].uses == 0) complete(i);
    }

   private:
    struct State {
      int uses = 0;
      bool whole = false;
      Tensor<B> gradient;
    };
    void complete(std::size_t i) {
      states_[i].whole = true;
      if (owner_.pieces() == 1) return;
      owner_.buckets_.add(i, own.number, std::exchange(states_[i].gradient, {}));
      owner_.buckets_.poll();
    }

    DataParallel& owner_;
    std::vector<State> states_;
  };

  /// Blocks of `block` values, one for each piece, as ranks exchange them: each rank has room for as many as
  /// the rank with the most pieces.
  [[nodiscard]] Index room() const { return tree_.most_pieces(); }
  /// The place of a piece among such blocks.
  [[nodiscard]] Index place_of(int piece) const {
    int const rank = rank_of(piece);
    return rank * room() + (piece - tree_.pieces_of(rank).begin);
  }
  static Tensor<B> block(Tensor<B> const& blocks, Index number, Index size) {
    return blocks.samples(number * size, (number + 1) * size);
  }
  static Tensor<B> flat(Tensor<B> const& tensor) { return tensor.reshaped({tensor.size()}); }
  [[nodiscard]] static std::size_t bytes(Index values) {
    return static_cast<std::size_t>(values) * sizeof(typename B::Scalar);
  }

  void gather(int lane, Tensor<B> const& mine, Tensor<B> const& all) {
    Index const size = mine.size();
    if (lane == 0) given_ = Tensor<B>{mine.context(), {room() * size}};
    block(given_, lane, size).assign(flat(mine));
    lanes_.meet(lane, [&] { taken_ = gathered(given_); });
    take_in_order(taken_, all);
  }
  /// What all ranks give, the blocks of rank 0 first.
  [[nodiscard]] Tensor<B> gathered(Tensor<B> const& given) const {
    if (ranks_.size() == 1) return given;
    Tensor<B> const all{given.context(), {ranks_.size() * given.size()}};
    ranks_.start_all_gather(given.data(), all.data(), bytes(given.size())).wait();
    return all;
  }
  /// `all` has as many values of each piece as there are in a block.
  void take_in_order(Tensor<B> const& blocks, Tensor<B> const& all) const {
    Index const size = all.size() / pieces();
    for (int piece = 0; piece < pieces(); ++piece)
      block(flat(all), piece, size).assign(block(blocks, place_of(piece), size));
  }
  void add_sum(int lane, Tensor<B> const& for_all, Tensor<B> const& mine) {
    // given: for each rank, from each of our lanes, a block for each of its lanes.
    Index const size = mine.size(), from_lane = room() * size, for_rank = room() * from_lane;
    if (lane == 0) given_ = Tensor<B>{mine.context(), {ranks_.size() * for_rank}};
    for (int piece = 0; piece < pieces(); ++piece) {
      Index const rank = rank_of(piece), there = piece - tree_.pieces_of(rank_of(piece)).begin;
      Index const at = rank * for_rank + lane * from_lane + there * size;
      given_.samples(at, at + size).assign(block(flat(for_all), piece, size));
    }
    lanes_.meet(lane, [&] {
      taken_ = given_;
      if (ranks_.size() == 1) return;
      taken_ = Tensor<B>{mine.context(), {ranks_.size() * for_rank}};
      ranks_.start_all_to_all(given_.data(), taken_.data(), bytes(for_rank)).wait();
    });
    SampleGrid const grid{1, 1, size};
    for (int piece = 0; piece < pieces(); ++piece) {
      Tensor<B> const from = block(taken_, place_of(piece) * room() + lane, size);
      B::for_each(mine.context(), grid.grid(), functional::Accumulate{}, grid.full(mine.data()),
                  grid.full(from.data()));
    }
  }

  [[nodiscard]] bool asked_to_stop() const { return stop_ != nullptr && stop_->load(); }
  /// Also agrees on a stop.
  std::vector<std::vector<double>> all_numbers() {
    std::size_t const width = parts_.front()->own.numbers.size();
    std::vector<double> mine;
    for (auto const& part : parts_) {
      if (part->own.numbers.size() != width)
        throw Error("DataParallel: expected as many numbers of each piece");
      mine.insert(mine.end(), part->own.numbers.begin(), part->own.numbers.end());
    }
    mine.resize(static_cast<std::size_t>(room()) * width);
    mine.push_back(asked_to_stop() ? 1 : 0);
    std::size_t const each = mine.size();
    auto const all = all_gather<double>(ranks_, mine);
    std::vector<std::vector<double>> result;
    for (int piece = 0; piece < pieces(); ++piece) {
      int const rank = rank_of(piece);
      auto const* const at = all.data() + static_cast<std::size_t>(rank) * each +
                             static_cast<std::size_t>(piece - tree_.pieces_of(rank).begin) * width;
      result.emplace_back(at, at + width);
    }
    for (std::size_t rank = 0; rank < static_cast<std::size_t>(ranks_.size()); ++rank)
      if (all[(rank + 1) * each - 1] != 0) stop_agreed_ = true;
    return result;
  }

  CommunicatorRef ranks_;
  PieceTree tree_;
  Lanes lanes_;
  GradientBuckets<B> buckets_;
  std::vector<std::unique_ptr<Part>> parts_;
  Tensor<B> given_, taken_;  ///< of the latest meeting
  std::atomic<bool> const* stop_ = nullptr;
  std::atomic<bool> stop_agreed_{false};
};

}  // namespace diffsiam::dist
