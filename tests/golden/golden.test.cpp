#include <limits>
#include <sstream>
#include <string>

#include <tests/golden/changed_file.hpp>
#include <tests/golden/run.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

using namespace diffsiam;
using diffsiam::golden::Changes;
using diffsiam::test::contains;
using diffsiam::test::Scratch;

namespace {

std::filesystem::path const data{DIFFSIAM_TEST_DATA};

struct Outcome {
  bool passed;
  std::string text;
};
Outcome check(std::filesystem::path const& folder, golden::Options const& options = {}) {
  std::ostringstream out;
  bool const passed = golden::check_folder(folder, options, out);
  return {passed, out.str()};
}
/// The outcome of one stored case with changes, on its own in a folder.
Outcome check_changed(std::string const& name, Changes const& changes, golden::Options const& options = {}) {
  Scratch const scratch;
  golden::write_changed(data / (name + ".safetensors"), scratch / (name + ".safetensors"), changes);
  return check(scratch.folder(), options);
}
/// `tensor` of a case with `by` added to its value `at`.
Changes moved(std::string const& tensor, std::size_t at, double by) {
  return {.tensors = {{tensor, [=](std::vector<double>& values) { values.at(at) += by; }}}};
}

}  // namespace

TEST_CASE("A stored case passes as it is, with a line for it and one for all", "[golden]") {
  for (std::string const name :
       {"schedule_linear_1000", "timestep_embedding", "res_block_up", "siamese_losses"}) {
    auto const [passed, text] = check_changed(name, {});
    INFO(text);
    CHECK(passed);
    CHECK(text.starts_with("PASS  " + name));
    CHECK_THAT(text, contains("tolerance"));
    CHECK_THAT(text, contains("1 cases on cpu in float: 1 passed, 0 failed"));
  }
}

TEST_CASE("A value beyond its tolerance fails its case, by name", "[golden]") {
  auto const fails = [](std::string const& name, std::string const& tensor, std::size_t at, double by,
                        golden::Options const& options = {}) {
    auto const [passed, text] = check_changed(name, moved(tensor, at, by), options);
    INFO(text);
    CHECK_FALSE(passed);
    CHECK(text.starts_with("FAIL  " + name));
    CHECK_THAT(text, contains("worst " + tensor));
  };
  // Outputs near 4 and gradients of norm near 5: beyond the tolerance, but not by much.
  fails("res_block_up", "output", 17, 2e-3);
  fails("res_block_up", "output", 17, 1e-4, {.backend = "reference", .scalar = "double"});
  fails("res_block_up", "grad_input.x", 5, 0.2);
  fails("res_block_up", "grad.in_layers.2.weight", 100, 2);
  fails("siamese_losses", "simsiam.loss", 0, 1e-5);
  fails("siamese_losses", "simclr.grad.projector.layer2.weight", 3, 0.01);
  fails("unet", "gradprobe.middle_block.1.qkv.weight", 0, 1e-2);
  fails("unet", "gradprobe.middle_block.1.qkv.weight", 1, 1);
  fails("unet", "gradprobe.middle_block.1.qkv.weight", 9, 1e-2);
  fails("schedule_linear_1000", "f64.shift_coef", 500, 1e-5);
  fails("schedule_linear_1000", "ddim20.timestep_map", 3, 1);
  fails("timestep_embedding", "output.64", 40, 1e-3);
  fails("res_block_up", "output", 17, std::numeric_limits<double>::quiet_NaN());
}

TEST_CASE("What a file means is read from the file", "[golden]") {
  CHECK_FALSE(check_changed("attention_block", {.settings = {{"num_heads", "4"}}}).passed);
  CHECK_FALSE(check_changed("attention_block", {.settings = {{"groups", "8"}}}).passed);
  CHECK_FALSE(check_changed("unet", {.settings = {{"num_heads", "1"}}}).passed);
  CHECK(check_changed("unet", {.settings = {{"num_heads", "7"}, {"head_channel", "32"}}}).passed);
  CHECK_FALSE(check_changed("schedule_linear_1000", {.settings = {{"grid", "trailing"}}}).passed);
  CHECK_FALSE(check_changed("schedule_linear_1000",
                            {.settings = {{"schedule", R"({"kind": "cosine", "timesteps": 1000})"}}})
                  .passed);
  CHECK_FALSE(check_changed("siamese_losses",
                            {.settings = {{"simclr", R"({"projector": [32, 64, 16], "temperature": 0.4})"}}})
                  .passed);
}

