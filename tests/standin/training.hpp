// The course of training that tests of the stand-in compare with, computed once.
#pragma once

#include <tests/cuda/course.hpp>

namespace diffsiam::test {

inline constexpr unsigned course_steps = 20;

/// On backend::Cpu<float>.
[[nodiscard]] Course const& host_course();

}  // namespace diffsiam::test
