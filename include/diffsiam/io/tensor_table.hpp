// TensorTable: tensors under the names they have in a file. Everything is checked against the file before
// anything is changed.
#pragma once

#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/io/published_layout.hpp>
#include <diffsiam/io/safetensors.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::io {

/// What may stand in a file besides the tensors that are looked for.
struct Besides {
  bool anything = false;
  /// Names that contain one of these. Batch norm counts its batches in PyTorch; nothing here reads it.
  std::vector<std::string> parts{"num_batches_tracked"};
};

/// Names, tensors and their layouts. B's scalar is float or double, or travels as double.
template <class B>
class TensorTable {
 public:
  using Scalar = typename B::Scalar;
  using Host = std::conditional_t<std::is_same_v<Scalar, float>, float, double>;
  /// Loses nothing of B's scalar.
  static constexpr Dtype exact = std::is_same_v<Host, float> ? Dtype::F32 : Dtype::F64;

  /// A tensor that is there already under its name is not added again; another tensor of the same name is
  /// called "#2", "#3" ...
  void add(std::string const& name, Tensor<B> const& tensor, PublishedLayout const& layout = {}) {
    std::string unique = name;
    for (int count = 2;; ++count) {
      auto const found = index_.find(unique);
      if (found == index_.end()) break;
      if (entries_[found->second].tensor.data() == tensor.data()) return;
      unique = name + "#" + std::to_string(count);
    }
    index_.emplace(unique, entries_.size());
    entries_.push_back({unique, tensor, layout});
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  /// Throws NumericError for a value that is not finite, or that `dtype` cannot hold: no file is worth that.
  void save(SafetensorsWriter& writer, std::string const& prefix = "", Dtype dtype = exact) const {
    for (Entry const& entry : entries_) {
      std::vector<Host> const values =
          to_published(entry.layout, entry.tensor.shape(), entry.tensor.template values<Host>());
      double const limit = dtype == Dtype::F16 ? 65504 : HUGE_VAL;
      for (Host const value : values)
        if (!(std::abs(static_cast<double>(value)) <= limit) || !std::isfinite(value))
          fail<NumericError>("save_weights",
                             "values that are finite and fit " + std::string(dtype_name(dtype)),
                             std::to_string(value) + " in " + detail::shown_name(entry.name),
                             "what was saved before is kept");
      writer.add(prefix + entry.name, dtype, published_shape(entry.layout, entry.tensor.shape()), values);
    }
  }

  /// The names in `file` of all entries, in their order. Only names that begin with `prefix` count; `module.`
  /// and `_orig_mod.`, which wrappers put in front, are looked past. Throws FileError when a tensor is
  /// missing, has another shape, or stands there besides.
  [[nodiscard]] std::vector<std::string> locate(SafetensorsFile const& file, std::string const& prefix = "",
                                                Besides const& besides = {}) const {
    std::vector<std::string> result(entries_.size());
    std::optional<std::string> unexpected;
    for (std::string const& name : file.names()) {
      if (!name.starts_with(prefix)) continue;
      auto const found = find(std::string_view(name).substr(prefix.size()));
      if (found == index_.end()) {
        if (!unexpected && !allowed(name, besides)) unexpected = name;
      } else if (!std::exchange(result[found->second], name).empty()) {
        fail<FileError>("load_weights",
                        detail::shown_name(found->first) + " once in " + detail::shown_name(file.path()),
                        "two");
      }
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto const expected = published_shape(entries_[i].layout, entries_[i].tensor.shape());
      std::string const wanted = detail::shown_name(prefix + entries_[i].name) + " of shape " +
                                 detail::shown_shape(expected) + " in " + detail::shown_name(file.path());
      if (result[i].empty()) fail<FileError>("load_weights", wanted, "no such tensor", other_architecture);
      if (file.shape(result[i]) != expected)
        fail<FileError>("load_weights", wanted, "shape " + detail::shown_shape(file.shape(result[i])),
                        other_architecture);
    }
    if (unexpected)
      fail<FileError>(
          "load_weights",
          "the " + std::to_string(size()) + " tensors of the model in " + detail::shown_name(file.path()),
          detail::shown_name(*unexpected) + " of shape " + detail::shown_shape(file.shape(*unexpected)) +
              " besides",
          other_architecture);
    return result;
  }

  /// Overwrites the tensors from what locate() found.
  void load(SafetensorsFile const& file, std::vector<std::string> const& names) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      Tensor<B> const& tensor = entries_[i].tensor;
      std::vector<Host> const values =
          from_published(entries_[i].layout, tensor.shape(), file.values<Host>(names[i]));
      tensor.assign(std::span<Host const>(values));
    }
  }

 private:
  struct Entry {
    std::string name;
    Tensor<B> tensor;
    PublishedLayout layout;
  };
  using Map = std::map<std::string, std::size_t, std::less<>>;
  static constexpr std::string_view other_architecture = "is it a checkpoint of another architecture?";

  [[nodiscard]] Map::const_iterator find(std::string_view name) const {
    while (true) {
      if (auto const found = index_.find(name); found != index_.end()) return found;
      if (name.starts_with("module.")) {
        name.remove_prefix(7);
      } else if (name.starts_with("_orig_mod.")) {
        name.remove_prefix(10);
      } else {
        return index_.end();
      }
    }
  }
  static bool allowed(std::string_view name, Besides const& besides) {
    for (std::string const& part : besides.parts)
      if (name.find(part) != std::string_view::npos) return true;
    return besides.anything;
  }

  std::vector<Entry> entries_;
  Map index_;
};

}  // namespace diffsiam::io
