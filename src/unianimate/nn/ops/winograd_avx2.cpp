#include "unianimate/nn/ops/winograd_transforms.h"

namespace unianimate::nn {

WinogradTiles avx2_winograd_tiles() {
  using Transforms = WinogradTransforms<8>;
  return {Transforms::weights, Transforms::inputs, Transforms::outputs};
}

}  // namespace unianimate::nn
