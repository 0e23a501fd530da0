// unianimate job: the job folders of videos that are being made.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/family/presets.h"
#include "unianimate/studio/job_folder.h"

namespace unianimate::cli {

namespace {

struct JobCommandArguments {
  std::string folder = ".";
  bool json = false;
};

constexpr const char* kJobExamples = R"(Examples:
  unianimate job list
  unianimate job list videos --json
  unianimate job show dance-job
  unianimate job delete dance-job)";

/// "step 12 of 31, 0 frames finished"
std::string progress_of(const studio::JobSummary& summary) {
  const std::int64_t steps = summary.record.job.request.sampling.step_count();
  if (summary.segments_begun == 0) return "nothing saved yet";
  const std::string segment =
      summary.record.job.request.chain ? fmt::format("segment {}, ", summary.segments_begun) : "";
  return fmt::format("{}step {} of {}, {} frames finished", segment, summary.steps_done, steps,
                     summary.frames_finished);
}

void print_json(const studio::JobSummary& summary) {
  print_json_line({{"job", summary.folder.string()},
                   {"segments_begun", summary.segments_begun},
                   {"steps_done", summary.steps_done},
                   {"frames_finished", summary.frames_finished},
                   {"bytes", summary.bytes},
                   {"record", nlohmann::ordered_json::parse(studio::job_record_text(summary.record))}});
}

void list(const JobCommandArguments& arguments) {
  const auto jobs = studio::list_jobs(arguments.folder);
  if (jobs.empty() && !arguments.json) print(stdout, "there are no jobs in {}\n", printable(arguments.folder));
  for (const std::filesystem::path& folder : jobs) {
    try {
      const studio::JobSummary summary = studio::summarize_job(folder);
      if (arguments.json) {
        print_json(summary);
      } else {
        print(stdout, "{}: {}, {}, {}\n", printable(folder.string()), printable(summary.record.job.output.string()),
              progress_of(summary), format_bytes(summary.bytes));
      }
    } catch (const Error& error) {
      if (arguments.json) {
        print_json_line({{"job", folder.string()}, {"problem", error.what()}});
      } else {
        print(stdout, "{}: {}\n", printable(folder.string()), printable(error.what(), kMessageBytes));
      }
    }
  }
}

void show(const JobCommandArguments& arguments) {
  const studio::JobSummary summary = studio::summarize_job(arguments.folder);
  if (arguments.json) return print_json(summary);
  const studio::VideoJob& job = summary.record.job;
  const family::AnimateRequest& request = job.request;
  const auto row = [](const char* name, const std::string& value) {
    print(stdout, "  {:<12}{}\n", name, printable(value, kMessageBytes));
  };
  print(stdout, "{}\n", printable(summary.folder.string()));
  row("output", fmt::format("{}, {:.6g} frames a second", job.output.string(), job.frames_per_second));
  if (job.interpolate > 1) {
    row("between",
        fmt::format("interpolated, {} times as many frames, {:.6g} a second", job.interpolate, job.shown_per_second()));
  }
  row("picture", fmt::format("{}, {}x{}", request.reference.string(), request.width, request.height));
  row("poses", request.poses.string());
  row("conditions", request.conditions.names(", "));
  row("steps",
      fmt::format("{}, seed {}, guidance {}", request.sampling.step_count(), request.seed, request.guidance_scale));
  row("sampler", fmt::format("{}, timesteps {}", request.sampling.sampler, request.sampling.timesteps.text()));
  if (const std::string text = family::preset_text(request); !text.empty()) row("preset", text);
  if (const auto texts = request.shortcuts.texts(); !texts.empty()) {
    row("left out", fmt::format("{}", fmt::join(texts, ", ")));
  }
  if (request.decoder != family::DecoderChoice::kFull) row("decoder", std::string(fields::word(request.decoder)));
  row("windows", fmt::format("{} frames, {} shared, {}, weights {}{}", request.context.size, request.context.overlap,
                             fields::word(request.context.schedule), fields::word(request.context.weights),
                             request.chain ? ", in chained segments" : ""));
  row("computing", fmt::format("{}, {}", summary.record.device, summary.record.dtype));
  row("inputs", fmt::format("{} files, kept by their checksums", summary.record.inputs.size()));
  row("done", progress_of(summary));
  row("on disk", format_bytes(summary.bytes));
  print(stdout, "'unianimate resume {}' goes on\n", printable(summary.folder.string()));
}

void remove(const JobCommandArguments& arguments) {
  studio::delete_job(arguments.folder);
  print(stdout, "{} is removed\n", printable(arguments.folder));
}

void add_folder_option(CLI::App& command, JobCommandArguments& arguments) {
  command.add_option("job", arguments.folder, "Job folder")->type_name("JOB")->required();
}

void add_json_flag(CLI::App& command, JobCommandArguments& arguments) {
  command.add_flag("--json", arguments.json, "One JSON object a line");
}

}  // namespace

CommandWork add_job_command(CLI::App& command, Session& /*session*/) {
  command.require_subcommand(1);
  command.footer(kJobExamples);
  return {};
}

CommandWork add_job_list_command(CLI::App& command, Session& /*session*/) {
  const auto arguments = std::make_shared<JobCommandArguments>();
  command.add_option("folder", arguments->folder, "Where to look (default: here)")->type_name("DIR");
  add_json_flag(command, *arguments);
  command.footer(kJobExamples);
  return {[arguments] { list(*arguments); }};
}

CommandWork add_job_show_command(CLI::App& command, Session& /*session*/) {
  const auto arguments = std::make_shared<JobCommandArguments>();
  add_folder_option(command, *arguments);
  add_json_flag(command, *arguments);
  command.footer(kJobExamples);
  return {[arguments] { show(*arguments); }};
}

CommandWork add_job_delete_command(CLI::App& command, Session& /*session*/) {
  const auto arguments = std::make_shared<JobCommandArguments>();
  add_folder_option(command, *arguments);
  command.footer(kJobExamples);
  return {[arguments] { remove(*arguments); }};
}

}  // namespace unianimate::cli
