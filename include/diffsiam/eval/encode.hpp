// The features that an encoder makes of a data set, in batches and without a tape.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/to_tensor.hpp>
#include <diffsiam/eval/columns.hpp>
#include <diffsiam/eval/feature_set.hpp>
#include <diffsiam/io/progress_line.hpp>

namespace diffsiam::eval {

struct EncodeConfig {
  Index batch = 500;                 ///< pictures at a time
  std::optional<Columns> columns{};  ///< of z that are kept, such as chosen subsets; all if empty
  std::ostream* progress = nullptr;  ///< the stream for a progress line; null for none
  std::string label = "encoding";    ///< with which that line begins
};

/// Encodes the pictures batch by batch and calls visit(from, features) for each batch; `from` is the number
/// of its first picture. The features are valid only during the call. Only one batch is in memory at a time,
/// so the data set may have any size. Throws ConfigError for a batch below 1, ShapeError if `columns` is for
/// features of other dims than z, and what the data set throws.
template <class Encoder, class Visit>
void encode_batches(typename Encoder::Backend::Context& context, Encoder const& encoder,
                    data::Dataset const& pictures, EncodeConfig const& config, Visit&& visit) {
  if (config.batch < 1) fail<ConfigError>("encode", "a batch of 1 picture or more", config.batch);
  std::optional<io::ProgressLine> progress;
  if (config.progress != nullptr)
    progress.emplace(*config.progress,
                     io::ProgressBar{.total = pictures.size(), .label = config.label, .unit = "pictures"});
  for (Index from = 0; from < pictures.size(); from += config.batch) {
    auto const part = pictures.slice(from, std::min(from + config.batch, pictures.size()));
    auto const z = encoder(data::to_tensor<typename Encoder::Backend>(context, part));
    auto values = z.template values<float>();
    Index dims = z.size() / part.size();
    if (config.columns) {
      values = config.columns->gather({values, part.size(), dims});
      dims = config.columns->width();
    }
    visit(from, Features{values, part.size(), dims});
    if (progress) (*progress)(from + part.size());
  }
}

/// The features of all pictures, (n, dims), where dims is encoder.latent_dims() or the width of
/// `config.columns`. Throws as encode_batches.
/// std::vector<float> const z = encode(context, model.encoder(), test);
/// knn({{z, test.size(), 64}, test.labels()}, ...);
template <class Encoder>
[[nodiscard]] std::vector<float> encode(typename Encoder::Backend::Context& context, Encoder const& encoder,
                                        data::Dataset const& pictures, EncodeConfig const& config = {}) {
  std::vector<float> values;
  encode_batches(context, encoder, pictures, config, [&](Index, Features const& encoded) {
    if (values.empty()) values.reserve(static_cast<std::size_t>(pictures.size() * encoded.dims));
    values.insert(values.end(), encoded.values.begin(), encoded.values.end());
  });
  return values;
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
