#include "unianimate/cli/job_arguments.h"

#include <CLI/CLI.hpp>

#include "unianimate/cli/integer_option.h"

namespace unianimate::cli {

namespace {

constexpr const char* kGroup = "Resuming and previews";
constexpr std::int64_t kMostSteps = 1000;

}  // namespace

void add_job_options(CLI::App& command, studio::JobKeeping& keeping) {
  add_integer_option(command, "--save-every", keeping.save_every,
                     "Save the latents after every so many steps, for 'unianimate resume'; 0: keep no job folder")
      ->check(CLI::Range(std::int64_t{0}, kMostSteps))
      ->group(kGroup);
  command.add_flag("--keep-job", keeping.keep, "Keep the job folder when the video is done, for 'resume --redo'")
      ->group(kGroup);
  CLI::Option* const previews =
      add_integer_option(
          command, "--preview-every", keeping.preview_every,
          "Show what the video is going to be after every so many steps, in OUTPUT-preview.mp4; 0: never")
          ->check(CLI::Range(std::int64_t{0}, kMostSteps))
          ->group(kGroup);
  command
      .add_flag("--preview-decoded", keeping.preview_decoded,
                "Previews by the autoencoder, as fine as the video but slow, instead of a quick linear map")
      ->needs(previews)
      ->group(kGroup);
}

void add_job_folder_option(CLI::App& command, studio::JobKeeping& keeping) {
  command.add_option("--job", keeping.folder, "Folder of the job (default: OUTPUT-job, removed when all is done)")
      ->type_name("DIR")
      ->group(kGroup);
}

}  // namespace unianimate::cli
