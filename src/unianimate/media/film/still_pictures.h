// Still pictures of kinds that FFmpeg decodes: GIF, BMP and TIFF.
#pragma once

namespace unianimate {

/// From now on read_image() and its kin read GIF, BMP and TIFF too, in the whole process; see further_pictures.h. A
/// program that reads pictures calls it when it starts; calling it again does nothing.
void read_further_pictures();

}  // namespace unianimate
