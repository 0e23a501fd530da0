// Frames out of whatever holds some.
#pragma once

#include <filesystem>
#include <memory>

#include "unianimate/media/pictures/frame_source.h"

namespace unianimate {

/// Opens, told apart by content and never by name:
/// - a video or an animation: its first video stream, in a container that holds its own data (MP4, MOV, Matroska,
///   WebM, AVI, MPEG, FLV, Ogg, ASF, GIF, APNG, MJPEG, HEIC and AVIF sequences and their kin; never a playlist that
///   could point elsewhere; a cover picture is no video), or an animated WebP. Frames are turned
///   upright as the display matrix says, scaled to square pixels, converted by the matrix and range the video names
///   (BT.601 where it names none), without alpha; HDR (PQ, HLG) is tone-mapped to BT.709. Frames that change their size
///   are scaled to the first one's. Interlaced frames stay as they are;
/// - a folder: the files that named_as() takes for pictures, in natural order (frame_2 before frame_10). Pictures that
///   cannot be read are left out, and their time stays empty;
/// - a picture as read_image() takes it: one frame.
/// Throws Error(kUsage) for options out of range, Error(kInput), naming the path, where there is nothing of the kind,
/// no frame can be decoded or lies in the part, frames are over the limits, or all of them together have more than
/// kMaxTotalPixels; next() throws Error(kInput) where the pictures of a folder differ in size.
std::unique_ptr<FrameSource> open_frame_source(const std::filesystem::path& path,
                                               const FrameSourceOptions& options = {});

}  // namespace unianimate
