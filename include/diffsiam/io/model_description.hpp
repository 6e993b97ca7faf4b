// ModelDescription: what a file says of its model, so that the model can be built from the file alone. Names
// and JSON follow from the for_each_field() of the Config structs.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/diffusion/prediction.hpp>
#include <diffsiam/io/fields.hpp>
#include <diffsiam/model/diffsiam.hpp>

namespace diffsiam::io {

/// {"timesteps": 1000, "subset_ends": [4, 8, ...]}
/// `timesteps` is T, and `subset_ends` are the columns behind the last of each subset.
template <>
struct StoredForm<encoder::TimestepPartition> {
  int timesteps;
  std::vector<int> subset_ends;

  explicit StoredForm(encoder::TimestepPartition const& partition) : timesteps(partition.timesteps()) {
    for (int i = 0; i < partition.subsets(); ++i) subset_ends.push_back(partition.end(i));
  }
  [[nodiscard]] encoder::TimestepPartition value() const {
    return encoder::TimestepPartition::from_ends(timesteps, subset_ends);
  }
  template <class Self, class F>
  static void for_each_field(Self& self, F&& f) {
    f("timesteps", self.timesteps);
    f("subset_ends", self.subset_ends);
  }
};

/// {"betas": [0.0001, ...]}
/// `betas` of every time-step.
template <>
struct StoredForm<diffusion::NoiseSchedule> {
  std::vector<double> betas;

  explicit StoredForm(diffusion::NoiseSchedule const& schedule)
      : betas(schedule.betas().begin(), schedule.betas().end()) {}
  [[nodiscard]] diffusion::NoiseSchedule value() const {
    if (betas.size() > static_cast<std::size_t>(most_whole_number))
      fail<ConfigError>("NoiseSchedule", {"at most ", most_whole_number, " time-steps"}, betas.size());
    return diffusion::NoiseSchedule::from_betas(betas);
  }
  template <class Self, class F>
  static void for_each_field(Self& self, F&& f) {
    f("betas", self.betas);
  }
};

namespace detail {

template <class T, class V>
struct OnBackend {
  using type = void;
};
template <template <class...> class T, class B, class... Rest, class V>
struct OnBackend<T<B, Rest...>, V> {
  using type = T<V, Rest...>;
};
/// T<B, Rest...> as T<V, Rest...>; void for what is no such template.
template <class T, class V>
using OnBackendOf = typename OnBackend<T, V>::type;

template <class T>
concept HasKind = requires {
  { T::kind } -> std::convertible_to<std::string_view>;
};

}  // namespace detail

/// Satisfied if and only if a file can describe a backbone of type K: K is a template over the backend,
/// K::kind is its name in files, K::Config names its fields in for_each_field(), and config() returns it.
/// Models: ConvBackbone, ResNet10, and your own.
template <class K>
concept DescribedBackbone =
    detail::HasKind<K> && HasFields<typename K::Config> && requires(K const& backbone) {
      { backbone.config() } -> std::convertible_to<typename K::Config>;
      requires !std::is_void_v<detail::OnBackendOf<K, typename K::Backend>>;
    };

/// Satisfied if and only if a file can describe a head of type H: H is a template over the backend, and
/// H::kind is its name in files. Models: LinearHead, SubsetHeads, and your own.
template <class H>
concept DescribedHead = detail::HasKind<H> && !std::is_void_v<detail::OnBackendOf<H, typename H::Backend>>;

/// A description has
/// - `kind`, the name of such models in files, and `within_diffsiam`, the prefix of their weights in the file
/// of
///   a DiffSiam ("" where they stand in none);
/// - `On<V>`, the same model on backend V;
/// - its fields (for_each_field), a default constructor, and one that takes them from a model;
/// - `build(context)`, the model of these fields.
/// Specialise it for models of your own.
template <class M>
struct ModelDescription {
  static_assert(sizeof(M) == 0,
                "A file describes a UNet, a ModularEncoder or a DiffSiam; for another model specialise "
                "ModelDescription of io/model_description.hpp, or use save_weights and load_weights.");
};

template <class B, class BlockTypes>
struct ModelDescription<unet::UNet<B, BlockTypes>> {
  static_assert(
      detail::HasKind<BlockTypes>,
      "Blocks that a file describes have a name: static constexpr std::string_view kind = \"...\".");
  /// What is described.
  using Model = unet::UNet<B, BlockTypes>;
  template <class V>
  using On = unet::UNet<V, BlockTypes>;
  static constexpr std::string_view kind = "denoiser", within_diffsiam = "decoder.";

