// Reads event files: what the writer of the library is judged by.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tests/io/scratch.hpp>

#include <diffsiam/io/tensorboard_event.hpp>

namespace diffsiam::test {

/// The fields of a protobuf message, by their numbers: whole numbers as such, all others as bytes.
struct ProtoFields {
  std::multimap<unsigned, std::string> bytes;
  std::map<unsigned, std::uint64_t> whole;

  explicit ProtoFields(std::string_view message) {
    auto const varint = [&] {
      std::uint64_t value = 0;
      for (unsigned shift = 0;; shift += 7) {
        auto const byte = static_cast<std::uint8_t>(message.at(0));
        message.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7FU} << shift;
        if (byte < 0x80) return value;
      }
    };
    while (!message.empty()) {
      std::uint64_t const key = varint();
      auto const field = static_cast<unsigned>(key >> 3U);
      if ((key & 7U) == 0) {
        whole[field] = varint();
        continue;
      }
      std::uint64_t const size = (key & 7U) == 1 ? 8 : (key & 7U) == 5 ? 4 : varint();
      if (size > message.size()) throw FileError("a field beyond its message");
      bytes.emplace(field, message.substr(0, size));
      message.remove_prefix(size);
    }
  }
  /// "" where there is none.
  [[nodiscard]] std::string text(unsigned field) const {
    auto const found = bytes.find(field);
    return found == bytes.end() ? "" : found->second;
  }
  template <class T>
  [[nodiscard]] T number(unsigned field) const {
    T value{};
    std::memcpy(&value, text(field).data(), sizeof value);
    return value;
  }
};

struct ReadEvent {
  double wall_time = 0;
  std::uint64_t step = 0;
  std::string version{};
  bool restart = false;
  std::map<std::string, float> scalars{};
  std::map<std::string, ProtoFields> images{};
};

/// All events of a file. Throws FileError where a checksum or a length is wrong.
[[nodiscard]] inline std::vector<ReadEvent> read_events(std::filesystem::path const& path) {
  std::string const text = read_text(path);
  std::vector<ReadEvent> events;
  for (std::string_view rest = text; !rest.empty();) {
    std::uint64_t size = 0;
    std::memcpy(&size, rest.data(), sizeof size);
    if (rest.size() < 16 || size > rest.size() - 16) throw FileError("a record beyond its file");
    std::string_view const message = rest.substr(12, size);
    if (io::detail::tf_record(message) != rest.substr(0, size + 16)) throw FileError("a wrong checksum");
    rest.remove_prefix(size + 16);
    ProtoFields const fields{message};
    ReadEvent event{.wall_time = fields.number<double>(1),
                    .step = fields.whole.contains(2) ? fields.whole.at(2) : 0,
                    .version = fields.text(3),
                    .restart = fields.text(7) == "\x08\x01"};
    ProtoFields const summary{fields.text(5)};
    for (auto const& [field, bytes] : summary.bytes) {
      ProtoFields const value{bytes};
      if (value.bytes.contains(2)) event.scalars.emplace(value.text(1), value.number<float>(2));
      if (value.bytes.contains(4)) event.images.emplace(value.text(1), ProtoFields{value.text(4)});
    }
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace diffsiam::test
