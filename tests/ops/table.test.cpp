// The table of cases against the folder: an operation without a case is not checked by anything.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/dry/dry_run.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/testing/cases/operations.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam::test {

/// What the headers of ops/ define: `static constexpr std::string_view name = ...;`, by header.
std::vector<std::pair<std::string, std::string>> defined_names() {
  auto const folder =
      (std::filesystem::path(DIFFSIAM_TEST_DATA) / "../../include/diffsiam/ops").lexically_normal();
  std::string const definition = "std::string_view name = ";
  std::vector<std::pair<std::string, std::string>> names;
  for (auto const& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    std::string const header = text.str();
    std::size_t const before = names.size();
    for (std::size_t at = header.find(definition); at != std::string::npos;
         at = header.find(definition, at + 1)) {
      std::size_t const begin = at + definition.size();
      names.emplace_back(entry.path().filename().string(),
                         header.substr(begin, header.find(';', begin) - begin));
    }
    // Plain tensors alone: no operation, though it has a case.
    bool const plain = entry.path().filename() == "lookup.hpp";
    CHECK(plain == (names.size() == before));
  }
  return names;
}

TEST_CASE("Every operation of ops/ has a case") {
  using B = backend::DryRun<backend::Reference<double>>;
  std::set<std::string> met;
  testing::cases::operations([&](auto const& tested) {
    B::Context context;
    auto const model = tested.template model<B>(context);
    auto const fixed = tested.template constant_tensors<B>(context);
    auto const y = std::apply(tested.function(model, fixed), tested.template variable_tensors<B>(context));
    for (auto const& [name, account] : context.accounts()) met.insert(name);
  });
  auto const names = defined_names();
  CHECK(names.size() >= 20);
  for (auto const& [header, name] : names) {
    // It asks other pieces of a batch, which no backend has: its own test and tests/dist bring them.
    if (header == "gather_pieces.hpp") continue;
    INFO("ops/" << header << " defines " << name << "; add a case of it to testing/cases/");
    if (name == "Act::name") {
      for (auto const* act : {"silu", "relu", "exp", "log", "sqrt", "abs"}) CHECK(met.count(act) == 1);
    } else {
      CHECK(met.count(name.substr(1, name.size() - 2)) == 1);
    }
  }
}

}  // namespace diffsiam::test
