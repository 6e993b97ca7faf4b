// The header of a safetensors file. Nothing in it is believed that the file itself does not confirm. A file
// is
//   8 bytes n (little-endian)
//   n bytes of JSON {name: {dtype, shape, data_offsets: [begin, end]}, __metadata__}
//   data, which the tensors fill without gap or overlap.
// Format: huggingface.co/docs/safetensors. What the reference implementation accepts is accepted, and what it
// refuses is refused, except for duplicate names and space before the brace, which the format forbids and the
// reference implementation accepts; both are refused here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/dtype.hpp>
#include <diffsiam/io/json.hpp>
#include <diffsiam/io/stored_shape.hpp>

namespace diffsiam::io {

/// The most bytes of JSON in a header, as in the reference implementation.
inline constexpr std::uint64_t safetensors_header_limit = 100'000'000;

/// One tensor: its dtype, extents of any rank, and the place of its bytes in the data.
/// Its bytes are [`begin`, `end`) of the data; `dtype` is of each element.
struct SafetensorsEntry {
  Dtype dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin;
  std::uint64_t end;
};

/// The parsed header: tensors and metadata by name.
/// `tensors` and `metadata` are as the file has them.
struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry, std::less<>> tensors;
  std::map<std::string, std::string> metadata;
};

namespace detail {

/// Converts the JSON of one header to entries. Every error names the file and the tensor.
class SafetensorsHeaderParser {
 public:
  SafetensorsHeaderParser(std::string_view file, std::uint64_t data_size)
      : file_(file), data_size_(data_size) {}

  [[nodiscard]] SafetensorsHeader parse(std::string_view text) const {
    nlohmann::json const root = parse_json(text);
    SafetensorsHeader header;
    for (auto const& [name, value] : root.items()) {
      if (name == "__metadata__")
        header.metadata = metadata(value);
      else
        header.tensors.emplace(name, entry(name, value));
    }
    check_tiling(header);
    return header;
  }

 private:
  [[noreturn]] void complain(std::string_view expected, std::string_view actual) const {
    fail<FileError>("read_safetensors", std::string(expected) + " in " + shown_name(file_), actual);
  }
  [[noreturn]] void complain(std::string_view name, std::string_view expected,
                             std::string_view actual) const {
    fail<FileError>(
        "read_safetensors",
        "tensor " + shown_name(name) + " of " + shown_name(file_) + " to have " + std::string(expected),
        actual);
  }

  /// Parses without exceptions. Refuses what JSON itself allows: duplicate names and deep nesting.
  [[nodiscard]] nlohmann::json parse_json(std::string_view text) const {
    if (text.empty() || text.front() != '{') complain("a header that starts with '{'", "another byte");
    // The parser takes a NUL for the end and ignores what follows.
    if (std::size_t const nul = text.find('\0'); nul != std::string_view::npos)
      complain("a header of JSON", "a NUL at its byte " + std::to_string(nul));
    constexpr std::size_t deepest = 127;  // as in the reference implementation
    if (json_depth(text) > deepest) complain("a header of tensors", "JSON nested too deep");
    nlohmann::json root = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
    if (root.is_discarded() || !root.is_object()) complain("a header of JSON", "something else");
    if (auto const twice = name_given_twice(text)) complain("every name once", shown_name(*twice) + " twice");
    return root;
  }

  [[nodiscard]] std::map<std::string, std::string> metadata(nlohmann::json const& value) const {
    std::map<std::string, std::string> result;
    if (value.is_null()) return result;
    if (!value.is_object()) complain("__metadata__ to be an object", value.type_name());
    for (auto const& [key, text] : value.items()) {
      if (!text.is_string()) complain("metadata " + shown_name(key) + " to be a string", text.type_name());
      result.emplace(key, text.get<std::string>());
    }
    return result;
  }

  [[nodiscard]] nlohmann::json const& field(std::string_view name, nlohmann::json const& value,
                                            char const* key) const {
    auto const found = value.find(key);
    if (found == value.end()) complain(name, std::string("a ") + key, "none");
    return *found;
  }

  [[nodiscard]] SafetensorsEntry entry(std::string_view name, nlohmann::json const& value) const {
    if (!value.is_object()) complain(name, "an object that describes it", value.type_name());
    SafetensorsEntry result{};

    nlohmann::json const& dtype = field(name, value, "dtype");
    if (!dtype.is_string()) complain(name, "a dtype that is a string", dtype.type_name());
    std::optional<Dtype> const known = dtype_from_name(dtype.get_ref<std::string const&>());
    if (!known) complain(name, "a dtype of the format", shown_name(dtype.get_ref<std::string const&>()));
    result.dtype = *known;

    nlohmann::json const& shape = field(name, value, "shape");
    if (!shape.is_array()) complain(name, "a shape that is an array", shape.type_name());
    for (nlohmann::json const& extent : shape)
      result.shape.push_back(static_cast<std::int64_t>(whole(name, extent, "extents")));

    nlohmann::json const& offsets = field(name, value, "data_offsets");
    if (!offsets.is_array() || offsets.size() != 2)
      complain(name, "two data_offsets", shown_name(offsets.type_name()));
    result.begin = whole(name, offsets[0], "data_offsets");
    result.end = whole(name, offsets[1], "data_offsets");
    check_extent(name, result);
    return result;
  }

