#include "unianimate/training/training_log.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/plot/line_chart.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

/// The first line, by which written_mark() knows the file.
constexpr const char* kHeader = R"({"format":"unianimate-training-log","version":1})"
                                "\n";

/// Nothing for a line that a killed process left in the middle.
nlohmann::json parse_line(const std::string& line) {
  return nlohmann::json::parse(line, nullptr, false);
}

}  // namespace

TrainingLog::TrainingLog(const fs::path& folder, std::int64_t step, Progress& progress)
    : file_(own_place(folder / "log.jsonl", kMark, {}, progress)),
      curves_(own_place(folder / "loss.png", kPictureMark, {}, progress)) {
  std::ifstream before(file_);
  std::string kept = kHeader;
  for (std::string line; std::getline(before, line);) {
    const nlohmann::json entry = parse_line(line);
    if (entry.is_object() && entry.contains("step") && entry["step"].is_number_integer() &&
        entry["step"].get<std::int64_t>() <= step) {
      kept += line + "\n";
    }
  }
  write_file_atomically(file_, kept);
}

void TrainingLog::add(std::int64_t step, const Measurements& values) {
  nlohmann::ordered_json entry{{"step", step}};
  for (const auto& [name, value] : values) entry[name] = value;
  std::ofstream file(file_, std::ios::app);
  file << entry.dump() << "\n" << std::flush;
  if (!file) {
    throw Error(ErrorKind::kEnvironment, "{} cannot be written to; is the disk full?", printable(file_.string()));
  }
}

void TrainingLog::draw() const {
  plot::LineChart chart;
  chart.title = "Training";
  chart.x_label = "step";
  chart.y_label = "loss";
  chart.log_y = true;
  chart.series = {{"loss", {}, {}}, {"validation", {}, {}}};
  std::ifstream lines(file_);
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json entry = parse_line(line);
    if (!entry.is_object() || !entry.contains("step") || !entry["step"].is_number()) continue;
    for (plot::Series& series : chart.series) {
      if (!entry.contains(series.name) || !entry[series.name].is_number()) continue;
      series.x.push_back(entry["step"].get<double>());
      series.y.push_back(entry[series.name].get<double>());
    }
  }
  std::erase_if(chart.series, [](const plot::Series& series) { return series.x.empty(); });
  if (!chart.series.empty()) write_png(curves_, plot::draw_line_chart(chart));
}

}  // namespace unianimate::training
