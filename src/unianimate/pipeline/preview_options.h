// A look at a video while it is sampled.
#pragma once

#include <cstdint>

namespace unianimate::pipeline {

struct PreviewOptions {
  std::int64_t every = 0;  ///< after every so many steps; 0: never
  bool decoded = false;    ///< by the full decoder instead of the small one or, without that, latent_preview.h
};

}  // namespace unianimate::pipeline