  unet::Config denoiser{};  ///< sizes
  /// What it was trained to predict
  diffusion::PredictionTarget prediction = diffusion::PredictionTarget::eps;

  ModelDescription() = default;
  explicit ModelDescription(Model const& model) : denoiser(model.config()) {}
  [[nodiscard]] Model build(typename B::Context& context) const { return {context, denoiser}; }

  template <class Self, class F>
  static void for_each_field(Self& self, F&& f) {
    f("blocks", BlockTypes::kind);
    f("denoiser", self.denoiser);
    f("prediction", self.prediction);
  }
};

template <class B, class Backbone, class Head>
struct ModelDescription<encoder::ModularEncoder<B, Backbone, Head>> {
  static_assert(DescribedBackbone<Backbone>,
                "A backbone that a file describes has a kind, config() and Config::for_each_field; see "
                "DescribedBackbone.");
  static_assert(DescribedHead<Head>,
                "A head that a file describes has a name: static constexpr std::string_view kind; see "
                "DescribedHead.");
  /// What is described.
  using Model = encoder::ModularEncoder<B, Backbone, Head>;
  template <class V>
  using On = encoder::ModularEncoder<V, detail::OnBackendOf<Backbone, V>, detail::OnBackendOf<Head, V>>;
  static constexpr std::string_view kind = "encoder", within_diffsiam = "encoder.";

  typename Model::Config encoder{};  ///< sizes of backbone and head, and the partition

  ModelDescription() = default;
  explicit ModelDescription(Model const& model) : encoder(model.config()) {}
  [[nodiscard]] Model build(typename B::Context& context) const { return {context, encoder}; }

  template <class Self, class F>
  static void for_each_field(Self& self, F&& f) {
    f("encoder", self.encoder);
  }
};

/// The weighting of the loss is not stored, for it may be any function; what is built has the default one.
template <class B, class Encoder, class BlockTypes>
struct ModelDescription<model::DiffSiam<B, Encoder, unet::ShiftDecoder<B, BlockTypes>>> {
  /// The decoder of the model.
  using Decoder = unet::ShiftDecoder<B, BlockTypes>;
  /// What is described.
  using Model = model::DiffSiam<B, Encoder, Decoder>;
  template <class V>
  using On = model::DiffSiam<V, typename ModelDescription<Encoder>::template On<V>,
                             unet::ShiftDecoder<V, BlockTypes>>;
  static constexpr std::string_view kind = "diffsiam", within_diffsiam{};

  ModelDescription<unet::UNet<B, BlockTypes>> denoiser{};  ///< that the decoder borrows
  ModelDescription<Encoder> encoder{};                     ///< of z
  typename Decoder::Config decoder{};  ///< width of z and seed; the other sizes are the denoiser's
  typename Model::Config config{};

  ModelDescription() = default;
  explicit ModelDescription(Model const& model)
      : denoiser(model.decoder().denoiser()),
        encoder(model.encoder()),
        decoder(model.decoder().config()),
        config(model.config()) {}
  /// Throws ConfigError unless the denoiser predicts eps, which is what the decoder shifts.
  [[nodiscard]] Model build(typename B::Context& context) const {
    if (denoiser.prediction != diffusion::PredictionTarget::eps)
      fail<ConfigError>("DiffSiam", "a denoiser that predicts eps", to_string(denoiser.prediction));
    return {encoder.build(context), Decoder{context, denoiser.build(context), decoder}, config};
  }

  template <class Self, class F>
  static void for_each_field(Self& self, F&& f) {
    self.denoiser.for_each_field(self.denoiser, f);
    self.encoder.for_each_field(self.encoder, f);
    f("decoder", self.decoder);
    self.config.for_each_field(self.config, f);
  }
};

}  // namespace diffsiam::io
