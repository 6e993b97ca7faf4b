#include <tests/golden/file.hpp>

namespace diffsiam::golden {

void File::complain(std::string const& setting, std::string const& expected) const {
  fail<FileError>("golden", expected + " as '" + setting + "' in the metadata of '" + name() + "'",
                  has(setting) ? "'" + file_.metadata().at(setting) + "'" : "none");
}

std::string const& File::text(std::string const& setting) const {
  if (!has(setting)) complain(setting, "a setting");
  return file_.metadata().at(setting);
}

Json File::json(std::string const& setting) const {
  Json parsed = Json::parse(text(setting), nullptr, false);
  if (parsed.is_discarded()) complain(setting, "JSON");
  return parsed;
}

Index File::integer(std::string const& setting) const {
  Json const value = Json::parse(text(setting), nullptr, false);
  if (!value.is_number_integer()) complain(setting, "a whole number");
  return value.get<Index>();
}

double File::number_or(std::string const& setting, double otherwise) const {
  if (!has(setting)) return otherwise;
  Json const value = Json::parse(text(setting), nullptr, false);
  if (!value.is_number()) complain(setting, "a number");
  return value.get<double>();
}

bool File::flag_or(std::string const& setting, bool otherwise) const {
  if (!has(setting)) return otherwise;
  std::string const& value = text(setting);
  if (value == "True" || value == "true") return true;
  if (value == "False" || value == "false") return false;
  complain(setting, "True or False");
}

std::vector<Index> File::integers(std::string const& setting) const {
  Json const list = json(setting);
  if (!list.is_array()) complain(setting, "a list of whole numbers");
  std::vector<Index> result;
  for (Json const& entry : list) {
    if (!entry.is_number_integer()) complain(setting, "a list of whole numbers");
    result.push_back(entry.get<Index>());
  }
  return result;
}

void File::expect(std::string const& setting, std::string const& known) const {
  if (has(setting) && !text(setting).starts_with(known)) complain(setting, "'" + known + "'");
}

Shape File::shape(std::string const& tensor) const {
  auto const& stored = file_.shape(tensor);
  switch (stored.size()) {
    case 0:
      return {};
    case 1:
      return {stored[0]};
    case 2:
      return {stored[0], stored[1]};
    case 4:
      return {stored[0], stored[2], stored[3], stored[1]};
    default:
      fail<FileError>("golden", "a tensor '" + tensor + "' of 0, 1, 2 or 4 extents",
                      io::detail::shown_shape(stored));
  }
}

void File::require_all_used() const {
  std::string first;
  std::size_t count = 0;
  for (std::string const& name : names()) {
    if (used_.contains(name)) continue;
    if (count++ == 0) first = name;
  }
  if (count > 0) {
    fail<FileError>(
        "golden", "nothing in '" + name() + "' that this case does not know",
        "'" + first + "'" + (count > 1 ? " and " + std::to_string(count - 1) + " more tensors" : ""));
  }
}

Settings::Settings(Json object, std::string where) : object_(std::move(object)), where_(std::move(where)) {
  if (!object_.is_object()) fail<FileError>("golden", "an object as " + where_, object_.dump());
}

void Settings::require_all_used() const {
  for (auto const& [key, value] : object_.items())
    if (!used_.contains(key)) fail<FileError>("golden", "known settings in " + where_, "'" + key + "'");
}

}  // namespace diffsiam::golden
