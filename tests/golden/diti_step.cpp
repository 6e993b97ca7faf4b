#include <tests/golden/cases/diti_step.hpp>

namespace diffsiam::golden {

Values rolled(Values const& values, std::vector<std::int64_t> const& shape, std::size_t axis,
              std::int64_t shift) {
  if (axis >= shape.size() || values.empty()) return values;
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= static_cast<std::size_t>(shape[i]);
  std::int64_t const extent = shape[axis];
  auto const by = static_cast<std::size_t>((shift % extent + extent) % extent);
  auto const count = static_cast<std::size_t>(extent);
  Values result(values.size());
  for (std::size_t outer = 0; outer < values.size() / (count * inner); ++outer)
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < inner; ++j)
        result[(outer * count + (i + by) % count) * inner + j] = values[(outer * count + i) * inner + j];
  return result;
}

std::int64_t roll_of(Settings const& settings, std::string const& key, int step) {
  if (!settings.has(key)) return 0;
  Json const value = settings.get<Json>(key);
  if (value == "step") return step;
  if (value.is_number_integer()) return value.get<std::int64_t>() * step;
  fail<FileError>("golden", "\"step\" or a whole number as '" + key + "' in " + settings.where(),
                  value.dump());
}

Weight shifted_loss_weight(File const& file) {
  Settings const settings(file.json("loss"), "loss");
  if (auto const shift = settings.get_or<std::string>("shift", "c_t"); shift != "c_t")
    fail<FileError>("golden", "c_t as the coefficient of G in the loss", "'" + shift + "'");
  if (auto const reduction = settings.get_or<std::string>("reduction", "mean"); reduction != "mean")
    fail<FileError>("golden", "a mean as the reduction of a loss", "'" + reduction + "'");
  Weight const weight = weight_of(settings.get<std::string>("weight"));
  settings.require_all_used();
  return weight;
}

}  // namespace diffsiam::golden
