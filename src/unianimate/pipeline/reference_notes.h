// What there is to say about a reference picture before a video is made of it.
#pragma once

#include <string>
#include <vector>

#include "unianimate/family/request.h"

namespace unianimate::pipeline {

/// Notes of read_reference(), which part of the picture the video shows where it is not all, and how much that is
/// stretched where it is more than a twentieth. Throws as read_reference() does.
std::vector<std::string> reference_notes(const family::AnimateRequest& request);

}  // namespace unianimate::pipeline
