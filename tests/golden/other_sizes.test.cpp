// Cases of other sizes than the stored ones. Their values come from the library, so what is tested is that
// the program builds each case from what its file says.
#include <sstream>
#include <string>

#include <tests/golden/compare.hpp>
#include <tests/golden/run.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/io/published_weights.hpp>
#include <diffsiam/model/diffsiam.hpp>
#include <diffsiam/testing/case.hpp>

using namespace diffsiam;
using diffsiam::test::Scratch;

namespace {

using B = backend::Reference<double>;

Tensor<B> drawn(B::Context& context, Shape const& shape, std::uint32_t stream) {
  auto const values = testing::draw(testing::Kind::normal, shape, {.seed = 5, .stream = stream});
  return Tensor<B>::from(context, shape, std::span<double const>(values));
}

/// Writes what `golden` reads.
struct CaseWriter {
  io::SafetensorsWriter writer;

  void add(std::string const& name, Tensor<B> const& tensor) {
    writer.add(name, io::Dtype::F64,
               io::published_shape(golden::image_layout(tensor.shape()), tensor.shape()),
               golden::published_values(tensor));
  }
  void add(std::string const& name, golden::Values const& values) {
    writer.add(name, io::Dtype::F64, {static_cast<std::int64_t>(values.size())}, values);
  }
  void add_probes(nn::ParameterList<B> const& list, std::string const& prefix) {
    for (auto const& [path, parameter] : list.parameters) {
      auto const gradient = golden::published_gradient(parameter);
      auto const weight = golden::published_weight(parameter);
      golden::Values probe{golden::norm_of(gradient), 0};
      for (std::size_t i = 0; i < gradient.size(); ++i) probe[1] += gradient[i] * weight[i];
      for (std::size_t i = 0; i < std::min<std::size_t>(8, gradient.size()); ++i)
        probe.push_back(gradient[i]);
      add(prefix + path.published, probe);
    }
  }
  void settings(std::map<std::string, std::string> const& all) {
    for (auto const& [key, value] : all) writer.metadata(key, value);
  }
};

bool passes(std::filesystem::path const& folder, golden::Options const& options) {
  std::ostringstream out;
  bool const passed = golden::check_folder(folder, options, out);
  UNSCOPED_INFO(out.str());
  return passed;
}
golden::Options const in_double{.backend = "cpu", .scalar = "double"};

/// Three levels, two blocks each, attention at two of them, heads by their width, a picture wider than high.
unet::Config const config{.in_channels = 2,
                          .base_channels = 8,
                          .multipliers = {1, 3, 2},
                          .blocks_per_level = 2,
                          .attention_factors = {1, 4},
                          .head_channels = 4,
                          .groups = 4};
std::map<std::string, std::string> const config_settings{{"layout", "NCHW"},
                                                         {"input_channel", "2"},
                                                         {"base_channel", "8"},
                                                         {"channel_multiplier", "[1, 3, 2]"},
                                                         {"num_residual_blocks_of_a_block", "2"},
                                                         {"attention_resolutions", "[1, 4]"},
                                                         {"num_heads", "3"},
                                                         {"head_channel", "4"},
                                                         {"groups", "4"},
                                                         {"use_new_attention_order", "False"}};

void write_unet(std::filesystem::path const& path, std::map<std::string, std::string> const& settings) {
  B::Context context;
  unet::UNet<B> const denoiser{context, config};
  testing::randomise(denoiser, 1);
  diffusion::Noised<B> const noised{drawn(context, {2, 4, 12, 2}, 1), Tensor<B>{context, {2}},
                                    drawn(context, {2, 4, 12, 2}, 2)};
  noised.t.assign(std::span<double const>(std::array{3.0, 700.0}));
  Tape<B> tape{context};
  auto const eps = denoiser(tape.input(noised.x_t), noised.t);
  auto const loss = loss::Noise{diffusion::NoiseSchedule::cosine(800), diffusion::MinSnr{2}}(eps, noised);
  tape.backward(loss);

  CaseWriter out;
  out.settings(settings);
  io::save_weights(out.writer, denoiser, "param.");
  out.add("input.x_t", noised.x_t);
  out.add("input.t", noised.t);
  out.add("input.noise", noised.noise);
  out.add("output.eps", eps.value());
  out.add("output.loss", loss.value().reshaped({1}));
  out.add_probes(nn::parameters(denoiser), "gradprobe.");
  out.writer.write(path);
}

}  // namespace

TEST_CASE("A denoiser of other levels, channels, heads and sides is built from its own file", "[golden]") {
  auto settings = config_settings;
  settings["case"] = "unet";
  settings["schedule"] = R"({"kind": "cosine", "timesteps": 800})";
  settings["loss"] = R"({"weight": "min(snr,2)/snr", "reduction": "mean"})";
  auto const passes_with = [&](std::string const& key, std::string const& value) {
    Scratch const scratch;
    auto changed = settings;
    changed[key] = value;
    write_unet(scratch / "unet.safetensors", changed);
    return passes(scratch.folder(), in_double);
  };
  CHECK(passes_with("case", "unet"));
  CHECK_FALSE(passes_with("head_channel", "8"));
  CHECK_FALSE(passes_with("groups", "8"));
  CHECK_FALSE(passes_with("attention_resolutions", "[1, 2]"));
  CHECK_FALSE(passes_with("num_residual_blocks_of_a_block", "1"));
  CHECK_FALSE(passes_with("loss", R"({"weight": "min(snr,5)/snr"})"));
}

