// StepRecorder: the executor of a StepPlan for a recording. Everything is queued on the device and nothing is
// read. Values that change from step to step are in memory of the device: the offset of random numbers, the
// coefficients of the optimizer, the loss scale.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/train/multi_tensor_update.hpp>
#include <diffsiam/train/step_plan.hpp>

namespace diffsiam::train {

/// Make it when all gradients exist. It records one step.
template <class Plan>
class StepRecorder {
 public:
  using Backend = typename Plan::Backend;
  using T = typename Backend::Scalar;

  /// Throws ConfigError if there are averages that the optimizer does not update.
  explicit StepRecorder(Plan& plan)
      : plan_(&plan),
        control_(plan.context()),
        scale_(plan.context().allocate(sizeof(GradientScale<T>))),
        update_(plan.optimizer(), plan.ema()),
        recorded_at_(plan.steps()) {
    if (plan.ema() != nullptr && !plan.ema()->all_fused())
      fail<ConfigError>("RecordedStep", "averages of the optimizer's parameters", "averages of others too");
  }

  /// Queues the whole step. Call it within a recording.
  template <class F>
  void record(F& loss_fn) {
    while (!plan_->advance(*this, loss_fn, sums_)) {
    }
  }
  /// Where the recording reads how many micro-batches, or pieces of them, it is after the recorded ones.
  [[nodiscard]] std::uint64_t const* rng_offset() const { return &control_.data()->rng_offset; }
  /// The values that the device returns to the host: the losses of each micro-batch, then squared norms.
  [[nodiscard]] Tensor<Backend> const& report() const& { return report_; }
  void report() const&& = delete;

  /// Sends the values for the next replay.
  void send() {
    auto const replayed = plan_->steps() - recorded_at_;
    int const pieces = plan_->division() != nullptr ? plan_->division()->pieces() : 1;
    control_.send({replayed * static_cast<std::uint64_t>(plan_->config().accumulate * pieces),
                   plan_->loss_scale(), plan_->seed()});
    update_.send(plan_->rate_factor());
  }
  /// Counts one more step of the optimizer and the averages, or one less.
  void count(int more) const {
    auto const change = static_cast<std::uint64_t>(more);
    plan_->optimizer().for_each_count([&](std::string const&, std::uint64_t& steps) { steps += change; });
    if (auto* const ema = plan_->ema()) ema->set_updates(ema->updates() + change);
  }
  /// Judges a replayed step by its report, as the device did. Throws NumericError.
  void conclude(StepStatistics& statistics, T const* report) {
    Accumulation sums;
    auto const next = [&] { return static_cast<double>(*report++); };
    auto const add = [&](detail::JoinedLosses const& losses) {
      (void)detail::add_losses(sums, losses, statistics.step, plan_->config().accumulate);
    };
    for (Recorded const& recorded : micro_batches_) {
      if (plan_->division() != nullptr) {
        std::vector<std::vector<double>> numbers;
        for (int piece = 0; piece < plan_->division()->pieces(); ++piece) {
          numbers.push_back({static_cast<double>(recorded.images)});
          for (std::size_t i = 0; i < 1 + recorded.names.size(); ++i) numbers.back().push_back(next());
        }
        add(plan_->joined(numbers, recorded.names, statistics.step));
      } else {
        detail::JoinedLosses losses{.total = next(), .parts = {}, .images = recorded.images};
        for (std::string const& name : recorded.names) losses.parts.push_back({name, next()});
        add(losses);
      }
      ++sums.micro_batches;
    }
    (void)plan_->judge(statistics, sums, {report, square_count()});
  }

  // The functions of an executor.

