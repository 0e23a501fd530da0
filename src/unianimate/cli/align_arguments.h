// The options that say which motion, whose, and how it becomes the reference's.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "unianimate/studio/align_request.h"

namespace CLI {
class App;
}

namespace unianimate::cli {

/// Options as they were written. The defaults are AlignRequest's.
struct AlignArguments {
  std::string person = "main";
  std::string detector = "auto";
  std::string method = "robust";
  std::string end;  ///< empty: the motion's
  std::string motion_size;
  bool leave_picture = false;
  bool no_preview = false;
  std::string motion_frames_per_second;
  studio::AlignRequest rest;          ///< what needs no reading beyond a number or a switch
  const CLI::App* command = nullptr;  ///< to which the options belong
};

/// All but reference, motion, output, frame rate and what belongs to the machine.
void add_align_options(CLI::App& command, AlignArguments& arguments);

/// Throws Error(kUsage) for text that says nothing usable; ranges are for AlignRequest::check(). DWPose's files are
/// looked for in `models`.
studio::AlignRequest to_request(const AlignArguments& arguments, const std::filesystem::path& models);

}  // namespace unianimate::cli
