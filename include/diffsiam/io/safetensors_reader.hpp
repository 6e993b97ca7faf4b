// Reads safetensors files. The header is checked against the size of the file before memory for the data is
// allocated.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/elements.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/mapped_file.hpp>
#include <diffsiam/io/safetensors_header.hpp>

namespace diffsiam::io {

/// The tensors and metadata of one file, in memory. Every error is a FileError that names file and tensor.
class SafetensorsFile {
 public:
  /// Reads a whole file. Throws FileError if it is missing, truncated or padded, or if its header is wrong.
  [[nodiscard]] static SafetensorsFile read(std::filesystem::path const& path) {
    InputFile file(path, "read_safetensors");
    SafetensorsFile result(path.string());
    result.load(file.size(), [&](std::span<std::byte> bytes) { file.read(bytes); });
    return result;
  }

  /// The same without reading the tensors. They are read from the disk when they are used, so a file may be
  /// larger than memory (see MappedFile).
  [[nodiscard]] static SafetensorsFile map(std::filesystem::path const& path) {
    auto const file = std::make_shared<MappedFile const>(path);
    SafetensorsFile result(path.string());
    std::span<std::byte const> const bytes = file->bytes();
    std::uint64_t promised = 0;
    result.require_size(bytes.size());
    std::memcpy(&promised, bytes.data(), sizeof promised);
    auto const header =
        static_cast<std::size_t>(safetensors_header_size(promised, bytes.size(), result.path_));
    std::string_view const text{reinterpret_cast<char const*>(bytes.data()) + sizeof promised, header};
    result.data_ = bytes.subspan(sizeof promised + header);
    result.header_ = parse_safetensors_header(text, result.data_.size(), result.path_);
    result.owner_ = file;
    return result;
  }

  /// The same from memory; errors show `name` instead of a path.
  [[nodiscard]] static SafetensorsFile parse(std::span<std::byte const> content, std::string name) {
    SafetensorsFile result(std::move(name));
    std::size_t position = 0;
    result.load(content.size(), [&](std::span<std::byte> bytes) {
      if (!bytes.empty()) std::memcpy(bytes.data(), content.data() + position, bytes.size());
      position += bytes.size();
    });
    return result;
  }

  /// Leaves of a tensor its first `rows` along the first axis. Throws FileError unless it has so many.
  void keep_first_rows(std::string_view name, std::int64_t rows) {
    SafetensorsEntry changed = entry(name);
    if (changed.shape.empty() || rows < 1 || rows > changed.shape[0])
      fail<FileError>("keep_first_rows", std::to_string(rows) + " rows in " + detail::shown_name(name),
                      detail::shown_shape(changed.shape));
    changed.shape[0] = rows;
    auto const bytes = detail::byte_count(changed.shape, changed.dtype);
    if (!bytes)  // packed elements of less than a byte
      fail<FileError>("keep_first_rows", "rows of whole bytes in " + detail::shown_name(name),
                      dtype_name(changed.dtype));
    changed.end = changed.begin + *bytes;
    header_.tensors.find(name)->second = std::move(changed);
  }

  /// The names of all tensors, sorted.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    result.reserve(header_.tensors.size());
    for (auto const& [name, entry] : header_.tensors) result.push_back(name);
    return result;
  }
  /// Whether there is a tensor of this name.
  [[nodiscard]] bool contains(std::string_view name) const { return header_.tensors.contains(name); }
  /// Of the stored elements. Throws FileError where there is no such tensor.
  [[nodiscard]] Dtype dtype(std::string_view name) const { return entry(name).dtype; }
  /// Extents, of any rank; empty for a scalar.
  [[nodiscard]] std::vector<std::int64_t> const& shape(std::string_view name) const& {
    return entry(name).shape;
  }
  [[nodiscard]] std::vector<std::int64_t> shape(std::string_view name) const&& { return entry(name).shape; }
  [[nodiscard]] std::map<std::string, std::string> const& metadata() const& { return header_.metadata; }
  [[nodiscard]] std::map<std::string, std::string> metadata() const&& { return header_.metadata; }
  [[nodiscard]] std::string const& path() const& { return path_; }
  [[nodiscard]] std::string path() const&& { return path_; }

