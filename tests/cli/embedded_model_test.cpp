// The model that comes with the program: used where no other is named, and still as good as its card says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "support/temporary_folder.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/pictures/frame_source.h"

namespace unianimate {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::ProgramResult;

class EmbeddedModel : public ::testing::Test {
 protected:
  /// In an empty folder, without a word about models.
  [[nodiscard]] ProgramResult run(const std::vector<std::string>& arguments) const {
    return testing::run_here(arguments, folder_.path());
  }
  testing::TemporaryFolder folder_;
};

TEST_F(EmbeddedModel, AnimatesWhereNoOtherModelIsNamed) {
  ASSERT_EQ(run({"puppet", "--seed", "900200", "--size", "192x256", "--frames", "10", "--output", "person"}).status, 0);
  const ProgramResult result = run({"animate", "--reference", "person/reference.png", "--poses", "person/poses",
                                    "--frames", "10", "--output", "result.mkv"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("the embedded model is used"));
  const auto video = open_frame_source(folder_ / "result.mkv");
  EXPECT_EQ(video->info().width, 192);
  EXPECT_EQ(video->info().height, 256);
  EXPECT_EQ(video->info().frame_count, 10);
}

TEST_F(EmbeddedModel, IsNearTheTruthOfPeopleItHasNeverSeen) {
  const ProgramResult result = run({"evaluate", "model", "--people", "900201-900202", "--device", "cpu", "--dtype",
                                    "fp32", "--json", "--quiet", "--output", "quality"});
  ASSERT_EQ(result.status, 0) << result.err;
  const json rows = json::parse(result.out).at("rows");
  ASSERT_EQ(rows.size(), 2U);
  for (const json& row : rows) {
    EXPECT_GT(row.at("psnr"), 22.0) << row.at("name");
    EXPECT_GT(row.at("ssim"), 0.75) << row.at("name");
  }
}

}  // namespace
}  // namespace unianimate
