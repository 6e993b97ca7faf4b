// ModularEncoder: z = head(backbone(x_0)). The backbone reads the image, the head computes the subsets of z.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/encoder/backbone.hpp>
#include <diffsiam/encoder/timestep_partition.hpp>
#include <diffsiam/nn/linear.hpp>
#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/concat.hpp>

namespace diffsiam::encoder {

/// One linear layer whose output is divided into the subsets of the partition: the published head.
template <class B>
class LinearHead {
 public:
  using Backend = B;
  static constexpr std::string_view kind = "linear";  ///< in files of models
  /// `features` is what the backbone returns for one picture; `layout` is how published files store the
  /// weight.
  LinearHead(nn::Init<B>& init, Index features, TimestepPartition const& partition, PublishedLayout layout)
      : linear_(init, {.in = features, .out = partition.dims(), .layout = layout}) {}

  /// features (n, features) -> z (n, dims).
  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& features) const {
    return linear_(features);
  }
  /// The layer itself: weight (dims, features), bias (dims).
  [[nodiscard]] nn::Linear<B> const& linear() const& { return linear_; }
  [[nodiscard]] nn::Linear<B> linear() const&& { return linear_; }
  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"linear", ""}, linear_);
  }

 private:
  nn::Linear<B> linear_;
};

/// One small perceptron for each subset, so that subsets share nothing after the backbone.
template <class B>
class SubsetHeads {
 public:
  using Backend = B;
  static constexpr std::string_view kind = "subsets";  ///< in files of models
  static constexpr Index hidden = 32;                  ///< the width of the hidden layer of each perceptron

  /// As LinearHead; the layout is that of each first layer.
  SubsetHeads(nn::Init<B>& init, Index features, TimestepPartition const& partition, PublishedLayout layout) {
    for (int subset = 0; subset < partition.subsets(); ++subset) {
      heads_.push_back({nn::Linear<B>{init, {.in = features, .out = hidden, .layout = layout}},
                        nn::Linear<B>{init, {.in = hidden, .out = partition.subset_dims(subset).size()}}});
    }
  }

  /// features (n, features) -> z (n, dims).
  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& features) const {
    auto z = heads_.front()(features);
    for (std::size_t i = 1; i < heads_.size(); ++i) z = ops::concat(z, heads_[i](features));
    return z;
  }
  template <class F>
  void for_each_child(F&& f) const {
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      f(nn::ChildName{text({"subset_", i, ".first"})}, heads_[i].first);
      f(nn::ChildName{text({"subset_", i, ".second"})}, heads_[i].second);
    }
  }

 private:
  struct Head {
    nn::Linear<B> first, second;
    template <FlowingValue X>
    [[nodiscard]] auto operator()(X const& features) const {
      return second(ops::silu(first(features)));
    }
  };
  std::vector<Head> heads_;
};

/// Satisfied if and only if H can be built from (init, features, partition, layout) and maps (n, features) to
/// (n, dims). Models: LinearHead, SubsetHeads, and your own.
template <class H, class B>
concept EncoderHead =
    nn::Module<H> &&
    std::constructible_from<H, nn::Init<B>&, Index, TimestepPartition const&, PublishedLayout> &&
    requires(H const& head, Tensor<B> const& features) {
      { head(features) } -> std::same_as<Tensor<B>>;
    };

/// Satisfied if and only if K is built from (init, K::Config), maps (n, h, w, c) to (n, features()), and says
/// how a published file names and stores the layer behind it: published_head() and head_layout().
/// Models: ConvBackbone, ResNet10, and the user's own.
template <class K, class B>
concept EncoderBackbone =
    nn::Module<K> && std::constructible_from<K, nn::Init<B>&, typename K::Config const&> &&
    requires(K const& backbone, Tensor<B> const& x) {
      { backbone(x) } -> std::same_as<Tensor<B>>;
      { backbone.features() } -> std::same_as<Index>;
      { backbone.published_head() } -> std::same_as<Index>;
      { backbone.head_layout() } -> std::same_as<PublishedLayout>;
    };

