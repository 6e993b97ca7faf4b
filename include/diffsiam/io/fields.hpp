// Structs as JSON. A struct names its fields once, in
//
//     template <class Self, class F>
//     static void for_each_field(Self& self, F&& f) {
//       f("base_channels", self.base_channels);
//     }
//
// and from this it is written, and read back: whole numbers, doubles, bools, strings, enums with a
// to_string(), vectors of numbers, other such structs, and what has a StoredForm. A std::string_view is a
// constant: what the file has must be equal.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/io/json.hpp>

namespace diffsiam::io {

/// Whole numbers of files lie in [-most, most], so that products of sizes stay far from overflow. Seeds,
/// which are std::uint64_t, may be any.
inline constexpr Index most_whole_number = Index{1} << 20;

/// Accepts any field; for the concept below.
struct AnyFieldVisitor {
  /// Does nothing.
  template <class Value>
  void operator()(std::string_view, Value const&) const {}
};

/// Satisfied if and only if C has a static for_each_field(self, f) that calls f(name, self.field) for each
/// field.
template <class C>
concept HasFields = requires(C& self) { C::for_each_field(self, AnyFieldVisitor{}); };

/// How a type without fields of its own is stored: specialise it as a struct that names fields, is built from
/// a T const&, and has `T value() const`.
template <class T>
struct StoredForm;

/// Satisfied if and only if StoredForm<T> is specialised as its comment says.
template <class T>
concept HasStoredForm = HasFields<StoredForm<T>> && requires(T const& value, StoredForm<T> const& form) {
  StoredForm<T>(value);
  { form.value() } -> std::same_as<T>;
};

namespace detail {

struct AnyField {
  template <class T>
  operator T() const;
};
/// How many fields an aggregate has.
template <class C, class... Fields>
[[nodiscard]] consteval std::size_t field_count() {
  if constexpr (requires { C{Fields{}..., AnyField{}}; })
    return field_count<C, Fields..., AnyField>();
  else
    return sizeof...(Fields);
}

/// Throws ConfigError where for_each_field() does not name every field that can be counted.
template <HasFields C>
void require_named_fields(C const& config) {
  if constexpr (std::is_aggregate_v<C>) {
    std::size_t named = 0;
    C::for_each_field(config, [&]<class Value>(std::string_view, Value const&) {
      named += std::same_as<Value, std::string_view> ? 0 : 1;
    });
    if (named != field_count<C>())
      fail<ConfigError>("json_of", {"a for_each_field that names all ", field_count<C>(), " fields"}, named,
                        "what it leaves out is not in the file");
  }
}

/// The enumerator of that name; throws FileError with those there are. Enums count from 0, and to_string()
/// calls what is none "unknown".
template <class E>
[[nodiscard]] E enum_of(std::string const& name, std::string_view operation, std::string const& place) {
  std::string known;
  for (int i = 0; i < 100 && to_string(static_cast<E>(i)) != "unknown"; ++i) {
    if (to_string(static_cast<E>(i)) == name) return static_cast<E>(i);
    known += (i == 0 ? "one of " : ", ") + std::string(to_string(static_cast<E>(i)));
  }
  fail<FileError>(operation, place + " to be " + known, shown_text(name));
}

}  // namespace detail

/// The value as JSON; a struct as an object of its fields.
template <class T>
[[nodiscard]] nlohmann::ordered_json json_of(T const& value) {
  if constexpr (HasFields<T>) {
    detail::require_named_fields(value);
    auto json = nlohmann::ordered_json::object();
    T::for_each_field(
        value, [&](std::string_view name, auto const& field) { json[std::string(name)] = json_of(field); });
    return json;
  } else if constexpr (HasStoredForm<T>) {
    return json_of(StoredForm<T>(value));
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(to_string(value));
  } else {
    return value;
  }
}

/// Reads what json_of() gave. Throws FileError, naming `place` and the field, for a field that is missing,
/// unknown, of another type or out of range, and whatever the constructors of stored forms throw.
class FieldReader {
 public:
  /// `operation` and `place` begin the sentences of errors.
  FieldReader(std::string_view operation, std::string place)
      : operation_(operation), place_(std::move(place)) {}

