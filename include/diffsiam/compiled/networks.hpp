// The networks of the library, their layers and the tape, as templates that are compiled once, for all files
// of a program: constructors, destructors and whatever else does not depend on the kind of value.
// DIFFSIAM_COMPILE_NETWORKS(B) in namespace diffsiam says so for the backend B, a name without commas; see
// compiled/cpu_float.hpp.
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/diffsiam.hpp>

// NOLINTBEGIN(bugprone-macro-parentheses): B is a type.
#define DIFFSIAM_COMPILE_NETWORKS(B)                               \
  DIFFSIAM_COMPILED class Tensor<B>;                               \
  DIFFSIAM_COMPILED class Tape<B>;                                 \
  DIFFSIAM_COMPILED class Node<B>;                                 \
  DIFFSIAM_COMPILED class detail::RecordedNode<B>;                 \
  DIFFSIAM_COMPILED struct nn::ParameterList<B>;                   \
  DIFFSIAM_COMPILED class nn::Init<B>;                             \
  DIFFSIAM_COMPILED class nn::Linear<B>;                           \
  DIFFSIAM_COMPILED class nn::Conv2d<B>;                           \
  DIFFSIAM_COMPILED class nn::BatchNorm<B>;                        \
  DIFFSIAM_COMPILED class nn::GroupNormWeights<B>;                 \
  DIFFSIAM_COMPILED class nn::SelfAttention<B>;                    \
  DIFFSIAM_COMPILED class nn::ResBlock<B, nn::TimeModulation<B>>;  \
  DIFFSIAM_COMPILED class nn::ResBlock<B, nn::ShiftModulation<B>>; \
  DIFFSIAM_COMPILED class unet::DownPath<B>;                       \
  DIFFSIAM_COMPILED class unet::UpPath<B, nn::TimeModulation<B>>;  \
  DIFFSIAM_COMPILED class unet::UpPath<B, nn::ShiftModulation<B>>; \
  DIFFSIAM_COMPILED class unet::UNet<B>;                           \
  DIFFSIAM_COMPILED class unet::ShiftDecoder<B>;                   \
  DIFFSIAM_COMPILED class encoder::ConvBackbone<B>;                \
  DIFFSIAM_COMPILED class encoder::ModularEncoder<B>;              \
  DIFFSIAM_COMPILED class encoder::SimSiamHeads<B>;
// NOLINTEND(bugprone-macro-parentheses)
