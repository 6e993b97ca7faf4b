// PublishedShapes: the shapes of one network in a file of published weights, below the prefix that wrappers
// and training programs put before its names ("model.", "ema_model.", "module.", "denoise_fn." ...).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/io/fields.hpp>
#include <diffsiam/io/safetensors_reader.hpp>
#include <diffsiam/io/weight_misfits.hpp>

namespace diffsiam::io {

/// Names without their prefix lead to the shapes below it. The file must outlive it.
class PublishedShapes {
 public:
  /// `landmarks` are names that only such a network has. Throws FileError where no prefix, or more than one,
  /// has them all. Of several, one with "ema" is taken: averaged weights are the better ones.
  PublishedShapes(SafetensorsFile const& file, std::string_view operation,
                  std::vector<std::string> const& landmarks, std::optional<std::string> const& prefix)
      : file_(file), operation_(operation) {
    std::vector<std::string> found, averaged;
    for (std::string const& name : file.names()) {
      if (!name.ends_with(landmarks.front())) continue;
      std::string const before = name.substr(0, name.size() - landmarks.front().size());
      if (!before.empty() && !before.ends_with('.')) continue;
      bool const all = std::all_of(landmarks.begin(), landmarks.end(), [&](std::string const& landmark) {
        return file.contains(before + landmark);
      });
      if (!all || (prefix && *prefix != before)) continue;
      found.push_back(before);
      if (("." + before).find(".ema") != std::string::npos) averaged.push_back(before);
    }
    if (found.size() > 1 && averaged.size() == 1) found = averaged;
    if (found.size() != 1) {
      std::vector<std::string> shown;
      for (std::string const& one : found) shown.push_back(detail::shown_name(one));
      fail<FileError>(operation,
                      {"the weights of one network in ", detail::shown_name(file.path()), ", with a tensor ",
                       detail::shown_name((prefix ? *prefix : "") + landmarks.front())},
                      found.empty() ? "none" : "networks below the prefixes " + detail::listed(shown),
                      found.empty() ? "" : "say which one with `prefix`");
    }
    prefix_ = found.front();
  }

  [[nodiscard]] std::string const& prefix() const& { return prefix_; }
  [[nodiscard]] std::string prefix() const&& { return prefix_; }
  /// Whether the file has this name below the prefix.
  [[nodiscard]] bool contains(std::string const& name) const { return file_.contains(prefix_ + name); }

  /// Throws FileError unless the tensor is there and has this rank, and extents of 1 or more that sizes may
  /// have.
  [[nodiscard]] std::vector<std::int64_t> shape(std::string const& name, std::size_t rank) const {
    if (!contains(name)) refuse({"a tensor ", detail::shown_name(prefix_ + name)}, "none");
    std::vector<std::int64_t> result = file_.shape(prefix_ + name);
    bool const fits = result.size() == rank && std::all_of(result.begin(), result.end(), [](auto extent) {
                        return extent >= 1 && extent <= most_whole_number;
                      });
    if (!fits)
      refuse({detail::shown_name(prefix_ + name), " of rank ", rank, " and positive extents"},
             detail::shown_shape(result));
    return result;
  }

  /// Throws FileError about this network.
  [[noreturn]] void refuse(Text const& expected, Text const& actual, Text const& hint = no_hint) const {
    fail<FileError>(operation_, {expected, " in ", detail::shown_name(file_.path())}, actual, hint);
  }

 private:
  SafetensorsFile const& file_;
  std::string_view operation_;
  std::string prefix_;
};

}  // namespace diffsiam::io
