// What a loss function is asked and answers, and what the micro-batches of a step add up to.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/train/elements.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::train {

/// A part of the loss, for the record: its value does not take part in the gradient.
template <class B>
struct LossPart {
  std::string_view name;
  Tensor<B> value;  ///< one element
};

/// What a loss function may return instead of the total alone.
template <class B, std::size_t N>
struct Losses {
  Taped<B> total;
  std::array<LossPart<B>, N> parts;
  Index images = 0;  ///< in the micro-batch, which counts in the step by them; 0: as much as any other
};

/// Which micro-batch a loss function is asked for.
struct MicroBatch {
  std::uint64_t step = 0;  ///< steps completed before this one
  int index = 0;           ///< in [0, accumulate)
  Rng rng;  ///< for the caller's draws: its own at each micro-batch, apart from those of the tape
};

struct NamedValue {
  std::string name;
  double value = 0;
};

/// A step whose micro-batches are being accumulated: what they left besides gradients and proposals of
/// buffers.
struct Accumulation {
  int micro_batches = 0;  ///< done
  double loss = 0;        ///< their share of the mean, as if all were as large as the first
  std::vector<NamedValue> parts;
  double seconds = 0;
  Index images = 0;        ///< of all
  Index first_images = 0;  ///< of the first
  /// Places in the optimizer's list of trainable parameters that no gradient has reached.
  std::vector<std::size_t> without_gradient;
};

namespace detail {

/// The total of whatever a loss function answered.
template <class L>
[[nodiscard]] auto const& total_of(L const& losses) {
  if constexpr (requires { losses.total; }) {
    return losses.total;
  } else {
    return losses;
  }
}

template <class L>
[[nodiscard]] Index images_of(L const& losses) {
  if constexpr (requires { losses.images; })
    return static_cast<Index>(losses.images);
  else
    return 0;
}
/// Counts the images of the next micro-batch and returns its weight beside the first one's, n_i / n_1: with
/// these weights, and last_weight() in the end, micro-batches of any sizes add up to the mean over all
/// images. 1 where nobody tells of images. Throws ConfigError where some micro-batches of a step tell and
/// others not.
inline double add_images(Accumulation& sums, Index images) {
  if (sums.micro_batches == 0) sums.first_images = images;
  if (images < 0 || (images > 0) != (sums.first_images > 0))
    fail<ConfigError>(
        "train", "Losses::images above 0 in each micro-batch of a step, or 0 in all",
        {images, " in micro-batch ", sums.micro_batches + 1, " and ", sums.first_images, " in the first"});
  sums.images += images;
  return images == sums.first_images ? 1
                                     : static_cast<double>(images) / static_cast<double>(sums.first_images);
}
/// What the sums of a whole step are multiplied by: 1 where all micro-batches are of one size.
[[nodiscard]] inline double last_weight(Accumulation const& sums, int accumulate) {
  Index const as_if = sums.first_images * accumulate;
  return sums.images == as_if ? 1 : static_cast<double>(as_if) / static_cast<double>(sums.images);
}

/// Of a number, a tensor or a taped value.
template <class V>
[[nodiscard]] double number_of(V const& value) {
  if constexpr (requires { value.item(); })
    return static_cast<double>(value.item());
  else if constexpr (requires { value.value(); })
    return static_cast<double>(value.value().item());
  else
    return value;
}

/// Adds the losses of the next micro-batch of a step, of which there will be `accumulate`, and returns its
/// weight, by add_images(). Throws NumericError for one that is not finite.
template <class L>
double add_losses(Accumulation& sums, L const& losses, std::uint64_t step, int accumulate) {
  double const weight = add_images(sums, images_of(losses));
  auto const add = [&](double& mean, std::string_view name, double value) {
    if (!std::isfinite(value))
      fail<NumericError>(
          "train",
          {"a finite loss at step ", step, ", micro-batch ", sums.micro_batches + 1, " of ", accumulate},
          {"'", name, "' = ", value},
          "the weights are as before this step; a smaller learning rate, warm-up or clipping may help");
    mean += 1.0 / accumulate * weight * value;
  };
  if constexpr (requires { losses.parts; }) {
    std::size_t next = 0;
    for (auto const& part : losses.parts) {
      if (next == sums.parts.size()) sums.parts.push_back(NamedValue{std::string(part.name), 0});
      add(sums.parts[next++].value, part.name, number_of(part.value));
    }
  }
  add(sums.loss, "total", number_of(total_of(losses)));
  return weight;
}

}  // namespace detail

}  // namespace diffsiam::train
