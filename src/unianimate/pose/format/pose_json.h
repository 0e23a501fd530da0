// poses.json: this program's own file of poses, before or after alignment. docs/formats.md describes every field.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// "detected" and "aligned" in the file.
using Poses = std::variant<PoseSequence, AlignedPoses>;

/// Writes one frame a line, holding one frame in memory. Numbers get as many digits as they need to be read back
/// exactly, so that poses from a file and fresh ones are drawn the same. The file appears when it is complete and
/// replaces an earlier one. Throws Error(kInput) for a number that is not finite or a coordinate beyond 10^9 pixels,
/// Error(kEnvironment) where the file cannot be written.
void write_poses(const std::filesystem::path& path, const PoseSequence& poses);
void write_poses(const std::filesystem::path& path, const AlignedPoses& poses);
/// The same into a stream; the caller looks whether that went well.
void write_poses(std::ostream& out, const PoseSequence& poses);
void write_poses(std::ostream& out, const AlignedPoses& poses);

/// What write_poses() wrote, now or by an earlier version of this program; fields that are not known are passed over.
/// What is read has at least one frame, finite numbers only, times that do not decrease, and, aligned, exactly one
/// person in each frame. Throws Error(kInput), naming file, frame, person and field, for anything else, for a newer
/// version of the format, and beyond these limits: 1 GiB, 1 000 000 frames, 1 000 people in a frame, 300 000 in all,
/// 16384 pixels a side, 1000 frames per second.
Poses read_poses(const std::filesystem::path& path);
/// The poses of a file that are aligned; nothing for anything else, of which read_poses() says what is wrong.
std::optional<AlignedPoses> read_aligned_poses(const std::filesystem::path& path);
/// The same from text; `name` stands for the path in messages.
Poses parse_poses(std::string_view text, const std::string& name);

}  // namespace unianimate::pose
