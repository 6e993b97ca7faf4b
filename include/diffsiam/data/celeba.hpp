// CelebA (Liu, Luo, Wang and Tang, ICCV 2015): 202,599 aligned photographs of faces, 178 x 218, with 40
// binary attributes:
//     img_align_celeba/000001.jpg ...      list_attr_celeba.txt      list_eval_partition.txt
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/data/fit.hpp>
#include <diffsiam/data/picture_files.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/stored_shape.hpp>

namespace diffsiam::data {

/// The parts of list_eval_partition.txt.
enum class CelebaPart { train, validation, test };

/// What the lists of a folder say. Pictures are read by PictureFolder{celeba.files, celeba_fit(64)}.
struct Celeba {
  PictureFiles files;                        ///< in the order of the list of attributes; without labels
  std::vector<std::string> attribute_names;  ///< 40 in the published file
  std::vector<int> attributes;               ///< 1 where picture i has attribute a, else 0: (n, attributes)
  std::vector<CelebaPart> parts;             ///< of each picture; empty where the folder has no partition

  /// The number of pictures.
  [[nodiscard]] Index size() const { return static_cast<Index>(files.paths.size()); }
  /// Where the pictures of a part are, for Dataset::subset. Throws ConfigError without a partition.
  [[nodiscard]] std::vector<Index> positions(CelebaPart part) const {
    if (parts.empty()) fail<ConfigError>("Celeba::positions", "a folder with list_eval_partition", "none");
    std::vector<Index> result;
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (parts[i] == part) result.push_back(static_cast<Index>(i));
    return result;
  }
  /// The attributes of some pictures, (positions, attributes). Throws RangeError for a position outside.
  [[nodiscard]] std::vector<int> attributes_of(std::span<Index const> positions) const {
    auto const width = static_cast<std::ptrdiff_t>(attribute_names.size());
    std::vector<int> result;
    result.reserve(positions.size() * attribute_names.size());
    for (Index const i : positions) {
      if (i < 0 || i >= size())
        fail<RangeError>("Celeba::attributes_of", {"positions in [0, ", size(), ")"}, i);
      result.insert(result.end(), attributes.begin() + i * width, attributes.begin() + (i + 1) * width);
    }
    return result;
  }
};

/// The published protocol: 128 x 128 pixels of the face, 57 from the top and 25 from the left, resized to
/// `side` x `side`.
[[nodiscard]] inline FitConfig celeba_fit(int side) {
  return {.height = side, .width = side, .box = CropBox{.top = 57, .left = 25, .height = 128, .width = 128}};
}

namespace detail {

/// A list as text or, as mirrors have it, as comma-separated values.
class CelebaList {
 public:
  /// Throws FileError where neither stands in the folder and the list is `needed`.
  CelebaList(std::filesystem::path const& folder, std::string const& name, bool needed) {
    for (char const* const ending : {".txt", ".csv"})
      if (path_.empty() && io::file_exists(folder / (name + ending))) path_ = folder / (name + ending);
    if (path_.empty() && needed)
      fail<FileError>("load_celeba", {io::detail::quoted(folder / (name + ".txt")), " or ", name, ".csv"},
                      io::detail::nothing_there);
    if (path_.empty()) return;
    content_ = io::read_file(path_);
    lines_ = lines_of({reinterpret_cast<char const*>(content_.data()), content_.size()});
  }

  [[nodiscard]] bool exists() const { return !path_.empty(); }
  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  [[nodiscard]] std::string shown() const { return io::detail::quoted(path_); }
  [[nodiscard]] bool comma_separated() const {
    return !lines_.empty() && lines_[0].find(',') != lines_[0].npos;
  }
  /// What commas or spaces separate in a line.
  [[nodiscard]] std::vector<std::string> fields(std::size_t line) const {
    if (comma_separated()) return csv_fields(lines_[line]);
    std::vector<std::string> result;
    std::string_view rest = lines_[line];
    for (std::size_t begin = rest.find_first_not_of(' '); begin != rest.npos;
         begin = rest.find_first_not_of(' ')) {
      rest.remove_prefix(begin);
      std::size_t const end = std::min(rest.find(' '), rest.size());
      result.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end);
    }
    return result;
  }
  [[noreturn]] void complain(std::size_t line, Text const& expected) const {
    fail<FileError>("load_celeba", {expected, " in ", shown()},
                    {io::detail::shown_name(line < size() ? lines_[line] : ""), ", line ", line + 1});
  }

