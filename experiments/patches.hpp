// The control without a network: a dictionary of small patches that k-means finds, and how much of each
// stands in the four quarters of a picture (Coates, Lee and Ng, "An Analysis of Single-Layer Networks in
// Unsupervised Feature Learning", 2011).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/eval/pca.hpp>

#include <experiments/learner.hpp>

namespace experiments {

class PatchDictionary {
 public:
  /// `atoms` centres of patches of these pictures. Throws ConfigError for pictures smaller than a patch.
  PatchDictionary(ds::data::Dataset const& pictures, ds::Index atoms, ds::Rng const& rng,
                  ds::ThreadPool& threads)
      : h_(pictures.height()), w_(pictures.width()), c_(pictures.channels()) {
    if (h_ < side || w_ < side)
      ds::fail<ds::ConfigError>("PatchDictionary", {"pictures of at least ", side, " x ", side},
                                {h_, " x ", w_});
    constexpr int sampled = 20000;
    Matrix patches(sampled, dims());
    for (int i = 0; i < sampled; ++i) {
      auto const at = [&](ds::Index bound, int which) {
        return ds::Index{
            rng.below(static_cast<std::uint32_t>(bound), static_cast<std::uint64_t>(3 * i + which))};
      };
      ds::Index const picture = at(pictures.size(), 0);
      std::vector<float> const units = pictures.slice(picture, picture + 1).units();
      patches.row(i) = patch(units.data(), at(h_ - side + 1, 1), at(w_ - side + 1, 2));
    }
    // The other half of the components is mostly noise, which whitening would raise.
    whitening_ = ds::eval::Pca::fit(
        features_of(patches), {.components = dims() / 2, .whiten = true, .allow_fewer = true}, &threads);
    centres_ = centres_of(whitened(patches), atoms);
  }

  /// (pictures, 4 atoms)
  [[nodiscard]] std::vector<float> features(ds::data::Dataset const& pictures,
                                            ds::ThreadPool& threads) const {
    constexpr ds::Index piece = 50;
    ds::Index const width = 4 * centres_.rows();
    std::vector<float> result(static_cast<std::size_t>(pictures.size() * width));
    threads.run((pictures.size() + piece - 1) / piece, [&](ds::Index number, int) {
      ds::Index const begin = number * piece, end = std::min(begin + piece, pictures.size());
      std::vector<float> const units = pictures.slice(begin, end).units();
      for (ds::Index i = begin; i < end; ++i)
        Eigen::Map<Eigen::RowVectorXf>(result.data() + i * width, width) =
            pooled(units.data() + (i - begin) * h_ * w_ * c_);
    });
    return result;
  }

 private:
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  static constexpr ds::Index side = 6;

  [[nodiscard]] ds::Index dims() const { return side * side * c_; }
  [[nodiscard]] static ds::eval::Features features_of(Matrix const& rows) {
    return {{rows.data(), static_cast<std::size_t>(rows.size())}, rows.rows(), rows.cols()};
  }

  /// A patch without its brightness and contrast.
  [[nodiscard]] Eigen::RowVectorXf patch(float const* picture, ds::Index y, ds::Index x) const {
    Eigen::RowVectorXf result(dims());
    for (ds::Index row = 0; row < side; ++row)
      std::copy_n(picture + ((y + row) * w_ + x) * c_, side * c_, result.data() + row * side * c_);
    result.array() -= result.mean();
    constexpr float noise =
        6e-4F;  // a variance of 10 in grey levels of 0 to 255, so that flat patches are not raised
    return result / std::sqrt(result.squaredNorm() / static_cast<float>(dims()) + noise);
  }
  [[nodiscard]] Matrix whitened(Matrix const& patches) const {
    std::vector<float> const values = whitening_(features_of(patches));
    return Eigen::Map<Matrix const>(values.data(), patches.rows(), whitening_.components());
  }
  /// Squared distances of rows to centres, (rows, centres).
  [[nodiscard]] static Matrix distances(Matrix const& rows, Matrix const& centres) {
    Matrix result = -2 * (rows * centres.transpose());
    result.colwise() += rows.rowwise().squaredNorm();
    result.rowwise() += centres.rowwise().squaredNorm().transpose();
    return result.cwiseMax(0);
  }

  /// Lloyd's algorithm from the first rows, which are as random as any.
  [[nodiscard]] static Matrix centres_of(Matrix const& rows, ds::Index atoms) {
    Matrix centres = rows.topRows(atoms);
    for (int round = 0; round < 20; ++round) {
      Matrix const far = distances(rows, centres);
      Matrix sums = Matrix::Zero(centres.rows(), centres.cols());
      Eigen::VectorXf counts = Eigen::VectorXf::Zero(atoms);
      for (ds::Index i = 0; i < rows.rows(); ++i) {
        ds::Index nearest = 0;
        far.row(i).minCoeff(&nearest);
        sums.row(nearest) += rows.row(i);
        counts[nearest] += 1;
      }
      for (ds::Index k = 0; k < atoms; ++k)
        if (counts[k] > 0) centres.row(k) = sums.row(k) / counts[k];
    }
    return centres;
  }

  /// How much nearer than the mean centre each one is, summed over the patches of each quarter.
  [[nodiscard]] Eigen::RowVectorXf pooled(float const* picture) const {
    ds::Index const rows = h_ - side + 1, columns = w_ - side + 1, atoms = centres_.rows();
    Matrix patches(rows * columns, dims());
    for (ds::Index y = 0; y < rows; ++y)
      for (ds::Index x = 0; x < columns; ++x) patches.row(y * columns + x) = patch(picture, y, x);
    Matrix const far = distances(whitened(patches), centres_).cwiseSqrt();
    Eigen::RowVectorXf sums = Eigen::RowVectorXf::Zero(4 * atoms);
    for (ds::Index i = 0; i < far.rows(); ++i) {
      ds::Index const quarter = (2 * (i / columns) >= rows ? 2 : 0) + (2 * (i % columns) >= columns ? 1 : 0);
      sums.segment(quarter * atoms, atoms).array() += (far.row(i).mean() - far.row(i).array()).max(0.0F);
    }
    return sums;
  }

  ds::Index h_, w_, c_;
  ds::eval::Pca whitening_;
  Matrix centres_;
};

/// Features of the recipe's dims, a multiple of 4.
[[nodiscard]] inline FeatureSet patch_features(Run const& run) {
  ds::Index const dims = run.recipe.dims;
  if (dims < 4 || dims % 4 != 0) ds::fail<ds::ConfigError>("--dims", "a multiple of 4 for patches", dims);
  ds::ThreadPool& threads = run.context->threads();
  PatchDictionary const dictionary{
      run.data->pictures.train, dims / 4, {.seed = run.seed, .stream = 910}, threads};
  return feature_parts(run, dims,
                       [&](ds::data::Dataset const& part) { return dictionary.features(part, threads); });
}

}  // namespace experiments
