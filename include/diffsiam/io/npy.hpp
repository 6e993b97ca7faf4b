// One array of numbers in a file, as numpy's np.save writes it and np.load reads it:
//   "\x93NUMPY" | version, 2 bytes | size of the header, 2 or 4 bytes (little-endian) | header | elements.
// Pickles, which np.load runs for arrays of objects, are refused.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/elements.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/npy_header.hpp>
#include <diffsiam/io/stored_shape.hpp>

namespace diffsiam::io {

/// An array as it is had from a file, whatever order its bytes had there.
struct NpyArray {
  Dtype dtype = Dtype::U8;            ///< of the elements
  std::vector<std::int64_t> shape{};  ///< of any rank; empty for a single number
  std::vector<std::byte> bytes{};     ///< little-endian, row-major: the last axis moves fastest

  /// Number of elements.
  [[nodiscard]] std::size_t size() const { return bytes.size() * 8 / dtype_bits(dtype); }
  /// All elements in row-major order, converted. Throws FileError naming the first that T cannot hold.
  template <ElementValue T>
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> result(size());
    decode_elements(dtype, bytes, std::span<T>(result), "NpyArray::values", "an array");
    return result;
  }
};

namespace detail {

inline constexpr std::string_view npy_magic = "\x93NUMPY";
inline constexpr std::uint64_t npy_header_limit = 1 << 16;

/// Turns every element around.
inline void swap_bytes(std::span<std::byte> bytes, std::size_t element) {
  for (std::size_t at = 0; at + element <= bytes.size(); at += element) {
    std::span const one = bytes.subspan(at, element);
    std::reverse(one.begin(), one.end());
  }
}

/// The same array with its last axis moving fastest, in place of its first.
[[nodiscard]] inline std::vector<std::byte> row_major(std::span<std::byte const> bytes, std::size_t element,
                                                      std::span<std::int64_t const> shape) {
  std::vector<std::byte> result(bytes.size());
  if (bytes.empty()) return result;
  std::vector<std::size_t> index(shape.size()), stride(shape.size());
  std::size_t step = element;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    stride[axis] = step;
    step *= static_cast<std::size_t>(shape[axis]);
  }
  std::size_t from = 0;
  for (std::size_t to = 0; to < result.size(); to += element) {
    std::memcpy(result.data() + to, bytes.data() + from, element);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += stride[axis];
      if (++index[axis] < static_cast<std::size_t>(shape[axis])) break;
      from -= stride[axis] * std::exchange(index[axis], 0);
    }
  }
  return result;
}

/// What a file is that does not begin like .npy.
[[nodiscard]] inline std::string_view foreign_array(std::string_view first_bytes) {
  if (first_bytes.starts_with("PK\3\4")) return "a zip archive, as np.savez writes; read_npz reads it";
  if (first_bytes.starts_with('\x80')) return "a pickle of Python, which is not read";
  if (first_bytes.starts_with("\x89HDF")) return "an HDF5 file, which is not read";
  return "other bytes";
}

/// Reads an array of `size` bytes in all; read(span) fills a span with the bytes that come next. The header
/// is checked against `size` before anything is allocated for elements. `file` stands in errors as it is.
template <class Read>
[[nodiscard]] NpyArray read_npy_stream(std::uint64_t size, std::string_view file, Read read) {
  constexpr std::string_view operation = "read_npy";
  std::array<char, 8> start{};  // magic and version
  if (size < start.size() + 2) fail<FileError>(operation, {"at least 10 bytes in ", file}, size);
  read(std::as_writable_bytes(std::span(start)));
  std::string_view const first_bytes{start.data(), start.size()};
  if (!first_bytes.starts_with(npy_magic))
    fail<FileError>(operation, {file, " to begin as a .npy of numpy"}, foreign_array(first_bytes));
  int const major = static_cast<unsigned char>(start[6]), minor = static_cast<unsigned char>(start[7]);
  if (major < 1 || major > 3 || minor != 0)
    fail<FileError>(operation, {"version 1.0, 2.0 or 3.0 of the format in ", file}, {major, ".", minor});

  std::uint32_t header_size = 0;
  std::size_t const size_bytes = major == 1 ? 2 : 4;
  std::uint64_t const before_header = start.size() + size_bytes;
  if (size < before_header) fail<FileError>(operation, {"at least 12 bytes in ", file}, size);
  read(std::as_writable_bytes(std::span(&header_size, 1)).first(size_bytes));
  std::uint64_t const room = std::min(size - before_header, npy_header_limit);
  if (header_size > room)
    fail<FileError>(operation, {"a header of at most ", room, " bytes in ", file},
                    {header_size, " bytes by its first bytes"}, "truncated?");
  std::string text(header_size, '\0');
  read(std::as_writable_bytes(std::span(text)));
  NpyHeader header = parse_npy_header(text, file);

  std::uint64_t const present = size - before_header - header_size;
  auto const wanted = byte_count(header.shape, header.dtype);
  if (!wanted || *wanted != present)
    fail<FileError>(operation,
                    {"as many bytes in ", file, " as ", dtype_name(header.dtype), " ",
                     shown_shape(header.shape), " needs"},
                    {present, " behind the header"},
                    wanted && *wanted < present ? "padded, or several arrays in one file?" : "truncated?");
  NpyArray array{.dtype = header.dtype, .shape = std::move(header.shape), .bytes = {}};
  array.bytes.resize(static_cast<std::size_t>(present));
  read(std::span(array.bytes));
  std::size_t const element = dtype_bits(array.dtype) / 8;
  if (header.big_endian) swap_bytes(array.bytes, element);
  if (header.fortran_order && array.shape.size() > 1)
    array.bytes = row_major(array.bytes, element, array.shape);
  return array;
}

}  // namespace detail

