// What is in a safetensors file: its model and configuration, the tensors of each part, and the metadata. Of
// weights alone it says which denoiser or encoder they fit.
//
//   cmake --build build/demo --target model_info           (scripts/demo makes build/demo)
//   build/demo/examples/model_info experiments/weights/fashion_denoiser.safetensors --groups 8 --tensors
// ctest: @SOURCE@/tests/io/files/models/diffsiam.safetensors --tensors
#include <array>
#include <filesystem>
#include <iostream>
#include <map>
#include <utility>

#include <CLI/CLI.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/core/version.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/io/published_encoder.hpp>
#include <diffsiam/io/published_unet.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;
using Json = nlohmann::ordered_json;

void show_fields(Json const& fields) {
  for (auto const& [name, value] : fields.items()) {
    std::string const text = value.dump();
    std::cout << "  " << name << ": " << text.substr(0, 200) << (text.size() > 200 ? " ...\n" : "\n");
  }
}
/// What `infer` finds about weights without a configuration.
template <class Infer>
void show_fit(char const* what, Infer infer) try {
  auto const found = infer();
  std::cout << "The weights fit " << what << " below the prefix " << Json(found.prefix) << ":\n";
  show_fields(ds::io::json_of(found.config));
} catch (ds::Error const& error) {
  std::cout << "The weights do not fit " << what << ": " << error.what() << '\n';
}

int main(int argc, char** argv) try {
  std::filesystem::path path;
  ds::Index groups = 32;
  bool lists_tensors = false;
  CLI::App app{"Says what is in a safetensors file.", "model_info"};
  app.set_version_flag("--version", "model_info " + ds::version());
  app.add_option("file", path, "in safetensors")->required();
  app.add_option("--groups", groups, "of GroupNorm, which shapes do not tell")->check(CLI::PositiveNumber);
  app.add_flag("--tensors", lists_tensors, "lists every tensor");
  CLI11_PARSE(app, argc, argv);

  auto const file = ds::io::SafetensorsFile::read(path);
  if (file.metadata().contains(ds::io::model_key)) {
    show_fields(ds::io::model_configuration(file));
  } else {
    show_fit("a UNet", [&] { return ds::io::infer_unet(file, {.groups = groups}); });
    show_fit("an encoder", [&] { return ds::io::infer_encoder<B>(file, {.groups = groups}); });
  }
  // Tensors, elements and bytes of each part and dtype.
  std::map<std::pair<std::string, std::string_view>, std::array<std::size_t, 3>> parts;
  for (std::string const& name : file.names()) {
    auto const dtype = ds::io::dtype_name(file.dtype(name));
    auto& [tensors, elements, bytes] = parts[{name.substr(0, name.find('.')), dtype}];
    tensors += 1;
    elements += file.size(name);
    bytes += file.bytes(name).size();
    if (lists_tensors) std::cout << Json(name) << "  " << Json(file.shape(name)) << "  " << dtype << '\n';
  }
  for (auto const& [part, sums] : parts)
    std::cout << Json(part.first) << ": " << sums[0] << " tensors of " << part.second << ", " << sums[1]
              << " elements, " << sums[2] << " bytes\n";
  for (auto const& [key, value] : file.metadata())
    std::cout << "metadata " << Json(key) << ": " << value.size() << " bytes\n";
} catch (std::exception const& error) {
  std::cerr << "model_info: " << error.what() << '\n';
  return 1;
}
