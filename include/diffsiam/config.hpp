// What the library asks of a compiler, and its version. No other header tests a compiler or platform macro.
#pragma once

#define DIFFSIAM_VERSION_MAJOR 0
#define DIFFSIAM_VERSION_MINOR 1
#define DIFFSIAM_VERSION_PATCH 0

#if __cplusplus < 202002L
#error "diffsiam needs C++20: compile with -std=c++20 (g++ 12, clang 19 or newer)."
#endif

#if defined(__apple_build_version__)
// numbered on its own
#elif defined(__clang__)
#if __clang_major__ < 19
#error "diffsiam needs a newer compiler: g++ 12, clang 19 or newer."
#endif
#elif defined(__GNUC__) && __GNUC__ < 12
#error "diffsiam needs a newer compiler: g++ 12, clang 19 or newer."
#endif

// Functors of functional/ run on hosts and devices alike.
#if defined(__CUDACC__)
#define DIFFSIAM_HOST_DEVICE __host__ __device__
#else
#define DIFFSIAM_HOST_DEVICE
#endif
// What kernels of backend/cuda are made of: device code, or code that a host steps through.
#if defined(__CUDACC__)
#define DIFFSIAM_KERNEL __device__
#else
#define DIFFSIAM_KERNEL
#endif
// Before a loop of a kernel over an array that must stay in registers.
#if defined(__CUDACC__)
#define DIFFSIAM_UNROLL_IN_KERNEL _Pragma("unroll")
#else
#define DIFFSIAM_UNROLL_IN_KERNEL
#endif
// Whether this is compiled for a device.
#if defined(__CUDA_ARCH__)
#define DIFFSIAM_ON_DEVICE 1
#else
#define DIFFSIAM_ON_DEVICE 0
#endif

#if defined(__GNUC__)
#define DIFFSIAM_RESTRICT __restrict__
#define DIFFSIAM_ALWAYS_INLINE [[gnu::always_inline]] inline
#else
#define DIFFSIAM_RESTRICT
#define DIFFSIAM_ALWAYS_INLINE inline
#endif

// Whether a sanitizer follows the stack, so that a jump from one stack to another misleads it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DIFFSIAM_STACK_IS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DIFFSIAM_STACK_IS_WATCHED 1
#else
#define DIFFSIAM_STACK_IS_WATCHED 0
#endif
#else
#define DIFFSIAM_STACK_IS_WATCHED 0
#endif

// For functions that steer work or name things, never loop over data: compiled for size, which takes half the
// time.
#if defined(__GNUC__)
#define DIFFSIAM_STEERS [[gnu::cold]]
#else
#define DIFFSIAM_STEERS
#endif
// The same, and never copied into its callers: what is called from hundreds of places, such as the copies of
// handles that networks hold, and the sentences of errors.
#if defined(__GNUC__)
#define DIFFSIAM_OUT_OF_LINE [[gnu::noinline, gnu::cold]]
#else
#define DIFFSIAM_OUT_OF_LINE
#endif

// Before a loop whose iterations do not depend on each other, though the compiler cannot see it.
#if defined(__clang__)
#define DIFFSIAM_INDEPENDENT_ITERATIONS _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define DIFFSIAM_INDEPENDENT_ITERATIONS _Pragma("GCC ivdep")
#else
#define DIFFSIAM_INDEPENDENT_ITERATIONS
#endif
// Around such loops and the functions that inline them, at either of which clang reports that it did not
// vectorise, as it never does at -O1.
#if defined(__clang__)
#define DIFFSIAM_MAY_STAY_SCALAR_BEGIN \
  _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wpass-failed\"")
#define DIFFSIAM_MAY_STAY_SCALAR_END _Pragma("clang diagnostic pop")
#else
#define DIFFSIAM_MAY_STAY_SCALAR_BEGIN
#define DIFFSIAM_MAY_STAY_SCALAR_END
#endif

// The widest vectors of the target, and before a short loop that is to be unrolled whole: for the tiles of
// backend/cpu. nvcc does not know the pragma, so Cpu is slower in .cu files.
#if defined(__AVX512F__)
#define DIFFSIAM_VECTOR_BYTES 64
#elif defined(__AVX__)
#define DIFFSIAM_VECTOR_BYTES 32
#else
#define DIFFSIAM_VECTOR_BYTES 16
#endif
#if defined(__clang__)
#define DIFFSIAM_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__) && !defined(__CUDACC__)
#define DIFFSIAM_UNROLL _Pragma("GCC unroll 16")
#else
#define DIFFSIAM_UNROLL
#endif

// compiled/ lists templates that a program takes from a library instead of compiling them: the library
// defines DIFFSIAM_COMPILES_TEMPLATES and instantiates the same list.
#if defined(DIFFSIAM_COMPILES_TEMPLATES)
#define DIFFSIAM_COMPILED template
#else
#define DIFFSIAM_COMPILED extern template
#endif

// What build_info() tells of how a program was compiled.
#if defined(__clang__)
#define DIFFSIAM_COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define DIFFSIAM_COMPILER "g++ " __VERSION__
#else
#define DIFFSIAM_COMPILER "unknown compiler"
#endif
#if defined(__AVX512BF16__)
#define DIFFSIAM_INSTRUCTION_SET "AVX-512 with BF16"
#elif defined(__AVX512F__)
#define DIFFSIAM_INSTRUCTION_SET "AVX-512"
#elif defined(__AVX2__)
#define DIFFSIAM_INSTRUCTION_SET "AVX2"
#elif defined(__AVX__)
#define DIFFSIAM_INSTRUCTION_SET "AVX"
#elif defined(__SSE2__)
#define DIFFSIAM_INSTRUCTION_SET "SSE2"
#elif defined(__ARM_NEON)
#define DIFFSIAM_INSTRUCTION_SET "NEON"
#else
#define DIFFSIAM_INSTRUCTION_SET "none"
#endif
// The components onednn, cuda and torch define DIFFSIAM_WITH_*.
#if defined(DIFFSIAM_WITH_ONEDNN)
#define DIFFSIAM_AND_ONEDNN ", onednn"
#else
#define DIFFSIAM_AND_ONEDNN ""
#endif
#if defined(DIFFSIAM_WITH_CUDA)
#define DIFFSIAM_AND_CUDA ", cuda"
#else
#define DIFFSIAM_AND_CUDA ""
#endif
#if defined(DIFFSIAM_WITH_TORCH)
#define DIFFSIAM_AND_TORCH ", torch"
#else
#define DIFFSIAM_AND_TORCH ""
#endif
#define DIFFSIAM_BACKENDS "reference, cpu" DIFFSIAM_AND_ONEDNN DIFFSIAM_AND_CUDA DIFFSIAM_AND_TORCH

// Products of bfloat16 pairs, summed in float32, are one instruction.
#if defined(__AVX512BF16__) && defined(__AVX512BW__)
#define DIFFSIAM_HAS_BF16_DOT 1
#else
#define DIFFSIAM_HAS_BF16_DOT 0
#endif

// A fused multiply-add is exact and fast only where the target has the instruction; elsewhere std::fma is a
// slow call.
#if defined(__FP_FAST_FMAF) || DIFFSIAM_ON_DEVICE
#define DIFFSIAM_HAS_FAST_FMA 1
#else
#define DIFFSIAM_HAS_FAST_FMA 0
#endif