/// The array of a .npy file of version 1.0 to 3.0: bool, integers and floats of 16 to 64 bits, in any byte
/// order. An array in Fortran order is put in row-major order, so that its elements are where its shape says.
/// Throws FileError for a file that is missing, truncated, padded, of another kind, or of Python objects.
[[nodiscard]] inline NpyArray read_npy(std::filesystem::path const& path) {
  InputFile file(path, "read_npy");
  return detail::read_npy_stream(file.size(), detail::quoted(path),
                                 [&](std::span<std::byte> bytes) { file.read(bytes); });
}

/// The same from memory; `name` stands for the path in errors.
[[nodiscard]] inline NpyArray parse_npy(std::span<std::byte const> content, std::string_view name) {
  std::size_t position = 0;
  return detail::read_npy_stream(content.size(), detail::shown_name(name), [&](std::span<std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(bytes.data(), content.data() + position, bytes.size());
    position += bytes.size();
  });
}

/// Writes `values` in row-major order, as many as `shape` says, in their own type, for np.load. Replaces
/// `path` atomically. Throws ShapeError when shape and values do not fit together or there are more than 32
/// axes, which numpy 1 does not read; FileError as AtomicFile does.
template <ElementValue T>
void write_npy(std::filesystem::path const& path, std::vector<std::int64_t> const& shape,
               std::span<T const> values) {
  constexpr Dtype dtype = detail::dtype_of<T>();
  auto const bytes = detail::byte_count(shape, dtype);
  if (!bytes || *bytes != values.size_bytes() || shape.size() > 32)
    fail<ShapeError>("write_npy",
                     {"as many values as ", detail::shown_shape(shape), " says, of at most 32 axes"},
                     values.size());
  std::string header = "{'descr': '";
  for (auto const& [name, known] : detail::npy_dtypes)
    if (known == dtype) header.append(dtype_bits(dtype) == 8 ? "|" : "<").append(name);
  header += "', 'fortran_order': False, 'shape': (";
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    header += (axis == 0 ? "" : " ") + std::to_string(shape[axis]) + ",";
  if (shape.size() > 1) header.pop_back();  // a comma stands behind the only extent
  header += "), }";
  constexpr std::size_t before_header = 10, alignment = 64;
  while ((before_header + header.size() + 1) % alignment != 0) header += ' ';
  header += '\n';

  AtomicFile file(path);
  file.write(detail::npy_magic);
  std::array<char, 4> const version_and_size{1, 0, static_cast<char>(header.size() & 255),
                                             static_cast<char>(header.size() >> 8)};
  file.write(std::string_view{version_and_size.data(), version_and_size.size()});
  file.write(header);
  file.write(std::as_bytes(values));
  file.commit();
}
template <ElementValue T>
void write_npy(std::filesystem::path const& path, std::vector<std::int64_t> const& shape,
               std::span<T> values) {
  write_npy(path, shape, std::span<T const>(values));
}
template <ElementValue T>
void write_npy(std::filesystem::path const& path, std::vector<std::int64_t> const& shape,
               std::vector<T> const& values) {
  write_npy(path, shape, std::span<T const>(values));
}

}  // namespace diffsiam::io
