// The safetensors format: one file with named tensors of any rank and free metadata.
#pragma once

#include <diffsiam/io/dtype.hpp>               // Dtype
#include <diffsiam/io/elements.hpp>            // the conversion of elements
#include <diffsiam/io/safetensors_header.hpp>  // SafetensorsHeader and its checks
#include <diffsiam/io/safetensors_reader.hpp>  // SafetensorsFile
#include <diffsiam/io/safetensors_writer.hpp>  // SafetensorsWriter