namespace detail {

/// Satisfied if and only if K returns the kind of value that it takes.
template <class K, class X>
concept Maps = requires(K const& part, X const& x) {
  { part(x) } -> std::same_as<X>;
};

/// True for an EncoderBackbone. For any other type the compiler says in one sentence what to add.
template <class K, class B>
[[nodiscard]] consteval bool is_backbone() {
  static_assert(nn::Module<K>, "A backbone names its children: add `for_each_child(F&& f) const`.");
  static_assert(requires { typename K::Config; }, "A backbone needs a struct Config; it may be empty.");
  static_assert(std::constructible_from<K, nn::Init<B>&, typename K::Config const&>,
                "A backbone is built from (nn::Init<B>&, Config const&): add this constructor.");
  static_assert(
      Maps<K, Tensor<B>>,
      "A backbone returns the kind of value it takes: make operator() a template that returns auto.");
  static_assert(
      requires(K const& backbone) {
        { backbone.features() } -> std::same_as<Index>;
      }, "A backbone says how many features it returns: add `Index features() const`.");
  static_assert(
      EncoderBackbone<K, B>,
      "A backbone is built from (init, config) and maps pictures to features; see EncoderBackbone.");
  return true;
}

/// True for an EncoderHead; otherwise as above.
template <class H, class B>
[[nodiscard]] consteval bool is_head() {
  static_assert(nn::Module<H>, "A head names its children: add `for_each_child(F&& f) const`.");
  static_assert(std::constructible_from<H, nn::Init<B>&, Index, TimestepPartition const&, PublishedLayout>,
                "A head is built from (nn::Init<B>&, Index features, TimestepPartition const&, "
                "PublishedLayout): add this constructor.");
  static_assert(Maps<H, Tensor<B>>,
                "A head returns the kind of value it takes: make operator() a template that returns auto.");
  static_assert(
      EncoderHead<H, B>,
      "A head is built from (init, features, partition, layout) and maps features to z; see EncoderHead.");
  return true;
}

}  // namespace detail

/// x_0 (n, h, w, c) -> z (n, dims). Copies share their weights.
template <class B, class Backbone = ConvBackbone<B>, class Head = LinearHead<B>>
class ModularEncoder {
  static_assert(detail::is_backbone<Backbone, B>() && detail::is_head<Head, B>());

 public:
  using Backend = B;
  /// The sizes of the parts.
  struct Config {
    typename Backbone::Config backbone{};  ///< also the size of the pictures that are read
    /// The subsets of z.
    TimestepPartition partition = TimestepPartition::uniform({.timesteps = 1000, .subsets = 16, .dims = 64});
    std::uint64_t seed = 3;  ///< of the initial weights

    template <class Self, class F>
    static void for_each_field(Self& self, F&& f) {
      f("backbone_kind", Backbone::kind);
      f("backbone", self.backbone);
      f("head", Head::kind);
      f("partition", self.partition);
      f("seed", self.seed);
    }
  };

  /// Throws ConfigError for sizes that cannot be built.
  ModularEncoder(typename B::Context& context, Config const& config)
      : ModularEncoder(nn::Init<B>{context, config.seed}, config) {}

  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x_0) const {
    static_assert(detail::Maps<Backbone, X> && detail::Maps<Head, X>,
                  "Backbone and head return the kind of value they take: make operator() a template that "
                  "returns auto.");
    return head_(backbone_(x_0));
  }

  /// Of a backbone that has config().
  [[nodiscard]] Config config() const { return {backbone_.config(), partition_, seed_}; }
  /// Which columns of z are which subset.
  [[nodiscard]] TimestepPartition const& partition() const& { return partition_; }
  [[nodiscard]] TimestepPartition partition() const&& { return partition_; }
  /// The width of z.
  [[nodiscard]] Index latent_dims() const { return partition_.dims(); }
  /// What reads the pictures.
  [[nodiscard]] Backbone const& backbone() const& { return backbone_; }
  [[nodiscard]] Backbone backbone() const&& { return backbone_; }
  [[nodiscard]] Head const& head() const& { return head_; }
  [[nodiscard]] Head head() const&& { return head_; }

  /// The same weights, shared, with z divided into other subsets. Throws ConfigError for a partition of other
  /// dims.
  [[nodiscard]] ModularEncoder with_partition(TimestepPartition const& partition) const {
    static_assert(std::same_as<Head, LinearHead<B>>,
                  "Only a LinearHead does not depend on the partition: it computes all of z at once.");
    if (partition.dims() != latent_dims())
      fail<ConfigError>("ModularEncoder::with_partition", {"a partition of ", latent_dims(), " dims"},
                        partition.dims());
    ModularEncoder other = *this;
    other.partition_ = partition;
    return other;
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"backbone", "encoder"}, backbone_);
    f(nn::ChildName{"head", {"encoder.", backbone_.published_head()}}, head_);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    partition_.for_each_setting(f);
  }

 private:
  ModularEncoder(nn::Init<B>&& init, Config const& config)
      : partition_(config.partition),
        seed_(config.seed),
        backbone_(init, config.backbone),
        head_(init, checked(backbone_.features()), partition_, backbone_.head_layout()) {}

  [[nodiscard]] static Index checked(Index features) {
    constexpr Index most = Index{1} << 31;  // so that no size overflows
    if (features > most) fail<ConfigError>("ModularEncoder", {"at most ", most, " features"}, features);
    return features;
  }

  TimestepPartition partition_;
  std::uint64_t seed_;
  Backbone backbone_;
  Head head_;
};

}  // namespace diffsiam::encoder