  /// An integer in [0, 2^63 - 1].
  [[nodiscard]] std::uint64_t whole(std::string_view name, nlohmann::json const& value,
                                    char const* what) const {
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      complain(name, std::string("whole and not negative ") + what,
               value.is_number() ? value.dump() : std::string(value.type_name()));
    return value.get<std::uint64_t>();
  }

  void check_extent(std::string_view name, SafetensorsEntry const& entry) const {
    std::string const offsets =
        "data_offsets [" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + "]";
    if (entry.begin > entry.end || entry.end > data_size_)
      complain(name, "its data within the " + std::to_string(data_size_) + " bytes there are", offsets);
    std::optional<std::uint64_t> const bytes = byte_count(entry.shape, entry.dtype);
    if (!bytes)
      complain(name, "a size below 2^61 bytes that are whole",
               std::string(dtype_name(entry.dtype)) + " " + shown_shape(entry.shape));
    if (*bytes != entry.end - entry.begin)
      complain(name,
               std::to_string(*bytes) + " bytes, " + std::string(dtype_name(entry.dtype)) + " " +
                   shown_shape(entry.shape),
               std::to_string(entry.end - entry.begin) + " by its " + offsets);
  }

  /// Sorted by offset, each tensor begins where the one before ends, and the last ends with the file.
  void check_tiling(SafetensorsHeader const& header) const {
    std::vector<std::pair<SafetensorsEntry const*, std::string_view>> order;
    order.reserve(header.tensors.size());
    for (auto const& [name, entry] : header.tensors) order.emplace_back(&entry, name);
    std::sort(order.begin(), order.end(), [](auto const& a, auto const& b) {
      return std::pair(a.first->begin, a.first->end) < std::pair(b.first->begin, b.first->end);
    });
    std::uint64_t position = 0;
    for (auto const& [entry, name] : order) {
      if (entry->begin != position)
        complain(name, "data from byte " + std::to_string(position) + " on, where the tensor before it ends",
                 std::to_string(entry->begin) + (entry->begin < position ? " (an overlap)" : " (a gap)"));
      position = entry->end;
    }
    if (position != data_size_)
      complain("tensors that fill the " + std::to_string(data_size_) + " bytes of data",
               std::to_string(position) + " bytes by the header");
  }

  std::string_view file_;
  std::uint64_t data_size_;
};

}  // namespace detail

namespace detail {

/// The kind of a file whose first 8 bytes declare an impossible header.
struct ForeignFile {
  std::string_view kind, hint;
};
[[nodiscard]] inline ForeignFile foreign_file(std::uint64_t first_8_bytes) {
  constexpr std::string_view convert =
      "convert it in Python: safetensors.torch.save_file(torch.load(path, weights_only=True), new_path), see "
      "docs/weights.md";
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &first_8_bytes, 8);
  if (bytes.starts_with("PK\3\4")) return {"a zip archive, as torch.save writes (.pth, .pt, .ckpt)", convert};
  if (bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5)
    return {"a pickle of Python, as torch.save once wrote (.pth, .pt, .ckpt, .bin)", convert};
  if (bytes == "version ")
    return {"a text, perhaps a pointer of Git LFS", "git lfs pull brings the file itself"};
  return {"", "truncated, or not a safetensors file?"};
}

}  // namespace detail

/// The size of the JSON that the first 8 bytes of a file of `file_size` bytes declare. Throws FileError if
/// the file is too small for it, or if it is more than 100 MB.
[[nodiscard]] inline std::uint64_t safetensors_header_size(std::uint64_t promised, std::uint64_t file_size,
                                                           std::string_view file) {
  std::uint64_t const room = file_size - 8;
  if (promised <= safetensors_header_limit && promised <= room) return promised;
  detail::ForeignFile const foreign = detail::foreign_file(promised);
  if (!foreign.kind.empty())
    fail<FileError>("read_safetensors", detail::shown_name(file) + " to be a safetensors file", foreign.kind,
                    foreign.hint);
  fail<FileError>("read_safetensors",
                  "a header of at most " + std::to_string(std::min(room, safetensors_header_limit)) +
                      " bytes in " + detail::shown_name(file),
                  std::to_string(promised) + " bytes by its first 8 bytes", foreign.hint);
}

/// Parses and checks the JSON of a header; its data has `data_size` bytes. Throws FileError.
[[nodiscard]] inline SafetensorsHeader parse_safetensors_header(std::string_view text,
                                                                std::uint64_t data_size,
                                                                std::string_view file) {
  return detail::SafetensorsHeaderParser(file, data_size).parse(text);
}

}  // namespace diffsiam::io
