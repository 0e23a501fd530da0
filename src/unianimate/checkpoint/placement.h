// Where a tensor of a file belongs in a model whose own names are others.
#pragma once

#include <string>

namespace unianimate::checkpoint {

struct Placement {
  std::string name = {};    ///< the model's name for it
  int part = 0;             ///< of a tensor that the file holds in parts, joined along the first axis: which, from 0
  int parts = 1;            ///< how many there are
  bool transposed = false;  ///< the file has rows and columns exchanged
  bool pointwise = false;   ///< trailing axes of length one may be more or fewer than the model's

  bool operator==(const Placement&) const = default;
};

}  // namespace unianimate::checkpoint
