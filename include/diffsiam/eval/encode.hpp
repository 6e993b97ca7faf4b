// The features that an encoder makes of a data set, in batches and without a tape.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/to_tensor.hpp>
#include <diffsiam/dist/collectives.hpp>
#include <diffsiam/eval/columns.hpp>
#include <diffsiam/eval/feature_set.hpp>
#include <diffsiam/eval/mean_over_flips.hpp>
#include <diffsiam/io/progress_line.hpp>

namespace diffsiam::eval {

/// How encode() goes through a data set.
struct EncodeConfig {
  Index batch = 500;                 ///< pictures at a time
  std::optional<Columns> columns{};  ///< of z that are kept, such as chosen subsets; all if empty
  /// Features are the mean of those of a picture and of its mirror image, which takes twice the time. For
  /// pictures whose left and right mean nothing, and encoders that were trained with flips.
  bool average_flips = false;
  std::ostream* progress = nullptr;  ///< the stream for a progress line; null for none
  std::string label = "encoding";    ///< with which that line begins
  /// If set, each rank encodes some of the batches, and all get all features: the same bits as of one rank.
  std::optional<dist::CommunicatorRef> ranks{};
};

namespace detail {

/// Pictures [begin, end) that a rank encodes: whole batches.
struct RankOfPictures {
  Index begin, end;
  RankOfPictures(Index pictures, Index batch, int rank, int ranks) {
    Index const batches = (pictures + batch - 1) / batch;
    begin = std::min(pictures, batches * rank / ranks * batch);
    end = std::min(pictures, batches * (rank + 1) / ranks * batch);
  }
  [[nodiscard]] std::size_t values(Index dims) const {
    return static_cast<std::size_t>((end - begin) * dims);
  }
};

/// Joins the features of all ranks.
[[nodiscard]] inline std::vector<float> joined_features(dist::CommunicatorRef const& ranks,
                                                        std::vector<float> mine, Index pictures,
                                                        Index batch) {
  auto const part_of = [&](int rank) { return RankOfPictures{pictures, batch, rank, ranks.size()}; };
  // A rank that has no pictures does not know the dims.
  auto const own = part_of(ranks.rank());
  Index const own_dims = own.end == own.begin ? 0 : static_cast<Index>(mine.size()) / (own.end - own.begin);
  auto const every = dist::all_gather<Index>(ranks, {&own_dims, 1});
  Index const dims = *std::max_element(every.begin(), every.end());
  std::size_t most = 0;
  for (int rank = 0; rank < ranks.size(); ++rank) most = std::max(most, part_of(rank).values(dims));
  mine.resize(most);
  auto const all = dist::all_gather<float>(ranks, mine);
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(pictures * dims));
  for (int rank = 0; rank < ranks.size(); ++rank) {
    auto const* const from = all.data() + static_cast<std::size_t>(rank) * most;
    values.insert(values.end(), from, from + part_of(rank).values(dims));
  }
  return values;
}

}  // namespace detail

/// Encodes the pictures batch by batch and calls visit(from, features) for each batch; `from` is the number
/// of its first picture. The features are valid only during the call. Only one batch is in memory at a time,
/// so the data set may have any size. Throws ConfigError for a batch below 1, ShapeError if `columns` is for
/// features of other dims than z, and what the data set throws.
template <class Encoder, class Visit>
void encode_batches(typename Encoder::Backend::Context& context, Encoder const& encoder,
                    data::Dataset const& pictures, EncodeConfig const& config, Visit&& visit) {
  if (config.batch < 1) fail<ConfigError>("encode", "a batch of 1 picture or more", config.batch);
  auto const encoded = [&](data::Dataset const& part) {
    return encoder(data::to_tensor<typename Encoder::Backend>(context, part)).template values<float>();
  };
  std::optional<io::ProgressLine> progress;
  if (config.progress != nullptr)
    progress.emplace(*config.progress,
                     io::ProgressBar{.total = pictures.size(), .label = config.label, .unit = "pictures"});
  for (Index from = 0; from < pictures.size(); from += config.batch) {
    auto const part = pictures.slice(from, std::min(from + config.batch, pictures.size()));
    auto values = config.average_flips ? mean_over_flips(part, encoded) : encoded(part);
    Index dims = static_cast<Index>(values.size()) / part.size();
    if (config.columns) {
      values = config.columns->gather({values, part.size(), dims});
      dims = config.columns->width();
    }
    visit(from, Features{values, part.size(), dims});
    if (progress) (*progress)(from + part.size());
  }
}

/// The features of all pictures, (n, dims), where dims is encoder.latent_dims() or the width of
/// `config.columns`. Throws as encode_batches, and what the communicator throws.
/// std::vector<float> const z = encode(context, model.encoder(), test);
/// knn({{z, test.size(), 64}, test.labels()}, ...);
template <class Encoder>
[[nodiscard]] std::vector<float> encode(typename Encoder::Backend::Context& context, Encoder const& encoder,
                                        data::Dataset const& pictures, EncodeConfig const& config = {}) {
  std::vector<float> values;
  auto const encode_part = [&](data::Dataset const& part) {
    encode_batches(context, encoder, part, config, [&](Index, Features const& encoded) {
      if (values.empty()) values.reserve(static_cast<std::size_t>(part.size() * encoded.dims));
      values.insert(values.end(), encoded.values.begin(), encoded.values.end());
    });
  };
  if (!config.ranks || config.ranks->size() == 1) {
    encode_part(pictures);
    return values;
  }
  if (config.batch < 1) fail<ConfigError>("encode", "a batch of 1 picture or more", config.batch);
  detail::RankOfPictures const own{pictures.size(), config.batch, config.ranks->rank(), config.ranks->size()};
  encode_part(pictures.slice(own.begin, own.end));
  return detail::joined_features(*config.ranks, std::move(values), pictures.size(), config.batch);
}

/// The same with the labels of the data set and the subsets of z. The program adds names if it has them.
/// Throws as encode_batches, and ShapeError if there is no picture.
///
///     FeatureSet const set = encode_set(context, encoder, test);
///     write_features("z.safetensors", set);
template <class Encoder>
[[nodiscard]] FeatureSet encode_set(typename Encoder::Backend::Context& context, Encoder const& encoder,
                                    data::Dataset const& pictures, EncodeConfig const& config = {}) {
  if (pictures.size() < 1) fail<ShapeError>("encode_set", "at least one picture", "none");
  FeatureSet set{.values = encode(context, encoder, pictures, config), .count = pictures.size()};
  set.dims = static_cast<Index>(set.values.size()) / set.count;
  set.labels = pictures.labels();
  if (config.columns) set.subsets = config.columns->subsets();
  return set;
}

}  // namespace diffsiam::eval
