#include <string>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/train/config_difference.hpp>

using namespace diffsiam;
using test::message_of;
using train::config_difference;

TEST_CASE(
    "Configurations that are nested without end, or cut by a NUL, are refused, and long values are cut short",
    "[train]") {
  std::string const deep = std::string(500000, '[') + std::string(500000, ']');
  CHECK_THAT(
      message_of<ConfigError>([&] { (void)config_difference(deep, "{}"); }),
      test::contains("the configuration of the checkpoint in JSON") && test::contains("500000 levels"));
  CHECK_THAT(message_of<ConfigError>([&] { (void)config_difference("{}", std::string("{}\0{}", 5)); }),
             test::contains("the configuration of this run") && test::contains("NUL"));
  std::string const many = "{\"" + std::string(5000, 'k') + "\": \"" + std::string(5000, 'v') + "\"}";
  auto const found = config_difference(many, "{}");
  REQUIRE(found);
  CHECK(found->key == std::string(200, 'k') + "...");
  CHECK(found->saved.size() < 300);
  CHECK(found->present == "nothing");
}
