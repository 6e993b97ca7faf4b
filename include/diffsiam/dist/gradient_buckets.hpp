// GradientBuckets: adds up the gradients of all pieces of a batch, on all ranks. Gradients that are whole
// leave in buckets while the backward pass still computes others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/concepts/backend_options.hpp>
#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/dist/communicator.hpp>
#include <diffsiam/dist/piece_tree.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/tensor/for_each_element.hpp>

namespace diffsiam::dist {

/// Each rank adds one share of a bucket and sends the sums to the others, so a rank sends and receives twice
/// (ranks - 1) / ranks times the bytes of all gradients, where it holds one subtree of pieces.
template <class B>
class GradientBuckets {
 public:
  using T = typename B::Scalar;

  /// Buckets are filled from the end of the list, where the backward pass begins.
  GradientBuckets(CommunicatorRef ranks, PieceTree const& tree, nn::ParameterList<B> const& list,
                  std::size_t bucket_bytes)
      : ranks_(std::move(ranks)), tree_(tree), subtrees_(tree.subtrees_of(ranks_.rank())) {
    for (int rank = 0; rank < tree.ranks(); ++rank) all_subtrees_.push_back(tree.subtrees_of(rank));
    for (auto const& [name, parameter] : list.parameters) {
      places_[parameter.id()] = entries_.size();
      entries_.push_back({parameter, {}, parameter.trainable(), 0, 0});
    }
    for (std::size_t i = entries_.size(); i-- > 0;) {
      if (!entries_[i].trainable) continue;
      if (buckets_.empty() || static_cast<std::size_t>(buckets_.back().size) * sizeof(T) >= bucket_bytes)
        buckets_.emplace_back();
      entries_[i].bucket = buckets_.size() - 1;
      buckets_.back().entries.push_back(i);
      buckets_.back().size += entries_[i].parameter.shape().size();
    }
    for (Bucket& bucket : buckets_) bucket.share = (bucket.size + ranks_.size() - 1) / ranks_.size();
  }

  /// The place of a parameter in the list; the number of parameters if it is not in it.
  [[nodiscard]] std::size_t place_of(Parameter<B> const& parameter) const {
    auto const found = places_.find(parameter.id());
    return found == places_.end() ? entries_.size() : found->second;
  }
  /// The number of parameters in the list, frozen ones included.
  [[nodiscard]] std::size_t parameters() const { return entries_.size(); }
  /// The number of buckets.
  [[nodiscard]] std::size_t buckets() const { return buckets_.size(); }

  /// A lane may have a thread of its own, which has to be told of the device.
  void make_current() const {
    if constexpr (backend::UsedWhenCurrent<typename B::Context>)
      if (!entries_.empty()) context().make_current();
  }
  /// Forgets what a step has left that was not completed. Throws ConfigError if a parameter has been frozen
  /// or set free since.
  void begin() {
    for (Entry& entry : entries_) {
      if (entry.parameter.trainable() != entry.trainable)
        fail<ConfigError>("DataParallel", "the trainable parameters that there were when it was made",
                          {"one of shape ", entry.parameter.shape(), " that is ",
                           entry.trainable ? "frozen now" : "trainable now"},
                          "freeze parameters before, or make it again");
      entry.sums.clear();
      entry.pieces = 0;
    }
    for (Bucket& bucket : buckets_) bucket.missing = bucket.entries.size();
    next_ = settled_ = 0;
  }
  /// The gradient of a parameter in a piece is whole. An empty tensor stands for zeros. Pieces of a rank come
  /// in their order.
  void add(std::size_t place, int piece, Tensor<B> gradient) {
    Entry& entry = entries_[place];
    if (!entry.trainable) return;
    if (!gradient) gradient = Tensor<B>::zeros(entry.parameter.value().context(), entry.parameter.shape());
    auto& sums = entry.sums;
    sums.push_back({{piece, piece + 1}, std::move(gradient)});
    while (sums.size() > 1 && tree_.joins(sums[sums.size() - 2].first, sums.back().first)) {
      auto& [range, left] = sums[sums.size() - 2];
      accumulate(left, sums.back().second);
      range.end = sums.back().first.end;
      sums.pop_back();
    }
    if (++entry.pieces < tree_.pieces_of(ranks_.rank()).size()) return;
    --buckets_[entry.bucket].missing;
    while (next_ < buckets_.size() && buckets_[next_].missing == 0) leave(next_++);
  }
  /// Moves on what is under way, without waiting. What is recorded is not under way.
  void poll() {
    if constexpr (backend::Recordable<B>)
      if (context().recording_state().recording()) return;
    for (std::size_t i = settled_; i < next_; ++i) (void)buckets_[i].request.test();
  }
  /// Adds the sums of all buckets to the gradients of the parameters. All gradients are whole.
  void finish() {
    if (ranks_.size() == 1) return;
    while (settled_ < buckets_.size()) settle(settled_++);
    for (Bucket& bucket : buckets_) {
      bucket.request.wait();
      Index from = 0;
      for (std::size_t const i : bucket.entries) {
        auto const& gradient = entries_[i].parameter.gradient();
        accumulate(gradient, bucket.summed.samples(from, from + gradient.size()));
        from += gradient.size();
      }
      bucket.summed = bucket.received = {};
    }
  }

