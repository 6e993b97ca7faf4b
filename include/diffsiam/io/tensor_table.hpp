// TensorTable: tensors with their names in files. locate() compares names, shapes and values with a file
// before load() changes anything.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/io/published_layout.hpp>
#include <diffsiam/io/safetensors.hpp>
#include <diffsiam/io/weight_misfits.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::io {

/// What a file may contain besides the tensors of the table.
struct Besides {
  bool anything = false;  ///< whether any other name may be there
  /// Names that contain one of these are allowed. PyTorch's batch norm counts its batches; nothing here needs
  /// that.
  std::vector<std::string> parts{"num_batches_tracked"};

  /// Whether a tensor of this name may be there.
  [[nodiscard]] bool allow(std::string_view name) const {
    for (std::string const& part : parts)
      if (name.find(part) != std::string_view::npos) return true;
    return anything;
  }
};

/// Names, tensors and their layouts. Values are stored as float or double; other scalar types of B as double.
template <class B>
class TensorTable {
 public:
  using Scalar = typename B::Scalar;
  /// What the host holds values in.
  using Host = std::conditional_t<std::is_same_v<Scalar, float>, float, double>;
  /// The dtype that holds B's scalar without loss.
  static constexpr Dtype exact = std::is_same_v<Host, float> ? Dtype::F32 : Dtype::F64;

  /// Where the entries are in a file.
  struct Found {
    std::vector<std::string> names;  ///< of each entry in the file; empty if missing or of another shape
    WeightMisfits misfits;           ///< what does not fit
  };

  /// Adds a tensor. The same tensor with the same name is not added again; another tensor with that name gets
  /// "#2", "#3" ...
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

  /// Number of tensors.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  /// Adds all tensors to `writer`. Throws NumericError for a value that is not finite, FileError for one that
  /// `dtype` cannot hold, ConfigError unless `dtype` is a floating type.
  void save(SafetensorsWriter& writer, std::string const& prefix = "", Dtype dtype = exact) const {
    if (dtype_kind(dtype) != DtypeKind::floating)
      fail<ConfigError>("save_weights", "a floating dtype", dtype_name(dtype));
    for (Entry const& entry : entries_) {
      std::vector<Host> const values =
          to_published(entry.layout, entry.tensor.shape(), entry.tensor.template values<Host>());
      if (!all_finite(values)) {
        auto const at = static_cast<std::size_t>(
            std::find_if_not(values.begin(), values.end(), [](Host v) { return std::isfinite(v); }) -
            values.begin());
        fail<NumericError>("save_weights", {"finite values in ", detail::shown_name(entry.name)},
                           detail::shown_element(values[at], at), "what was saved before is kept");
      }
      writer.add(prefix + entry.name, dtype, published_shape(entry.layout, entry.tensor.shape()), values);
    }
  }

  /// Finds all entries among the names that begin with `prefix`. `module.` and `_orig_mod.`, which wrappers
  /// add in front, are ignored. Throws FileError if a tensor is found twice.
  [[nodiscard]] Found find(SafetensorsFile const& file, std::string const& prefix = "",
                           Besides const& besides = {}) const {
    Found result{.names = std::vector<std::string>(entries_.size()), .misfits = {}};
    for (std::string const& name : file.names()) {
      if (!name.starts_with(prefix)) continue;
      auto const found = find_entry(std::string_view(name).substr(prefix.size()));
      if (found == index_.end()) {
        if (!besides.allow(name)) result.misfits.unexpected.push_back(name);
      } else if (!std::exchange(result.names[found->second], name).empty()) {
        fail<FileError>("load_weights",
                        {detail::shown_name(found->first), " once in ", detail::shown_name(file.path())},
                        "two");
      }
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (result.names[i].empty()) {
        result.misfits.missing.push_back(prefix + entries_[i].name);
      } else if (file.shape(result.names[i]) != stored_shape(i)) {
        result.misfits.misshaped.push_back(std::exchange(result.names[i], ""));
      }
    }
    return result;
  }

  /// Throws FileError, which names everything that find() reported as missing, misshaped or unexpected, if
  /// there is any.
  void require_fit(SafetensorsFile const& file, Found const& found, std::string const& prefix = "") const {
    WeightMisfits const& misfits = found.misfits;
    if (misfits.missing.empty() && misfits.misshaped.empty() && misfits.unexpected.empty()) return;
    std::string actual;
    auto const tell = [&](std::vector<std::string> const& names, std::string_view what, auto const& shapes) {
      if (names.empty()) return;
      std::vector<std::string> shown;
      for (std::string const& name : names) shown.push_back(detail::shown_name(name) + " " + shapes(name));
      actual += (actual.empty() ? "" : "; ") + std::to_string(names.size()) + " " + std::string(what) + ": " +
                detail::listed(shown);
    };
    auto const wanted = [&](std::string const& name) {
      return detail::shown_shape(
          stored_shape(find_entry(std::string_view(name).substr(prefix.size()))->second));
    };
    auto const there = [&](std::string const& name) { return detail::shown_shape(file.shape(name)); };
    tell(misfits.missing, "missing", wanted);
    tell(misfits.misshaped, "of another shape",
         [&](std::string const& name) { return there(name) + " in place of " + wanted(name); });
    tell(misfits.unexpected, "besides", there);
    fail<FileError>("load_weights",
                    {"the ", size(), " tensors of the model in ", detail::shown_name(file.path())}, actual,
                    "is it a checkpoint of another architecture?");
  }

  /// Throws FileError, which names the tensor, if a tensor has a dtype that is not floating (integer weights
  /// are mostly a mistake), or a value that is not finite or not in the range of B's scalar.
  void require_values(SafetensorsFile const& file, Found const& found) const {
    for (std::string const& name : found.names) {
      if (name.empty()) continue;
      std::string const tensor = detail::shown_name(name) + " of " + detail::shown_name(file.path());
      if (dtype_kind(file.dtype(name)) != DtypeKind::floating)
        fail<FileError>("load_weights", {"a floating dtype in ", tensor}, dtype_name(file.dtype(name)));
      require_finite_elements<Host>(file.dtype(name), file.bytes(name), "load_weights", tensor);
    }
  }

  /// find() and both requirements. Its result can be loaded.
  [[nodiscard]] Found locate(SafetensorsFile const& file, std::string const& prefix = "",
                             Besides const& besides = {}) const {
    Found found = find(file, prefix, besides);
    require_fit(file, found, prefix);
    require_values(file, found);
    return found;
  }

  /// Overwrites the tensors that were found.
  void load(SafetensorsFile const& file, Found const& found) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (found.names[i].empty()) continue;
      Tensor<B> const& tensor = entries_[i].tensor;
      std::vector<Host> const values =
          from_published(entries_[i].layout, tensor.shape(), file.values<Host>(found.names[i]));
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

  /// Without an early exit, so that the loop is vectorised.
  [[nodiscard]] static bool all_finite(std::vector<Host> const& values) {
    unsigned bad = 0;
    for (Host const value : values) bad |= std::abs(value) <= std::numeric_limits<Host>::max() ? 0U : 1U;
    return bad == 0;
  }
  [[nodiscard]] std::vector<std::int64_t> stored_shape(std::size_t entry) const {
    return published_shape(entries_[entry].layout, entries_[entry].tensor.shape());
  }
  [[nodiscard]] Map::const_iterator find_entry(std::string_view name) const {
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

  std::vector<Entry> entries_;
  Map index_;
};

}  // namespace diffsiam::io
