// Observer: is told of every operation that a context runs.
#pragma once

#include <string_view>

namespace diffsiam {

/// The pass that an operation runs in.
enum class Direction { forward, backward };

/// Called by the thread that runs the operation; operations may be nested. Profile is an observer.
class Observer {
 public:
  Observer() = default;
  Observer(Observer const&) = default;
  Observer& operator=(Observer const&) = default;
  virtual ~Observer() = default;

  /// An operation begins; `operation` is its name, "conv2d".
  virtual void begin(std::string_view operation, Direction direction) = 0;
  /// Ends the operation that began last.
  virtual void end() noexcept = 0;
};

/// Begins now and ends with its scope, if there is an observer.
class Observed {
 public:
  /// Tells `observer`, which may be null, that `operation` begins; the destructor tells it that it ends.
  Observed(Observer* observer, std::string_view operation, Direction direction) : observer_(observer) {
    if (observer_ != nullptr) observer_->begin(operation, direction);
  }
  Observed(Observed const&) = delete;
  Observed& operator=(Observed const&) = delete;
  ~Observed() {
    if (observer_ != nullptr) observer_->end();
  }

 private:
  Observer* observer_;
};

}  // namespace diffsiam
