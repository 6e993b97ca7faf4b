// Compares the library with reference values: a line a case, and a non-zero end when a case fails or is
// unknown, or there is none.
//
//   golden DIR [--backend cpu|reference] [--scalar float|double]
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

#include <tests/golden/run.hpp>

#include <diffsiam/core/version.hpp>

int main(int argc, char** argv) {
  constexpr char const* usage = "usage: golden DIR [--backend cpu|reference] [--scalar float|double]\n";
  diffsiam::golden::Options options;
  std::string folder;
  for (int i = 1; i < argc; ++i) {
    std::string_view const argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      std::cout << usage;
      return 0;
    }
    if (argument == "--version") {
      std::cout << "golden " << diffsiam::version() << '\n';
      return 0;
    }
    bool const named = argument == "--backend" || argument == "--scalar";
    if ((named && i + 1 == argc) || (!named && (argument.starts_with("-") || !folder.empty()))) {
      std::cerr << "golden: did not expect '" << argument << "'\n" << usage;
      return 2;
    }
    if (named)
      (argument == "--backend" ? options.backend : options.scalar) = argv[++i];
    else
      folder = argument;
  }
  if (folder.empty()) {
    std::cerr << usage;
    return 2;
  }
  try {
    return diffsiam::golden::check_folder(folder, options, std::cout) ? 0 : 1;
  } catch (std::exception const& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
