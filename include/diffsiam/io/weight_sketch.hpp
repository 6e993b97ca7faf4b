// A model that is built without memory first, to compare its tensors with those of a file: what a small file
// merely claims then takes no memory.
#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <string>
#include <type_traits>

#include <diffsiam/backend/dry/dry_run.hpp>
#include <diffsiam/io/published_weights.hpp>

namespace diffsiam::io {

/// How much of a model must be in the file.
enum class WeightFit { all, most };

/// Builds a model by `build(DryContext&)` and throws FileError unless its tensors are those below `prefix`:
/// all of them by name and shape, or a quarter of the elements at least. Throws what `build` throws, too.
template <class Build>
void require_weights_of(SafetensorsFile const& file, std::string const& prefix, Besides const& besides,
                        WeightFit fit, Build build) {
  // A model whose weights are there has no more blocks; with some slack, those that are missing are named.
  backend::DryContext context{{.most_blocks = 2 * file.names().size() + 1000}};
  std::size_t needed = 0, there = 0;
  for (std::string const& name : file.names()) there += name.starts_with(prefix) ? file.size(name) : 0;
  try {
    auto const sketch = build(context);
    TensorTable<typename std::remove_cvref_t<decltype(sketch)>::Backend> table;
    add_weights(table, sketch);
    if (fit == WeightFit::all) {
      auto const found = table.find(file, prefix, besides);
      table.require_fit(file, found, prefix);
      return;
    }
    nn::for_each_leaf(sketch, [&](nn::LeafName const&, auto const& leaf) {
      needed += static_cast<std::size_t>(leaf.value().size());
    });
  } catch (std::bad_alloc const&) {
    needed = std::numeric_limits<std::size_t>::max();
  }
  if (needed / 4 > there)
    fail<FileError>("load", {"the weights of the model that ", detail::shown_name(file.path()), " describes"},
                    {file.names().size(), " tensors that are far fewer or smaller"});
}

}  // namespace diffsiam::io
