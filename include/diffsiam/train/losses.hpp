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

/// A step that has begun: what its first micro-batches left besides gradients and proposals of buffers.
struct PendingStep {
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

/// Throws NumericError unless the value is finite; `step` steps were completed before.
inline double finite_loss(std::string_view part, double value, std::uint64_t step, int micro_batch,
                          int accumulate) {
  if (!std::isfinite(value)) {
    fail<NumericError>(
        "train", {"a finite loss at step ", step + 1, ", micro-batch ", micro_batch + 1, " of ", accumulate},
        {"'", part, "' = ", value},
        "the weights are as before this step; a smaller learning rate, warm-up or clipping may help");
  }
  return value;
}

/// Adds a micro-batch's share to the mean of a part, the i-th.
inline void add_part(PendingStep& pending, std::size_t i, std::string_view name, double value, double share) {
  if (i == pending.parts.size()) pending.parts.push_back(NamedValue{std::string(name), 0});
  pending.parts[i].value += share * value;
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
inline double add_images(PendingStep& pending, Index images) {
  if (pending.micro_batches == 0) pending.first_images = images;
  if (images < 0 || (images > 0) != (pending.first_images > 0))
    fail<ConfigError>("train", "Losses::images above 0 in each micro-batch of a step, or 0 in all",
                      {images, " in micro-batch ", pending.micro_batches + 1, " and ", pending.first_images,
                       " in the first"});
  pending.images += images;
  return images == pending.first_images
             ? 1
             : static_cast<double>(images) / static_cast<double>(pending.first_images);
}
/// What the sums of a whole step are multiplied by: 1 where all micro-batches are of one size.
[[nodiscard]] inline double last_weight(PendingStep const& pending, int accumulate) {
  Index const as_if = pending.first_images * accumulate;
  return pending.images == as_if ? 1 : static_cast<double>(as_if) / static_cast<double>(pending.images);
}
inline void apply_last_weight(PendingStep& pending, double weight) {
  pending.loss *= weight;
  for (NamedValue& part : pending.parts) part.value *= weight;
}

template <class B>
[[nodiscard]] double number_of(double value) {
  return value;
}
template <class B>
[[nodiscard]] double number_of(Tensor<B> const& value) {
  return static_cast<double>(value.item());
}
template <class B>
[[nodiscard]] double number_of(Taped<B> const& value) {
  return number_of<B>(value.value());
}

/// Adds the losses of the next micro-batch and returns its weight, by add_images().
template <class B, class L>
double add_losses(PendingStep& pending, L const& losses, std::uint64_t step, int accumulate) {
  double const weight = add_images(pending, images_of(losses));
  double const share = 1.0 / accumulate * weight;
  auto const finite = [&](std::string_view part, double value) {
    return finite_loss(part, value, step, pending.micro_batches, accumulate);
  };
  if constexpr (requires { losses.parts; }) {
    if (pending.micro_batches == 0) pending.parts.clear();
    std::size_t next = 0;
    for (auto const& part : losses.parts)
      add_part(pending, next++, part.name, finite(part.name, number_of<B>(part.value)), share);
  }
  pending.loss += share * finite("total", number_of<B>(total_of(losses)));
  return weight;
}

}  // namespace detail

}  // namespace diffsiam::train
