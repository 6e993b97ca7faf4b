// How a stage of the main job divides its batches among ranks.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include <diffsiam/data/loader.hpp>
#include <diffsiam/dist/data_parallel.hpp>

namespace experiments {

namespace ds = diffsiam;

/// Nothing is divided if a batch is one piece, on one rank.
template <class B>
class Division {
 public:
  Division(ds::dist::CommunicatorRef const& ranks, ds::nn::ParameterList<B> const& list, int pieces) {
    if (pieces > 1 || ranks.size() > 1)
      parallel_.emplace(ranks, list, ds::dist::DataParallelConfig{.pieces = pieces});
  }

  template <class Step>
  void divide(Step& step) {
    if (parallel_) step.divide(*parallel_);
  }
  [[nodiscard]] int pieces() const { return parallel_ ? parallel_->pieces() : 1; }
  [[nodiscard]] ds::Index own_pieces() const { return parallel_ ? parallel_->own_pieces().size() : 1; }
  /// Of `batch` samples, those that this process takes.
  [[nodiscard]] ds::Index own_samples(ds::Index batch) const {
    auto const own = part(batch);
    return own ? own->end - own->begin : batch;
  }
  /// What the loader prepares.
  [[nodiscard]] std::optional<ds::data::BatchPart> part(ds::Index batch) const {
    if (!parallel_) return std::nullopt;
    auto const [begin, end] = parallel_->own_samples(batch);
    return ds::data::BatchPart{begin, end};
  }
  /// The first pictures of each piece of this process, of a batch of which the whole run takes `count`.
  [[nodiscard]] std::vector<ds::data::Batch> first_of_pieces(ds::data::Batch const& own,
                                                             ds::Index count) const {
    std::vector<ds::data::Batch> result;
    for (ds::Index piece = 0; piece < own_pieces(); ++piece)
      result.push_back(own.part(piece, own_pieces()).first(count / pieces()));
    return result;
  }

 private:
  std::optional<ds::dist::DataParallel<B>> parallel_;
};

}  // namespace experiments
