#include "unianimate/core/trace.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/file_content.h"
#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/core/written_mark.h"

namespace unianimate {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class TraceTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::vector<json> row(int number) const {
    std::vector<json> events;
    const json trace = json::parse(testing::file_content(file_));
    for (const json& event : trace.at("traceEvents")) {
      if (event.value("ph", "") == "X" && event.at("tid") == number) events.push_back(event);
    }
    return events;
  }

  static std::vector<std::string> names(const std::vector<json>& events) {
    std::vector<std::string> list;
    for (const json& event : events) list.push_back(event.at("name"));
    return list;
  }

  static double end(const json& event) { return event.at("ts").get<double>() + event.at("dur").get<double>(); }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "trace.json";
};

constexpr int kPhases = 1;
constexpr int kSteps = 2;
constexpr int kOperators = 3;
/// Times are written in tenths of a microsecond.
constexpr double kRounding = 0.2;

TEST_F(TraceTest, PhasesHoldTheirStepsAndStepsTheirOperators) {
  {
    Trace trace(file_);
    trace.begin_phase("load \"UNet\"");
    trace.begin_phase("sample");
    const at::Tensor x = at::ones({8, 8});
    trace.step(1);
    x.matmul(x);
    trace.step(2);
    EXPECT_FALSE(std::filesystem::exists(file_));
  }
  at::ones({2}).add(1);  // after the trace
  const auto phases = row(kPhases);
  const auto steps = row(kSteps);
  EXPECT_THAT(names(phases), ElementsAre("load \"UNet\"", "sample"));
  EXPECT_THAT(names(steps), ElementsAre("sample 1", "sample 2"));
  EXPECT_NEAR(end(phases[0]), phases[1].at("ts").get<double>(), 1000);
  EXPECT_GE(steps[0].at("ts").get<double>(), phases[1].at("ts").get<double>() - kRounding);
  EXPECT_LE(end(steps[1]), end(phases[1]) + kRounding);
  int products = 0;
  for (const json& event : row(kOperators)) {
    EXPECT_NE(event.at("name"), "aten::add");
    if (event.at("name") != "aten::matmul") continue;
    ++products;
    EXPECT_GE(event.at("ts").get<double>(), end(steps[0]) - kRounding);
    EXPECT_LE(end(event), end(steps[1]) + kRounding);
  }
  EXPECT_EQ(products, 1);
  EXPECT_TRUE(is_own_file(file_));
}

TEST_F(TraceTest, OwnScopesAreOperators) {
  {
    Trace trace(file_);
    trace.begin_phase("sample");
    RECORD_USER_SCOPE("unianimate::group_norm");
    at::ones({2}).mul(2);
  }
  EXPECT_THAT(names(row(kOperators)), Contains("unianimate::group_norm"));
}

TEST_F(TraceTest, WithoutAPhaseThereIsNone) {
  { const Trace trace(file_); }
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(TraceTest, WhatAppearsInItsPlaceMeanwhileStays) {
  Trace trace(file_);
  trace.begin_phase("write video");
  std::ofstream(file_) << "the video";
  EXPECT_THROW(trace.finish(), Error);
  EXPECT_EQ(testing::file_content(file_), "the video");
}

TEST_F(TraceTest, OnlyATraceIsReplaced) {
  std::ofstream(file_) << "years of work";
  try {
    Trace trace(file_);
    ADD_FAILURE() << "the file was replaced";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("is no trace of this program"));
  }
  EXPECT_EQ(testing::file_content(file_), "years of work");
  std::filesystem::remove(file_);
  for (const char* phase : {"first", "second"}) {
    Trace trace(file_);
    trace.begin_phase(phase);
  }
  EXPECT_THAT(names(row(kPhases)), ElementsAre("second"));
}

}  // namespace
}  // namespace unianimate
