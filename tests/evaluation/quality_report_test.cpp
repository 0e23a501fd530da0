// Tables, JSON, sheets and plots of an evaluation made up here.
#include "unianimate/evaluation/quality_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "unianimate/evaluation/quality_pictures.h"
#include "unianimate/evaluation/variant_report.h"

namespace unianimate::evaluation {
namespace {

using ::testing::HasSubstr;

constexpr int kWidth = 20;
constexpr int kHeight = 30;

/// Two people, reference and first-frame with 1 and 5 steps each.
ModelEvaluation made_up() {
  ModelEvaluation evaluation;
  evaluation.request.people = {7, 8};
  for (const char* conditions : {"reference", "first-frame"}) {
    for (const std::int64_t steps : {5, 1}) {
      Setting setting;
      setting.conditions = conditions;
      setting.request.conditions = family::ConditionSet::parse(conditions);
      setting.request.sampling.steps = steps;
      evaluation.request.settings.push_back(setting);
    }
  }
  for (const Setting& setting : evaluation.request.settings) {
    const Quality quality{
        20.0 + static_cast<double>(setting.request.sampling.steps), 0.75, 0.0625, 17.5, 0.03125, 0.875, 1.25};
    evaluation.rows.push_back(
        {{name_among(setting, evaluation.request.settings), {{7, quality, 2.5}, {8, quality, 1.5}}, quality},
         1.5,
         0.125,
         12});
  }
  const Quality repeated{15.25, 0.5, 0.25, std::nullopt, 0.5};
  evaluation.baselines.push_back({"repeat the reference picture", {{7, repeated, 0}, {8, repeated, 0}}, repeated});
  const std::vector<Image> frames(2, Image(kWidth, kHeight));
  evaluation.shown.push_back({7, {0, 7}, frames, frames, std::vector<Image>(4, frames[0]), {4, frames}});
  return evaluation;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Settings, AreNamedByWhatTheyDifferIn) {
  const std::vector<Setting> settings = made_up().request.settings;
  EXPECT_EQ(name_among(settings[0], settings), "reference, steps 5");
  EXPECT_EQ(name_among(settings[0], std::span(settings).first(1)), "reference");
  EXPECT_EQ(name_among(settings[3], settings, parameters().data()), "first-frame");
  EXPECT_TRUE(settings[2].starts_from_first_frame());
  EXPECT_FALSE(settings[1].starts_from_first_frame());
}

TEST(QualityTable, HasARowForEachSettingAndBaseline) {
  const std::vector<std::string> lines = lines_of(quality_table(made_up()));
  ASSERT_EQ(lines.size(), 2U + 4U + 1U);
  const auto bars = std::ranges::count(lines[0], '|');
  for (const std::string& line : lines) {
    EXPECT_EQ(std::ranges::count(line, '|'), bars) << line;
    EXPECT_EQ(line.size(), lines[0].size());
  }
  EXPECT_THAT(lines[3], HasSubstr("| reference "));
  EXPECT_THAT(lines[3], HasSubstr(" 1 |      2.5 |         949 |   11 | 21.00 | 0.7500 |       17.50 | 0.0625 |"));
  EXPECT_THAT(lines[3], HasSubstr("|     0.875 |    1.250 |        1.50 |            125.0 |"));
  EXPECT_THAT(lines[6], HasSubstr("| repeat the reference picture |"));
  EXPECT_THAT(lines[6], HasSubstr("15.25"));
}

TEST(QualityMarkdown, SaysWhatWasMeasuredAndWhatNot) {
  const std::string text = quality_markdown(made_up());
  EXPECT_THAT(text, HasSubstr("2 procedural people (7 to 8), motion: dance, 8 frames of 96x128 at 8 a second"));
  EXPECT_THAT(text, HasSubstr("cpu in fp32"));
  EXPECT_THAT(text, HasSubstr("LPIPS and FVD are not measured"));
  EXPECT_THAT(text, HasSubstr("25.00 / 0.750 / 17.50"));
}

TEST(QualityMarkdown, NamesWhatWasLeftOut) {
  ModelEvaluation evaluation = made_up();
  EXPECT_THAT(quality_markdown(evaluation), ::testing::Not(HasSubstr("Left out")));
  for (Setting& setting : evaluation.request.settings) setting.request.shortcuts.guidance_every = 3;
  EXPECT_THAT(quality_markdown(evaluation), HasSubstr("Left out in all videos: guidance every 3 steps"));
}

TEST(QualityReport, NamesPresetAndDecoderWhereTheyAreNotAsUsual) {
  ModelEvaluation evaluation = made_up();
  for (const char* name : {"preset", "decoder"}) {
    EXPECT_THAT(quality_markdown(evaluation), ::testing::Not(HasSubstr(name)));
  }
  for (Setting& setting : evaluation.request.settings) setting.request.decoder = family::DecoderChoice::kSmall;
  evaluation.request.settings[1].request.preset = family::Preset::kDraft;
  const std::vector<std::string> lines = lines_of(quality_table(evaluation));
  EXPECT_THAT(lines[0], HasSubstr("| seed | preset | decoder |  PSNR |"));
  EXPECT_THAT(lines[2], HasSubstr("|   11 |  exact |   small | 25.00 |"));
  EXPECT_THAT(lines[3], HasSubstr("|   11 |  draft |   small | 21.00 |"));
  EXPECT_THAT(lines[6], HasSubstr("|      |        |         | 15.25 |"));
  const nlohmann::ordered_json rows = quality_json(evaluation).at("rows");
  EXPECT_EQ(rows.at(1).at("preset"), "draft");
  EXPECT_EQ(rows.at(1).at("decoder"), "small");
  EXPECT_EQ(quality_json(made_up()).at("rows").at(0).at("preset"), "exact");
  EXPECT_EQ(quality_json(made_up()).at("rows").at(0).at("decoder"), "full");
}

TEST(QualityJson, HoldsMeansAndPeople) {
  const nlohmann::ordered_json json = quality_json(made_up());
  EXPECT_EQ(json.at("first_person"), 7);
  const auto& row = json.at("rows").at(3);
  EXPECT_EQ(row.at("name"), "first-frame, steps 1");
  EXPECT_EQ(row.at("conditions"), (nlohmann::ordered_json{"image", "local_image", "dwpose"}));
  EXPECT_EQ(row.at("steps"), 1);
  EXPECT_EQ(row.at("psnr"), 21);
  EXPECT_EQ(row.at("people").at(1).at("seconds"), 1.5);
  EXPECT_EQ(row.at("sharpness"), 0.875);
  EXPECT_EQ(row.at("people").at(1).at("movement"), 1.25);
  for (const char* unknown : {"figure_psnr", "sharpness", "movement"}) {
    EXPECT_TRUE(json.at("baselines").at(0).at(unknown).is_null());
  }
}

TEST(QualityReport, TellsTheDistanceOfLatentsFromTheFirstVariants) {
  ModelEvaluation evaluation = made_up();
  for (SettingRow& row : evaluation.rows) row.pass_equivalents = 10;
  for (const std::size_t compared : {1U, 3U}) {
    evaluation.request.settings[compared].compared_with = 0;
    QualityRow& against = evaluation.rows[compared].against;
    against = evaluation.rows[compared].row;
    against.name = evaluation.rows[0].row.name;
  }
  evaluation.rows[1].against.people[0].latent_distance = 0.25;
  evaluation.rows[1].against.people[1].latent_distance = 0.5;
  const std::vector<std::string> lines = lines_of(variants_table(evaluation));
  EXPECT_THAT(lines[0], HasSubstr("| distance of latents |"));
  EXPECT_THAT(lines[2], HasSubstr("|              0.3750 |"));
  EXPECT_THAT(lines[3], HasSubstr("|                     |")) << "of other shapes";
  const nlohmann::ordered_json rows = quality_json(evaluation).at("rows");
  EXPECT_EQ(rows.at(1).at("against").at("latent_distance"), 0.375);
  EXPECT_EQ(rows.at(1).at("against").at("people").at(1).at("latent_distance"), 0.5);
  EXPECT_TRUE(rows.at(3).at("against").at("latent_distance").is_null());
  EXPECT_FALSE(rows.at(1).contains("latent_distance")) << "the truth has no latents";
}

TEST(QualityJson, TellsWhetherTheStateIsCarried) {
  ModelEvaluation evaluation = made_up();
  evaluation.request.settings.front().request.context.carry_state = true;
  const nlohmann::ordered_json json = quality_json(evaluation);
  EXPECT_EQ(json.at("rows").at(0).at("carry_state"), true);
  EXPECT_EQ(json.at("rows").at(1).at("carry_state"), false);
}

TEST(QualityPictures, ShowEveryPersonAndSetting) {
  const Image sheet = quality_contact_sheet(made_up());
  // Enlarged five times: a reference and two frames across, poses, truth and four results down.
  EXPECT_GT(sheet.width, 3 * 5 * kWidth);
  EXPECT_GT(sheet.height, 6 * 5 * kHeight);
}

TEST(QualityPictures, LeaveOutSettingsThatASheetHasNoRoomFor) {
  constexpr std::size_t kSettings = 200;
  constexpr int kEnlargedTwice = 140;
  ModelEvaluation evaluation = made_up();
  const std::vector<Image> frames(2, Image(kWidth, kEnlargedTwice));
  evaluation.rows.resize(kSettings, evaluation.rows.front());
  evaluation.shown = {{7, {0, 7}, frames, frames, {kSettings, frames.front()}, {kSettings, frames}}};
  const int height = quality_contact_sheet(evaluation).height;
  EXPECT_LT(height, 32'000);
  EXPECT_GT(height, 20'000);
}

TEST(QualityPlots, AreMadeForWhatVaries) {
  ModelEvaluation evaluation = made_up();
  const std::vector<NamedPicture> plots = quality_plots(evaluation);
  ASSERT_EQ(plots.size(), 1U);
  EXPECT_EQ(plots[0].name, "steps");
  evaluation.request.settings[0].request.noise_prior = 900;
  EXPECT_EQ(quality_plots(evaluation).at(1).name, "noise_prior");
  evaluation.request.settings.resize(1);
  EXPECT_TRUE(quality_plots(evaluation).empty());
}

}  // namespace
}  // namespace unianimate::evaluation
