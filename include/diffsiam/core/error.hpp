// The one family of exceptions. Every message names the operation, what was expected, what came, and a hint.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <diffsiam/config.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam {

/// Root of the family: catch this to catch everything the library throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes that do not fit together, or a value of the wrong rank.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A configuration that cannot be built: groups, widths, betas, partitions, step counts.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// An argument outside its range, such as a time-step beyond the schedule.
class RangeError : public Error {
 public:
  using Error::Error;
};

/// A file that is missing, truncated, too large, or cannot be written, or whose contents contradict its
/// header.
class FileError : public Error {
 public:
  using Error::Error;
};

/// A loss or gradient that is NaN or infinite.
class NumericError : public Error {
 public:
  using Error::Error;
};

/// A GPU that is missing, too old, out of memory, or that failed.
class DeviceError : public Error {
 public:
  using Error::Error;
};

/// Work that was stopped on request (Ctrl-C); the progress so far has been saved.
class Interrupted : public Error {
 public:
  using Error::Error;
};

/// The hint of errors that have none; one object for all of them.
inline constexpr Text no_hint = "";

/// The sentence of every error: "conv2d: expected ..., got ...; hint".
[[nodiscard]] DIFFSIAM_OUT_OF_LINE inline std::string describe(std::string_view operation,
                                                               Text const& expected, Text const& actual,
                                                               Text const& hint = no_hint) {
  std::string message{operation};
  message.append(": expected ").append(text(expected)).append(", got ").append(text(actual));
  if (std::string const more = text(hint); !more.empty()) message.append("; ").append(more);
  return message;
}

/// Throws E with this sentence.
template <class E>
[[noreturn]] DIFFSIAM_OUT_OF_LINE void fail(std::string_view operation, Text const& expected,
                                            Text const& actual, Text const& hint = no_hint) {
  throw E(describe(operation, expected, actual, hint));
}

}  // namespace diffsiam
