// What a checkpoint file turned out to be, and how large a model is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unianimate::family {

struct ModelSize {
  std::string name;                  ///< as in model.json: "dim", "vision.width"
  std::vector<std::int64_t> values;  ///< one, or the elements of a list
};

struct RecognisedModel {
  std::string role;                ///< "UNet", "autoencoder", "CLIP", "small decoder"; empty: none of these
  std::string prefix;              ///< what stands before each of its names in the file
  std::string program;             ///< whose names they are; empty: the published ones
  std::vector<ModelSize> sizes;    ///< of this model
  std::vector<std::string> notes;  ///< what is left aside
  std::string problem;             ///< why the model cannot be loaded from the file; empty where it can
};

}  // namespace unianimate::family
