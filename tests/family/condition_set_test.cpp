#include "unianimate/family/condition_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unianimate/core/error.h"

namespace unianimate::family {
namespace {

TEST(ConditionSet, KeepsTheOrderItWasWrittenIn) {
  const ConditionSet set = ConditionSet::parse("dwpose,image,local_image");
  EXPECT_EQ(set.names("_"), "dwpose_image_local_image");
  EXPECT_TRUE(set.contains(Condition::kLocalImage));
  EXPECT_FALSE(set.contains(Condition::kRandomRef));
}

TEST(ConditionSet, KnowsFriendlyNames) {
  EXPECT_EQ(ConditionSet::parse("reference"), ConditionSet());
  EXPECT_EQ(ConditionSet().names(), "image,randomref,dwpose");
  EXPECT_EQ(ConditionSet::parse("first-frame").names(), "image,local_image,dwpose");
}

TEST(ConditionSet, RefusesWhatItDoesNotKnow) {
  for (const char* text : {"", "image,", "Image", "image,image", "image dwpose", "reference,dwpose"}) {
    EXPECT_THROW(ConditionSet::parse(text), Error) << text;
  }
}

}  // namespace
}  // namespace unianimate::family
