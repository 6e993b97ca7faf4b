// Settings: what changes the function that a module computes but not the shape of a weight: groups, heads,
// strides, partitions, schedules. Files store them beside the weights, and loading compares them.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/nn/module.hpp>

namespace diffsiam::nn {

/// What a setting may be: one number, a text, or several numbers.
using SettingValue =
    std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>>;

/// `name` is the path of the module in published names, followed by the name of the setting:
/// "decoder.out.0.groups".
struct Setting {
  std::string name;
  SettingValue value;  ///< as the module gives it
};

/// Accepts any setting; for the concept below.
struct AnySettingVisitor {
  /// Does nothing.
  template <class Value>
  void operator()(std::string_view, Value const&) const {}
};

/// Satisfied if and only if M has `template <class F> void for_each_setting(F&& f) const`, calling f(name,
/// value) for each setting: an integer, a double, a string, or numbers in a vector or span. A module names
/// its own settings, and its children name theirs. What only training uses (dropout, momentum, seeds) is not
/// a setting.
template <class M>
concept HasSettings = requires(M const& module) { module.for_each_setting(AnySettingVisitor{}); };

/// The settings of one or more modules. A name that occurs again with another value becomes "#2", "#3" ...
class SettingList {
 public:
  /// Adds the settings of `module` and of everything below it.
  template <Module M>
  void add(M const& module) {
    Collect{*this, nullptr}.settings_of(module);
  }

  /// In the order in which they were added.
  [[nodiscard]] std::vector<Setting> const& all() const& { return settings_; }
  [[nodiscard]] std::vector<Setting> all() const&& { return settings_; }

 private:
  void add(std::string const& name, SettingValue value) {
    std::string unique = name;
    for (int count = 2;; ++count) {
      Setting const* const found = find(unique);
      if (found == nullptr) break;
      if (found->value == value) return;
      unique = name + "#" + std::to_string(count);
    }
    settings_.push_back({std::move(unique), std::move(value)});
  }
  [[nodiscard]] Setting const* find(std::string const& name) const {
    for (Setting const& setting : settings_)
      if (setting.name == name) return &setting;
    return nullptr;
  }

  /// Walks down from `path`.
  struct Collect {
    SettingList& list;
    detail::Path const* path;

    template <class Child>
    void operator()(ChildName const& name, Child const& child) const {
      if constexpr (Module<Child>) {
        detail::Path const here{path, name};
        Collect{list, &here}.settings_of(child);
      }
    }
    template <class M>
    void settings_of(M const& module) const {
      if constexpr (HasSettings<M>) {
        module.for_each_setting([&](std::string_view name, auto const& value) {
          ChildName const last{name};
          list.add(detail::Path{path, last}.joined().published, stored(value));
        });
      }
      module.for_each_child(*this);
    }
    template <class Value>
    static SettingValue stored(Value const& value) {
      if constexpr (std::integral<Value>)
        return static_cast<std::int64_t>(value);
      else if constexpr (std::floating_point<Value>)
        return static_cast<double>(value);
      else if constexpr (std::convertible_to<Value const&, std::string_view>)
        return std::string(std::string_view(value));
      else if constexpr (std::integral<std::remove_cvref_t<decltype(*value.begin())>>)
        return std::vector<std::int64_t>(value.begin(), value.end());
      else
        return std::vector<double>(value.begin(), value.end());
    }
  };

  std::vector<Setting> settings_;
};

}  // namespace diffsiam::nn
