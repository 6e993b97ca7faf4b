// The header of numpy's .npy: a dict as Python writes it, {'descr': '<f4', 'fortran_order': False, 'shape':
// (3, 4), }. Read strictly: these three names once each, in any order, and no other value than numpy itself
// writes there. Format: numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1.0 to 3.0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/dtype.hpp>
#include <diffsiam/io/stored_shape.hpp>

namespace diffsiam::io {

/// What a .npy file says of its array.
struct NpyHeader {
  Dtype dtype = Dtype::U8;     ///< of the elements
  bool big_endian = false;     ///< the order of the bytes in each element
  bool fortran_order = false;  ///< the first axis moves fastest
  std::vector<std::int64_t> shape{};
};

namespace detail {

/// numpy's names of the dtypes that are read, without the byte order.
inline constexpr std::array<std::pair<std::string_view, Dtype>, 12> npy_dtypes{{{"b1", Dtype::BOOL},
                                                                                {"u1", Dtype::U8},
                                                                                {"u2", Dtype::U16},
                                                                                {"u4", Dtype::U32},
                                                                                {"u8", Dtype::U64},
                                                                                {"i1", Dtype::I8},
                                                                                {"i2", Dtype::I16},
                                                                                {"i4", Dtype::I32},
                                                                                {"i8", Dtype::I64},
                                                                                {"f2", Dtype::F16},
                                                                                {"f4", Dtype::F32},
                                                                                {"f8", Dtype::F64}}};

/// Arrays of numpy 1 have at most 32 axes, those of numpy 2 at most 64.
inline constexpr std::size_t npy_most_axes = 64;

/// Reads the dict once, from the left; every complaint names the file.
class NpyHeaderParser {
 public:
  NpyHeaderParser(std::string_view text, std::string_view file) : rest_(text), file_(file) {}

  [[nodiscard]] NpyHeader parse() {
    NpyHeader header;
    std::array<bool, 3> seen{};
    take('{', "a dict of Python");
    while (!found('}')) {
      std::string_view const name = string();
      take(':', "a colon behind each name");
      std::size_t const key = name == "descr" ? 0 : name == "fortran_order" ? 1 : name == "shape" ? 2 : 3;
      if (key == 3) complain("the names descr, fortran_order and shape", shown_name(name));
      if (std::exchange(seen[key], true)) complain("every name once", shown_name(name) + " twice");
      if (key == 0) read_dtype(header);
      if (key == 1) header.fortran_order = truth();
      if (key == 2) header.shape = shape();
      if (!found(',')) {
        take('}', "a comma or the end of the dict behind each value");
        break;
      }
    }
    skip_spaces();
    if (!rest_.empty()) complain("nothing but spaces behind the dict", shown_rest());
    if (!seen[0] || !seen[1] || !seen[2])
      complain("the names descr, fortran_order and shape", "a header that lacks one");
    return header;
  }

 private:
  [[noreturn]] void complain(std::string_view expected, std::string_view actual,
                             std::string_view hint = "") const {
    fail<FileError>("read_npy", {expected, " in the header of ", file_}, actual, hint);
  }
  [[nodiscard]] std::string shown_rest() const {
    return rest_.empty() ? "its end" : shown_name(rest_.substr(0, 20));
  }

  void skip_spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
  }
  /// Whether `c` comes next; then it is behind us.
  [[nodiscard]] bool found(char c) {
    skip_spaces();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void take(char c, std::string_view expected) {
    if (!found(c)) complain(expected, shown_rest());
  }
  [[nodiscard]] bool found_word(std::string_view word) {
    skip_spaces();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  [[nodiscard]] std::string_view string() {
    skip_spaces();
    char const quote = rest_.empty() ? '\0' : rest_.front();
    if (quote != '\'' && quote != '"') complain("a string", shown_rest());
    std::size_t const end = rest_.find(quote, 1);
    if (end == std::string_view::npos) complain("a string that ends", shown_rest());
    std::string_view const inside = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return inside;
  }

  [[nodiscard]] bool truth() {
    if (found_word("True")) return true;
    if (!found_word("False")) complain("fortran_order to be True or False", shown_rest());
    return false;
  }

  void read_dtype(NpyHeader& header) {
    skip_spaces();
    if (rest_.starts_with('['))
      complain("a dtype of numbers", "records, a structured dtype", "save each field as an array of its own");
    std::string_view const descr = string();
    char const order = descr.empty() ? '\0' : descr.front();
    std::string_view const code = descr.substr(descr.empty() ? 0 : 1);
    if (code.starts_with('O'))
      complain("a dtype of numbers", "Python objects, pickled (" + shown_name(descr) + ")",
               "a pickle can run any program when it is read: save numbers or strings of a fixed length");
    for (auto const& [name, dtype] : npy_dtypes) {
      if (name != code) continue;
      // A single byte has no order.
      if (order != '<' && order != '>' && !(order == '|' && dtype_bits(dtype) == 8)) break;
      header.dtype = dtype;
      header.big_endian = order == '>' && dtype_bits(dtype) > 8;
      return;
    }
    complain("a dtype of numbers, b1, u1 to u8, i1 to i8 or f2 to f8 behind its byte order",
             shown_name(descr));
  }

  [[nodiscard]] std::vector<std::int64_t> shape() {
    take('(', "a shape in parentheses");
    std::vector<std::int64_t> extents;
    bool comma = true;
    while (!found(')')) {
      if (!comma) complain("a comma between extents", shown_rest());
      if (extents.size() == npy_most_axes) complain("at most 64 axes", "more");
      extents.push_back(extent());
      comma = found(',');
    }
    if (extents.size() == 1 && !comma) complain("a comma behind the only extent", "none");
    return extents;
  }

  [[nodiscard]] std::int64_t extent() {
    skip_spaces();
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits)
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, rest_[digits] - '0', &value))
        complain("extents below 2^63", shown_rest());
    if (digits == 0) complain("whole and not negative extents", shown_rest());
    rest_.remove_prefix(digits);
    if (rest_.starts_with('L')) rest_.remove_prefix(1);  // a long of Python 2
    return value;
  }

  std::string_view rest_;
  std::string_view file_;
};

}  // namespace detail

/// Parses the text of a header, without what stands before it; `file` stands in errors as it is. Throws
/// FileError, by name for records and for Python objects, which only Python can read.
[[nodiscard]] inline NpyHeader parse_npy_header(std::string_view text, std::string_view file) {
  return detail::NpyHeaderParser(text, file).parse();
}

}  // namespace diffsiam::io
