// The models' parameters against every key and shape of the published checkpoints.
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "support/golden_file.h"
#include "unianimate/core/error.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::models {
namespace {

const at::TensorOptions kShapesOnly(at::kMeta);

Shapes read_keys(const std::string& name) {
  std::ifstream file(testing::golden_folder() / "keys" / (name + ".json"));
  if (!file) throw std::runtime_error("no keys of " + name);
  return nlohmann::json::parse(file).get<Shapes>();
}

Shapes shapes_of(const NamedTensors& parameters, const std::string& prefix = "") {
  Shapes shapes;
  for (const auto& [name, tensor] : parameters) shapes[prefix + name] = tensor.sizes().vec();
  return shapes;
}

TEST(CheckpointKeys, UNetHasThePublishedOnes) {
  for (const char* name : {"unet_published", "unet_small", "unet_pipeline"}) {
    const Shapes keys = read_keys(name);
    const UNetConfig config = unet_config_from_shapes(keys);
    EXPECT_EQ(shapes_of(UNet(config, kShapesOnly).named_parameters()), keys) << name;
  }
}

TEST(CheckpointKeys, AutoencoderHasThePublishedOnes) {
  for (const char* name : {"vae_published", "vae_small"}) {
    const Shapes keys = read_keys(name);
    const AutoencoderConfig config = autoencoder_config_from_shapes(keys);
    EXPECT_EQ(shapes_of(Autoencoder(config, kShapesOnly).named_parameters()), keys) << name;
  }
}

TEST(CheckpointKeys, ClipHasThePublishedOnes) {
  ClipConfig small;
  small.vision.heads = 4;
  small.text.heads = 4;
  for (const auto& [name, assumed] :
       std::map<std::string, ClipConfig>{{"clip_published", {}}, {"clip_small", small}, {"clip_pipeline", small}}) {
    const Shapes keys = read_keys(name);
    const ClipConfig config = clip_config_from_shapes(keys, assumed);
    Shapes found = shapes_of(ClipVisual(config, kShapesOnly).named_parameters(), "visual.");
    found.merge(shapes_of(ClipText(config, kShapesOnly).named_parameters()));
    EXPECT_EQ(found, keys) << name;
  }
}

TEST(CheckpointKeys, PublishedShapesGiveThePublishedSizes) {
  EXPECT_EQ(unet_config_from_shapes(read_keys("unet_published")), UNetConfig());
  EXPECT_EQ(autoencoder_config_from_shapes(read_keys("vae_published")), AutoencoderConfig());
  EXPECT_EQ(clip_config_from_shapes(read_keys("clip_published")), ClipConfig());
}

TEST(CheckpointKeys, OtherFilesAreRecognisedAsSuch) {
  EXPECT_THROW(unet_config_from_shapes(read_keys("vae_small")), Error);
  EXPECT_THROW(autoencoder_config_from_shapes(read_keys("unet_small")), Error);
  EXPECT_THROW(clip_config_from_shapes(read_keys("vae_small")), Error);
  EXPECT_THROW(unet_config_from_shapes({}), Error);
}

TEST(ModelConfigs, NonsenseIsRefused) {
  EXPECT_THROW(UNet({.dim = 33}, kShapesOnly), Error);
  EXPECT_THROW(UNet({.dim_mult = {}}, kShapesOnly), Error);
  EXPECT_THROW(UNet({.head_dim = 48}, kShapesOnly), Error);
  EXPECT_THROW(UNet({.dim = std::int64_t{1} << 40}, kShapesOnly), Error);
  EXPECT_THROW(Autoencoder({.ch = 0}, kShapesOnly), Error);
  EXPECT_THROW(Autoencoder({.scale_factor = -1}, kShapesOnly), Error);
  EXPECT_THROW(ClipVisual({.vision = {.heads = 7}}, kShapesOnly), Error);
}

}  // namespace
}  // namespace unianimate::models
