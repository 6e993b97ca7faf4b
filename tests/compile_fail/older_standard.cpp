// C++17; the TWIN is C++20.
// FLAGS: -std=c++17
// EXPECT EARLY: diffsiam needs C++20: compile with -std=c++20 (g++ 12, clang 19 or newer).
#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
