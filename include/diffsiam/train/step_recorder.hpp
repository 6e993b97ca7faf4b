// StepRecorder: the executor of a StepPlan for a recording. Everything is queued on the device and nothing is
// read. Values that change from step to step are in memory of the device: the offset of random numbers, the
// coefficients of the optimizer, the loss scale.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <diffsiam/concepts/recording.hpp>
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
  /// Where the recording reads how many micro-batches it is after the recorded ones.
  [[nodiscard]] std::uint64_t const* rng_offset() const { return &control_.data()->rng_offset; }
  /// The values that the device returns to the host: the losses of each micro-batch, then squared norms.
  [[nodiscard]] Tensor<Backend> const& report() const& { return report_; }
  void report() const&& = delete;

  /// Sends the values for the next replay.
  void send() {
    auto const replayed = plan_->steps() - recorded_at_;
    control_.send({replayed * static_cast<std::uint64_t>(plan_->config().accumulate), plan_->loss_scale(),
                   plan_->seed()});
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
    for (LossNumbers& losses : micro_batches_) {
      for (NamedValue& part : losses.parts) part.value = static_cast<double>(*report++);
      losses.total = static_cast<double>(*report++);
      (void)detail::add_losses(sums, losses, statistics.step, plan_->config().accumulate);
      ++sums.micro_batches;
    }
    (void)plan_->judge(statistics, sums, {report, square_count()});
  }

  // The functions of an executor.

  /// Keeps the losses of a micro-batch for the report, and returns the weight of its images in the step.
  template <class L>
  double read(L const& losses) {
    LossNumbers& numbers = micro_batches_.emplace_back();
    numbers.images = detail::images_of(losses);
    if constexpr (requires { losses.parts; })
      for (auto const& part : losses.parts) {
        numbers.parts.push_back({std::string(part.name), 0});
        losses_.push_back(on_device(part.value));
      }
    losses_.push_back(on_device(detail::total_of(losses)));
    return detail::add_images(sums_, numbers.images);
  }
  /// The gradient of a loss, of the given shape: `weight` times what the host sends.
  [[nodiscard]] Tensor<Backend> seed(double weight, Shape const& shape) const {
    auto const sent = Tensor<Backend>::borrowed(plan_->context(), shape, &control_.data()->seed);
    if (weight == 1) return sent;
    auto const result = sent.clone();
    detail::for_each_element(functional::ScaleInPlace<T>{static_cast<T>(weight)}, result);
    return result;
  }
  /// Writes the report and finds the gradient scale, on the device.
  void judge() {
    auto const loss_count = static_cast<Index>(losses_.size());
    auto const squares = static_cast<Index>(square_count());
    report_ = Tensor<Backend>{plan_->context(), {loss_count + squares}};
    for (Index i = 0; i < loss_count; ++i) {
      auto const& loss = losses_[static_cast<std::size_t>(i)];
      report_.samples(i, i + 1).reshaped(loss.shape()).assign(loss);
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
      detail::for_each_element(functional::CommitIfFinite<T>{scale()}, buffer.value(), buffer.proposal());
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
  /// The losses of a micro-batch as numbers, read from each report.
  struct LossNumbers {
    double total = 0;
    std::vector<NamedValue> parts;
    Index images = 0;
  };

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
  std::vector<Tensor<Backend>> losses_;  ///< only while the step is recorded
  std::vector<LossNumbers> micro_batches_;
  Tensor<Backend> report_;
};

}  // namespace diffsiam::train
