#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <vector>

#include <tests/golden/run.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>

namespace diffsiam::golden {

// In files of their own, so that they compile side by side.
extern template void check_case<backend::Cpu<float>>(File const&, Report&);
extern template void check_case<backend::Cpu<double>>(File const&, Report&);
extern template void check_case<backend::Reference<float>>(File const&, Report&);
extern template void check_case<backend::Reference<double>>(File const&, Report&);

namespace {

using Check = void (*)(File const&, Report&);

Check check_of(Options const& options) {
  bool const in_double = options.scalar == "double";
  if (!in_double && options.scalar != "float")
    fail<ConfigError>("golden: --scalar", "float or double", "'" + options.scalar + "'");
  if (options.backend == "cpu")
    return in_double ? check_case<backend::Cpu<double>> : check_case<backend::Cpu<float>>;
  if (options.backend == "reference")
    return in_double ? check_case<backend::Reference<double>> : check_case<backend::Reference<float>>;
  fail<ConfigError>("golden: --backend", "cpu or reference", "'" + options.backend + "'");
}

std::vector<std::filesystem::path> files_in(std::filesystem::path const& folder) {
  if (!std::filesystem::is_directory(folder))
    fail<FileError>("golden", "a folder of safetensors files", "'" + folder.string() + "'");
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// One case: its line, and whether it passed.
bool check_file(std::filesystem::path const& path, Check check, Tolerances const& tolerances,
                std::ostream& out) {
  auto const start = std::chrono::steady_clock::now();
  bool passed = false;
  std::string text;
  try {
    File const file{path};
    Report report{tolerances};
    check(file, report);
    file.require_all_used();
    passed = report.passed();
    text = report.summary();
  } catch (std::exception const& error) {
    text = error.what();
  }
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - start;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, ", %.2f s", took.count());
  std::string name = path.stem().string();
  name.resize(std::max<std::size_t>(name.size(), 22), ' ');
  out << (passed ? "PASS  " : "FAIL  ") << name << "  " << text << seconds << '\n' << std::flush;
  return passed;
}

}  // namespace

bool check_folder(std::filesystem::path const& folder, Options const& options, std::ostream& out) {
  Check const check = check_of(options);
  auto const tolerances = options.scalar == "double" ? Tolerances::of_double() : Tolerances::of_float();
  auto const files = files_in(folder);
  int passed = 0;
  for (auto const& file : files)
    if (check_file(file, check, tolerances, out)) ++passed;
  int const cases = static_cast<int>(files.size());
  out << cases << " cases on " << options.backend << " in " << options.scalar << ": " << passed << " passed, "
      << cases - passed << " failed\n";
  if (files.empty()) out << "no safetensors file in '" << folder.string() << "'\n";
  return cases > 0 && passed == cases;
}

}  // namespace diffsiam::golden
