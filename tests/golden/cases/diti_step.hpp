// One training step of the whole: encoder, frozen denoiser, shift decoder and partition; the loss and its
// gradients in each gradient mode, and some steps of Adam.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tests/golden/compare.hpp>
#include <tests/golden/encoder_shape.hpp>
#include <tests/golden/settings.hpp>

#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/encoder/reveal.hpp>
#include <diffsiam/loss/diffusion_loss.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/unet/shift_decoder.hpp>

namespace diffsiam::golden {

/// Values of a shape moved by `shift` places along an axis; what leaves at the end comes back in front.
[[nodiscard]] Values rolled(Values const& values, std::vector<std::int64_t> const& shape, std::size_t axis,
                            std::int64_t shift);

/// How far something is rolled at a step: "step", or a number of places a step.
[[nodiscard]] std::int64_t roll_of(Settings const& settings, std::string const& key, int step);

/// The weight of the loss "weight", with the coefficient "c_t" on G and the mean as reduction.
[[nodiscard]] Weight shifted_loss_weight(File const& file);

template <class B>
class DitiStep {
 public:
  DitiStep(typename B::Context& context, File const& file, Report& report)
      : context_(&context),
        file_(&file),
        report_(&report),
        schedule_(schedule_of(file.json("schedule"))),
        partition_(partition_of(file.json("partition"))),
        loss_(schedule_, shifted_loss_weight(file)),
        encoder_(context, {.backbone = encoder_shape_of(file, "encoder.encoder.", "input.x_0")
                                           .template as<typename encoder::ConvBackbone<B>::Config>(),
                           .partition = partition_}),
        decoder_(context, unet::UNet<B>{context, unet_config_of(file)},
                 {.latent_dims = file.integer_or("latent_dim", partition_.dims())}) {
    if (file.integer_or("k", partition_.subsets()) != partition_.subsets())
      fail<FileError>("golden", std::to_string(partition_.subsets()) + " subsets as 'k'", file.text("k"));
    load();
    list_.add(encoder_, {"encoder"});
    list_.add(decoder_, {"decoder"});
    std::erase_if(list_.parameters, [](auto const& entry) { return !entry.parameter.trainable(); });
  }

  void check() {
    check_partition();
    bool first = true;
    for (std::string const& mode : modes()) check_mode(mode, std::exchange(first, false));
    if (file_->has("adam")) check_adam(Settings{file_->json("adam"), "adam"});
  }

 private:
  void load() {
    file_->load(encoder_, "encoder.");
    file_->load(decoder_, "decoder.");
  }
  void forget_gradients() const {
    for (auto const& entry : list_.parameters) entry.parameter.gradient().fill(0);
  }

  [[nodiscard]] std::vector<std::string> modes() const {
    std::vector<std::string> result;
    std::string_view rest = file_->text("modes");
    while (true) {
      auto const comma = rest.find(',');
      result.emplace_back(rest.substr(0, comma));
      if (comma == std::string_view::npos) return result;
      rest.remove_prefix(comma + 1);
    }
  }

  /// "masks": what each subset's first step reveals; "t_to_idx": the subset of every step.
  void check_partition() const {
    if (file_->contains("masks")) {
      Tensor<B> const first{*context_, {partition_.subsets()}};
      std::vector<double> steps;
      for (int i = 0; i < partition_.subsets(); ++i) steps.push_back(partition_.first_step(i));
      first.assign(std::span<double const>(steps));
      auto const masks = encoder::column_mask(partition_, first, encoder::SubsetColumns::revealed);
      report_->exact("masks", published_values(masks), file_->values("masks"));
    }
    if (file_->contains("t_to_idx")) {
      Values subsets;
      for (int t = 0; t < partition_.timesteps(); ++t) subsets.push_back(partition_.subset_of(t));
      report_->exact("t_to_idx", subsets, file_->values("t_to_idx"));
    }
  }

  [[nodiscard]] diffusion::Noised<B> noised(Tensor<B> const& x_0, Tensor<B> const& noise) const {
    Tensor<B> const t = file_->tensor<B>(*context_, "input.t");
    return {diffusion::add_noise(schedule_, x_0, t, noise), t, noise};
  }

  /// The loss of one gradient mode; `outputs` asks for eps and G to be compared.
  [[nodiscard]] Taped<B> loss_of(Taped<B> const& z, diffusion::Noised<B> const& n, encoder::GradientMode mode,
                                 bool outputs) const {
    using enum encoder::GradientMode;
    if (mode == dual) {
      auto const first = loss_of(z, n, joint, outputs);
      return ops::add(first, loss_of(z, n, stop_preceding, false));
    }
    auto const [eps, gradient] = decoder_(n.x_t, n.t, encoder::reveal(partition_, z, n.t, mode));
    if (outputs) {
      compare_output(*file_, *report_, "output.eps", eps);
      compare_output(*file_, *report_, "output.gradient", gradient.value());
    }
    return loss_(eps, gradient, n);
  }