  /// The stored bytes of a tensor, little-endian, in row-major order.
  [[nodiscard]] std::span<std::byte const> bytes(std::string_view name) const& {
    SafetensorsEntry const& found = entry(name);
    return data_.subspan(static_cast<std::size_t>(found.begin),
                         static_cast<std::size_t>(found.end - found.begin));
  }
  void bytes(std::string_view name) const&& = delete;
  /// Holds the bytes of all tensors: as long as it is kept, they may be used after the end of this object.
  [[nodiscard]] std::shared_ptr<void const> owner() const { return owner_; }
  /// Number of elements.
  [[nodiscard]] std::size_t size(std::string_view name) const {
    SafetensorsEntry const& found = entry(name);
    return static_cast<std::size_t>(found.end - found.begin) * 8 / dtype_bits(found.dtype);
  }

  /// All elements in row-major order, converted. Throws FileError for an opaque dtype, and for the first
  /// number that T cannot hold.
  template <ElementValue T>
  [[nodiscard]] std::vector<T> values(std::string_view name) const {
    std::vector<T> result(size(name));
    copy_to(name, std::span<T>(result));
    return result;
  }

  /// Writes values() to `out`, which must have the right size.
  template <ElementValue T>
  void copy_to(std::string_view name, std::span<T> out) const {
    if (out.size() != size(name))
      fail<FileError>("read_safetensors",
                      detail::shown_name(name) + " of " + detail::shown_name(path_) + " to have " +
                          std::to_string(out.size()) + " elements",
                      std::to_string(size(name)) + " in " + detail::shown_shape(shape(name)));
    decode_elements(dtype(name), bytes(name), out, "read_safetensors",
                    detail::shown_name(name) + " of " + detail::shown_name(path_));
  }

  /// Throws FileError if the tensor is missing or has another rank or other extents.
  void expect_shape(std::string_view name, std::span<std::int64_t const> expected) const {
    std::vector<std::int64_t> const& actual = shape(name);
    if (!std::equal(actual.begin(), actual.end(), expected.begin(), expected.end()))
      fail<FileError>("read_safetensors",
                      detail::shown_name(name) + " of " + detail::shown_name(path_) + " to have shape " +
                          detail::shown_shape(expected),
                      detail::shown_shape(actual));
  }

 private:
  explicit SafetensorsFile(std::string path) : path_(std::move(path)) {}

  template <class Read>
  void load(std::uint64_t file_size, Read read) {
    std::uint64_t promised = 0;
    require_size(file_size);
    read(std::as_writable_bytes(std::span(&promised, 1)));
    std::string text(static_cast<std::size_t>(safetensors_header_size(promised, file_size, path_)), '\0');
    read(std::as_writable_bytes(std::span(text)));
    std::uint64_t const data_size = file_size - sizeof promised - text.size();
    header_ = parse_safetensors_header(text, data_size, path_);
    auto const data = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(data_size));
    read(std::span(*data));
    data_ = *data;
    owner_ = data;
  }
  void require_size(std::uint64_t file_size) const {
    if (file_size < 8)
      fail<FileError>("read_safetensors", "at least 8 bytes in " + detail::shown_name(path_), file_size);
  }

  [[nodiscard]] SafetensorsEntry const& entry(std::string_view name) const {
    auto const found = header_.tensors.find(name);
    if (found == header_.tensors.end())
      fail<FileError>("read_safetensors",
                      "a tensor " + detail::shown_name(name) + " in " + detail::shown_name(path_),
                      "a file of " + std::to_string(header_.tensors.size()) + " tensors without it");
    return found->second;
  }
  std::string path_;
  SafetensorsHeader header_;
  std::span<std::byte const> data_;
  std::shared_ptr<void const> owner_;
};

}  // namespace diffsiam::io
