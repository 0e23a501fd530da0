// Which FFmpeg this program runs with.
#pragma once

#include <string>

namespace unianimate {

/// FFmpeg's own words: "5.1.6-0+deb12u1".
std::string ffmpeg_version();

}  // namespace unianimate
