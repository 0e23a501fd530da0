// Options that the command knows but that say nothing about what is asked of it.
#pragma once

#include <span>
#include <string_view>

#include "unianimate/studio/video_order.h"

namespace CLI {
class App;
}

namespace unianimate::cli {

/// Throws Error(kUsage) where the command line gave one of `names`: it "has no effect " + `when`.
void refuse_given(const CLI::App& command, std::span<const std::string_view> names, std::string_view when);

/// The same as a function of names without their dashes, for as long as the command lives.
studio::RefuseGiven refusal_of(const CLI::App& command);

}  // namespace unianimate::cli
