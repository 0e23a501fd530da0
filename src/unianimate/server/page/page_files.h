// The files of the page, which are part of the program.
#pragma once

#include <string_view>
#include <vector>

namespace unianimate::server {

struct PageFile {
  std::string_view name;     ///< "app.js"
  std::string_view content;  ///< bytes, in memory for as long as the program runs
  std::string_view sha256;   ///< in hexadecimal digits
};

const std::vector<PageFile>& page_files();

}  // namespace unianimate::server
