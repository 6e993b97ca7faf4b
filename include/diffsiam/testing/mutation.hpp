// Tests the gradient check itself: each derivative of each operation in turn is scaled by 1.01, and the check
// must notice it. This is a reading of a value, so it also works inside modules.
#pragma once

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/testing/gradient_check.hpp>

namespace diffsiam::testing {

/// One derivative: that of input `input` of operation number `evaluation` of a pass.
struct Site {
  std::size_t evaluation = 0;
  std::size_t input = 0;
  [[nodiscard]] auto operator<=>(Site const&) const = default;
};

/// The derivative that a pass scales, and those that it contains.
struct Mutation {
  Site target{std::numeric_limits<std::size_t>::max(), 0};  ///< what is scaled; by default nothing
  double factor = 1.01;                                     ///< by which it is scaled
  std::size_t evaluations = 0;                              ///< how many operations the pass had so far
  std::vector<std::pair<Site, std::string>> sites;          ///< each with the name of its operation
  double changed = 0;  ///< the largest change of an entry of the gradient
};

/// An operation whose derivative is scaled if it is the target.
/// `op` is the operation, `mutation` says what is scaled, and `evaluation` is its number in the pass.
template <class Op>
struct ScaledGradient {
  static constexpr std::string_view name = Op::name;
  static constexpr InputList keeps_inputs = diffsiam::detail::keeps_inputs<Op>;
  static constexpr bool keeps_output = diffsiam::detail::keeps_output<Op>;
  Op op;
  Mutation* mutation;
  std::size_t evaluation;

  [[nodiscard]] Shape shape(Shapes in) const { return op.shape(in); }
  [[nodiscard]] double flops(Shapes in) const { return op.flops(in); }
  template <class B>
  void forward(Forward<B> const& pass) const {
    op.forward(pass);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    std::vector<Tensor<B>*> gradients(pass.gradients.begin(), pass.gradients.end());
    Tensor<B> scratch;
    Tensor<B>* scaled = nullptr;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (gradients[i] == nullptr) continue;
      Site const site{evaluation, i};
      mutation->sites.emplace_back(site, name);
      if (site != mutation->target) continue;
      scratch = pass.zeros(gradients[i]->shape());
      scaled = std::exchange(gradients[i], &scratch);
    }
    op.backward(Backward<B>{pass.context, pass.in, pass.out, pass.dy, pass.saved, gradients});
    if (scaled == nullptr) return;
    for (T value : scratch.values())
      mutation->changed =
          std::max(mutation->changed, std::abs((mutation->factor - 1) * static_cast<double>(value)));
    for_each_element(pass.context, functional::AccumulateScaled<T>{static_cast<T>(mutation->factor)}, *scaled,
                     scratch);
  }
};

/// A taped value whose operations have their derivatives scaled as the mutation says.
template <class B>
class Mutated : public Taped<B> {
 public:
  /// A value whose operations from now on are those of `mutation`, which is borrowed.
  Mutated(Taped<B> value, Mutation& mutation) : Taped<B>(std::move(value)), mutation_(&mutation) {}
  /// What says which derivative is scaled.
  [[nodiscard]] Mutation& mutation() const { return *mutation_; }

 private:
  Mutation* mutation_;
};

}  // namespace diffsiam::testing

namespace diffsiam {

template <class B>
inline constexpr int reading_strength<testing::Mutated<B>> = 3;

template <class B>
struct Reading<testing::Mutated<B>> {
  template <Operation Op, class... V>
  static testing::Mutated<B> evaluate(Op const& op, V const&... values) {
    testing::Mutation& mutation = mutation_of(values...);
    testing::ScaledGradient<Op> const scaled{op, &mutation, mutation.evaluations++};
    return {diffsiam::evaluate(scaled, taped(values)...), mutation};
  }

 private:
  template <class First, class... Rest>
  static testing::Mutation& mutation_of(First const& first, Rest const&... rest) {
    if constexpr (std::is_same_v<First, testing::Mutated<B>>) {
      return first.mutation();
    } else {
      return mutation_of(rest...);
    }
  }
  static Taped<B> const& taped(testing::Mutated<B> const& value) { return value; }
  template <class V>
  static V const& taped(V const& value) {
    return value;  // NOLINT(bugprone-return-const-ref-from-parameter)
  }
};

}  // namespace diffsiam

namespace diffsiam::testing {

/// A plain value beside a mutated one becomes mutated, too.
template <class B>
[[nodiscard]] Mutated<B> raised_to(Tensor<B> const& value, Mutated<B> const& beside) {
  return {beside.tape().input(value), beside.mutation()};
}
template <class B, FlowingValue V>
[[nodiscard]] Mutated<B> raised_to(Mutated<B> const& value, V const&) {
  return value;
}

/// The report of the plain check, and its results for scaled derivatives.
struct MutationReport {
  GradientReport unchanged;  ///< the plain check
  Index scaled = 0;          ///< number of scaled derivatives that are not zero
  double smallest = std::numeric_limits<double>::infinity();  ///< smallest error of them
  std::string where;                 ///< the operation and input with the smallest error
  std::set<std::string> operations;  ///< names of the operations in the backward pass
};

/// Runs check_gradients, and then the same check with one derivative after the other scaled by 1.01. It
/// scales at most about `most` derivatives, from all of the pass.
template <class B, std::size_t N, class F, nn::Module... M>
[[nodiscard]] MutationReport check_mutations(typename B::Context& context, F f,
                                             std::array<Tensor<B>, N> const& inputs,
                                             GradientOptions const& options, std::size_t most,
                                             M const&... modules) {
  detail::KeptWeights<B> const kept{modules...};
  detail::GradientCheck<B, F, N> const check{context, f, inputs, options, modules...};
  MutationReport report;
  report.unchanged = check.compare([](Taped<B> const& x) { return x; });

  Mutation survey;
  [[maybe_unused]] auto const same = check.compare([&](Taped<B> const& x) { return Mutated<B>{x, survey}; });
  for (auto const& [site, operation] : survey.sites) report.operations.insert(operation);
  std::size_t const stride = std::max<std::size_t>(1, survey.sites.size() / std::max<std::size_t>(1, most));
  for (std::size_t i = 0; i < survey.sites.size(); i += stride) {
    auto const& [site, operation] = survey.sites[i];
    Mutation mutation;
    mutation.target = site;
    double const error = check.compare([&](Taped<B> const& x) { return Mutated<B>{x, mutation}; }).error;
    // A derivative that is zero stays correct when it is scaled, for example that of a bias before a batch
    // norm.
    if (mutation.changed < 1e-9) continue;
    ++report.scaled;
    if (error >= report.smallest) continue;
    report.smallest = error;
    report.where = operation + ", input " + std::to_string(site.input);
  }
  return report;
}

}  // namespace diffsiam::testing
