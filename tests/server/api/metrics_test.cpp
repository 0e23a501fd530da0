#include "unianimate/server/api/metrics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <regex>
#include <sstream>

#include "unianimate/server/api/job_measures.h"

namespace unianimate::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Every line as the format 0.0.4 has it, and each name begun once, before its values.
void expect_sound(const std::string& text) {
  static const std::regex kLine(
      R"(# (HELP|TYPE) [a-z_]+ .+|([a-z_]+)(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? ([-+0-9.e]+|\+Inf|NaN))");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(std::regex_match(line, kLine)) << line;
  EXPECT_TRUE(text.empty() || text.ends_with('\n'));
}

TEST(Metrics, EscapeWhatLabelsHold) {
  MetricsText text;
  text.begin("a_name", "gauge", "What it is");
  text.value(1.5, {{"label", "a\"b\\c\nd"}, {"other", ""}});
  EXPECT_EQ(text.text(),
            "# HELP a_name What it is\n# TYPE a_name gauge\na_name{label=\"a\\\"b\\\\c\\nd\",other=\"\"} 1.5\n");
  expect_sound(text.text());
}

TEST(Histograms, CountWhatLiesWithinEachBound) {
  constexpr std::array kBounds{1.0, 2.5};
  Histogram histogram(kBounds);
  histogram.add(0.5);
  histogram.add(1.0);
  histogram.add(2.0, 3);
  histogram.add(9.0);
  MetricsText text;
  text.begin("some_seconds", "histogram", "Some");
  histogram.write(text, {{"kind", "animate"}});
  EXPECT_THAT(text.text(), HasSubstr("some_seconds_bucket{kind=\"animate\",le=\"1\"} 2\n"
                                     "some_seconds_bucket{kind=\"animate\",le=\"2.5\"} 5\n"
                                     "some_seconds_bucket{kind=\"animate\",le=\"+Inf\"} 6\n"
                                     "some_seconds_sum{kind=\"animate\"} 16.5\n"
                                     "some_seconds_count{kind=\"animate\"} 6\n"));
  expect_sound(text.text());
}

class Measures : public ::testing::Test {
 protected:
  Measures() {
    job_.id = "j1";
    job_.state = queue::JobState::kRunning;
    job_.attempt = 1;
  }
  void report(const char* phase, int done, double seconds) {
    job_.progress = fmt::format(R"({{"phase":"{}","done":{},"total":9,"seconds_elapsed":{}}})", phase, done, seconds);
    measures_.see(job_);
  }
  std::string text() {
    MetricsText text;
    measures_.write(text);
    expect_sound(text.text());
    return text.text();
  }

  JobMeasures measures_;
  queue::JobRow job_;
};

TEST_F(Measures, CountStepsByWhatTheyTook) {
  report("load models", 1, 1);
  report("sample", 0, 4);
  report("sample", 13, 5);  // 12 of them were saved before
  report("sample", 14, 7);
  report("sample", 18, 8);
  job_.attempt = 2;
  report("sample", 19, 1);
  report("decode", 25, 2);
  EXPECT_THAT(text(), HasSubstr("unianimate_step_seconds_sum 3\nunianimate_step_seconds_count 5\n"));
  EXPECT_THAT(text(), HasSubstr("unianimate_step_seconds_bucket{le=\"0.25\"} 4\n"));
  EXPECT_THAT(text(), HasSubstr("unianimate_step_seconds_bucket{le=\"2.5\"} 5\n"));
}

TEST_F(Measures, CountCompletedJobsByTheirKind) {
  job_.started = 100;
  job_.finished = 130;
  for (const queue::JobState state :
       {queue::JobState::kFailed, queue::JobState::kCancelled, queue::JobState::kQueued, queue::JobState::kCompleted}) {
    job_.state = state;
    measures_.see(job_);
  }
  EXPECT_THAT(text(), HasSubstr("unianimate_job_seconds_sum{kind=\"animate\"} 30\n"
                                "unianimate_job_seconds_count{kind=\"animate\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("unianimate_job_seconds_bucket{kind=\"animate\",le=\"10\"} 0\n"));
  EXPECT_THAT(text(), Not(HasSubstr("align")));
}

TEST_F(Measures, TakeWhateverStandsInTheRow) {
  for (const char* progress : {"", "{", "[]", R"({"phase":5})", R"({"done":"x"})"}) {
    job_.progress = progress;
    measures_.see(job_);
  }
  EXPECT_THAT(text(), HasSubstr("unianimate_step_seconds_count 0\n"));
}

}  // namespace
}  // namespace unianimate::server
