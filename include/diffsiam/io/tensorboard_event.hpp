// Events as TensorBoard reads them: a protobuf message Event in a TFRecord. An inside of SummaryWriter.
//   record: length u64 | masked CRC-32C of the length | message | masked CRC-32C of the message
// Fields and their numbers: tensorflow/core/util/event.proto and framework/summary.proto; records:
// tensorflow/core/lib/io/record_writer.h. All numbers are little-endian.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <diffsiam/io/crc32c.hpp>

namespace diffsiam::io::detail {

static_assert(std::endian::native == std::endian::little, "numbers of events are in little-endian order");

/// The bytes of a number.
template <class T>
[[nodiscard]] std::string raw(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// Writes a protobuf message field by field; the numbers of the fields must ascend.
class ProtoMessage {
 public:
  ProtoMessage& whole(unsigned field, std::uint64_t value) {
    key(field, 0);
    varint(value);
    return *this;
  }
  ProtoMessage& real(unsigned field, double value) {
    key(field, 1);
    bytes_ += raw(value);
    return *this;
  }
  ProtoMessage& real(unsigned field, float value) {
    key(field, 5);
    bytes_ += raw(value);
    return *this;
  }
  /// Text, bytes, or a message inside this one.
  ProtoMessage& bytes(unsigned field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }

  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  void key(unsigned field, unsigned kind) { varint(field << 3U | kind); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>((value & 0x7FU) | 0x80U);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

/// The checksum in a record. It is masked because a checksum of bytes that contain their checksum is weak.
[[nodiscard]] inline std::uint32_t masked_crc32c(std::string_view bytes) {
  std::uint32_t const crc = crc32c(std::as_bytes(std::span(bytes)));
  return std::rotr(crc, 15) + 0xA282EAD8U;
}

[[nodiscard]] inline std::string tf_record(std::string_view message) {
  std::string record = raw(std::uint64_t{message.size()});
  record += raw(masked_crc32c(record));
  record += message;
  record += raw(masked_crc32c(message));
  return record;
}

/// When an event happened, in seconds since 1970, and at which step.
struct EventTime {
  double wall_time;
  std::uint64_t step;
};

/// The record of an Event that has `content`, a message or text, in `field`.
[[nodiscard]] inline std::string event_record(EventTime const& at, unsigned field, std::string_view content) {
  ProtoMessage event;
  event.real(1, at.wall_time);
  if (at.step != 0) event.whole(2, at.step);  // protobuf leaves out zeros
  event.bytes(field, content);
  return tf_record(event.take());
}

/// The first record of a file.
[[nodiscard]] inline std::string version_record(double wall_time) {
  return event_record({wall_time, 0}, 3, "brain.Event:2");
}

/// SessionLog{status: START}: earlier events of this step and of later steps are no longer valid.
[[nodiscard]] inline std::string restart_record(EventTime const& at) {
  return event_record(at, 7, ProtoMessage{}.whole(1, 1).take());
}

/// Summary{value...}, where each of `values` is a message Summary.Value.
template <class Values>
[[nodiscard]] std::string summary_record(EventTime const& at, Values const& values) {
  ProtoMessage summary;
  for (std::string_view const value : values) summary.bytes(1, value);
  return event_record(at, 5, summary.take());
}

[[nodiscard]] inline std::string scalar_value(std::string_view tag, float value) {
  return ProtoMessage{}.bytes(1, tag).real(2, value).take();
}

/// `png` has the bytes of a PNG file; one channel is gray, three are RGB.
[[nodiscard]] inline std::string image_value(std::string_view tag, int height, int width, int channels,
                                             std::string_view png) {
  auto const extent = [](int number) { return static_cast<std::uint64_t>(number); };
  std::string const image = ProtoMessage{}
                                .whole(1, extent(height))
                                .whole(2, extent(width))
                                .whole(3, extent(channels))
                                .bytes(4, png)
                                .take();
  return ProtoMessage{}.bytes(1, tag).bytes(4, image).take();
}

}  // namespace diffsiam::io::detail
