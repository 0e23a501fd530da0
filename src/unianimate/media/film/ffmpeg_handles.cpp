#include "unianimate/media/film/ffmpeg_handles.h"

#include <array>

namespace unianimate::ffmpeg {

std::string reason(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

void be_quiet() {
  av_log_set_level(AV_LOG_QUIET);
}

std::string file_url(const std::filesystem::path& path) {
  return "file:" + path.string();
}

}  // namespace unianimate::ffmpeg
