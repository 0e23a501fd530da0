// Which weights a file holds, whatever type they are kept in.
#pragma once

#include <string>

#include "unianimate/checkpoint/checkpoint.h"

namespace unianimate::checkpoint {

/// The metadata's field of a file whose values were rounded otherwise than to bf16: the hash of what they were.
inline constexpr const char* kWeightsHashField = "weights_hash";

/// The file's kWeightsHashField, or else content_hash_of() a line for each tensor in the order of their names: name,
/// shape, and content_hash_of() its values, floating-point ones rounded to bf16, in the machine's order of bytes. So
/// copies in fp32 and bf16 have the same, and those in fp16 and in 8 bits where 'models convert' made them. Reads every
/// tensor, one at a time; throws what materialize() throws.
std::string weights_hash(const Checkpoint& checkpoint);

}  // namespace unianimate::checkpoint