TEST_CASE("What is not known is a failure with a sentence", "[golden]") {
  auto const says = [](std::string const& name, Changes const& changes, std::string const& part) {
    auto const [passed, text] = check_changed(name, changes);
    CHECK_FALSE(passed);
    CHECK(text.starts_with("FAIL  " + name));
    CHECK_THAT(text, contains(part));
  };
  says("res_block", {.settings = {{"case", "res_bloc"}}},
       "expected a known case in 'res_block', got 'res_bloc'");
  says("res_block", {.settings = {{"case", ""}}}, "'case'");
  says("res_block", {.settings = {{"layout", "NHWC"}}}, "'NCHW'");
  says("res_block", {.removed = {"grad.skip_connection.bias"}}, "grad.skip_connection.bias");
  says("res_block", {.removed = {"param.skip_connection.bias"}}, "skip_connection.bias");
  says("res_block", {.added = {"grad_input.phase"}}, "'grad_input.phase'");
  says("res_block_up", {.settings = {{"resample", "up: bilinear"}}}, "'up: bilinear'");
  says("unet", {.settings = {{"use_new_attention_order", "True"}}}, "not supported");
  says("unet", {.settings = {{"base_channel", "thirty"}}}, "a whole number as 'base_channel'");
  says("unet", {.settings = {{"loss", R"({"weight": "loud"})"}}}, "'loud'");
  says("schedule_linear_1000", {.settings = {{"schedule", R"({"kind": "steep", "timesteps": 9})"}}},
       "'steep'");
  says("schedule_linear_1000",
       {.settings = {{"schedule", R"({"kind": "linear", "timesteps": 1000, "warmth": 2})"}}}, "'warmth'");
  says("sampling", {.settings = {{"outputs", R"({"output.a": {"op": "dream"}})"}}}, "'dream'");
  says("sampling", {}, "unet.safetensors");  // whose weights are not in the folder
  says("latent_denoiser", {.settings = {{"norm", "BatchNorm"}}}, "'BatchNorm'");
}

TEST_CASE("Every file gets a line, whatever the others do", "[golden]") {
  Scratch const scratch;
  golden::write_changed(data / "timestep_embedding.safetensors", scratch / "b.safetensors", {});
  golden::write_changed(data / "timestep_embedding.safetensors", scratch / "c.safetensors",
                        {.settings = {{"case", "nothing"}}});
  io::write_file(scratch / "a.safetensors", "not a file of tensors");
  io::write_file(scratch / "notes.txt", "of no interest");
  auto const [passed, text] = check(scratch.folder());
  CHECK_FALSE(passed);
  CHECK_THAT(text, contains("FAIL  a"));
  CHECK_THAT(text, contains("PASS  b"));
  CHECK_THAT(text, contains("FAIL  c"));
  CHECK_THAT(text, contains("3 cases on cpu in float: 1 passed, 2 failed"));
}

TEST_CASE("A folder without cases does not pass, and what is no folder is an error", "[golden]") {
  Scratch const scratch;
  auto const [passed, text] = check(scratch.folder());
  CHECK_FALSE(passed);
  CHECK_THAT(text, contains("no safetensors file"));
  CHECK_THROWS_WITH(check(scratch / "missing"), contains("a folder of safetensors files"));
  CHECK_THROWS_WITH(check(data, {.backend = "abacus"}), contains("'abacus'"));
  CHECK_THROWS_WITH(check(data, {.scalar = "half"}), contains("'half'"));
}