  void check_mode(std::string const& mode, bool outputs) const {
    forget_gradients();
    Tensor<B> const x_0 = file_->tensor<B>(*context_, "input.x_0");
    auto const n = noised(x_0, file_->tensor<B>(*context_, "input.noise"));
    Tape<B> tape{*context_, {.mode = Mode::evaluation}};
    Taped<B> const z = encoder_(tape.input(x_0));
    if (outputs) {
      compare_output(*file_, *report_, "output.z", z.value());
      compare_output(*file_, *report_, "output.x_t", n.x_t);
    }
    Taped<B> const loss = loss_of(z, n, gradient_mode_of(mode), outputs);
    std::string const name = "output." + mode + ".loss";
    report_->loss(name, static_cast<double>(loss.value().item()), file_->values(name).at(0));
    tape.backward(loss);
    report_->gradients(probed_gradients(*file_, list_, "gradprobe." + mode + "."));
  }

  /// Step s = 0, 1, ... sees x_0 and noise rolled by s; then come the norms of all weights.
  void check_adam(Settings const& settings) {
    std::string const mode = settings.get<std::string>("mode");
    train::Adam<B> adam{list_,
                        {.learning_rate = settings.get<double>("lr"),
                         .beta1 = settings.get_or("beta1", 0.9),
                         .beta2 = settings.get_or("beta2", 0.999),
                         .epsilon = settings.get_or("eps", 1e-8),
                         .weight_decay = settings.get_or("weight_decay", 0.0)}};
    Values losses;
    forget_gradients();
    for (int step = 0; step < settings.get<int>("steps"); ++step) {
      Tensor<B> const x_0 = input_rolled("input.x_0", 0, roll_of(settings, "roll_x_0_along_batch_by", step));
      auto const n = noised(
          x_0, input_rolled("input.noise", 1, roll_of(settings, "roll_noise_along_channels_by", step)));
      Tape<B> tape{*context_, {.mode = Mode::evaluation}};
      Taped<B> const loss = loss_of(encoder_(tape.input(x_0)), n, gradient_mode_of(mode), false);
      losses.push_back(static_cast<double>(loss.value().item()));
      tape.backward(loss);
      adam.step();
    }
    settings.require_all_used();
    Values const expected = file_->values("output.adam.losses");
    if (losses.size() != expected.size())
      fail<FileError>("golden", std::to_string(losses.size()) + " losses of Adam's steps",
                      std::to_string(expected.size()));
    for (std::size_t i = 0; i < losses.size(); ++i)
      report_->loss("output.adam.losses[" + std::to_string(i) + "]", losses[i], expected[i]);
    compare_weight_norms(mode);
  }
  [[nodiscard]] Tensor<B> input_rolled(std::string const& name, std::size_t axis, std::int64_t shift) const {
    return file_->tensor<B>(*context_, name,
                            rolled(file_->values(name), file_->stored_shape(name), axis, shift));
  }

  /// Where the gradient is zero, Adam turns noise into steps: those weights are left out.
  void compare_weight_norms(std::string const& mode) const {
    auto const stored_norm = [&](std::string const& name) {
      return file_->values("gradprobe." + mode + "." + name).at(0);
    };
    double greatest = 0;
    for (auto const& [path, parameter] : list_.parameters)
      greatest = std::max(greatest, stored_norm(path.published));
    for (auto const& [path, parameter] : list_.parameters) {
      std::string const name = "adamnorm." + path.published;
      double const expected = file_->values(name).at(0);
      if (stored_norm(path.published) <= 1e-9 * greatest) continue;
      report_->number(name, norm_of(published_weight(parameter)), expected,
                      report_->tolerances().weight_norm);
    }
  }

  typename B::Context* context_;
  File const* file_;
  Report* report_;
  diffusion::NoiseSchedule schedule_;
  encoder::TimestepPartition partition_;
  loss::ShiftedNoise loss_;
  encoder::ModularEncoder<B> encoder_;
  unet::ShiftDecoder<B> decoder_;
  nn::ParameterList<B> list_;
};

template <class B>
void check_diti_step(typename B::Context& context, File const& file, Report& report) {
  DitiStep<B>{context, file, report}.check();
}

}  // namespace diffsiam::golden
