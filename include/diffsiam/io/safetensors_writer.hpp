// Writes safetensors files, atomically. As in the reference implementation, tensors are sorted by descending
// element size and then by name, and the header is padded with spaces to 8 bytes, so that every tensor is
// aligned.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/elements.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/safetensors_header.hpp>

namespace diffsiam::io {

/// Collects tensors (copied, in their stored type) and metadata, and writes them to one file.
class SafetensorsWriter {
 public:
  /// Adds a tensor. `values` are in row-major order and are converted to `dtype`; floats are rounded to
  /// nearest. Throws ShapeError unless there are as many values as `shape` says, FileError for a name that is
  /// not new, and for the first value that `dtype` cannot hold.
  template <ElementValue T>
  void add(std::string name, Dtype dtype, std::vector<std::int64_t> shape, std::span<T const> values) {
    std::string const shown = detail::shown_name(name);
    if (name == "__metadata__" || tensors_.contains(name))
      fail<FileError>("write_safetensors", "a new name for a tensor", shown, "names are given once");
    auto const bytes = detail::byte_count(shape, dtype);
    if (!bytes || *bytes * 8 != values.size() * dtype_bits(dtype))
      fail<ShapeError>("write_safetensors",
                       "as many values in " + shown + " as " + detail::shown_shape(shape) + " says",
                       values.size());
    Tensor tensor{.dtype = dtype, .shape = std::move(shape), .bytes = {}};
    tensor.bytes.resize(static_cast<std::size_t>(*bytes));
    encode_elements(dtype, values, std::span(tensor.bytes), "write_safetensors", shown);
    tensors_.emplace(std::move(name), std::move(tensor));
  }
  template <ElementValue T>
  void add(std::string name, Dtype dtype, std::vector<std::int64_t> shape, std::span<T> values) {
    add(std::move(name), dtype, std::move(shape), std::span<T const>(values));
  }
  template <ElementValue T>
  void add(std::string name, Dtype dtype, std::vector<std::int64_t> shape, std::vector<T> const& values) {
    add(std::move(name), dtype, std::move(shape), std::span<T const>(values));
  }

  /// Adds free text, such as a configuration as JSON. A new value of a key replaces the old one.
  void metadata(std::string key, std::string value) { metadata_[std::move(key)] = std::move(value); }

  /// The value of a key so far; null if there is none.
  [[nodiscard]] std::string const* find_metadata(std::string const& key) const {
    auto const found = metadata_.find(key);
    return found == metadata_.end() ? nullptr : &found->second;
  }

  /// Replaces `path` atomically. Throws FileError; the old file is unchanged then.
  void write(std::filesystem::path const& path) const {
    AtomicFile file(path);
    emit([&](std::span<std::byte const> bytes) { file.write(bytes); });
    file.commit();
  }

  /// The same bytes in memory.
  [[nodiscard]] std::vector<std::byte> encode() const {
    std::vector<std::byte> result;
    emit([&](std::span<std::byte const> bytes) { result.insert(result.end(), bytes.begin(), bytes.end()); });
    return result;
  }

 private:
  struct Tensor {
    Dtype dtype;
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;
  };

  template <class Write>
  void emit(Write write) const {
    std::vector<std::pair<std::string const*, Tensor const*>> order;
    order.reserve(tensors_.size());
    for (auto const& [name, tensor] : tensors_) order.emplace_back(&name, &tensor);
    std::sort(order.begin(), order.end(), [](auto const& a, auto const& b) {
      std::size_t const wide = dtype_bits(a.second->dtype);
      std::size_t const other = dtype_bits(b.second->dtype);
      return wide != other ? wide > other : *a.first < *b.first;
    });

    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    if (!metadata_.empty()) header["__metadata__"] = metadata_;
    std::uint64_t position = 0;
    for (auto const& [name, tensor] : order) {
      std::uint64_t const end = position + tensor->bytes.size();
      header[*name] = {
          {"dtype", dtype_name(tensor->dtype)}, {"shape", tensor->shape}, {"data_offsets", {position, end}}};
      position = end;
    }
    std::string text = dump(header);
    text.append((8 - text.size() % 8) % 8, ' ');
    std::uint64_t const size = text.size();
    if (size > safetensors_header_limit)
      fail<FileError>("write_safetensors",
                      "a header of at most " + std::to_string(safetensors_header_limit) + " bytes", size,
                      "less metadata or shorter names");
    write(std::as_bytes(std::span(&size, 1)));
    write(std::as_bytes(std::span(text)));
    for (auto const& [name, tensor] : order) write(std::span(tensor->bytes));
  }

  [[nodiscard]] static std::string dump(nlohmann::ordered_json const& header) {
    try {
      return header.dump();
    } catch (nlohmann::json::exception const& error) {
      fail<FileError>("write_safetensors", "names and metadata in UTF-8", error.what());
    }
  }

  std::map<std::string, Tensor, std::less<>> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace diffsiam::io
