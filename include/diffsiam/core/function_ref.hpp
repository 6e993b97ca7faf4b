// FunctionRef: a callable by reference, two pointers wide, that never allocates.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace diffsiam {

template <class Signature>
class FunctionRef;

/// Refers to a callable that must outlive the call.
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  /// Refers to `callable`, which is not copied.
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, Args...>)
  FunctionRef(F&& callable)  // NOLINT: implicit by design, as with std::function_ref
      : object_(const_cast<void*>(static_cast<void const*>(std::addressof(callable)))),
        call_(&invoke<std::remove_reference_t<F>>) {}

  /// Calls it, and throws what it throws.
  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  template <class F>
  static R invoke(void* object, Args... args) {
    return (*static_cast<F*>(object))(std::forward<Args>(args)...);
  }

  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace diffsiam
