// One JSON and one Markdown file of what all parts have left behind.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "gpu_check/setup.h"
#include "unianimate/core/output_file.h"

namespace unianimate::benchmarks {

namespace {

namespace fs = std::filesystem;

constexpr double kPercent = 100;
constexpr double kGiga = 1e9;

/// Lines of fields between tabs; none where there is no file.
std::vector<std::vector<std::string>> read_fields(const fs::path& path) {
  std::vector<std::vector<std::string>> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string>& fields = lines.emplace_back();
    std::istringstream text(line);
    for (std::string field; std::getline(text, field, '\t');) fields.push_back(field);
  }
  return lines;
}

/// Null where there is no such file or it was cut off.
Row read_json(const fs::path& path) {
  std::ifstream file(path);
  Row json = Row::parse(file, nullptr, false);
  return json.is_discarded() ? Row() : json;
}

Row machine(const fs::path& folder) {
  Row found = Row::object();
  for (const auto& fields : read_fields(folder / "machine.tsv")) {
    if (fields.size() == 2) found[fields[0]] = fields[1];
  }
  return found;
}

Row steps(const fs::path& folder) {
  Row rows = Row::array();
  for (const auto& fields : read_fields(folder / "steps.tsv")) {
    if (fields.size() == 3) rows.push_back({{"step", fields[0]}, {"result", fields[1]}, {"seconds", fields[2]}});
  }
  return rows;
}

/// What GoogleTest writes of one test: its result, and what it has recorded, which are distances to golden numbers.
Row row_of_test(const Row& test) {
  std::string measured;
  for (const auto& [key, value] : test.items()) {
    static const std::map<std::string, int> kOfGoogleTest{
        {"name", 0},   {"value_param", 0}, {"type_param", 0}, {"file", 0},      {"line", 0},     {"status", 0},
        {"result", 0}, {"timestamp", 0},   {"time", 0},       {"classname", 0}, {"failures", 0}, {"skipped", 0}};
    if (!kOfGoogleTest.contains(key) && value.is_string()) {
      measured += fmt::format("{}{} {}", measured.empty() ? "" : ", ", key, value.get<std::string>());
    }
  }
  return {{"test", test.value("name", "")},
          {"result", test.contains("failures")  ? "failed"
                     : test.contains("skipped") ? "skipped"
                                                : "passed"},
          {"measured", measured}};
}

Row golden(const fs::path& folder) {
  Row rows = Row::array();
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("golden-")) continue;
    const Row json = read_json(entry.path());
    if (!json.is_object()) continue;
    for (const Row& suite : json.value("testsuites", Row::array())) {
      for (const Row& test : suite.value("testsuite", Row::array())) rows.push_back(row_of_test(test));
    }
  }
  return rows;
}

bool same_work(const Row& a, const Row& b) {
  for (const char* key : {"what", "size", "frames", "batch", "dtype"}) {
    if (a.value(key, Row()) != b.value(key, Row())) return false;
  }
  return true;
}

/// How many times as long plain PyTorch takes for the same work.
void compare(Row& pytorch, const Row& bench) {
  for (Row& row : pytorch) {
    for (const Row& own : bench) {
      if (!same_work(row, own) || !own.value("own_kernels", true)) continue;
      row["times_ours"] = row.value("seconds", 0.0) / own.value("seconds", 1.0);
    }
  }
}

std::string cell(const std::string& key, const Row& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (key == "peak_bytes") return fmt::format("{:.2f} GB", value.get<double>() / kGiga);
  if (key == "share_of_best") return fmt::format("{:.1f} %", kPercent * value.get<double>());
  if (value.is_number_float()) return fmt::format("{:.4g}", value.get<double>());
  if (!value.is_object()) return value.dump();
  std::string parts;
  for (const auto& [name, part] : value.items()) {
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", name, cell(name, part));
  }
  return parts;
}

/// Rows of one kind, whose columns are all keys that any of them has.
void add_table(std::string& text, const std::vector<const Row*>& rows) {
  std::vector<std::string> columns;
  for (const Row* row : rows) {
    for (const auto& [key, value] : row->items()) {
      if (key != "what" && std::ranges::find(columns, key) == columns.end()) columns.push_back(key);
    }
  }
  std::string rule = "|";
  text += '|';
  for (const std::string& column : columns) {
    text += fmt::format(" {} |", column);
    rule += " --- |";
  }
  text += "\n" + rule + "\n";
  for (const Row* row : rows) {
    text += '|';
    for (const std::string& column : columns) text += fmt::format(" {} |", cell(column, row->value(column, Row())));
    text += '\n';
  }
  text += '\n';
}

/// A table for each kind of row, in the order in which the kinds first come.
void add_tables(std::string& text, const std::string& title, const Row& rows) {
  if (rows.empty()) return;
  text += fmt::format("## {}\n\n", title);
  std::vector<std::string> kinds;
  std::map<std::string, std::vector<const Row*>> by_kind;
  for (const Row& row : rows) {
    const std::string kind = row.value("what", "");
    if (!by_kind.contains(kind)) kinds.push_back(kind);
    by_kind[kind].push_back(&row);
  }
  for (const std::string& kind : kinds) {
    if (!kind.empty()) text += fmt::format("### {}\n\n", kind);
    add_table(text, by_kind[kind]);
  }
}

}  // namespace

void write_report(const Setup& setup) {
  const fs::path& folder = setup.output;
  Row report{{"machine", machine(folder)}, {"steps", steps(folder)}, {"golden", golden(folder)}};
  for (const char* part : {"device", "bench", "clip", "pytorch", "profile", "train"}) {
    if (const Row rows = read_json(folder / fmt::format("{}.json", part)); rows.is_array()) report[part] = rows;
  }
  if (report.contains("pytorch") && report.contains("bench")) compare(report["pytorch"], report["bench"]);

  std::string text = "# What gpu_check.sh found\n\n";
  for (const auto& [name, value] : report["machine"].items())
    text += fmt::format("- {}: {}\n", name, cell(name, value));
  text += '\n';
  for (const auto& [title, key] :
       {std::pair{"Steps", "steps"}, std::pair{"Golden numbers", "golden"}, std::pair{"What computes", "device"},
        std::pair{"Models", "bench"}, std::pair{"Whole videos", "clip"}, std::pair{"Plain PyTorch", "pytorch"},
        std::pair{"Kernels", "profile"}, std::pair{"Training", "train"}}) {
    add_tables(text, title, report.value(key, Row::array()));
  }
  write_file_atomically(folder / "gpu_check.json", report.dump(2) + "\n");
  write_file_atomically(folder / "gpu_check.md", text);
}

}  // namespace unianimate::benchmarks
