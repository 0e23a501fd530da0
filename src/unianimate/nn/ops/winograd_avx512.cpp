#include "unianimate/nn/ops/winograd_transforms.h"

namespace unianimate::nn {

WinogradTiles avx512_winograd_tiles() {
  using Transforms = WinogradTransforms<16>;
  return {Transforms::weights, Transforms::inputs, Transforms::outputs};
}

}  // namespace unianimate::nn
