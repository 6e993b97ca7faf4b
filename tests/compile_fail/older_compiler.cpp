// A compiler that says it is g++ 11 or clang 14; the TWIN is compiled by one that tells the truth.
// FLAGS g++: -U__GNUC__ -D__GNUC__=11
// FLAGS clang: -U__clang_major__ -D__clang_major__=14
// EXPECT EARLY: diffsiam needs a newer compiler: g++ 12, clang 19 or newer.
#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
