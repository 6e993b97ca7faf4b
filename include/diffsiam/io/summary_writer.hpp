// SummaryWriter: writes scalars and pictures into event files, which `tensorboard --logdir` shows while the
// program runs.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/append_file.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/picture.hpp>
#include <diffsiam/io/png.hpp>
#include <diffsiam/io/tensorboard_event.hpp>

namespace diffsiam::io {

/// A number and the name of its curve in TensorBoard; "loss/diffusion" is in the group "loss".
struct Scalar {
  std::string tag;   ///< the name of the curve
  double value = 0;  ///< stored as float32; may be NaN or infinite
};

/// io::SummaryWriter writer{"runs/mine/tensorboard"};
/// writer.add_scalar("accuracy", 0.83, step);
/// writer.add_image("samples", io::grid(pictures, 10), step);
///
/// Each event is passed to the system before the call returns, so it survives the end of the process. The
/// first call creates the folder and a new file. A program that continues a run so adds a file, as
/// TensorBoard expects. A folder must have only one writer at a time.
class SummaryWriter {
 public:
  /// Writes nothing yet. `clock` returns the seconds since 1970; by default it is the clock of the system.
  explicit SummaryWriter(std::filesystem::path folder, std::function<double()> clock = system_clock)
      : folder_(std::move(folder)), clock_(std::move(clock)) {}

  /// Writes one number. Throws ConfigError for an empty tag, RangeError for a step of 2^63 or more, FileError
  /// if the file cannot be written.
  void add_scalar(std::string tag, double value, std::uint64_t step) {
    Scalar const scalar{std::move(tag), value};
    add_scalars({&scalar, 1}, step);
  }
  /// Writes several numbers of one step. Throws as add_scalar.
  void add_scalars(std::span<Scalar const> scalars, std::uint64_t step) {
    std::vector<std::string> values;
    for (Scalar const& scalar : scalars) {
      require_tag(scalar.tag);
      values.push_back(detail::scalar_value(scalar.tag, static_cast<float>(scalar.value)));
    }
    append(detail::summary_record(at(step), values));
  }
  /// Writes the picture as PNG. Throws as add_scalar and encode_png.
  void add_image(std::string_view tag, Picture const& picture, std::uint64_t step) {
    require_tag(tag);
    std::vector<std::byte> const png = encode_png(picture);
    std::string const value = detail::image_value(tag, picture.height, picture.width, picture.channels,
                                                  {reinterpret_cast<char const*>(png.data()), png.size()});
    append(detail::summary_record(at(step), std::span(&value, 1)));
  }
  /// Tells TensorBoard to ignore what earlier files of the folder have for `step` and later steps: a run that
  /// continues from a checkpoint repeats these steps. Throws as add_scalar.
  void purge_from(std::uint64_t step) { append(detail::restart_record(at(step))); }

  /// The file that is written; empty before the first event.
  [[nodiscard]] std::filesystem::path path() const { return file_ ? file_->path() : ""; }

 private:
  static constexpr std::string_view prefix = "events.out.tfevents.";

  [[nodiscard]] static double system_clock() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  static void require_tag(std::string_view tag) {
    if (tag.empty()) fail<ConfigError>("SummaryWriter", "a tag, the name of a curve or picture", "none");
  }
  [[nodiscard]] detail::EventTime at(std::uint64_t step) const {
    if (step >> 63U != 0) fail<RangeError>("SummaryWriter", "a step below 2^63", "one beyond");
    return {clock_(), step};
  }

  void append(std::string const& record) {
    if (!file_) file_ = begin_file();
    file_->append(record);
  }

  /// Creates a file whose name is behind those of all others: TensorBoard reads files in the order of their
  /// names and does not go back. So the second in the name is the present one or, if a file has that already,
  /// a later one.
  [[nodiscard]] AppendFile begin_file() const {
    create_folder(folder_);
    double const now = clock_();
    std::int64_t second = std::max(static_cast<std::int64_t>(std::clamp(now, 0.0, 9e9)), latest() + 1);
    std::string name(32, '\0');
    name.resize(static_cast<std::size_t>(
        std::snprintf(name.data(), name.size(), "%010lld", static_cast<long long>(second))));
    AppendFile file{
        folder_ / (std::string(prefix) + name + ".diffsiam"), O_EXCL, {"SummaryWriter", "record"}};
    file.append(detail::version_record(now));
    return file;
  }
  /// The greatest second in the names of the event files in the folder; -1 if there is none.
  [[nodiscard]] std::int64_t latest() const {
    constexpr std::int64_t most = 9'999'999'998;  // the next one has ten digits, too
    std::int64_t result = -1;
    std::error_code error;
    for (std::string const& name : names_in(folder_, error)) {
      std::int64_t second = 0;
      if (!name.starts_with(prefix)) continue;
      auto const found = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), second);
      if (found.ec == std::errc{} && second <= most) result = std::max(result, second);
    }
    if (error)
      fail<FileError>("SummaryWriter", {"to list the folder ", detail::quoted(folder_)}, error.message());
    return result;
  }

  std::filesystem::path folder_;
  std::function<double()> clock_;
  std::optional<AppendFile> file_;
};

}  // namespace diffsiam::io
