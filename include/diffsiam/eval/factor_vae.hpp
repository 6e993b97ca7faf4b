// FactorVAE score (Kim and Mnih 2018, arXiv 1802.05983). A vote fixes a factor, draws a batch, and finds the
// part of the code that varies least in it. Each part is assigned the factor with most of its votes; the
// score is the accuracy of this assignment on new votes. Batches come from a generator (LeastVarying and
// FixedFactorVotes), or are drawn here from codes with known factors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/eval/factors.hpp>
#include <diffsiam/eval/fixed_factor_votes.hpp>

namespace diffsiam::eval {

/// Settings of factor_vae().
struct FactorVaeConfig {
  Index batch = 64;           ///< samples in a batch, drawn with replacement
  Index train_votes = 10000;  ///< votes from which parts are assigned to factors
  Index test_votes = 5000;    ///< votes on which the accuracy is measured
  double prune = 0.05;        ///< see LeastVarying::fit
  std::uint64_t seed = 0;     ///< of the batches
};

/// The result of factor_vae_score().
struct FactorVaeResult {
  double score = 0;              ///< accuracy on test votes, in [0, 1]
  double train_accuracy = 0;     ///< on the votes that the assignment was made from
  std::vector<int> factor_of{};  ///< for each part; -1 if it got no training votes
};

/// The score from two tables of votes. A test vote is wrong if its part got no training votes or if there is
/// no part, so a constant code scores 0. Throws ShapeError if the tables have different sizes, RangeError if
/// one has no votes.
[[nodiscard]] inline FactorVaeResult factor_vae_score(FixedFactorVotes const& train,
                                                      FixedFactorVotes const& test) {
  Eigen::MatrixXd const &seen = train.counts, &unseen = test.counts;
  if (seen.rows() != unseen.rows() || seen.cols() != unseen.cols())
    fail<ShapeError>("factor_vae_score", "votes of as many parts and factors for test as for training",
                     "(" + std::to_string(unseen.rows()) + ", " + std::to_string(unseen.cols()) + ") for (" +
                         std::to_string(seen.rows()) + ", " + std::to_string(seen.cols()) + ")");
  if (!(train.total() > 0 && test.total() > 0))
    fail<RangeError>("factor_vae_score", "at least one vote for training and test", "none");
  FactorVaeResult result;
  for (Index g = 0; g < seen.rows(); ++g) {
    Index factor = 0;
    double const most = seen.row(g).maxCoeff(&factor);
    result.factor_of.push_back(most > 0 ? static_cast<int>(factor) : -1);
    if (!(most > 0)) continue;
    result.train_accuracy += most / train.total();
    result.score += unseen(g, factor) / test.total();
  }
  return result;
}

namespace detail {

inline constexpr std::uint32_t train_votes_stream = 0xE7A10002U;
inline constexpr std::uint32_t test_votes_stream = 0xE7A10003U;

/// Draws batches of samples that share the level of one factor.
class FixedFactorBatches {
 public:
  FixedFactorBatches(std::string_view operation, Factored const& data) : data_(data) {
    for (int k = 0; k < data.factors.factors; ++k) {
      std::vector<int> const column = factor_column(data.factors, k);
      Factor factor;
      factor.levels.resize(static_cast<std::size_t>(levels_of(column)));
      for (Index i = 0; i < data.factors.count; ++i)
        factor.levels[static_cast<std::size_t>(column[static_cast<std::size_t>(i)])].push_back(i);
      for (Index i = 0; i < data.factors.count; ++i)
        if (factor.levels[static_cast<std::size_t>(column[static_cast<std::size_t>(i)])].size() > 1)
          factor.anchors.push_back(i);
      if (factor.anchors.empty())
        fail<RangeError>(operation, "a level of factor " + std::to_string(k) + " with two samples or more",
                         "one sample at each level");
      factors_.push_back(std::move(factor));
    }
  }

  /// Fills `batch` with (size, dims) values and returns the factor that is fixed. All factors have the same
  /// probability; a level has the probability of its frequency.
  [[nodiscard]] int draw(Rng const& rng, Index size, std::vector<float>& batch) const {
    auto const k = static_cast<int>(rng.below(static_cast<std::uint32_t>(factors_.size()), 0));
    Factor const& factor = factors_[static_cast<std::size_t>(k)];
    Index const anchor = factor.anchors[rng.below(static_cast<std::uint32_t>(factor.anchors.size()), 1)];
    std::vector<Index> const& same = factor.levels[static_cast<std::size_t>(data_.factors.level(anchor, k))];
    batch.clear();
    for (Index i = 0; i < size; ++i) {
      float const* const row = data_.features.row(
          same[rng.below(static_cast<std::uint32_t>(same.size()), static_cast<std::uint64_t>(i) + 2)]);
      batch.insert(batch.end(), row, row + data_.features.dims);
    }
    return k;
  }

 private:
  struct Factor {
    std::vector<std::vector<Index>> levels;  ///< samples of each level
    std::vector<Index> anchors;              ///< samples that share their level with another
  };
  Factored data_;
  std::vector<Factor> factors_;
};

[[nodiscard]] inline FixedFactorVotes collect_votes(std::string_view operation, Factored const& data,
                                                    LeastVarying const& least, Index votes, Rng const& rng,
                                                    Index size, ThreadPool* pool) {
  constexpr Index block = 64;
  FixedFactorBatches const batches{operation, data};
  std::vector<Index> parts(static_cast<std::size_t>(votes));
  std::vector<int> factors(parts.size());
  for_pieces(pool, block_count(votes, block), [&](Index piece) {
    auto const [begin, rows] = row_block(votes, block, piece);
    std::vector<float> batch;
    for (Index v = begin; v < begin + rows; ++v) {
      auto const at = static_cast<std::size_t>(v);
      factors[at] = batches.draw(rng.at_step(static_cast<std::uint64_t>(v)), size, batch);
      parts[at] = least({batch, size, data.features.dims});
    }
  });
  FixedFactorVotes result{least.groups().count(), data.factors.factors};
  for (std::size_t v = 0; v < parts.size(); ++v) result.add(parts[v], factors[v]);
  return result;
}

}  // namespace detail

/// The parts are the groups; DimGroups::each makes each dim a part. The variance of all samples is that of
/// `train`. Throws as require_factored, RangeError if no two samples share a level of some factor, and
/// ConfigError for groups or settings that do not fit. `pool` may be null.
[[nodiscard]] inline FactorVaeResult factor_vae(Factored const& train, Factored const& test,
                                                DimGroups const& groups, FactorVaeConfig const& config = {},
                                                ThreadPool* pool = nullptr) {
  require_factored("factor_vae", train, test);
  if (config.batch < 2 || config.train_votes < 1 || config.test_votes < 1)
    fail<ConfigError>("factor_vae", "a batch of two or more and a vote for training and test",
                      std::to_string(config.batch) + ", " + std::to_string(config.train_votes) + " and " +
                          std::to_string(config.test_votes));
  LeastVarying const least = LeastVarying::fit(train.features, groups, config.prune);
  auto const votes = [&](Factored const& data, Index count, std::uint32_t stream) {
    return detail::collect_votes("factor_vae", data, least, count, {.seed = config.seed, .stream = stream},
                                 config.batch, pool);
  };
  return factor_vae_score(votes(train, config.train_votes, detail::train_votes_stream),
                          votes(test, config.test_votes, detail::test_votes_stream));
}

}  // namespace diffsiam::eval
