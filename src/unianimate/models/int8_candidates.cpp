#include "unianimate/models/int8_candidates.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace unianimate::models {

namespace {

/// Where layers lie that may: input_blocks, middle_block and output_blocks, without their time embeddings.
constexpr std::array<std::string_view, 3> kBlocks{"input_blocks.", "middle_block.", "output_blocks."};
constexpr std::string_view kFirst = "input_blocks.0.0";
constexpr std::string_view kDecoder = "decoder.";
constexpr std::array<std::string_view, 2> kEndsOfDecoder{"decoder.conv_in", "decoder.conv_out"};
constexpr std::string_view kTimeEmbedding = ".emb_layers.1";
/// Small, and what they make steers a Mamba's exponentials.
constexpr std::array<std::string_view, 4> kOfMamba{".x_proj", ".x_proj_b", ".dt_proj", ".dt_proj_b"};

bool may_be_int8(std::string_view name) {
  return name != kFirst && !name.ends_with(kTimeEmbedding) &&
         std::ranges::none_of(kOfMamba, [&](std::string_view layer) { return name.ends_with(layer); }) &&
         std::ranges::any_of(kBlocks, [&](std::string_view block) { return name.starts_with(block); });
}

}  // namespace

std::vector<nn::NamedProduct> int8_candidates(const UNet& unet) {
  std::vector<nn::NamedProduct> candidates = unet.named_products();
  std::erase_if(candidates, [](const nn::NamedProduct& product) { return !may_be_int8(product.name); });
  return candidates;
}

std::vector<nn::NamedProduct> int8_candidates(const Autoencoder& autoencoder) {
  std::vector<nn::NamedProduct> candidates = autoencoder.named_products();
  std::erase_if(candidates, [](const nn::NamedProduct& product) {
    return !product.name.starts_with(kDecoder) ||
           std::ranges::find(kEndsOfDecoder, product.name) != kEndsOfDecoder.end();
  });
  return candidates;
}

}  // namespace unianimate::models