TEST_CASE("A step and samples of another encoder and partition are built from their own file", "[golden]") {
  B::Context context;
  // Subsets of 1, 4 and 2 dims over 50 steps; an encoder of two convolutions, attention behind the first.
  auto const partition = encoder::TimestepPartition::staged({.timesteps = 50, .subsets = 3, .dims = 7},
                                                            {{17, 1}, {34, 4}, {50, 2}});
  auto const schedule = diffusion::NoiseSchedule::constant(50, 0.03);
  encoder::ModularEncoder<B> const encoder{context,
                                           {.backbone = {.in_channels = 2,
                                                         .height = 12,
                                                         .width = 8,
                                                         .channels = {8, 12},
                                                         .attention_after = 0,
                                                         .groups = 4},
                                            .partition = partition}};
  unet::ShiftDecoder<B> const decoder{context, unet::UNet<B>{context, config}, {.latent_dims = 7}};
  testing::randomise(encoder, 2);
  testing::randomise(decoder, 3);
  auto settings = config_settings;
  settings["schedule"] = R"({"kind": "constant", "timesteps": 50, "beta": 0.03})";
  settings["partition"] = R"({"timesteps": 50, "subsets": 3, "dims": 7, "widths": [1, 4, 2]})";

  auto const x_0 = drawn(context, {2, 12, 8, 2}, 3);
  CaseWriter step;
  step.settings(settings);
  step.settings({{"case", "diti_step"},
                 {"k", "3"},
                 {"latent_dim", "7"},
                 {"modes", "stop_grad"},
                 {"loss", R"json({"weight": "snr^0.1/(1+snr)", "shift": "c_t", "reduction": "mean"})json"}});
  io::save_weights(step.writer, encoder, "encoder.");
  io::save_weights(step.writer, decoder, "decoder.");
  {
    diffusion::Noised<B> noised{{}, Tensor<B>{context, {2}}, drawn(context, {2, 12, 8, 2}, 4)};
    noised.t.assign(std::span<double const>(std::array{20.0, 49.0}));
    noised.x_t = diffusion::add_noise(schedule, x_0, noised.t, noised.noise);
    model::DiffSiam<B> const model{
        encoder, decoder, {.schedule = schedule, .gradient_mode = encoder::GradientMode::stop_preceding}};
    Tape<B> tape{context};
    auto const z = model.encode(tape.input(x_0));
    auto const loss = model.diffusion_loss(z, noised);
    tape.backward(loss);
    auto const shifted = decoder(noised.x_t, noised.t, encoder::reveal(partition, z.value(), noised.t));
    step.add("input.x_0", x_0);
    step.add("input.t", noised.t);
    step.add("input.noise", noised.noise);
    step.add("output.x_t", noised.x_t);
    step.add("output.z", z.value());
    step.add("output.eps", shifted.eps);
    step.add("output.gradient", shifted.gradient);
    step.add("output.stop_grad.loss", loss.value().reshaped({1}));
    nn::ParameterList<B> list;
    list.add(encoder, {"encoder"});
    list.add(decoder, {"decoder"});
    std::erase_if(list.parameters, [](auto const& entry) { return !entry.parameter.trainable(); });
    step.add_probes(list, "gradprobe.stop_grad.");
  }

  CaseWriter sampling;
  sampling.settings(settings);
  sampling.settings({{"case", "sampling"}, {"outputs", R"({
    "output.a": {"op": "sample", "grid": "trailing", "steps": 5, "clip": false, "start": "input.x",
                 "weights": "step.safetensors:decoder.", "z": "input.z", "partition": true, "shift": "c_t",
                 "unguided_last_steps": 2},
    "output.b": {"op": "encode", "grid": "linspace", "steps": 3, "clip": true, "start": "input.x",
                 "weights": "step.safetensors:decoder."}})"}});
  auto const z = drawn(context, {2, 7}, 6);
  sampling.add("input.x", x_0);
  sampling.add("input.z", z);
  sampling.add(
      "output.a",
      diffusion::ddim_sample<B>(
          schedule, diffusion::TimeGrid::trailing(50, 5), x_0,
          model::GuidedNoise{decoder,
                             schedule,
                             partition,
                             z,
                             {.coefficient = model::ShiftCoefficient::posterior, .unguided_last_steps = 2}},
          {.clip = false}));
  sampling.add("output.b", diffusion::ddim_encode<B>(schedule, diffusion::TimeGrid::linspace(50, 3), x_0,
                                                     diffusion::PlainNoise{decoder.denoiser(), schedule}));

  Scratch const scratch;
  step.writer.write(scratch / "step.safetensors");
  sampling.writer.write(scratch / "sampling.safetensors");
  CHECK(passes(scratch.folder(), in_double));
  CHECK(passes(scratch.folder(), {}));
  // The same in another partition is not the same.
  settings["partition"] = R"({"timesteps": 50, "subsets": 3, "dims": 7, "widths": "uniform"})";
  sampling.settings(settings);
  sampling.writer.write(scratch / "sampling.safetensors");
  CHECK_FALSE(passes(scratch.folder(), in_double));
}
