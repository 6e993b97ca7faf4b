// File: one case as it is stored: settings in the metadata, tensors in PyTorch's layouts. It remembers what
// was read, so that nothing in it stays without being compared.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/io/published_layout.hpp>
#include <diffsiam/io/safetensors.hpp>
#include <diffsiam/io/tensor_table.hpp>
#include <diffsiam/nn/module.hpp>

namespace diffsiam::golden {

using Json = nlohmann::json;

/// (n, c, h, w) <-> (n, h, w, c); other ranks are the same on both sides.
[[nodiscard]] inline PublishedLayout image_layout(Shape const& shape) {
  return {.kind = shape.rank() == 4 ? PublishedLayout::Kind::conv : PublishedLayout::Kind::same};
}

/// Host values of a tensor in PyTorch's order.
template <class B>
[[nodiscard]] std::vector<double> published_values(Tensor<B> const& tensor) {
  return io::to_published(image_layout(tensor.shape()), tensor.shape(), tensor.template values<double>());
}

class File {
 public:
  /// Throws FileError for what is no safetensors file.
  explicit File(std::filesystem::path path)
      : path_(std::move(path)), file_(io::SafetensorsFile::read(path_)) {}

  [[nodiscard]] std::string name() const { return path_.stem().string(); }
  [[nodiscard]] std::filesystem::path folder() const { return path_.parent_path(); }

  // Settings. Each throws FileError where the setting is missing or of another kind.

  [[nodiscard]] bool has(std::string const& setting) const { return file_.metadata().contains(setting); }
  [[nodiscard]] std::string const& text(std::string const& setting) const;
  [[nodiscard]] Json json(std::string const& setting) const;
  [[nodiscard]] Index integer(std::string const& setting) const;
  [[nodiscard]] Index integer_or(std::string const& setting, Index otherwise) const {
    return has(setting) ? integer(setting) : otherwise;
  }
  [[nodiscard]] double number_or(std::string const& setting, double otherwise) const;
  /// "True" or "False".
  [[nodiscard]] bool flag_or(std::string const& setting, bool otherwise) const;
  [[nodiscard]] std::vector<Index> integers(std::string const& setting) const;
  /// Throws unless the setting, where it is there, begins with what this program knows.
  void expect(std::string const& setting, std::string const& known) const;

  // Tensors. Each throws FileError where the tensor is missing.

  [[nodiscard]] bool contains(std::string const& tensor) const { return file_.contains(tensor); }
  [[nodiscard]] std::vector<std::string> names() const { return file_.names(); }
  [[nodiscard]] std::vector<std::int64_t> const& stored_shape(std::string const& tensor) const {
    return file_.shape(tensor);
  }
  /// In our layout.
  [[nodiscard]] Shape shape(std::string const& tensor) const;
  [[nodiscard]] std::vector<double> values(std::string const& tensor) const {
    used_.insert(tensor);
    return file_.values<double>(tensor);
  }
  /// Stored values, perhaps changed on the host, as a tensor in our layout.
  template <class B>
  [[nodiscard]] Tensor<B> tensor(typename B::Context& context, std::string const& name,
                                 std::vector<double> const& stored) const {
    Shape const ours = shape(name);
    auto const values = io::from_published(image_layout(ours), ours, stored);
    return Tensor<B>::from(context, ours, std::span<double const>(values));
  }
  template <class B>
  [[nodiscard]] Tensor<B> tensor(typename B::Context& context, std::string const& name) const {
    return tensor<B>(context, name, values(name));
  }
  /// Reads all parameters below the module, frozen ones too. Throws FileError unless names and shapes fit.
  /// Names that contain one of `ignored` may stand there besides.
  template <nn::Module M, class B = typename M::Backend>
  void load(M const& module, std::string const& prefix, std::vector<std::string> ignored = {}) const {
    nn::ParameterList<B> list;
    list.add(module);
    io::TensorTable<B> table;
    for (auto const& [path, parameter] : list.parameters)
      table.add(path.published, parameter.value(), parameter.published_layout());
    table.load(file_, table.locate(file_, prefix, {.parts = std::move(ignored)}));
    for (std::string const& name : names())
      if (name.starts_with(prefix)) used_.insert(name);
  }

  /// Throws FileError when a tensor was never read: something that this program does not know how to compare.
  void require_all_used() const;

 private:
  [[noreturn]] void complain(std::string const& setting, std::string const& expected) const;

  std::filesystem::path path_;
  io::SafetensorsFile file_;
  mutable std::set<std::string, std::less<>> used_;
};

/// A JSON object of settings that must all be understood.
class Settings {
 public:
  /// `where` names the object in errors. Throws FileError for what is no object.
  Settings(Json object, std::string where);

  [[nodiscard]] bool has(std::string const& key) const { return object_.contains(key); }
  /// Throws FileError where the key is missing or of another type.
  template <class T>
  [[nodiscard]] T get(std::string const& key) const {
    used_.insert(key);
    auto const found = object_.find(key);
    if (found == object_.end()) fail<FileError>("golden", "'" + key + "' in " + where_, "none");
    try {
      return found->get<T>();
    } catch (Json::exception const&) {
      fail<FileError>("golden", "'" + key + "' in " + where_ + " of another type", found->dump());
    }
  }
  template <class T>
  [[nodiscard]] T get_or(std::string const& key, T otherwise) const {
    return has(key) ? get<T>(key) : otherwise;
  }
  /// Throws FileError when a key was never read.
  void require_all_used() const;
  [[nodiscard]] std::string const& where() const { return where_; }

 private:
  Json object_;
  std::string where_;
  mutable std::set<std::string> used_;
};

}  // namespace diffsiam::golden
