// unianimate evaluate: how far two pose sequences are apart, and the commands that measure all else.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/reporter.h"
#include "unianimate/pose/align/comparison.h"
#include "unianimate/pose/align/tracking.h"
#include "unianimate/pose/format/pose_import.h"

namespace unianimate::cli {

namespace {

struct PosesArguments {
  std::string first;
  std::string second;
  bool json = false;
};

constexpr const char* kAllExamples = R"(Examples:
  unianimate evaluate poses found/poses.json other/poses.json
  unianimate evaluate videos results/ truth/ --metric-weights weights
  unianimate evaluate model --models small --people 900000-900031 --output quality
  unianimate evaluate long --people 900000-900001 --frames 1000 --output long)";

constexpr const char* kEvaluateExamples = R"(Examples:
  unianimate evaluate poses poses/dance-report/poses.json other/poses.json
  unianimate evaluate poses found/poses.json openpose_output/ --json

Takes poses.json, OpenPose's and ComfyUI's files. The main person of both is compared, frame by frame.)";

constexpr double kPercent = 100;

void print_row(const pose::JointComparison& row) {
  print(stdout, "{:<16}{:>10}{:>9.2f}{:>9.2f}{:>9.2f}{:>10.1f}{:>10.1f}{:>9}{:>9}\n", row.joint, row.compared,
        kPercent * row.mean, kPercent * row.median, kPercent * row.largest, kPercent * row.within_2_percent,
        kPercent * row.within_5_percent, row.only_first, row.only_second);
}

nlohmann::ordered_json as_json(const pose::JointComparison& row) {
  return {{"joint", row.joint},
          {"compared", row.compared},
          {"mean", row.mean},
          {"median", row.median},
          {"largest", row.largest},
          {"within_2_percent", row.within_2_percent},
          {"within_5_percent", row.within_5_percent},
          {"only_first", row.only_first},
          {"only_second", row.only_second}};
}

void evaluate_poses(const PosesArguments& arguments) {
  const auto main_person = [](const std::string& path) {
    const pose::PoseSequence everyone = pose::import_poses(path);
    for (const std::string& note : everyone.notes) make_reporter(false, false)->note(note);
    return pose::choose_person(everyone, pose::PersonChoice{});
  };
  const pose::PoseSequence first = main_person(arguments.first);
  const pose::PoseSequence second = main_person(arguments.second);
  const pose::PoseComparison comparison = pose::compare_poses(first, second);
  if (arguments.json) {
    nlohmann::ordered_json joints = nlohmann::ordered_json::array();
    for (const pose::JointComparison& row : comparison.joints) joints.push_back(as_json(row));
    return print_json_line({{"frames", comparison.frames},
                            {"frames_of_first", first.frames.size()},
                            {"frames_of_second", second.frames.size()},
                            {"all", as_json(comparison.all)},
                            {"joints", joints}});
  }
  print(stdout, "{} frames of {} and {}; distances in percent of the second one's height\n", comparison.frames,
        first.frames.size(), second.frames.size());
  print(stdout, "{:<16}{:>10}{:>9}{:>9}{:>9}{:>10}{:>10}{:>9}{:>9}\n", "joint", "compared", "mean", "median", "largest",
        "% in 2 %", "% in 5 %", "only 1st", "only 2nd");
  for (const pose::JointComparison& row : comparison.joints) print_row(row);
  print_row(comparison.all);
}

}  // namespace

CommandWork add_evaluate_command(CLI::App& command, Session& /*session*/) {
  command.require_subcommand(1);
  command.footer(kAllExamples);
  return {};
}

CommandWork add_evaluate_poses_command(CLI::App& command, Session& /*session*/) {
  const auto arguments = std::make_shared<PosesArguments>();
  command.add_option("first", arguments->first, "Poses")->type_name("PATH")->required();
  command.add_option("second", arguments->second, "Poses to measure against")->type_name("PATH")->required();
  command.add_flag("--json", arguments->json, "One JSON object; distances as shares of the second one's height");
  command.footer(kEvaluateExamples);
  return {[arguments] { evaluate_poses(*arguments); }};
}

}  // namespace unianimate::cli
