// z beside the principal components of the denoiser's activations: what a run has learned in both of its
// stages.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include <diffsiam/eval/feature_join.hpp>

#include <experiments/support/activations.hpp>

namespace experiments {

/// Each half has the same weight, however many dims it has.
template <class B>
class JoinedFeatures {
 public:
  /// `components` of the activations, or fewer of few pictures. They and the weights of both halves are
  /// settled by the first pictures of `train`. Ranks encode together. All that is given must outlive this.
  JoinedFeatures(typename B::Context& context, ds::DiffSiam<B> const& model, ds::data::Dataset const& train,
                 ds::Index components, ds::ThreadPool& threads,
                 std::optional<ds::dist::CommunicatorRef> const& ranks = {})
      : context_(&context),
        model_(&model),
        ranks_(ranks),
        components_(context, model.decoder().denoiser(), train, components, threads, ranks),
        join_(with_both(ActivationComponents<B>::first_of(train),
                        [](auto const& both) { return ds::eval::FeatureJoin::fit(both); })) {}

  [[nodiscard]] ds::Index dims() const { return join_.dims(); }

  /// Rows of dims() values.
  [[nodiscard]] std::vector<float> operator()(ds::data::Dataset const& pictures) const {
    return in_pieces(pictures, [&](ds::data::Dataset const& piece) { return with_both(piece, join_); });
  }

 private:
  /// f(both halves of the pictures' features).
  template <class F>
  [[nodiscard]] auto with_both(ds::data::Dataset const& pictures, F const& f) const {
    auto const z = ds::eval::encode(*context_, model_->encoder(), pictures, encoding_of(pictures, ranks_));
    auto const components = components_(pictures);
    return f(std::array{features_of(z, model_->encoder().latent_dims()),
                        features_of(components, components_.dims())});
  }

  typename B::Context* context_;
  ds::DiffSiam<B> const* model_;
  std::optional<ds::dist::CommunicatorRef> ranks_;
  ActivationComponents<B> components_;
  ds::eval::FeatureJoin join_;
};

}  // namespace experiments
