// Tensor: the plain value. A handle to memory of a backend; copies share, the last handle returns the memory.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <diffsiam/concepts/backend.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam {

/// B is a backend: B::Scalar, B::Context (allocate(bytes) -> shared_ptr<void>), B::upload and B::download.
/// The context must outlive the operations, not the memory. Copying a tensor copies the handle.
template <class B>
class Tensor {
 public:
  using Backend = B;
  using Scalar = typename B::Scalar;
  using Context = typename B::Context;

  Tensor() = default;
  DIFFSIAM_OUT_OF_LINE Tensor(Tensor const&) = default;
  DIFFSIAM_OUT_OF_LINE Tensor(Tensor&&) = default;
  DIFFSIAM_OUT_OF_LINE Tensor& operator=(Tensor const&) = default;
  DIFFSIAM_OUT_OF_LINE Tensor& operator=(Tensor&&) = default;
  DIFFSIAM_OUT_OF_LINE ~Tensor() {}  // NOLINT: a defaulted one would be copied into its callers
  /// Memory with indeterminate contents.
  [[gnu::noinline]] Tensor(Context& context, Shape const& shape)
      : context_(&context),
        shape_(shape),
        memory_(context.allocate(static_cast<std::size_t>(shape.size()) * sizeof(Scalar))),
        data_(static_cast<Scalar*>(memory_.get())) {
    static_assert(backend::complete<B>());
  }

  /// All elements `value`.
  [[nodiscard, gnu::noinline]] static Tensor filled(Context& context, Shape const& shape, Scalar value) {
    Tensor result{context, shape};
    result.fill(value);
    return result;
  }
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
  /// A view of memory that is not ours; it must stay valid as long as the view is used.
  [[nodiscard, gnu::noinline]] static Tensor borrowed(Context& context, Shape const& shape, Scalar* data) {
    Tensor result;
    result.context_ = &context;
    result.shape_ = shape;
    result.data_ = data;
    return result;
  }

  [[nodiscard]] Shape const& shape() const { return shape_; }
  [[nodiscard]] Index size() const { return shape_.size(); }
  [[nodiscard]] Scalar* data() const { return data_; }
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
    result.data_ = data_ + begin * stride;
    result.shape_ = shape_.with_samples(end - begin);
    return result;
  }

  void fill(Scalar value) const { B::fill(*context_, data_, size(), value); }
  /// Overwrites from host values. Throws ShapeError when the counts differ.
  template <class T>
  void assign(std::span<T const> values) const {
    if (static_cast<Index>(values.size()) != size()) {
      fail<ShapeError>("Tensor::assign", {size(), " values for ", shape_}, values.size());
    }
    B::upload(*context_, values.data(), data_, size());
  }
  /// Overwrites from a tensor of the same shape, on the same backend.
  void assign(Tensor const& other) const {
    require_shape("Tensor::assign", shape_, other.shape_);
    B::copy(*context_, other.data_, data_, size());
  }
  [[nodiscard]] Tensor clone() const {
    Tensor result{*context_, shape_};
    result.assign(*this);
    return result;
  }
  /// A host copy of the values.
  template <class T = Scalar>
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> result(static_cast<std::size_t>(size()));
    B::download(*context_, data_, result.data(), size());
    return result;
  }
  /// The value of a tensor with one element. Throws ShapeError otherwise.
  [[nodiscard]] Scalar item() const {
    if (size() != 1) fail<ShapeError>("Tensor::item", "one element", shape_);
    Scalar value{};
    B::download(*context_, data_, &value, 1);
    return value;
  }

 private:
  Context* context_ = nullptr;
  Shape shape_;
  std::shared_ptr<void> memory_;
  Scalar* data_ = nullptr;
};

}  // namespace diffsiam