  /// Overwrites `value`, which may be a struct with fields, a type with a StoredForm, or a plain value.
  template <class T>
  void read(nlohmann::json const& json, T& value) const {
    if constexpr (HasFields<T>) {
      read_fields(json, value);
    } else if constexpr (HasStoredForm<T>) {
      StoredForm<T> form(value);
      read_fields(json, form);
      value = form.value();
    } else if constexpr (std::is_enum_v<T>) {
      require(json.is_string(), "a name", json);
      value = detail::enum_of<T>(json.get<std::string>(), operation_, place_);
    } else if constexpr (std::same_as<T, bool>) {
      require(json.is_boolean(), "true or false", json);
      value = json.get<bool>();
    } else if constexpr (std::integral<T>) {
      read_whole_number(json, value);
    } else if constexpr (std::floating_point<T>) {
      require(json.is_number(), "a number", json);
      value = json.get<T>();
    } else if constexpr (std::same_as<T, std::string>) {
      require(json.is_string(), "a string", json);
      value = json.get<std::string>();
    } else if constexpr (std::same_as<T, std::string_view> || std::same_as<T, std::string_view const>) {
      require(json.is_string() && json.get_ref<std::string const&>() == value, '"' + std::string(value) + '"',
              json);
    } else {
      require(json.is_array(), "a list", json);
      value.clear();
      for (nlohmann::json const& element : json) read(element, value.emplace_back());
    }
  }

  /// The same for some of the fields: others may stand beside them.
  template <HasFields C>
  void read_some_fields(nlohmann::json const& json, C& config) const {
    require(json.is_object(), "an object", json);
    C::for_each_field(config, [&](std::string_view name, auto&& field) {
      auto const found = json.find(name);
      if (found == json.end())
        fail<FileError>(operation_, "a field \"" + std::string(name) + "\" in " + place_, "none");
      FieldReader(operation_, "\"" + std::string(name) + "\" of " + place_).read(*found, field);
    });
  }

 private:
  template <HasFields C>
  void read_fields(nlohmann::json const& json, C& config) const {
    read_some_fields(json, config);
    for (auto const& item : json.items()) {
      bool known = false;
      C::for_each_field(config, [&](std::string_view name, auto&&) { known = known || name == item.key(); });
      if (!known)
        fail<FileError>(operation_, "the fields of this version in " + place_,
                        "\"" + detail::shown_text(item.key(), 80) + "\" besides",
                        "was the file written by a newer version?");
    }
  }
  template <std::integral T>
  void read_whole_number(nlohmann::json const& json, T& value) const {
    if constexpr (std::same_as<T, std::uint64_t>) {
      require(json.is_number_unsigned(), "a whole number of 0 or more", json);
    } else {
      // A number above the greatest Index would turn negative if it were compared as one.
      bool const fits = json.is_number_unsigned()
                            ? json.get<std::uint64_t>() <= std::uint64_t{most_whole_number}
                            : json.is_number_integer() && json.get<Index>() >= -most_whole_number;
      require(fits,
              "a whole number in [-" + std::to_string(most_whole_number) + ", " +
                  std::to_string(most_whole_number) + "]",
              json);
    }
    value = json.get<T>();
  }
  void require(bool holds, std::string const& what, nlohmann::json const& json) const {
    if (holds) return;
    bool const is_large = json.is_structured() && json.size() > 8;
    fail<FileError>(operation_, place_ + " to be " + what,
                    is_large ? std::string(json.type_name()) : detail::shown_text(json.dump(), 80));
  }

  std::string_view operation_;
  std::string place_;
};

}  // namespace diffsiam::io
