// PictureSource: where pictures come from. A folder, an archive or a program's own memory becomes a Dataset
// by a struct with three functions.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

#include <diffsiam/core/shape.hpp>
#include <diffsiam/data/image_view.hpp>

namespace diffsiam::data {

/// Satisfied if and only if S has size() pictures that are all of extent() (h, w, c), and read(i, out) writes
/// the pixels of picture i, 0..255 in rows from the top, into `out` of extent().size() bytes. Several threads
/// may call read() at once. It throws FileError, naming the picture, for one that cannot be read.
/// Models: PictureFolder, LmdbPictures, Dataset, and your own.
template <class S>
concept PictureSource = std::movable<S> && requires(S const& source, Index i, std::span<std::uint8_t> out) {
  { source.size() } -> std::convertible_to<Index>;
  { source.extent() } -> std::same_as<ImageExtent>;
  source.read(i, out);
};

/// Satisfied if and only if labels() also gives the label of each picture, at least 0, or no label at all.
template <class S>
concept LabelledSource = PictureSource<S> && requires(S const& source) {
  { source.labels() } -> std::convertible_to<std::vector<int>>;
};

}  // namespace diffsiam::data
