// What a loss function receives and returns, and the sums over the micro-batches of a step.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/train/elements.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::train {

/// A part of the loss that is only reported. It has no effect on the gradient.
template <class B>
struct LossPart {
  std::string_view name;  ///< as statistics and metrics call it
  Tensor<B> value;        ///< one element
};

/// What a loss function may return instead of only the total.
template <class B, std::size_t N>
struct Losses {
  Taped<B> total;                    ///< one element, on the tape of the step
  std::array<LossPart<B>, N> parts;  ///< what is reported beside it
  Index images = 0;  ///< in the micro-batch, as its weight in the step; 0: all have the same weight
};

/// The micro-batch that a loss function is called for.
struct MicroBatch {
  std::uint64_t step = 0;  ///< number of steps completed before this one
  int index = 0;           ///< in [0, accumulate)
  Rng rng;  ///< random numbers for the caller, different for each micro-batch and from those of the tape
  // Of a batch that is divided (StepPlan::divide):
  int pieces = 1;           ///< of the batch
  int lane = 0, lanes = 1;  ///< the piece among those of this process, which are called one after the other

  /// The samples of this piece, of a tensor that has those of all pieces of this process: all of them if the
  /// batch is not divided. Throws ShapeError unless pieces can be equal.
  template <class B>
  [[nodiscard]] Tensor<B> part(Tensor<B> const& own) const {
    Index const n = own.shape().samples();
    if (n % lanes != 0)
      fail<ShapeError>("MicroBatch::part", {"samples that ", lanes, " pieces divide"}, own.shape());
    return own.samples(n / lanes * lane, n / lanes * (lane + 1));
  }
};

/// A part of the loss in the statistics of a step.
struct NamedValue {
  std::string name;  ///< that of the LossPart
  double value = 0;  ///< its mean over the step; in an Accumulation the sum so far, as for its `loss`
};

/// The micro-batches of a step that have been done: everything except gradients and proposed buffers.
struct Accumulation {
  int micro_batches = 0;          ///< number of micro-batches done
  double loss = 0;                ///< sum of their losses / accumulate, as if all were as large as the first
  std::vector<NamedValue> parts;  ///< as for `loss`
  double seconds = 0;             ///< wall time of these micro-batches
  Index images = 0;               ///< images of all micro-batches so far
  Index first_images = 0;         ///< images of the first micro-batch
  /// Positions in the optimizer's list of trainable parameters that no gradient has reached.
  std::vector<std::size_t> without_gradient;
};

namespace detail {

/// The total loss of a result of a loss function.
template <class L>
[[nodiscard]] auto const& total_of(L const& losses) {
  if constexpr (requires { losses.total; }) {
    return losses.total;
  } else {
    return losses;
  }
}

/// Satisfied if and only if L is a value of a tape of B, or has one as its total.
template <class L, class B>
concept TotalOnTape = requires(L const& losses) {
  { total_of(losses) } -> std::same_as<Taped<B> const&>;
};

/// True for a loss function of backend B. For any other type the compiler says in one sentence what is wrong.
template <class B, class F>
[[nodiscard]] consteval bool is_loss_function() {
  static_assert(std::is_invocable_v<F&, Tape<B>&, MicroBatch const&>,
                "A loss function is called with (Tape<B>&, MicroBatch const&).");
  static_assert(TotalOnTape<std::invoke_result_t<F&, Tape<B>&, MicroBatch const&>, B>,
                "A loss function returns a value of its tape: give models tape.input(x) instead of x.");
  return true;
}

template <class L>
[[nodiscard]] Index images_of(L const& losses) {
  if constexpr (requires { losses.images; })
    return static_cast<Index>(losses.images);
  else
    return 0;
}
/// Counts the images of the next micro-batch and returns its weight relative to the first, n_i / n_1. With
/// these weights and a final last_weight(), micro-batches of any sizes give the mean over all images. The
/// weight is 1 if images are not counted. Throws ConfigError if only some micro-batches of a step count them.
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
/// The weight that add_images() would return.
[[nodiscard]] inline double weight_of(Accumulation sums, Index images) {
  return add_images(sums, images);
}
/// The final factor for the sums of a step; 1 if all micro-batches have the same size.
[[nodiscard]] inline double last_weight(Accumulation const& sums, int accumulate) {
  Index const as_if = sums.first_images * accumulate;
  return sums.images == as_if ? 1 : static_cast<double>(as_if) / static_cast<double>(sums.images);
}

/// The value of a number, a tensor or a taped value with one element.
template <class V>
[[nodiscard]] double number_of(V const& value) {
  if constexpr (requires { value.item(); })
    return static_cast<double>(value.item());
  else if constexpr (requires { value.value(); })
    return static_cast<double>(value.value().item());
  else
    return value;
}

/// Adds the losses of the next of `accumulate` micro-batches of a step, and returns its weight as
/// add_images() does. Throws NumericError for a loss that is not finite.
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

/// The losses of a piece of a batch as numbers: images, the total, the parts. Returns the names of the parts.
template <class L>
std::vector<std::string> take_numbers(L const& losses, std::vector<double>& numbers) {
  std::vector<std::string> names;
  numbers = {static_cast<double>(images_of(losses)), number_of(total_of(losses))};
  if constexpr (requires { losses.parts; })
    for (auto const& part : losses.parts) {
      names.emplace_back(part.name);
      numbers.push_back(number_of(part.value));
    }
  return names;
}

/// The losses of a whole batch.
struct JoinedLosses {
  double total = 0;
  std::vector<NamedValue> parts;
  Index images = 0;
};
/// The means over the numbers of all pieces, added in their order. Throws NumericError, which names the piece
/// and its rank, for a loss that is not finite; ConfigError if pieces count different numbers of images.
template <class RankOf>
[[nodiscard]] JoinedLosses joined_losses(std::vector<std::vector<double>> const& pieces,
                                         std::vector<std::string> const& names, std::uint64_t step,
                                         RankOf const& rank_of) {
  JoinedLosses joined;
  for (std::string const& name : names) joined.parts.push_back({name, 0});
  for (std::size_t piece = 0; piece < pieces.size(); ++piece) {
    std::vector<double> const& numbers = pieces[piece];
    if (numbers[0] != pieces[0][0])
      fail<ConfigError>("train", {"Losses::images of ", pieces[0][0], ", as in the first piece of the batch"},
                        {numbers[0], " in piece ", piece});
    joined.images += static_cast<Index>(numbers[0]);
    for (std::size_t i = 1; i < numbers.size(); ++i) {
      if (!std::isfinite(numbers[i]))
        fail<NumericError>("train",
                           {"a finite loss at step ", step, ", piece ", piece, " of ", pieces.size()},
                           {"'", i == 1 ? std::string_view{"total"} : std::string_view{names[i - 2]},
                            "' = ", numbers[i], " on rank ", rank_of(static_cast<int>(piece))},
                           "the weights are as before this step");
      double& mean = i == 1 ? joined.total : joined.parts[i - 2].value;
      mean += numbers[i] / static_cast<double>(pieces.size());
    }
  }
  return joined;
}

}  // namespace detail

}  // namespace diffsiam::train
