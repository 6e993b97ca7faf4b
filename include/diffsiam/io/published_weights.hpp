// Weights of a module under their published names, in PyTorch's layouts.
#pragma once

#include <filesystem>
#include <string>

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

/// Puts the weights into a file that is being written. Throws NumericError for weights that are not finite.
template <nn::Module M>
void save_weights(SafetensorsWriter& writer, M const& module, std::string const& prefix = "",
                  Dtype dtype = TensorTable<typename M::Backend>::exact) {
  TensorTable<typename M::Backend> table;
  add_weights(table, module);
  table.save(writer, prefix, dtype);
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

/// Reads the weights whose names begin with `prefix`, of any floating type. Throws FileError when one is
/// missing, has another shape, or stands there besides; then no weight is changed.
template <nn::Module M>
void load_weights(SafetensorsFile const& file, M const& module, std::string const& prefix = "",
                  Besides const& besides = {}) {
  TensorTable<typename M::Backend> table;
  add_weights(table, module);
  table.load(file, table.locate(file, prefix, besides));
}
template <nn::Module M>
void load_weights(std::filesystem::path const& path, M const& module, std::string const& prefix = "",
                  Besides const& besides = {}) {
  load_weights(SafetensorsFile::read(path), module, prefix, besides);
}

}  // namespace diffsiam::io
