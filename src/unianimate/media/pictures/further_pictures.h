// Kinds of still pictures for which this folder has no decoder of its own: GIF, BMP and TIFF. Whoever has one hands it
// in, so that pictures can be read without the libraries behind it.
#pragma once

#include "unianimate/media/pictures/image_codecs.h"

namespace unianimate {

/// Of files that begin as a GIF, BMP or TIFF does; both as the functions of image_codecs.h.
struct FurtherDecoder {
  StoredHeader (*read_header)(const EncodedImage& file);
  Image (*decode)(const EncodedImage& file);
};

/// From now on these kinds are read by `decoder`, which must outlive all reading, in the whole process; by null, as at
/// first, they are refused with a sentence that says so. Returns the decoder of before.
const FurtherDecoder* set_further_decoder(const FurtherDecoder* decoder);

/// What was handed in last, or null.
const FurtherDecoder* further_decoder();

}  // namespace unianimate
