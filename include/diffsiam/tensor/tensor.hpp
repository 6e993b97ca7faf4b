// Tensor: the plain value. A handle to memory of a backend; copies share, the last handle returns the memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <diffsiam/concepts/declared_options.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/mixed_pointer.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam {

/// Whether values are in low precision; false, and nothing, where B has no mixed precision.
template <class B>
using PrecisionFlag = std::conditional_t<backend::MixedPrecision<B>, bool, std::false_type>;

/// B is a backend: B::Scalar, B::Context (allocate(bytes) -> shared_ptr<void>), B::upload and B::download.
/// The context must outlive the operations, not the memory. Copying a tensor copies the handle.
template <class B>
class Tensor {
 public:
  using Backend = B;
  /// Of all computation.
  using Scalar = typename B::Scalar;
  /// Of large activations: narrower than Scalar where B has mixed precision.
  using Storage = backend::StorageOf<B>;
  using Context = typename B::Context;

  /// An empty handle; it may only be assigned to and asked whether it is empty.
  Tensor() = default;
  DIFFSIAM_OUT_OF_LINE Tensor(Tensor const&) = default;
  DIFFSIAM_OUT_OF_LINE Tensor(Tensor&&) = default;
  DIFFSIAM_OUT_OF_LINE Tensor& operator=(Tensor const&) = default;
  DIFFSIAM_OUT_OF_LINE Tensor& operator=(Tensor&&) = default;
  DIFFSIAM_OUT_OF_LINE ~Tensor() {}  // NOLINT: a defaulted one would be copied into its callers
  /// Memory with indeterminate contents.
  [[gnu::noinline]] Tensor(Context& context, Shape const& shape) : Tensor(context, shape, false) {
    static_assert(backend::complete<B>() && backend::has_declared_options<B>());
  }
  /// The same in B's storage dtype: half the memory, and values that are rounded.
  [[nodiscard]] static Tensor low_precision(Context& context, Shape const& shape)
    requires backend::MixedPrecision<B>
  {
    return {context, shape, true};
  }

  /// All elements `value`.
  [[nodiscard, gnu::noinline]] static Tensor filled(Context& context, Shape const& shape, Scalar value) {
    Tensor result{context, shape};
    result.fill(value);
    return result;
  }
  /// All elements 0.
  [[nodiscard]] static Tensor zeros(Context& context, Shape const& shape) {
    return filled(context, shape, Scalar(0));
  }
  /// A copy of host values in the order of the shape (channels last). Throws ShapeError when the counts
  /// differ.
  template <class T>
  [[nodiscard]] static Tensor from(Context& context, Shape const& shape, std::span<T const> values) {
    Tensor result{context, shape};
    result.assign(values);
    return result;
  }
  template <class T>
  [[nodiscard]] static Tensor from(Context& context, Shape const& shape, std::vector<T> const& values) {
    return from(context, shape, std::span<T const>{values});
  }
  /// The same of numbers written out: from(context, {2, 2}, {1, 0, 0, 1}).
  [[nodiscard]] static Tensor from(Context& context, Shape const& shape,
                                   std::initializer_list<double> values) {
    return from(context, shape, std::span<double const>{values.begin(), values.size()});
  }
  /// A view of memory that is not ours; it must stay valid as long as the view is used.
  [[nodiscard, gnu::noinline]] static Tensor borrowed(Context& context, Shape const& shape, Scalar* data) {
    Tensor result;
    result.context_ = &context;
    result.shape_ = shape;
    result.data_ = data;
    return result;
  }

  /// The same of memory that the pointer keeps alive.
  [[nodiscard]] static Tensor sharing(Context& context, Shape const& shape, std::shared_ptr<void> memory) {
    Tensor result = borrowed(context, shape, static_cast<Scalar*>(memory.get()));
    result.memory_ = std::move(memory);
    return result;
  }

