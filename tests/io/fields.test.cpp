#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/fields.hpp>

using namespace diffsiam;

namespace {

enum class Colour { red, green };
std::string_view to_string(Colour colour) {
  return colour == Colour::red ? "red" : colour == Colour::green ? "green" : "unknown";
}

struct Inner {
  double rate = 0.1;
  std::vector<Index> sizes = {1, 2};
  template <class Self, class F>
  static void for_each_field(Self& self, F&& f) {
    f("rate", self.rate);
    f("sizes", self.sizes);
  }
  bool operator==(Inner const&) const = default;
};

struct Outer {
  int count = 3;
  bool on = true;
  std::uint64_t seed = 0;
  std::string name = "a";
  Colour colour = Colour::red;
  Inner inner{};
  template <class Self, class F>
  static void for_each_field(Self& self, F&& f) {
    f("kind", std::string_view("outer"));
    f("count", self.count);
    f("on", self.on);
    f("seed", self.seed);
    f("name", self.name);
    f("colour", self.colour);
    f("inner", self.inner);
  }
  bool operator==(Outer const&) const = default;
};

struct Forgetful {
  int first = 1, second = 2;
  template <class Self, class F>
  static void for_each_field(Self& self, F&& f) {
    f("first", self.first);
  }
};

Outer read_outer(std::string const& text) {
  Outer outer;
  io::FieldReader("read", "the test").read(nlohmann::json::parse(text), outer);
  return outer;
}

/// The JSON of an Outer with one part of its text replaced.
std::string outer_with(std::string const& part, std::string const& other) {
  std::string text = io::json_of(Outer{}).dump();
  return text.replace(text.find(part), part.size(), other);
}

}  // namespace

TEST_CASE("A struct is written as JSON and read back from one list of its fields", "[io][fields]") {
  Outer const saved{.count = -7,
                    .on = false,
                    .seed = 0xFFFF'FFFF'FFFF'FFFF,
                    .name = "b",
                    .colour = Colour::green,
                    .inner = {.rate = 0.1 + 0.2, .sizes = {}}};
  CHECK(io::json_of(saved).dump() ==
        R"({"kind":"outer","count":-7,"on":false,"seed":18446744073709551615,"name":"b","colour":"green",)"
        R"("inner":{"rate":0.30000000000000004,"sizes":[]}})");
  CHECK(read_outer(io::json_of(saved).dump()) == saved);
  CHECK_THROWS_WITH(io::json_of(Forgetful{}),
                    test::contains("names all 2 fields") && test::contains("got 1"));
}

TEST_CASE("What is missing, unknown or of another type in JSON is named", "[io][fields]") {
  auto const refusal = [](std::string const& part, std::string const& other) {
    return test::message_of<FileError>([&] { (void)read_outer(outer_with(part, other)); });
  };
  CHECK(refusal("\"count\":3", "\"count\":4") == "");
  CHECK_THAT(refusal("\"count\":3,", ""), test::contains("a field \"count\" in the test, got none"));
  CHECK_THAT(refusal("\"rate\":0.1,", ""),
             test::contains("a field \"rate\" in \"inner\" of the test, got none"));
  CHECK_THAT(refusal("\"rate\"", "\"depth\":1,\"rate\""),
             test::contains("fields of this version in \"inner\" of the test") &&
                 test::contains("\"depth\" besides"));
  CHECK_THAT(refusal("\"outer\"", "\"other\""),
             test::contains("\"kind\" of the test to be \"outer\", got \"other\""));
  CHECK_THAT(refusal("\"red\"", "\"blue\""), test::contains("one of red, green, got blue"));
  CHECK_THAT(refusal("\"red\"", "0"), test::contains("to be a name, got 0"));
  CHECK_THAT(refusal("true", "1"), test::contains("true or false"));
  CHECK_THAT(refusal("\"name\":\"a\"", "\"name\":1"), test::contains("to be a string"));
  CHECK_THAT(refusal("0.1", "null"), test::contains("to be a number, got null"));
  CHECK_THAT(refusal("[1,2]", "3"), test::contains("to be a list, got 3"));
  CHECK_THAT(refusal("\"seed\":0", "\"seed\":-1"), test::contains("a whole number of 0 or more, got -1"));
  for (std::string const number : {"3.5", "1048577", "-1048577", "18446744073709551615", "\"3\""})
    CHECK_THAT(refusal("\"count\":3", "\"count\":" + number),
               test::contains("a whole number in [-1048576, 1048576], got " + number));
  CHECK_THAT(refusal("{\"rate\":0.1,\"sizes\":[1,2]}", "[1,2,3,4,5,6,7,8,9]"),
             test::contains("to be an object, got array"));
}
