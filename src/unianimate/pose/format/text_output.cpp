#include "unianimate/pose/format/text_output.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"

namespace unianimate::pose {

void write_text(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write) {
  std::ofstream file(path, std::ios::binary);
  write(file);
  file.close();
  if (!file) {
    throw Error(ErrorKind::kEnvironment, "{} could not be written: {}", printable(path.string()), std::strerror(errno));
  }
}

void write_text_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write) {
  OutputPath output(path);
  write_text(output.temporary(), write);
  output.commit();
}

}  // namespace unianimate::pose