 private:
  std::filesystem::path path_;
  std::vector<std::byte> content_;
  std::vector<std::string_view> lines_;
};

/// Names and attributes, in the order of the list.
inline void read_celeba_attributes(CelebaList const& list, Celeba& celeba) {
  std::size_t header = 0;
  if (!list.comma_separated()) {
    std::uint64_t count = 0;
    std::vector<std::string> const first = list.size() < 2 ? std::vector<std::string>{} : list.fields(0);
    if (first.size() != 1 ||
        std::from_chars(first[0].data(), first[0].data() + first[0].size(), count).ec != std::errc() ||
        count != list.size() - 2)
      list.complain(
          0, {"as many pictures as the first line says, ", list.size() < 2 ? 0 : list.size() - 2, ","});
    header = 1;
  }
  celeba.attribute_names = list.fields(header);
  // The first column has no name in the text.
  if (list.comma_separated()) celeba.attribute_names.erase(celeba.attribute_names.begin());
  if (celeba.attribute_names.empty()) list.complain(header, "names of attributes");
  for (std::size_t line = header + 1; line < list.size(); ++line) {
    std::vector<std::string> const fields = list.fields(line);
    if (fields.size() != celeba.attribute_names.size() + 1 || fields[0].find('/') != std::string::npos)
      list.complain(line, {"a file and ", celeba.attribute_names.size(), " values"});
    celeba.files.paths.push_back(fields[0]);
    for (std::size_t i = 1; i < fields.size(); ++i) {
      if (fields[i] != "1" && fields[i] != "-1") list.complain(line, "values 1 and -1");
      celeba.attributes.push_back(fields[i] == "1" ? 1 : 0);
    }
  }
  if (celeba.files.paths.empty()) list.complain(header + 1, "at least one picture");
}

inline void read_celeba_partition(CelebaList const& list, Celeba& celeba) {
  std::unordered_map<std::string_view, int> part_of;
  for (std::string const& path : celeba.files.paths)
    if (!part_of.emplace(path, -1).second)
      fail<FileError>("load_celeba", "each picture once in the list of attributes", "'" + path + "' twice");
  if (!list.exists()) return;
  for (std::size_t line = list.comma_separated() ? 1 : 0; line < list.size(); ++line) {
    std::vector<std::string> const fields = list.fields(line);
    constexpr std::array<std::string_view, 3> parts{"0", "1", "2"};
    auto const part = fields.size() == 2 ? std::find(parts.begin(), parts.end(), fields[1]) : parts.end();
    if (part == parts.end()) list.complain(line, "a file and its part, 0, 1 or 2,");
    // A list may have more pictures than there are attributes for.
    if (auto const found = part_of.find(fields[0]); found != part_of.end())
      found->second = static_cast<int>(part - parts.begin());
  }
  for (std::string const& path : celeba.files.paths) {
    int const part = part_of.at(path);
    if (part < 0) fail<FileError>("load_celeba", {"the part of '", path, "' in ", list.shown()}, "none");
    celeba.parts.push_back(static_cast<CelebaPart>(part));
  }
}

}  // namespace detail

/// CelebA from a folder with img_align_celeba (also where that stands in another of its name, as some mirrors
/// have it), list_attr_celeba and, where it is there, list_eval_partition, each as .txt or .csv. Pictures are
/// not read yet, but must all be there. Throws FileError, naming the list and the line, or the picture.
[[nodiscard]] inline Celeba load_celeba(std::filesystem::path const& folder) {
  Celeba celeba;
  detail::read_celeba_attributes(detail::CelebaList{folder, "list_attr_celeba", true}, celeba);
  detail::read_celeba_partition(detail::CelebaList{folder, "list_eval_partition", false}, celeba);
  celeba.files.folder = folder / "img_align_celeba";
  if (io::is_folder(celeba.files.folder / "img_align_celeba")) celeba.files.folder /= "img_align_celeba";
  for (std::string const& path : celeba.files.paths)
    if (std::string const obstacle = io::detail::obstacle_at(celeba.files.folder / path); !obstacle.empty())
      fail<FileError>("load_celeba", {"the picture ", io::detail::quoted(celeba.files.folder / path)},
                      obstacle);
  return celeba;
}

}  // namespace diffsiam::data
