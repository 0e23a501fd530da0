// What this program is and what it runs with.
#pragma once

#include <string>

namespace unianimate::cli {

/// Lines for --version: the program, libtorch, FFmpeg, the processor's bf16 and CUDA.
std::string version_text();

}  // namespace unianimate::cli
