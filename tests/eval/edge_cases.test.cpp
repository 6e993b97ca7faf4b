// Every measure of features at the edge: it gives finite scores in their range, or refuses with a sentence.
// Which sets it refuses is named, so that no other is lost; docs/conventions.md says why.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <tests/eval/degenerate.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/dci.hpp>
#include <diffsiam/eval/factor_vae.hpp>
#include <diffsiam/eval/frechet.hpp>
#include <diffsiam/eval/knn.hpp>
#include <diffsiam/eval/masked_classifier.hpp>
#include <diffsiam/eval/mig.hpp>
#include <diffsiam/eval/modularity.hpp>
#include <diffsiam/eval/multilabel_probe.hpp>
#include <diffsiam/eval/nearest_partners.hpp>
#include <diffsiam/eval/pca.hpp>
#include <diffsiam/eval/ridge.hpp>
#include <diffsiam/eval/sap.hpp>
#include <diffsiam/eval/subset_factor_map.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::contains;
using test::Degenerate;

namespace {

using Numbers = std::vector<double>;
using Names = std::vector<std::string>;

struct EdgeMeasure {
  std::string name;
  std::function<Numbers(Degenerate const&)> scores;
  double least, greatest;
  Names refuses;
};

template <class Values>
Numbers doubles(Values const& values) {
  return {values.begin(), values.end()};
}
Numbers all_of(Eigen::MatrixXd const& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}
Numbers joined(Numbers a, Numbers const& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

DimGroups const halves{{3, 6}};
double const no_end = std::numeric_limits<double>::max();
Names const too_few{"one sample"};
Names const n_at_most_dims{"one sample", "two samples", "fewer samples than dims"};
Names const without_spread{"one sample", "zeros", "all rows equal", "constant but for rounding"};
Names const without_spread_or_inverse{"one sample", "zeros", "all rows equal", "constant but for rounding",
                                      "near the least float"};

Numbers judged(Degenerate const& d, bool whiten) {
  Pca const pca = Pca::fit(d.features(), {.components = 6, .whiten = whiten, .allow_fewer = true});
  CHECK(pca.explained() <= 1);
  CHECK(pca.explained() > 0.999);
  CHECK(pca.components() < std::max<Index>(d.count, 2));
  return doubles(pca(d.features()));
}

std::vector<EdgeMeasure> edge_measures() {
  return {
      {"Pca", [](Degenerate const& d) { return judged(d, false); }, -no_end, no_end, without_spread},
      // n samples lie within sqrt(n) deviations of their mean.
      {"Pca, whitened", [](Degenerate const& d) { return judged(d, true); }, -6.4, 6.4,
       without_spread_or_inverse},
      {"Standardiser",
       [](Degenerate const& d) { return doubles(Standardiser::fit(d.features())(d.features())); },
       -6.4,
       6.4,
       {}},
      {"frechet_distance",
       [](Degenerate const& d) { return Numbers{frechet_distance(d.features(), d.features())}; }, 0, no_end,
       too_few},
      {"RidgeSystem",
       [](Degenerate const& d) {
         RidgeWeights const weights = RidgeSystem{d.features(), d.values}.solve({0, d.dims}, 1e-3);
         return doubles(ridge_predict(d.features(), weights));
       },
       -no_end,
       no_end,
       {}},
      {"linear_probe",
       [](Degenerate const& d) {
         return Numbers{linear_probe(d.labelled(), d.labelled(), d.labelled()).accuracy};
       },
       0.5, 1, too_few},
      {"multilabel_probe",
       [](Degenerate const& d) {
         Attributed const data{d.features(), d.factors, 2};
         return Numbers{multilabel_probe(data, data, data).mean_average_precision};
       },
       0.5,
       1,
       {"one sample", "two samples"}},
      {"masked_classifier",
       [](Degenerate const& d) {
         auto const result = masked_classifier(d.labelled(), d.labelled(), {.kept = 2, .steps = 20});
         return joined({result.validation_accuracy}, result.probabilities);
       },
       0, 1, too_few},
      // Far from the origin all cosines are 1 but for rounding, so that the score is chance.
      {"knn",
       [](Degenerate const& d) {
         return Numbers{knn(d.labelled(), d.labelled(), {.k = {1, 2}})[1].accuracy};
       },
       0.4, 1, too_few},
      {"nearest_neighbours",
       [](Degenerate const& d) {
         Numbers all;
         for (Neighbour const& n : nearest_neighbours(d.features(), d.features(), d.count).all)
           all.push_back(static_cast<double>(n.similarity));
         return all;
       },
       -1,
       1,
       {}},
      {"nearest_partners",
       [](Degenerate const& d) {
         auto const partners = nearest_partners(d.features(), 1);
         return Numbers{};
       },
       0, 1, too_few},
      {"dci",
       [](Degenerate const& d) {
         DciResult const r = dci(d.factored(), d.factored(), halves);
         return joined({r.scores.disentanglement, r.scores.completeness, r.informativeness},
                       joined(r.scores.per_part, r.scores.per_factor));
       },
       0, 1, n_at_most_dims},
      {"mig",
       [](Degenerate const& d) {
         MigResult const r = mig(d.factored());
         return joined(r.per_factor, all_of(r.information));
       },
       0,
       1,
       {"one sample", "two samples"}},
      {"group_mig",
       [](Degenerate const& d) {
         MigResult const r = group_mig(d.factored(), d.factored(), halves);
         return joined(r.per_factor, all_of(r.information));
       },
       0,
       1,
       {"one sample", "two samples"}},
      {"modularity",
       [](Degenerate const& d) { return modularity(information_matrix(d.factored())).per_part; },
       0,
       1,
       {"one sample", "two samples"}},
      {"sap",
       [](Degenerate const& d) {
         SapResult const r = sap(d.factored(), d.factored(), halves);
         return joined(r.per_factor, all_of(r.accuracy));
       },
       0,
       1,
       {"one sample", "two samples"}},
      {"factor_vae",
       [](Degenerate const& d) {
         auto const r = factor_vae(d.factored(), d.factored(), halves, {.train_votes = 50, .test_votes = 50});
         return Numbers{r.score, r.train_accuracy};
       },
       0,
       1,
       {"one sample", "two samples"}},
      {"subset_factor_map",
       [](Degenerate const& d) {
         SubsetFactorMap const map = subset_factor_map(d.factored(), d.factored(), halves);
         return joined(map.alone, map.prefix);
       },
       -1, 1, n_at_most_dims},
  };
}

}  // namespace

TEST_CASE("Every measure of features at the edge gives scores in their range or refuses with a sentence") {
  for (EdgeMeasure const& measure : edge_measures()) {
    Names refused;
    for (Degenerate const& set : test::degenerate_sets()) {
      INFO(measure.name << " of " << set.name);
      try {
        Numbers const scores = measure.scores(set);
        for (double const score : scores) {
          CHECK(score >= measure.least);  // of NaN neither holds
          CHECK(score <= measure.greatest);
        }
      } catch (Error const& error) {
        CHECK_THAT(error.what(), contains(": expected ") && contains(", got "));
        refused.push_back(set.name);
      }
    }
    INFO(measure.name);
    CHECK(refused == measure.refuses);
  }
}

TEST_CASE("Every measure of features refuses NaN and infinity where they enter") {
  float const worst[2] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
  for (EdgeMeasure const& measure : edge_measures())
    for (float const bad : worst) {
      INFO(measure.name << " of " << bad);
      Degenerate set = test::degenerate_sets().front();
      set.values[50] = bad;
      CHECK_THROWS_AS(measure.scores(set), NumericError);
    }
}
