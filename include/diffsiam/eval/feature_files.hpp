// Files of features, for Python and other programs.
//
// NAME.safetensors has `features` F32 (n, dims) and, if they are known:
//   labels        I64 (n)
//   names         U8: the names in UTF-8, with a zero byte behind each
//   class_names   U8: the same for the classes
//   subsets       I64 (s, 3): the number of a subset of z, its first column in z, its last column + 1
//
// NAME.npy has only the features. Beside it are NAME.labels.npy, NAME.names.txt and NAME.classes.txt, with
// one name on each line. The subsets of z are not kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/feature_set.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/npy.hpp>
#include <diffsiam/io/safetensors.hpp>

namespace diffsiam::eval {

namespace detail {

/// Names with `end` behind each.
[[nodiscard]] inline std::string joined(std::vector<std::string> const& names, char end) {
  std::string result;
  for (std::string const& name : names) (result += name) += end;
  return result;
}
/// The names in a text in which `end` stands behind each name.
[[nodiscard]] inline std::vector<std::string> separated(std::string_view text, char end) {
  std::vector<std::string> names;
  for (std::size_t at = text.find(end); at != text.npos; at = text.find(end)) {
    names.emplace_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  return names;
}

inline void write_feature_safetensors(std::filesystem::path const& path, FeatureSet const& set) {
  using io::Dtype;
  io::SafetensorsWriter writer;
  writer.add("features", Dtype::F32, {set.count, set.dims}, set.values);
  if (!set.labels.empty()) writer.add("labels", Dtype::I64, {set.count}, set.labels);
  auto const add_names = [&](char const* tensor, std::vector<std::string> const& names) {
    if (names.empty()) return;
    std::string const bytes = joined(names, '\0');
    writer.add(tensor, Dtype::U8, {static_cast<std::int64_t>(bytes.size())},
               std::span{reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()});
  };
  add_names("names", set.names);
  add_names("class_names", set.class_names);
  if (!set.subsets.empty()) {
    std::vector<int> rows;
    for (auto const& [subset, dims] : set.subsets) rows.insert(rows.end(), {subset, dims.begin, dims.end});
    writer.add("subsets", Dtype::I64, {static_cast<std::int64_t>(set.subsets.size()), 3}, rows);
  }
  writer.write(path);
}

[[nodiscard]] inline FeatureSet read_feature_safetensors(std::filesystem::path const& path) {
  io::SafetensorsFile const file = io::SafetensorsFile::read(path);
  auto const require_axes = [&](char const* tensor, std::size_t axes, Text const& expected) {
    if (file.shape(tensor).size() != axes)
      fail<FileError>("read_features", {tensor, " ", expected, " in ", io::detail::quoted(path)},
                      io::detail::shown_shape(file.shape(tensor)));
  };
  require_axes("features", 2, "(n, dims)");
  FeatureSet set{.values = file.values<float>("features"),
                 .count = file.shape("features")[0],
                 .dims = file.shape("features")[1]};
  if (file.contains("labels")) {
    require_axes("labels", 1, "(n)");
    set.labels = file.values<int>("labels");
  }
  auto const names_in = [&](char const* tensor) -> std::vector<std::string> {
    if (!file.contains(tensor)) return {};
    auto const bytes = file.bytes(tensor);
    std::string_view const text{reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    if (file.dtype(tensor) != io::Dtype::U8 || text.empty() || text.back() != '\0')
      fail<FileError>(
          "read_features", {tensor, " of U8, each ended by a byte of zero, in ", io::detail::quoted(path)},
          {bytes.size(), " bytes of ", io::dtype_name(file.dtype(tensor)), " that end otherwise"});
    return separated(text, '\0');
  };
  set.names = names_in("names");
  set.class_names = names_in("class_names");
  if (file.contains("subsets")) {
    require_axes("subsets", 2, "(s, 3)");
    if (file.shape("subsets")[1] != 3)
      fail<FileError>("read_features", {"subsets (s, 3) in ", io::detail::quoted(path)},
                      io::detail::shown_shape(file.shape("subsets")));
    auto const rows = file.values<int>("subsets");
    for (std::size_t i = 0; i < rows.size(); i += 3)
      set.subsets.push_back({rows[i], {rows[i + 1], rows[i + 2]}});
  }
  return set;
}

/// The files beside NAME.npy.
struct NpyCompanions {
  std::filesystem::path labels, names, classes;

  explicit NpyCompanions(std::filesystem::path path) {
    std::string const stem = path.replace_extension().string();
    labels = stem + ".labels.npy";
    names = stem + ".names.txt";
    classes = stem + ".classes.txt";
  }
};

inline void write_feature_npy(std::filesystem::path const& path, FeatureSet const& set) {
  for (auto const* const list : {&set.names, &set.class_names})
    for (std::string const& name : *list)
      if (name.find('\n') != std::string::npos)
        fail<FileError>("write_features", "names of one line", "a name with a line break",
                        "a file .safetensors holds such names");
  NpyCompanions const beside{path};
  // Old labels and names must not be taken for those of the new features.
  for (auto const& old : {beside.labels, beside.names, beside.classes}) io::remove_file(old);
  io::write_npy(path, {set.count, set.dims}, set.values);
  if (!set.labels.empty()) {
    std::vector<std::int64_t> const labels(set.labels.begin(), set.labels.end());
    io::write_npy(beside.labels, {set.count}, labels);
  }
  if (!set.names.empty()) io::write_file(beside.names, joined(set.names, '\n'));
  if (!set.class_names.empty()) io::write_file(beside.classes, joined(set.class_names, '\n'));
}

[[nodiscard]] inline FeatureSet read_feature_npy(std::filesystem::path const& path) {
  io::NpyArray const array = io::read_npy(path);
  if (array.shape.size() != 2)
    fail<FileError>("read_features", {"an array (n, dims) in ", io::detail::quoted(path)},
                    io::detail::shown_shape(array.shape));
  FeatureSet set{.values = array.values<float>(), .count = array.shape[0], .dims = array.shape[1]};
  NpyCompanions const beside{path};
  if (io::file_exists(beside.labels)) {
    io::NpyArray const labels = io::read_npy(beside.labels);
    if (labels.shape.size() != 1)
      fail<FileError>("read_features", {"an array (n) in ", io::detail::quoted(beside.labels)},
                      io::detail::shown_shape(labels.shape));
    set.labels = labels.values<int>();
  }
  auto const lines_of = [](std::filesystem::path const& file) -> std::vector<std::string> {
    if (!io::file_exists(file)) return {};
    auto const bytes = io::read_file(file);
    std::string lines{reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    if (!lines.empty() && lines.back() != '\n') lines += '\n';  // some editors leave it out
    return separated(lines, '\n');
  };
  set.names = lines_of(beside.names);
  set.class_names = lines_of(beside.classes);
  return set;
}

/// True for a path that ends in .npy, false for .safetensors. Throws ConfigError for another ending.
[[nodiscard]] inline bool is_npy(std::string_view operation, std::filesystem::path const& path) {
  if (path.extension() == ".npy") return true;
  if (path.extension() == ".safetensors") return false;
  fail<ConfigError>(operation, "a path that ends in .safetensors or .npy", io::detail::quoted(path));
}

}  // namespace detail

/// Writes features as .safetensors or .npy; the ending of the path decides. Each file is replaced atomically.
/// Throws ConfigError for another ending, ShapeError if names or labels do not fit, FileError if the disk
/// refuses.
inline void write_features(std::filesystem::path const& path, FeatureSet const& set) {
  bool const npy = detail::is_npy("write_features", path);
  require_feature_set("write_features", set);
  npy ? detail::write_feature_npy(path, set) : detail::write_feature_safetensors(path, set);
}

/// Reads features that write_features or another program wrote in this form. Throws ConfigError for another
/// ending, FileError if a file is missing or broken, or if its parts do not fit together.
[[nodiscard]] inline FeatureSet read_features(std::filesystem::path const& path) {
  FeatureSet set = detail::is_npy("read_features", path) ? detail::read_feature_npy(path)
                                                         : detail::read_feature_safetensors(path);
  require_feature_set<FileError>("read_features", set, {"in ", io::detail::quoted(path)});
  return set;
}

}  // namespace diffsiam::eval
