// z beside the principal components of the denoiser's activations: what a run has learned in both of its
// stages.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <diffsiam/eval/feature_join.hpp>
#include <diffsiam/eval/pca.hpp>

#include <experiments/support/activations.hpp>

namespace experiments {

/// Each half has the same weight, however many dims it has.
template <class B>
class JoinedFeatures {
 public:
  /// `components` of the activations at hardly any noise, fewer if the pictures have no more, which with the
  /// weights of both halves the first 10,000 of `train` settle. Ranks encode together. All that is given must
  /// outlive this.
  JoinedFeatures(typename B::Context& context, ds::DiffSiam<B> const& model, ds::data::Dataset const& train,
                 ds::Index components, ds::ThreadPool& threads,
                 std::optional<ds::dist::CommunicatorRef> const& ranks = {})
      : context_(&context),
        model_(&model),
        threads_(&threads),
        ranks_(ranks),
        activations_(activations_at(10, model.decoder().denoiser(), train)) {
    auto const some = train.slice(0, std::min(at_once, train.size()));
    auto const values = ds::eval::encode(context, activations_, some, encoding_of(some, ranks));
    auto const seen = features_of(values, activations_.latent_dims());
    pca_.emplace(ds::eval::Pca::fit(seen, {.components = components, .allow_fewer = true}, &threads));
    join_.emplace(ds::eval::FeatureJoin::fit(both(z_of(some), (*pca_)(seen, &threads))));
  }

  [[nodiscard]] ds::Index dims() const { return join_->dims(); }

  /// Rows of dims() values.
  [[nodiscard]] std::vector<float> operator()(ds::data::Dataset const& pictures) const {
    std::vector<float> all;
    for (ds::Index from = 0; from < pictures.size(); from += at_once) {
      auto const part = pictures.slice(from, std::min(from + at_once, pictures.size()));
      auto const values = ds::eval::encode(*context_, activations_, part, encoding_of(part, ranks_));
      auto const components = (*pca_)(features_of(values, activations_.latent_dims()), threads_);
      auto const joined = (*join_)(both(z_of(part), components));
      all.insert(all.end(), joined.begin(), joined.end());
    }
    return all;
  }

 private:
  static constexpr ds::Index at_once = 10'000;

  [[nodiscard]] std::vector<float> z_of(ds::data::Dataset const& pictures) const {
    return ds::eval::encode(*context_, model_->encoder(), pictures, encoding_of(pictures, ranks_));
  }
  [[nodiscard]] std::array<ds::eval::Features, 2> both(std::vector<float> const& z,
                                                       std::vector<float> const& components) const {
    return {features_of(z, model_->encoder().latent_dims()), features_of(components, pca_->components())};
  }

  typename B::Context* context_;
  ds::DiffSiam<B> const* model_;
  ds::ThreadPool* threads_;
  std::optional<ds::dist::CommunicatorRef> ranks_;
  ds::model::DenoiserActivations<B> activations_;
  std::optional<ds::eval::Pca> pca_{};
  std::optional<ds::eval::FeatureJoin> join_{};
};

}  // namespace experiments
