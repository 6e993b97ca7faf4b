// The operations of the library as templates that are compiled once, for all files of a program, instead of
// in each. DIFFSIAM_COMPILE_OPERATIONS(B) in namespace diffsiam says so for the backend B, a name without
// commas; see compiled/cpu_float.hpp.
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/functional/activation.hpp>
#include <diffsiam/functional/error.hpp>
#include <diffsiam/ops/cross_entropy.hpp>
#include <diffsiam/ops/pool.hpp>
#include <diffsiam/train/adam.hpp>

// NOLINTBEGIN(bugprone-macro-parentheses): B is a type.
// An operation that is missing here is compiled where it is used, as your own ones are.
#define DIFFSIAM_COMPILE_OPERATIONS(B)                                                          \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Activation<functional::Abs>>;                 \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Activation<functional::Exp>>;                 \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Activation<functional::Log>>;                 \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Activation<functional::Relu>>;                \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Activation<functional::Silu>>;                \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Activation<functional::Sqrt>>;                \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Affine>;                                      \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Attention>;                                   \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::AxisTotal>;                                   \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::BatchNorm<B>>;                                \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::BinaryCrossEntropy>;                          \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::BroadcastTo>;                                 \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::ComposeModulation>;                           \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Concat>;                                      \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Conv2d>;                                      \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Diagonal>;                                    \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Divide>;                                      \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::DownsampleMean>;                              \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Dropout>;                                     \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::GlobalAveragePool>;                           \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::GroupNorm<functional::Identity>>;             \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::GroupNorm<functional::Silu>>;                 \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Linear>;                                      \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::LinearCombination>;                           \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Matmul>;                                      \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Multiply>;                                    \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Normalize>;                                   \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Power>;                                       \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Reshape>;                                     \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Samples>;                                     \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::ScaleSamples>;                                \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Select>;                                      \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Slice>;                                       \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::SoftmaxCrossEntropy>;                         \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::TimeEmbedding>;                               \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Total>;                                       \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::Transpose>;                                   \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::UpsampleNearest>;                             \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::WeightedError<functional::AbsoluteError>>;    \
  DIFFSIAM_COMPILED struct detail::Erased<B, ops::WeightedError<functional::SquaredError>>;     \
  DIFFSIAM_COMPILED class train::GradientDescent<B, train::AdamRule<train::AdamConfig, false>>; \
  DIFFSIAM_COMPILED class train::GradientDescent<B, train::AdamRule<train::AdamWConfig, true>>;
// NOLINTEND(bugprone-macro-parentheses)