  [[nodiscard]] Shape const& shape() const& { return shape_; }
  [[nodiscard]] Shape shape() const&& { return shape_; }
  /// Number of elements, the product of the extents.
  [[nodiscard]] Index size() const { return shape_.size(); }
  /// Throws Error for a tensor in low precision: values() and full_precision() read both.
  [[nodiscard]] Scalar* data() const {
    if constexpr (backend::MixedPrecision<B>)
      if (low_precision_)
        fail<Error>("Tensor::data", "a tensor in full precision", "one in low precision",
                    "ask for its full_precision()");
    return data_;
  }
  /// Whether values are in B's storage dtype. Outputs of some operations are, where B has mixed precision.
  [[nodiscard]] bool is_low_precision() const { return low_precision_; }
  /// The values as they are stored: a pointer, or a MixedPointer where B has mixed precision.
  [[nodiscard]] backend::WrittenBy<B> storage() const {
    if constexpr (backend::MixedPrecision<B>) {
      if (low_precision_) return {nullptr, reinterpret_cast<Storage*>(data_)};
    }
    return data_;
  }
  /// The same values in full precision: this tensor, or a copy of one in low precision.
  [[nodiscard]] Tensor full_precision() const {
    if (!is_low_precision()) return *this;
    Tensor result{*context_, shape_};
    result.assign(*this);
    return result;
  }
  /// The values where they lie, if the host may read them there; nothing otherwise, for it would wait for the
  /// device. For checks of values.
  [[nodiscard]] std::span<Scalar const> host_values() const {
    if constexpr (backend::HostReadable<B>)
      return {data(), static_cast<std::size_t>(size())};
    else
      return {};
  }
  /// The context that it was made with.
  [[nodiscard]] Context& context() const { return *context_; }
  /// False for a default-constructed tensor.
  [[nodiscard]] explicit operator bool() const { return data_ != nullptr; }

  /// The same memory under another shape of the same size. Throws ShapeError otherwise.
  [[nodiscard]] Tensor reshaped(Shape const& shape) const {
    if (shape.size() != size()) {
      fail<ShapeError>("reshape", {size(), " elements"}, shape);
    }
    Tensor result = *this;
    result.shape_ = shape;
    return result;
  }
  /// Samples [begin, end) of the batch, without a copy. Throws RangeError outside the batch.
  [[nodiscard]] Tensor samples(Index begin, Index end) const {
    if (begin < 0 || end < begin || end > shape_.samples() || shape_.rank() == 0) {
      fail<RangeError>("samples", {"0 <= begin <= end <= ", shape_.samples()}, {begin, " .. ", end});
    }
    Tensor result = *this;
    Index const stride = shape_.samples() == 0 ? 0 : size() / shape_.samples();
    auto const skipped =
        static_cast<std::size_t>(begin * stride) * (is_low_precision() ? sizeof(Storage) : sizeof(Scalar));
    result.data_ = reinterpret_cast<Scalar*>(reinterpret_cast<std::byte*>(data_) + skipped);
    result.shape_ = shape_.with_samples(end - begin);
    return result;
  }

  /// Overwrites all elements with `value`.
  void fill(Scalar value) const { B::fill(*context_, storage(), size(), value); }
  /// Overwrites from host values. Throws ShapeError when the counts differ.
  template <class T>
  void assign(std::span<T const> values) const {
    if (static_cast<Index>(values.size()) != size()) {
      fail<ShapeError>("Tensor::assign", {size(), " values for ", shape_}, values.size());
    }
    if (is_low_precision()) return assign(from(*context_, shape_, values));
    B::upload(*context_, values.data(), data_, size());
  }
  /// Overwrites from a tensor of the same shape, on the same backend.
  void assign(Tensor const& other) const {
    require_shape("Tensor::assign", shape_, other.shape_);
    B::copy(*context_, other.storage(), storage(), size());
  }
  /// Stored as this one is.
  [[nodiscard]] Tensor clone() const {
    Tensor result{*context_, shape_, is_low_precision()};
    result.assign(*this);
    return result;
  }
  /// A host copy of the values.
  template <class T = Scalar>
  [[nodiscard]] std::vector<T> values() const {
    if (is_low_precision()) return full_precision().template values<T>();
    std::vector<T> result(static_cast<std::size_t>(size()));
    B::download(*context_, data_, result.data(), size());
    return result;
  }
  /// The value of a tensor with one element. Throws ShapeError otherwise.
  [[nodiscard]] Scalar item() const {
    if (size() != 1) fail<ShapeError>("Tensor::item", "one element", shape_);
    if (is_low_precision()) return full_precision().item();
    Scalar value{};
    B::download(*context_, data_, &value, 1);
    return value;
  }

 private:
  [[gnu::noinline]] Tensor(Context& context, Shape const& shape, [[maybe_unused]] bool low_precision)
      : context_(&context),
        shape_(shape),
        memory_(context.allocate(static_cast<std::size_t>(shape.size()) *
                                 (low_precision ? sizeof(Storage) : sizeof(Scalar)))),
        data_(static_cast<Scalar*>(memory_.get())) {
    if constexpr (backend::MixedPrecision<B>) low_precision_ = low_precision;
  }

  Context* context_ = nullptr;
  Shape shape_;
  std::shared_ptr<void> memory_;
  Scalar* data_ = nullptr;  ///< of Storage where low_precision_
  [[no_unique_address]] PrecisionFlag<B> low_precision_{};
};

}  // namespace diffsiam
