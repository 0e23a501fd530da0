#include "unianimate/models/clip/clip.h"

#include <gtest/gtest.h>

#include "support/rule.h"
#include "unianimate/core/error.h"

namespace unianimate::models {
namespace {

ClipConfig small_config(std::int64_t vocab_size) {
  return {.embed_dim = 8,
          .vision = {.width = 8, .layers = 1, .heads = 2, .image_size = 28},
          .text = {.width = 8, .layers = 2, .heads = 2, .context_length = 5, .vocab_size = vocab_size}};
}

at::Tensor token_embedding(const ClipText& text) {
  for (const NamedTensor& parameter : text.named_parameters()) {
    if (parameter.name == "token_embedding.weight") return parameter.tensor;
  }
  return {};
}

TEST(ClipText, TheEmptyPromptTakesThreeTokensOfAVocabulary) {
  const ClipText smallest(small_config(3), at::kFloat);
  const ClipText larger(small_config(10), at::kFloat);
  testing::fill_by_rule(smallest.named_parameters());
  testing::fill_by_rule(larger.named_parameters());
  const at::Tensor rows = token_embedding(smallest);
  token_embedding(larger)[0].copy_(rows[0]);
  token_embedding(larger)[8].copy_(rows[1]);
  token_embedding(larger)[9].copy_(rows[2]);
  EXPECT_TRUE(at::equal(smallest.embed_empty_prompt(), larger.embed_empty_prompt()));
}

TEST(ClipConfig, AVocabularyHasThreeTokensAtLeast) {
  EXPECT_NO_THROW(small_config(3).check());
  EXPECT_THROW(small_config(2).check(), Error);
}

TEST(ClipConfig, ThePublishedMarksAreTheLastTokens) {
  EXPECT_EQ(ClipConfig().text.start_of_text(), 49406);
  EXPECT_EQ(ClipConfig().text.end_of_text(), 49407);
}

}  // namespace
}  // namespace unianimate::models