 private:
  using Sums = std::vector<std::pair<PieceRange, Tensor<B>>>;
  struct Entry {
    Parameter<B> parameter;
    Sums sums;  ///< of the pieces that are done, in whole subtrees
    bool trainable = true;
    int pieces = 0;
    std::size_t bucket = 0;
  };
  struct Bucket {
    std::vector<std::size_t> entries;
    Index size = 0, share = 0;
    std::size_t missing = 0;
    Tensor<B> sent, received, summed;
    Request request;
  };
  /// So many buckets may be on their way before the sums of the first are asked for. All ranks must begin
  /// their transfers in the same order, so this depends on nothing else.
  static constexpr std::size_t depth = 2;

  [[nodiscard]] typename B::Context& context() const { return entries_.front().parameter.value().context(); }
  static void accumulate(Tensor<B> const& sum, Tensor<B> const& more) {
    for_each_element(functional::Accumulate{}, sum, more);
  }

  void leave(std::size_t number) {
    Bucket& bucket = buckets_[number];
    if (ranks_.size() == 1) {
      for (std::size_t const i : bucket.entries) {
        accumulate(entries_[i].parameter.gradient(), entries_[i].sums.front().second);
        entries_[i].sums.clear();
      }
      return;
    }
    while (settled_ + depth <= number) settle(settled_++);
    Index const size = ranks_.size(), subtrees = tree_.most_subtrees();
    bucket.sent = Tensor<B>{context(), {size * subtrees * bucket.share}};
    bucket.received = Tensor<B>{context(), {size * subtrees * bucket.share}};
    for (std::size_t subtree = 0; subtree < subtrees_.size(); ++subtree) {
      Index from = 0;
      for (std::size_t const i : bucket.entries) {
        pack(entries_[i].sums[subtree].second, bucket, static_cast<Index>(subtree), from);
        from += entries_[i].parameter.shape().size();
      }
    }
    for (std::size_t const i : bucket.entries) entries_[i].sums.clear();
    auto const bytes = static_cast<std::size_t>(subtrees * bucket.share) * sizeof(T);
    bucket.request = ranks_.start_all_to_all(bucket.sent.data(), bucket.received.data(), bytes);
  }
  /// Copies a sum of a subtree to where the ranks that add it get it from; it stands `from` values into the
  /// bucket.
  void pack(Tensor<B> const& sum, Bucket const& bucket, Index subtree, Index from) const {
    Tensor<B> const flat = sum.reshaped({sum.size()});
    Index const subtrees = tree_.most_subtrees();
    for (Index done = 0; done < sum.size();) {
      Index const rank = (from + done) / bucket.share, at = (from + done) % bucket.share;
      Index const count = std::min(bucket.share - at, sum.size() - done);
      Index const to = (rank * subtrees + subtree) * bucket.share + at;
      bucket.sent.samples(to, to + count).assign(flat.samples(done, done + count));
      done += count;
    }
  }
  /// Adds this rank's share of a bucket, and sends it to all.
  void settle(std::size_t number) {
    Bucket& bucket = buckets_[number];
    bucket.request.wait();
    Index const subtrees = tree_.most_subtrees();
    auto const known = [&](PieceRange const& range, Tensor<B>& sum) {
      for (std::size_t rank = 0; rank < all_subtrees_.size(); ++rank) {
        auto const& held = all_subtrees_[rank];
        auto const found = std::find(held.begin(), held.end(), range);
        if (found == held.end()) continue;
        Index const block = static_cast<Index>(rank) * subtrees + (found - held.begin());
        sum = bucket.received.samples(block * bucket.share, (block + 1) * bucket.share);
        return true;
      }
      return false;
    };
    Tensor<B> const sum = PieceTree::sum<Tensor<B>>({0, tree_.pieces()}, known,
                                                    [](Tensor<B> const& left, Tensor<B> const& right) {
                                                      accumulate(left, right);
                                                      return left;
                                                    });
    bucket.summed = Tensor<B>{sum.context(), {ranks_.size() * bucket.share}};
    bucket.request = ranks_.start_all_gather(sum.data(), bucket.summed.data(),
                                             static_cast<std::size_t>(bucket.share) * sizeof(T));
    bucket.sent = {};
  }

  CommunicatorRef ranks_;
  PieceTree tree_;
  std::vector<PieceRange> subtrees_;  ///< of this rank
  std::vector<std::vector<PieceRange>> all_subtrees_;
  std::vector<Entry> entries_;
  std::map<void const*, std::size_t> places_;
  std::vector<Bucket> buckets_;
  std::size_t next_ = 0;     ///< the first bucket that has not left
  std::size_t settled_ = 0;  ///< the first one whose sums have not been asked for
};

}  // namespace diffsiam::dist
