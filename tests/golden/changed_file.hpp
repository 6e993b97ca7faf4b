// A stored case with something changed in it, for tests of what `golden` must notice.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <diffsiam/io/safetensors.hpp>

namespace diffsiam::golden {

struct Changes {
  std::map<std::string, std::string> settings{};  ///< metadata given another text; "" removes it
  std::map<std::string, std::function<void(std::vector<double>&)>> tensors{};
  std::vector<std::string> removed{};
  std::vector<std::string> added{};  ///< tensors of one element
};

inline void write_changed(std::filesystem::path const& from, std::filesystem::path const& to,
                          Changes const& changes) {
  auto const file = io::SafetensorsFile::read(from);
  io::SafetensorsWriter writer;
  auto metadata = file.metadata();
  for (auto const& [key, value] : changes.settings) metadata[key] = value;
  for (auto const& [key, value] : metadata)
    if (!value.empty()) writer.metadata(key, value);
  for (std::string const& name : file.names()) {
    if (std::find(changes.removed.begin(), changes.removed.end(), name) != changes.removed.end()) continue;
    auto values = file.values<double>(name);
    if (auto const change = changes.tensors.find(name); change != changes.tensors.end())
      change->second(values);
    writer.add(name, file.dtype(name), file.shape(name), values);
  }
  for (std::string const& name : changes.added) writer.add(name, io::Dtype::F32, {1}, std::vector<float>{1});
  writer.write(to);
}

}  // namespace diffsiam::golden
