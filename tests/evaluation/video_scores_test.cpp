#include "unianimate/evaluation/video_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"

namespace unianimate::evaluation {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class VideoFolders : public ::testing::Test {
 protected:
  void touch(const std::string& name) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << "x";
  }
  testing::TemporaryFolder folder_;
};

TEST_F(VideoFolders, ArePairedByNamesInNaturalOrder) {
  for (const char* name : {"made/10.mp4", "made/9.mkv", "made/only.webm", "made/notes.txt", "made/.hidden.mp4",
                           "made/10-poses/0001.png", "made/10-poses-report/bones.png", "made/alone-poses/0001.png",
                           "truth/10.gif", "truth/9/0001.png", "truth/other.mp4", "truth/10-poses/0001.png"}) {
    touch(name);
  }
  EXPECT_TRUE(holds_videos(folder_ / "made"));
  EXPECT_TRUE(holds_videos(folder_ / "truth"));
  EXPECT_FALSE(holds_videos(folder_ / "truth/9")) << "a video itself";
  EXPECT_FALSE(holds_videos(folder_ / "made/10.mp4"));
  EXPECT_FALSE(holds_videos(folder_ / "nowhere"));
  const VideoPairs found = pair_videos(folder_ / "made", folder_ / "truth");
  ASSERT_EQ(found.pairs.size(), 2U);
  EXPECT_EQ(found.pairs[0].name, "9");
  EXPECT_EQ(found.pairs[0].truth, folder_ / "truth/9");
  EXPECT_EQ(found.pairs[1].made, folder_ / "made/10.mp4");
  EXPECT_EQ(found.pairs[1].truth, folder_ / "truth/10.gif");
  EXPECT_THAT(found.unpaired,
              ElementsAre((folder_ / "made/alone-poses").string(), (folder_ / "made/only.webm").string(),
                          (folder_ / "truth/other.mp4").string()));
}

TEST_F(VideoFolders, AreRefusedWithoutPairsAndWithTwoOfOneName) {
  touch("made/a.mp4");
  touch("truth/b.mp4");
  EXPECT_THROW(pair_videos(folder_ / "made", folder_ / "truth"), Error);
  touch("truth/a.mp4");
  touch("truth/a.mkv");
  EXPECT_THROW(pair_videos(folder_ / "made", folder_ / "truth"), Error);
}

/// Frames of one colour.
class Shades final : public FrameSource {
 public:
  explicit Shades(std::vector<int> shades) : shades_(std::move(shades)) {}
  [[nodiscard]] const FrameSourceInfo& info() const override { return info_; }
  std::optional<TimedFrame> next() override {
    if (at_ == shades_.size()) return std::nullopt;
    TimedFrame frame{Image(16, 16), static_cast<double>(at_)};
    std::ranges::fill(frame.image.pixels, static_cast<std::uint8_t>(shades_[at_++]));
    return frame;
  }
  [[nodiscard]] std::string trouble() const override { return ""; }

 private:
  std::vector<int> shades_;
  std::size_t at_ = 0;
  FrameSourceInfo info_;
};

/// "made", of one frame, and "truth" of "long", of four, which are one shade apart, but for the first video three.
std::unique_ptr<FrameSource> opened(const fs::path& path) {
  const std::map<std::string, std::vector<int>> videos{
      {"made/short", {53}}, {"truth/short", {50, 60}}, {"made/long", {10, 20, 30}}, {"truth/long", {11, 21, 31}}};
  return std::make_unique<Shades>(videos.at(path.string()));
}

TEST(VideoScores, AreMeansOverTheFramesOfAllVideos) {
  Progress silent;
  const VideoScores scores = score_videos({{"short", "made/short", "truth/short"}, {"long", "made/long", "truth/long"}},
                                          load_metric_networks({}), opened, silent);
  EXPECT_EQ(scores.frames, 4);
  EXPECT_NEAR(scores.quality.mean_absolute_error, (3 + 3 * 1) / (4 * 255.0), 1e-12);
  EXPECT_TRUE(scores.videos[0].comparison.lengths_differ);
  const auto json = scores_json(scores);
  EXPECT_EQ(json["frames"], 4);
  EXPECT_TRUE(json["fid"].is_null() && json["lpips_alex"].is_null());
  EXPECT_EQ(json["videos"][1]["name"], "long");
  EXPECT_NEAR(json["videos"][1]["l1"].get<double>(), 1 / 255.0, 1e-12);
  EXPECT_EQ(json["not_measured"].size(), 4U);
  const std::string text = scores_markdown(scores);
  EXPECT_THAT(text, HasSubstr("| short "));
  EXPECT_THAT(text, HasSubstr("| all "));
  EXPECT_THAT(text, HasSubstr("FVD is not measured: needs weights: give their folder with --metric-weights"));
  EXPECT_THAT(text, HasSubstr("short: the frames of the shorter one"));
}

TEST(VideoScores, AreCountedAndStoppedWhenAsked) {
  struct Counted final : Progress {
    explicit Counted(std::int64_t last) : stop_after(last) {}
    void begin_phase(std::string_view name, std::int64_t total) override { phases.emplace_back(name, total); }
    void step(std::int64_t done) override { steps = done; }
    [[nodiscard]] bool cancelled() const override { return steps >= stop_after; }
    std::int64_t stop_after;
    std::int64_t steps = 0;
    std::vector<std::pair<std::string, std::int64_t>> phases;
  };
  const std::vector<VideoPair> pairs{{"long", "made/long", "truth/long"}, {"short", "made/short", "truth/short"}};
  Counted all(100);
  score_videos(pairs, load_metric_networks({}), opened, all);
  EXPECT_EQ(all.phases, (std::vector<std::pair<std::string, std::int64_t>>{{"compare videos", 2}}));
  EXPECT_EQ(all.steps, 2);
  Counted one(100);
  score_videos({pairs.front()}, load_metric_networks({}), opened, one);
  EXPECT_EQ(one.phases.front().first, "compare frames");
  EXPECT_EQ(one.steps, 3);
  Counted stopped(2);
  EXPECT_THROW(score_videos({pairs.front()}, load_metric_networks({}), opened, stopped), Error);
  EXPECT_EQ(stopped.steps, 2);
}

}  // namespace
}  // namespace unianimate::evaluation
