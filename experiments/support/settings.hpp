// Settings that must fit each other, and the pictures there are: checked as a whole before anything is read,
// written or trained. Errors name the options.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include <diffsiam/core/error.hpp>

#include <experiments/support/run_config.hpp>

namespace experiments {

/// How many pictures each part of a data set has, known before they are read.
struct PartSizes {
  ds::Index train = 0, validation = 0, test = 0;

  /// When only the first `count` pictures of each part are used; 0: all.
  [[nodiscard]] constexpr PartSizes first(ds::Index count) const {
    if (count == 0) return *this;
    return {std::min(train, count), std::min(validation, count), std::min(test, count)};
  }
};
inline constexpr PartSizes fashion_parts{55000, 5000, 10000};

/// The least of `--pictures`: what the measures need (k-NN of 200, 64 components) fits into it.
inline constexpr ds::Index fewest_pictures = 256;
/// The least of a folder: k-NN of 20, and batches that are worth the name.
inline constexpr ds::Index fewest_training_pictures = 64;

/// Throws ConfigError where there are too few pictures to train with or to measure on.
inline void require_enough(PartSizes const& parts) {
  ds::Text const got{parts.train, ", and ",       parts.validation, " for validation and ",
                     parts.test,  " for the test"};
  if (parts.train < fewest_training_pictures)
    ds::fail<ds::ConfigError>("--data", {fewest_training_pictures, " pictures or more for training"}, got);
  if (parts.validation < 2 || parts.test < 2)
    ds::fail<ds::ConfigError>("--data", "2 pictures or more for validation and for the test", got);
}
/// Throws ConfigError where labels tell nothing apart: pictures of one class alone, to train a probe on or to
/// test it on. Pictures without labels are fine.
inline void require_classes(Pictures const& pictures) {
  for (auto const& [part, use] : {std::pair{&pictures.train, "training"}, {&pictures.test, "the test"}}) {
    auto const labels = part->labels();
    auto const first = [&](int label) { return label == labels.front(); };
    if (!labels.empty() && std::all_of(labels.begin(), labels.end(), first))
      ds::fail<ds::ConfigError>("--data", {"pictures of two classes or more for ", use},
                                {"class ", labels.front(), " alone"},
                                "more pictures, others with --labels, or none with labels");
  }
}

inline void require_at_most(char const* option, ds::Index value, ds::Index most, char const* why) {
  if (value > most) ds::fail<ds::ConfigError>(option, {"at most ", most, ", ", why}, value);
}
/// Of the pictures there may be fewer than a batch of the defaults.
[[nodiscard]] inline RunConfig with_batches_below(RunConfig config, ds::Index pictures) {
  for (ds::Index* const batch : {&config.denoiser_batch, &config.batch, &config.siamese_batch})
    *batch = std::min(*batch, pictures);
  return config;
}
inline void require_batch(char const* option, ds::Index batch, PartSizes const& parts) {
  require_at_most(option, batch, parts.train, "the training pictures there are");
}
inline void require_neighbours(ds::Index neighbours, PartSizes const& parts) {
  require_at_most("--neighbours", neighbours, parts.train - 1, "the other training pictures there are");
}
inline void require_base(ds::Index base, ds::Index groups) {
  if (base % groups != 0)
    ds::fail<ds::ConfigError>("--base", {"a multiple of ", groups, ", the groups of its norms"}, base);
}
inline void require_subsets(int subsets, ds::Index latent_dims) {
  require_at_most("--subsets", subsets, latent_dims, "one for each of the latent dims");
}

inline void require_pieces(char const* option, ds::Index batch, int pieces, int least) {
  if (batch % pieces != 0 || batch / pieces < least)
    ds::fail<ds::ConfigError>(
        option, {"a number that --pieces ", pieces, " divides into pieces of at least ", least}, batch);
}

/// What can be said of a run before anything is known of its pictures. Throws ConfigError.
inline void require_valid_networks(RunConfig const& config) {
  require_base(config.base, config.groups);
  require_subsets(config.subsets, config.latent_dims);
}
/// The rest. Throws ConfigError.
inline void require_valid_batches(RunConfig const& config, PartSizes const& parts) {
  require_batch("--denoiser-batch", config.denoiser_batch, parts);
  require_batch("--batch", config.batch, parts);
  require_batch("--siamese-batch", config.siamese_batch, parts);
  require_pieces("--denoiser-batch", config.denoiser_batch, config.pieces, 1);
  require_pieces("--batch", config.batch, config.pieces, 1);
  require_pieces("--siamese-batch", config.siamese_batch, config.pieces, 2);
  require_neighbours(config.neighbours, parts);
}

}  // namespace experiments
