// Event files of TensorBoard, against one that TensorBoard's own code wrote.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <tests/io/events.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/summary_writer.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using diffsiam::test::read_events;
using diffsiam::test::read_text;
using diffsiam::test::Scratch;
using io::SummaryWriter;

namespace {

std::filesystem::path const written_by_tensorboard =
    std::filesystem::path{DIFFSIAM_TEST_DATA} / "../io/files/tensorboard.tfevents";

/// The names of all event files, in order.
std::vector<std::string> event_files(Scratch const& scratch) {
  std::vector<std::string> names;
  for (auto const& entry : std::filesystem::directory_iterator(scratch.folder()))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("Events are those of TensorBoard's own writer, byte for byte", "[io][summary_writer]") {
  using namespace io::detail;
  std::string const theirs = read_text(written_by_tensorboard);
  std::string const png =
      test::ProtoFields{read_events(written_by_tensorboard).back().images.at("samples")}.text(4);
  CHECK(png.starts_with("\x89PNG"));
  std::vector const losses{scalar_value("loss", 0.25F), scalar_value("learning_rate", 0)};
  std::vector const nan{scalar_value("loss", std::numeric_limits<float>::quiet_NaN())};
  std::vector const images{image_value("samples", 2, 3, 3, png)};
  CHECK(version_record(1700000000.5) + restart_record({1700000001.25, 3}) +
            summary_record({1700000002, 3}, losses) + summary_record({1700000003, 300}, nan) +
            summary_record({1700000004, std::uint64_t{1} << 40U}, images) ==
        theirs);
}

TEST_CASE("A SummaryWriter's events are on the disk after each call", "[io][summary_writer]") {
  Scratch const scratch;
  double now = 1700000000.5;
  SummaryWriter writer{scratch / "board", [&] { return now; }};
  CHECK(writer.path().empty());
  CHECK(scratch.file_count() == 0);

  writer.add_scalar("loss", 0.25, 0);
  CHECK(writer.path() == scratch / "board" / "events.out.tfevents.1700000000.diffsiam");
  auto events = read_events(writer.path());
  REQUIRE(events.size() == 2);
  CHECK(events[0].version == "brain.Event:2");
  CHECK(events[0].wall_time == now);
  CHECK(events[1].scalars == std::map<std::string, float>{{"loss", 0.25F}});
  CHECK(events[1].step == 0);

  now += 2;
  writer.add_scalars(std::vector<io::Scalar>{{"a", 1}, {"b/c", -std::numeric_limits<double>::infinity()}}, 7);
  io::Picture const picture{.height = 1, .width = 2, .channels = 1, .pixels = {0, 255}};
  writer.add_image("samples", picture, 7);
  events = read_events(writer.path());
  REQUIRE(events.size() == 4);
  CHECK(events[2].scalars.at("b/c") == -std::numeric_limits<float>::infinity());
  CHECK(events[2].wall_time == now);
  CHECK(events[3].step == 7);
  auto const& image = events[3].images.at("samples");
  CHECK(image.whole == std::map<unsigned, std::uint64_t>{{1, 1}, {2, 2}, {3, 1}});
  auto const png = io::encode_png(picture);
  CHECK(image.text(4) == std::string(reinterpret_cast<char const*>(png.data()), png.size()));
}

TEST_CASE("A further writer begins a file behind those that are there", "[io][summary_writer]") {
  Scratch const scratch;
  // The same second, a clock that was put back, and one that tells nothing.
  for (double const now : {1700000000.0, 1700000000.9, 1600000000.0, -1.0, std::nan("")}) {
    SummaryWriter writer{scratch.folder(), [=] { return now; }};
    writer.purge_from(5);
    CHECK(writer.path().filename() == event_files(scratch).back());
    CHECK(read_events(writer.path()).back().restart);
    CHECK(read_events(writer.path()).back().step == 5);
  }
  CHECK(event_files(scratch).size() == 5);
  // Names that are no file of events.
  io::write_file(scratch / "events.out.tfevents.99999999999999999999.x", std::string_view{});
  io::write_file(scratch / "events.out.tfevents.none", std::string_view{});
  SummaryWriter writer{scratch.folder(), [] { return 1.0; }};
  writer.add_scalar("x", 1, 1);
  CHECK(writer.path().filename() == "events.out.tfevents.1700000005.diffsiam");
}

TEST_CASE("What no event can be is refused, and a full disk leaves whole events", "[io][summary_writer]") {
  Scratch const scratch;
  SummaryWriter writer{scratch / "board"};
  CHECK_THROWS_WITH(writer.add_scalar("", 1, 1), contains("SummaryWriter: expected a tag"));
  CHECK_THROWS_AS(writer.add_image("", {.height = 1, .width = 1, .channels = 1, .pixels = {0}}, 1),
                  ConfigError);
  CHECK_THROWS_AS(writer.add_image("x", {.height = 1, .width = 2, .channels = 1, .pixels = {0}}, 1),
                  ShapeError);
  CHECK_THROWS_AS(writer.add_scalar("x", 1, std::uint64_t{1} << 63U), RangeError);
  CHECK(scratch.file_count() == 0);

  std::string const message = test::message_in_child([] { test::limit_file_size(100); },
                                                     [&] {
                                                       writer.add_scalar("loss", 1, 1);
                                                       writer.add_scalar("loss", 1, 2);
                                                     });
  CHECK(test::contains(message, "SummaryWriter: expected to append a record to"));
  CHECK(test::contains(message, "the records before are intact"));
  auto const file = std::filesystem::directory_iterator{scratch / "board"} -> path();
  CHECK(read_events(file).size() == 2);

  io::write_file(scratch / "file", std::string_view{"x"});
  SummaryWriter nowhere{scratch / "file"};
  CHECK_THROWS_AS(nowhere.add_scalar("x", 1, 1), FileError);
}
