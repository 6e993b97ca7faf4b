// Weights of a module under their published names, in PyTorch's layouts, with the settings it had.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include <diffsiam/io/settings.hpp>
#include <diffsiam/io/tensor_table.hpp>
#include <diffsiam/nn/module.hpp>

namespace diffsiam::io {

/// All parameters, frozen ones too, and buffers below `module`, by published name.
template <nn::Module M, class B = typename M::Backend>
void add_weights(TensorTable<B>& table, M const& module) {
  nn::for_each_leaf(module, [&](nn::LeafName const& path, auto const& leaf) {
    if constexpr (requires { leaf.published_layout(); }) {
      table.add(path.published, leaf.value(), leaf.published_layout());
    } else {
      table.add(path.published, leaf.value());
    }
  });
}

/// Puts the weights and settings into a file that is being written. Throws NumericError for weights that are
/// not finite, FileError for those that `dtype` cannot hold.
template <nn::Module M>
void save_weights(SafetensorsWriter& writer, M const& module, std::string const& prefix = "",
                  Dtype dtype = TensorTable<typename M::Backend>::exact) {
  TensorTable<typename M::Backend> table;
  add_weights(table, module);
  table.save(writer, prefix, dtype);
  nn::SettingList settings;
  settings.add(module);
  save_settings(writer, settings, prefix);
}

/// The same as a file of its own, written atomically. Also throws FileError.
template <nn::Module M>
void save_weights(std::filesystem::path const& path, M const& module,
                  Dtype dtype = TensorTable<typename M::Backend>::exact) {
  SafetensorsWriter writer;
  writer.metadata("format", "pt");
  save_weights(writer, module, "", dtype);
  writer.write(path);
}

/// Reads the weights whose names begin with `prefix`, of any floating type. Throws ConfigError naming every
/// setting that is not as it was when the file was saved, and FileError naming all that is missing, has
/// another shape or stands there besides, or the first value that is not finite or not held by B's scalar;
/// then no weight is changed.
template <nn::Module M>
void load_weights(SafetensorsFile const& file, M const& module, std::string const& prefix = "",
                  Besides const& besides = {}) {
  nn::SettingList settings;
  settings.add(module);
  require_same_settings(file, differing_settings(file, settings, prefix, besides));
  TensorTable<typename M::Backend> table;
  add_weights(table, module);
  table.load(file, table.locate(file, prefix, besides));
}
template <nn::Module M>
void load_weights(std::filesystem::path const& path, M const& module, std::string const& prefix = "",
                  Besides const& besides = {}) {
  load_weights(SafetensorsFile::read(path), module, prefix, besides);
}

/// Reads what fits by name and shape and says what does not, as strict=False in PyTorch. Throws FileError for
/// what fits and has no values that weights can have; then no weight is changed.
template <nn::Module M>
[[nodiscard]] WeightMisfits load_matching_weights(SafetensorsFile const& file, M const& module,
                                                  std::string const& prefix = "") {
  nn::SettingList settings;
  settings.add(module);
  TensorTable<typename M::Backend> table;
  add_weights(table, module);
  auto found = table.find(file, prefix);
  found.misfits.settings = differing_settings(file, settings, prefix);
  table.require_values(file, found);
  table.load(file, found);
  return std::move(found.misfits);
}
template <nn::Module M>
[[nodiscard]] WeightMisfits load_matching_weights(std::filesystem::path const& path, M const& module,
                                                  std::string const& prefix = "") {
  return load_matching_weights(SafetensorsFile::read(path), module, prefix);
}

}  // namespace diffsiam::io