  /// Keeps the losses of a micro-batch for the report, and returns the weight of its images in the step.
  template <class L>
  double read(L const& losses) {
    Recorded& recorded = micro_batches_.emplace_back();
    for (auto& value : values_of(losses, recorded)) losses_.push_back(std::move(value));
    return detail::add_images(sums_, recorded.images);
  }
  /// Keeps the losses of a piece. The numbers that the ranks exchange now are the images.
  template <class L>
  void read_piece(L const& losses, dist::Piece<Backend>& piece) {
    if (piece.lane == 0) micro_batches_.emplace_back();
    auto const values = values_of(losses, micro_batches_.back());
    auto const width = static_cast<Index>(values.size());
    if (piece.lane == 0)
      rows_ = Tensor<Backend>{plan_->context(), {plan_->division()->own_pieces().size() * width}};
    Index at = piece.lane * width;
    for (auto const& value : values) {
      rows_.samples(at, at + 1).reshaped(value.shape()).assign(value);
      ++at;
    }
    piece.numbers = {static_cast<double>(detail::images_of(losses))};
  }
  /// Queues the exchange of the losses of all pieces.
  void read_pieces(std::vector<std::vector<double>> const& numbers) {
    losses_.push_back(plan_->division()->all_rows(rows_));
    rows_ = {};
    (void)detail::add_images(sums_, plan_->joined(numbers, {}, plan_->steps() + 1).images);
  }
  /// The gradient of a loss, of the given shape: `weight` times what the host sends.
  [[nodiscard]] Tensor<Backend> seed(double weight, Shape const& shape) const {
    auto const sent = Tensor<Backend>::borrowed(plan_->context(), shape, &control_.data()->seed);
    if (weight == 1) return sent;
    auto const result = sent.clone();
    for_each_element(functional::ScaleInPlace<T>{static_cast<T>(weight)}, result);
    return result;
  }
  /// Writes the report and finds the gradient scale, on the device.
  void judge() {
    Index loss_count = 0, done = 0;
    for (auto const& losses : losses_) loss_count += losses.size();
    auto const squares = static_cast<Index>(square_count());
    report_ = Tensor<Backend>{plan_->context(), {loss_count + squares}};
    for (auto const& losses : losses_) {
      report_.samples(done, done + losses.size()).reshaped(losses.shape()).assign(losses);
      done += losses.size();
    }
    losses_.clear();
    auto const norms = report_.samples(loss_count, loss_count + squares);
    if (squares > 0) detail::square_norms(plan_->parameters(), norms);
    Backend::find_gradient_scale(plan_->context(),
                                 {report_.data(), loss_count, norms.data(), squares, plan_->config().max_norm,
                                  &control_.data()->loss_scale},
                                 scale());
  }
  /// Updates weights, averages and buffers, where the gradients are finite.
  void update() {
    update_.apply(scale());
    for (auto const& [name, buffer] : plan_->parameters().buffers) {
      if (!buffer.proposed()) continue;
      for_each_element(functional::CommitIfFinite<T>{scale()}, buffer.value(), buffer.proposal());
      buffer.discard();
    }
    if (plan_->ema() != nullptr) plan_->ema()->copy_buffers();
  }

 private:
  /// The values that the host sends before each replay.
  struct Control {
    std::uint64_t rng_offset;
    double loss_scale;
    T seed;  ///< the gradient of the loss of a micro-batch
  };
  /// What each report has of a micro-batch: the total and the parts, or those of each piece.
  struct Recorded {
    std::vector<std::string> names;  ///< of the parts
    Index images = 0;                ///< of the micro-batch, or of each piece
  };

  /// The total and the parts, in memory of the device.
  template <class L>
  [[nodiscard]] static std::vector<Tensor<Backend>> values_of(L const& losses, Recorded& recorded) {
    std::vector<Tensor<Backend>> values{on_device(detail::total_of(losses))};
    recorded.images = detail::images_of(losses);
    recorded.names.clear();
    if constexpr (requires { losses.parts; })
      for (auto const& part : losses.parts) {
        recorded.names.emplace_back(part.name);
        values.push_back(on_device(part.value));
      }
    return values;
  }

  template <class V>
  static Tensor<Backend> on_device(V const& value) {
    static_assert(!std::is_arithmetic_v<V>,
                  "Parts of a recorded loss are tensors: a number of the host would stay as it is.");
    if constexpr (std::is_same_v<V, Taped<Backend>>)
      return value.value();
    else
      return value;
  }
  [[nodiscard]] std::size_t square_count() const {
    return plan_->measures_norm() ? plan_->parameters().parameters.size() : 0;
  }
  [[nodiscard]] GradientScale<T>* scale() const { return static_cast<GradientScale<T>*>(scale_.get()); }

  Plan* plan_;
  detail::SentValue<Backend, Control> control_;
  std::shared_ptr<void> scale_;
  MultiTensorUpdate<Backend> update_;
  std::uint64_t recorded_at_;
  Accumulation sums_;                    ///< of the recorded step; only its images are counted
  std::vector<Tensor<Backend>> losses_;  ///< of each micro-batch, only while the step is recorded
  Tensor<Backend> rows_;                 ///< of each piece of this rank, only while a batch is recorded
  std::vector<Recorded> micro_batches_;
  Tensor<Backend> report_;
};

}  // namespace diffsiam::train
